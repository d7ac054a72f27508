"""Pictures of what is on screen, written off the GUI thread, whole or not at all."""

from __future__ import annotations

import asyncio
from pathlib import Path

from PySide6.QtCore import QBuffer, QIODevice
from PySide6.QtGui import QImage
from PySide6.QtWidgets import QWidget

from brainlm_engine.api.networks import write_bytes


async def write_picture(widget: QWidget, path: str) -> None:
    """Write ``widget`` as it is on screen as a PNG.

    Raises
    ------
    EngineError
        One sentence, when the file cannot be written.
    """
    image = widget.grab().toImage()
    content = await asyncio.to_thread(png_of, image)
    await asyncio.to_thread(write_bytes, content, Path(path))


def png_of(image: QImage) -> bytes:
    """Return an image as the bytes of a PNG."""
    buffer = QBuffer()
    buffer.open(QIODevice.OpenModeFlag.WriteOnly)
    image.save(buffer, "PNG")  # type: ignore[call-overload]
    return bytes(buffer.data().data())
