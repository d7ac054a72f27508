"""Pictures in turn as an animated GIF, written off the GUI thread, whole or not at all."""

from __future__ import annotations

import asyncio
import io
from collections.abc import Sequence
from pathlib import Path

from PySide6.QtGui import QImage

from app.services.pictures import png_of
from brainlm_engine.api.networks import write_bytes

#: pixels of an animation's width: what a slide or a mail takes
WIDTH = 900
_FRAME_MS = 120


async def write_gif(images: Sequence[QImage], path: str) -> None:
    """Write ``images`` one after the other, over and over.

    Raises
    ------
    EngineError
        One sentence, when the file cannot be written.
    """
    content = await asyncio.to_thread(_gif, images)
    await asyncio.to_thread(write_bytes, content, Path(path))


def _gif(frames: Sequence[QImage]) -> bytes:
    from PIL import Image

    pictures = [Image.open(io.BytesIO(png_of(frame))).convert("RGB") for frame in frames]
    if pictures[0].width > WIDTH:
        size = (WIDTH, round(pictures[0].height * WIDTH / pictures[0].width))
        pictures = [picture.resize(size, Image.Resampling.LANCZOS) for picture in pictures]
    first, *others = (picture.quantize(128) for picture in pictures)
    out = io.BytesIO()
    first.save(out, "GIF", save_all=True, append_images=others, duration=_FRAME_MS, loop=0, optimize=True)
    return out.getvalue()
