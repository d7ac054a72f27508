"""Work in pieces: one piece per turn of the event loop, so that the window paints and answers in between."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QObject, QTimer


class Turns(QObject):
    """A new list of pieces replaces what is left of the last one; every piece reads the state as it is then."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._left: list[Callable[[], object]] = []
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(0)
        self._timer.timeout.connect(self._next)

    @property
    def busy(self) -> bool:
        """True while pieces are left."""
        return bool(self._left)

    def take(self, *pieces: Callable[[], object]) -> None:
        """Do the pieces one by one, beginning with the next turn: this one has changed the state, that is enough."""
        self._left = list(pieces)
        self._timer.start()

    def drop(self) -> None:
        """Forget what is left."""
        self._left = []

    def _next(self) -> None:
        try:
            if self._left:
                self._left.pop(0)()
        finally:  # a piece that fails does not keep the others from being drawn
            if self._left:
                self._timer.start()
