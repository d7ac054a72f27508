"""How long the window was not able to answer, measured from inside it."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

from PySide6.QtCore import QObject, Qt, QTimer

_BEAT_MS = 5


class Pulse(QObject):
    """A timer that should fire every 5 ms; the longest gap between two beats is how long the window was blocked."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.gaps_ms: dict[str, list[float]] = {}
        self._phase = ""
        self._last = 0.0
        self._timer = QTimer(self)
        self._timer.setTimerType(Qt.TimerType.PreciseTimer)
        self._timer.setInterval(_BEAT_MS)
        self._timer.timeout.connect(self._beat)

    @contextmanager
    def phase(self, name: str) -> Iterator[None]:
        """Measure while the block runs."""
        self._phase, self._last = name, time.perf_counter()
        self.gaps_ms.setdefault(name, [])
        self._timer.start()
        try:
            yield
        finally:
            self._beat()
            self._timer.stop()
            self._phase = ""

    def longest_ms(self, name: str) -> float:
        """Return the longest gap of a phase in milliseconds."""
        return max(self.gaps_ms.get(name, [0.0]), default=0.0)

    def _beat(self) -> None:
        now = time.perf_counter()
        self.gaps_ms[self._phase].append(1000.0 * (now - self._last))
        self._last = now
