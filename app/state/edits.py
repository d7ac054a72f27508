"""Undo and redo: commands on state, no Qt."""

from __future__ import annotations

import contextlib
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
    """Set fields of one state object; quick changes of the same fields (a slider) are one step.

    When someone who watches a field fails, the fields are set back: the step was not taken.
    """

    label: str
    target: State
    new: dict[str, Any]
    old: dict[str, Any]
    at: float = field(default_factory=time.monotonic)

    def do(self) -> None:
        """Set the new values."""
        self._put(self.new)

    def undo(self) -> None:
        """Set the old values."""
        self._put(self.old)

    def _put(self, values: dict[str, Any]) -> None:
        before = {name: getattr(self.target, name) for name in values}
        try:
            self.target.put(**values)
        except Exception:
            with contextlib.suppress(Exception):  # the first failure is the one to tell of
                self.target.put(**before)
            raise

    def merged(self, later: Edit) -> Edit | None:
        """Merge changes of the same fields, called the same, within one second."""
        if not isinstance(later, SetFields) or later.target is not self.target or later.new.keys() != self.new.keys():
            return None
        if later.label != self.label:
            return None
        if later.at - self.at > 1.0:
            return None
        return SetFields(self.label, self.target, later.new, self.old, later.at)


@dataclass(frozen=True)
class Request:
    """A step that the engine takes: ``do`` and ``undo`` only ask for it, what is on screen follows.

    Attributes
    ----------
    key : what the step is about, so that it can be forgotten when it turns out to have been none
    forth, back : ask for the new and for the former state
    """

    label: str
    key: str
    forth: Callable[[], None]
    back: Callable[[], None]

    def do(self) -> None:
        """Ask for the new state."""
        self.forth()

    def undo(self) -> None:
        """Ask for the former state."""
        self.back()

    def merged(self, later: Edit) -> Edit | None:
        """Stay a step of its own."""
        return None


class EditStack:
    """Steps done and steps taken back. A step that fails leaves the stack, and what it had begun to set, as before."""

    changed = Signal()

    def __init__(self, limit: int = 200) -> None:
        self._done: list[Edit] = []
        self._undone: list[Edit] = []
        self._limit = limit
        self._saved: Edit | None = None

    def do(self, edit: Edit) -> None:
        """Take a step and remember it; what had been taken back is forgotten."""
        edit.do()
        self.took(edit)

    def took(self, edit: Edit) -> None:
        """Remember a step that has just been taken."""
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

    def forget(self, key: str) -> None:
        """Forget the last step when it is the request called ``key``: it came to nothing."""
        if self._done and isinstance(self._done[-1], Request) and self._done[-1].key == key:
            self._done.pop()
            self.changed.emit()

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
    def undo_asks(self) -> bool:
        """True when taking the last step back needs the engine."""
        return bool(self._done) and isinstance(self._done[-1], Request)

    @property
    def redo_asks(self) -> bool:
        """True when taking it again needs the engine."""
        return bool(self._undone) and isinstance(self._undone[-1], Request)

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
        edit = source[-1]
        act(edit)  # when it fails, the step stays where it was
        if source and source[-1] is edit:
            source.pop()
            target.append(edit)
        self.changed.emit()
