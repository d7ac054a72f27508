"""Small files of the person's own: preferences, recent files, layouts, the session. A bad file is set aside.

Light on purpose (no pydantic): the look of the window is read before the first paint.
"""

from __future__ import annotations

import json
import os
import tempfile
from pathlib import Path
from typing import Any

PREFERENCES, RECENT, LAYOUTS, SESSION, WINDOW = "preferences", "recent", "layouts", "session", "window"
TRAINING = "training"


def settings_dir() -> Path:
    """Return the folder of the person's settings; ``BRAINLM_HOME`` moves it, ``BRAINLM_SETTINGS`` it alone."""
    alone = os.environ.get("BRAINLM_SETTINGS")
    if alone:
        return Path(alone)
    home = os.environ.get("BRAINLM_HOME")
    if home:
        return Path(home) / "settings"
    import platformdirs

    return Path(platformdirs.user_config_dir("brainlm-studio", appauthor=False))


def read(name: str) -> dict[str, Any]:
    """Return what was written under ``name``; empty when there is nothing or it cannot be read.

    A file that is damaged is renamed to ``<name>.damaged.json``, so that nothing is lost and the next start is clean.
    """
    path = settings_dir() / f"{name}.json"
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except (OSError, ValueError):
        set_aside(name)
        return {}
    return content if isinstance(content, dict) else {}


def write(name: str, content: dict[str, Any]) -> bool:
    """Write ``content`` under ``name``, whole or not at all; False when the disk does not take it."""
    folder = settings_dir()
    try:
        folder.mkdir(parents=True, exist_ok=True)
        handle, temporary = tempfile.mkstemp(prefix=f".{name}.", suffix=".json", dir=folder)
        try:
            with os.fdopen(handle, "w", encoding="utf-8") as file:
                json.dump(content, file, ensure_ascii=False, indent=1)
                file.flush()
                os.fsync(file.fileno())
            Path(temporary).replace(folder / f"{name}.json")
        finally:
            Path(temporary).unlink(missing_ok=True)
    except OSError:
        return False
    return True


def set_aside(name: str) -> None:
    """Rename a file that cannot be understood."""
    path = settings_dir() / f"{name}.json"
    try:
        path.replace(path.with_name(f"{name}.damaged.json"))
    except OSError:
        return
