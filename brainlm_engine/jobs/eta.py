"""How long a job will still take, from how fast it went lately."""

from __future__ import annotations

from collections import deque

_WINDOW_S = 20.0
_SETTLE_S = 1.0
_STEP_S = 0.5


class Eta:
    """Seconds left, from the fractions of the last twenty seconds; None until there is something to go by."""

    def __init__(self) -> None:
        self._points: deque[tuple[float, float]] = deque()

    def update(self, fraction: float, now: float) -> float | None:
        """Note ``fraction`` (0..1) at time ``now`` (seconds, any origin) and return the seconds left."""
        points = self._points
        if points and fraction < points[-1][1]:
            points.clear()
        if not points or now - points[-1][0] >= _STEP_S:
            points.append((now, fraction))
        while now - points[0][0] > _WINDOW_S and len(points) > 2:
            points.popleft()
        elapsed, done = now - points[0][0], fraction - points[0][1]
        if elapsed < _SETTLE_S or done <= 0:
            return None
        return round((1.0 - fraction) * elapsed / done, 1)
