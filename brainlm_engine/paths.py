"""Where the engine keeps its things on this computer. ``BRAINLM_HOME`` moves all of it (tests, several studies)."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Literal

import platformdirs

_APP = "brainlm-studio"


def _under(kind: str, default: Callable[[str, Literal[False]], str]) -> Path:
    home = os.environ.get("BRAINLM_HOME")
    path = Path(home) / kind if home else Path(default(_APP, False))
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise _unusable(path, error) from error
    return path


def _unusable(path: Path, error: OSError) -> Exception:
    from brainlm_engine.api.errors import FULL, BadInput, OutOfSpace

    if error.errno in FULL:
        return OutOfSpace(f"The disk is full: the folder {path} could not be made.", "Free some space and try again.")
    cause = error.strerror or str(error)
    if isinstance(error, FileExistsError | NotADirectoryError):
        cause = "a part of this path is a file"
    return BadInput(
        f"The program's folder {path} cannot be made: {cause}.",
        "Let BRAINLM_HOME name a folder that you may write to, or unset it.",
        str(error),
    )


def data_dir() -> Path:
    """Jobs, recordings, results, atlases and models a person added. Never deleted by the program."""
    return _under("data", platformdirs.user_data_dir)


def cache_dir() -> Path:
    """Files that can be made again (time-last caches)."""
    return _under("cache", platformdirs.user_cache_dir)


def run_dir() -> Path:
    """Address and credentials of the running engine, readable by this user only."""
    path = _under("run", _private_runtime_dir)
    try:
        path.chmod(0o700)
    except OSError as error:
        raise _unusable(path, error) from error
    return path


def _private_runtime_dir(app: str, author: Literal[False]) -> str:
    """Return the system's place for run files; a folder of the user's own where a Linux session has none."""
    if sys.platform not in ("win32", "darwin") and not os.environ.get("XDG_RUNTIME_DIR"):
        return str(Path(platformdirs.user_state_dir(app, author)) / "run")
    return platformdirs.user_runtime_dir(app, author)


def resources_dir() -> Path:
    """The files shipped with the program."""
    import resources

    return Path(next(iter(resources.__path__)))
