"""Work in pieces: one piece per turn of the event loop, so that the window paints and answers in between.

All pieces of the program, 3D pictures among them, share one queue, and after each the event loop goes round once with
nothing but what is due: a paint, a key, a timer. Without that, a picture of 20 ms, the paint of 20 ms that follows it
and the next piece would be one block of 50 ms.
"""

from __future__ import annotations

import weakref
from collections.abc import Callable

from PySide6.QtCore import QCoreApplication, QObject, QTimer
from shiboken6 import isValid


class Pace(QObject):
    """Calls in the order in which they were asked for, one per turn, with a free turn after each."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._waiting: list[weakref.WeakMethod[Callable[[], object]]] = []
        self._free = False
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(0)
        self._timer.timeout.connect(self._turn)

    @property
    def busy(self) -> bool:
        """True while calls wait."""
        return bool(self._waiting)

    def ask(self, method: Callable[[], object]) -> None:
        """Call ``method``, bound to an object, in a turn of its own; asking twice before that is asking once."""
        wanted = weakref.WeakMethod(method)
        if wanted not in self._waiting:
            self._waiting.append(wanted)
        if not self._timer.isActive():
            self._timer.start()

    def _turn(self) -> None:
        self._free = not self._free
        try:
            while self._waiting and not self._free:
                method = self._waiting.pop(0)()
                owner = getattr(method, "__self__", None)
                if method is not None and (not isinstance(owner, QObject) or isValid(owner)):
                    method()
                    break
        finally:  # one that fails does not keep the others waiting
            if self._waiting:
                self._timer.start()


_pace: list[Pace] = []


def pace() -> Pace:
    """Return the queue of this program: there is one GUI thread."""
    if not _pace or not isValid(_pace[0]):
        _pace[:] = [Pace(QCoreApplication.instance())]
    return _pace[0]


class Turns(QObject):
    """A new list of pieces replaces what is left of the last one; every piece reads the state as it is then.

    Pieces draw on ``page``: they go with it, so that none meets a page that is no more.
    """

    def __init__(self, page: QObject) -> None:
        super().__init__(page)
        self._left: list[Callable[[], object]] = []

    @property
    def busy(self) -> bool:
        """True while pieces are left."""
        return bool(self._left)

    def take(self, *pieces: Callable[[], object]) -> None:
        """Do the pieces one by one, beginning with a later turn: this one has changed the state, that is enough."""
        self._left = list(pieces)
        pace().ask(self._next)

    def drop(self) -> None:
        """Forget what is left."""
        self._left = []

    def _next(self) -> None:
        try:
            if self._left:
                self._left.pop(0)()
        finally:  # a piece that fails does not keep the others from being drawn
            if self._left:
                pace().ask(self._next)
