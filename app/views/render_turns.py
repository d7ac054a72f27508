"""Whose turn it is to draw in 3D: one picture per turn of the event loop.

Without a graphics card a picture takes 15 to 40 ms. Two brains drawn inside one paint event, with traces and carpet
after them, would block the window for longer than a person accepts; one after the other they never do.
"""

from __future__ import annotations

import weakref
from typing import Protocol

from PySide6.QtCore import QObject
from PySide6.QtWidgets import QApplication
from shiboken6 import isValid

from app.services.turns import pace


class Drawer(Protocol):
    """What can be given a turn."""

    def draw_waiting(self) -> None:
        """Draw the picture that is out of date."""


class RenderTurns(QObject):
    """Gives turns in the order in which they were asked for; asking twice is asking once."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._waiting: list[weakref.ref[Drawer]] = []

    @property
    def busy(self) -> bool:
        """True while somebody waits for a turn."""
        return bool(self._waiting)

    def ask(self, drawer: Drawer) -> None:
        """Give ``drawer`` a turn soon."""
        if not any(known() is drawer for known in self._waiting):
            self._waiting.append(weakref.ref(drawer))
        pace().ask(self._next)

    def _next(self) -> None:
        try:
            while self._waiting:
                drawer = self._waiting.pop(0)()
                if drawer is not None and isValid(drawer):
                    drawer.draw_waiting()
                    break
        finally:
            if self._waiting:
                pace().ask(self._next)


_turns: list[RenderTurns] = []


def render_turns() -> RenderTurns:
    """Return the turns of this program: all brains share the one GUI thread."""
    if not _turns or not isValid(_turns[0]):
        _turns[:] = [RenderTurns(QApplication.instance())]
    return _turns[0]
