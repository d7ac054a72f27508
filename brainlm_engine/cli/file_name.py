"""Names of files on the command line."""

from __future__ import annotations

import argparse
from pathlib import Path


def file_name(text: str) -> Path:
    """Return a path; an empty text, which would mean the present folder, is refused."""
    if not text.strip():
        raise argparse.ArgumentTypeError("an empty text is no file name")
    return Path(text)
