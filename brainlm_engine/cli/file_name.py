"""Names of files on the command line."""

from __future__ import annotations

import argparse
from collections.abc import Iterable
from pathlib import Path

from brainlm_engine.api.errors import BadInput


def file_name(text: str) -> Path:
    """Return a path; an empty text, which would mean the present folder, is refused."""
    if not text.strip():
        raise argparse.ArgumentTypeError("an empty text is no file name")
    return Path(text)


def refuse_existing(outputs: Iterable[Path | None]) -> None:
    """Refuse to write over files that are there, before anything is computed; BadInput."""
    for output in outputs:
        if output is not None and output.is_file():
            raise BadInput(
                f"{output.name} is there already, in {output.absolute().parent}.",
                "Give another name, or --replace to write over it.",
            )
