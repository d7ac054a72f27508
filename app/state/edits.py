"""Undo and redo: commands on state, no Qt."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Protocol

from psygnal import Signal

from app.state.model import State


class Edit(Protocol):
    """One step that can be taken back."""

    @property
    def label(self) -> str:
        """Return what the menu says after 'Undo'."""

    def do(self) -> None:
        """Take the step, the first time or again."""

    def undo(self) -> None:
        """Take it back."""

    def merged(self, later: Edit) -> Edit | None:
        """Return one edit that does both, or None when the two are separate steps for the person."""


@dataclass(frozen=True)
class SetFields:
    """Set fields of one state object; quick changes of the same fields (a slider) are one step."""

    label: str
    target: State
    new: dict[str, Any]
    old: dict[str, Any]
    at: float = field(default_factory=time.monotonic)

    def do(self) -> None:
        """Set the new values."""
        self.target.put(**self.new)

    def undo(self) -> None:
        """Set the old values."""
        self.target.put(**self.old)

    def merged(self, later: Edit) -> Edit | None:
        """Merge changes of the same fields within one second."""
        if not isinstance(later, SetFields) or later.target is not self.target or later.new.keys() != self.new.keys():
            return None
        if later.at - self.at > 1.0:
            return None
        return SetFields(self.label, self.target, later.new, self.old, later.at)


class EditStack:
    """Steps done and steps taken back."""

    changed = Signal()

    def __init__(self, limit: int = 200) -> None:
        self._done: list[Edit] = []
        self._undone: list[Edit] = []
        self._limit = limit
        self._saved: Edit | None = None

    def do(self, edit: Edit) -> None:
        """Take a step and remember it; what had been taken back is forgotten."""
        edit.do()
        merged = self._done[-1].merged(edit) if self._done and not self._undone else None
        if merged is not None:
            self._done[-1] = merged
        else:
            self._done.append(edit)
            del self._done[: -self._limit]
        self._undone.clear()
        self.changed.emit()

    def set(self, label: str, target: State, **values: Any) -> None:
        """Set fields of ``target`` as one step; nothing happens when they already have these values."""
        new = {name: value for name, value in values.items() if getattr(target, name) != value}
        if new:
            self.do(SetFields(label, target, new, {name: getattr(target, name) for name in new}))

    def undo(self) -> None:
        """Take the last step back."""
        self._move(self._done, self._undone, lambda edit: edit.undo())

    def redo(self) -> None:
        """Take it again."""
        self._move(self._undone, self._done, lambda edit: edit.do())

    def clear(self) -> None:
        """Forget everything: another case was opened."""
        self._done.clear()
        self._undone.clear()
        self._saved = None
        self.changed.emit()

    @property
    def undo_label(self) -> str:
        """What would be taken back, '' when nothing."""
        return self._done[-1].label if self._done else ""

    @property
    def redo_label(self) -> str:
        """What would be taken again, '' when nothing."""
        return self._undone[-1].label if self._undone else ""

    @property
    def unsaved(self) -> bool:
        """True when something changed since the session was last written."""
        return (self._done[-1] if self._done else None) is not self._saved

    def mark_saved(self) -> None:
        """Remember that the session on disk is as it is now."""
        self._saved = self._done[-1] if self._done else None
        self.changed.emit()

    def _move(self, source: list[Edit], target: list[Edit], act: Callable[[Edit], None]) -> None:
        if not source:
            return
        edit = source.pop()
        act(edit)
        target.append(edit)
        self.changed.emit()
