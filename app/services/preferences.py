"""Preferences and recent files between runs."""

from __future__ import annotations

from pathlib import Path

from pydantic import ValidationError

from app.services import storage
from app.state.preferences import Preferences

KEEP_RECENT = 12


def load_preferences() -> Preferences:
    """Return the saved preferences; each one that does not fit is left at its default."""
    saved = storage.read(storage.PREFERENCES)
    preferences = Preferences()
    for name, value in saved.items():
        if name in Preferences.model_fields:
            try:
                checked = Preferences.model_validate({name: value})
            except ValidationError:
                continue
            setattr(preferences, name, getattr(checked, name))
    return preferences


def save_preferences(preferences: Preferences) -> bool:
    """Write the preferences."""
    return storage.write(storage.PREFERENCES, preferences.model_dump(mode="json"))


def load_recent() -> tuple[str, ...]:
    """Return recent files, newest first."""
    files = storage.read(storage.RECENT).get("files", [])
    return tuple(str(f) for f in files)[:KEEP_RECENT] if isinstance(files, list) else ()


def with_recent(files: tuple[str, ...], path: str) -> tuple[str, ...]:
    """Return ``files`` with ``path`` in front."""
    path = str(Path(path).absolute())
    return (path, *(f for f in files if f != path))[:KEEP_RECENT]


def save_recent(files: tuple[str, ...]) -> bool:
    """Write recent files."""
    return storage.write(storage.RECENT, {"files": list(files)})
