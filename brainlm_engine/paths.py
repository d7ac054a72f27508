"""Where the engine keeps its things on this computer. ``BRAINLM_HOME`` moves all of it (tests, several studies)."""

from __future__ import annotations

import os
from pathlib import Path

import platformdirs

_APP = "brainlm-studio"


def _under(kind: str, default: str) -> Path:
    home = os.environ.get("BRAINLM_HOME")
    path = Path(home) / kind if home else Path(default)
    path.mkdir(parents=True, exist_ok=True)
    return path


def data_dir() -> Path:
    """Jobs, recordings, results, atlases and models a person added. Never deleted by the program."""
    return _under("data", platformdirs.user_data_dir(_APP, appauthor=False))


def cache_dir() -> Path:
    """Files that can be made again (time-last caches)."""
    return _under("cache", platformdirs.user_cache_dir(_APP, appauthor=False))


def run_dir() -> Path:
    """Address and credentials of the running engine, readable by this user only."""
    path = _under("run", platformdirs.user_runtime_dir(_APP, appauthor=False))
    path.chmod(0o700)
    return path


def resources_dir() -> Path:
    """The files shipped with the program."""
    import resources

    return Path(next(iter(resources.__path__)))
