"""Folders for atlases in the making: they vanish whatever happens."""

from __future__ import annotations

import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from brainlm_engine.atlas.registry import added_folder

_PREFIX = ".making-"
_ABANDONED_S = 24 * 3600.0  # older ones were left behind by a process that was killed


@contextmanager
def scratch_folder() -> Iterator[Path]:
    """Give an empty folder beside the atlases, on the same disk; it is deleted at the end if it is still there."""
    root = added_folder()
    root.mkdir(parents=True, exist_ok=True)
    for old in root.glob(f"{_PREFIX}*"):
        if time.time() - old.stat().st_mtime > _ABANDONED_S:
            shutil.rmtree(old, ignore_errors=True)
    folder = Path(tempfile.mkdtemp(prefix=_PREFIX, dir=root))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
