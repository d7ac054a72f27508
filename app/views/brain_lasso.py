"""A line drawn round regions on the brain, or over them: a sheet over the brain that takes one drag, and what it meets.

Round regions it is closed, and what lies inside counts; as a brush it is broad, and what lies under it counts.
"""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QEvent, QObject, QPointF, QRect, Qt, Signal
from PySide6.QtGui import QColor, QKeyEvent, QMouseEvent, QPainter, QPaintEvent, QPen, QPolygonF
from PySide6.QtWidgets import QWidget

from app.text import tr

if TYPE_CHECKING:
    from app.theme import Theme
    from app.views.brain import BrainView
    from app.views.brain_canvas import BrainCanvas

Array = NDArray[Any]
_CELL = 14  # pixels: what is behind something nearer in the same cell is not seen
_BEHIND_MM = 9.0
_MOST_OF = 0.5  # of what is seen of a region must lie inside
_LEAST_POINTS = 3
_TINT = 46  # of 255
_MARGIN = 4
#: pixels to each side of the line of a brush, and between the points that are looked at
BRUSH = 6
_STEP = 4.0


class LassoSheet(QWidget):
    """Lies over a brain while a line is drawn. Emits ``drawn(points)``, (n, 2) pixels, or ``given_up()``.

    As a ``brush`` the line stays open and is broad.
    """

    drawn = Signal(object)
    given_up = Signal()

    def __init__(self, brain: BrainView, theme: Theme, *, brush: bool = False) -> None:
        super().__init__(brain)
        self._brain, self._theme, self._brush = brain, theme, brush
        self._points: list[QPointF] = []
        self.setCursor(Qt.CursorShape.CrossCursor)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        kind = "brush" if brush else "lasso"
        self.setAccessibleName(tr(f"action.perturb_{kind}"))
        self.setToolTip(tr(f"perturb.{kind}.told"))
        brain.installEventFilter(self)
        self.setGeometry(self._drawing.geometry())
        self.show()
        self.raise_()
        self.setFocus(Qt.FocusReason.OtherFocusReason)

    @property
    def _drawing(self) -> QWidget:
        return self._brain.canvas if self._brain.available else self._brain.flat

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Stay as large as the brain."""
        if event.type() == QEvent.Type.Resize:
            self.setGeometry(self._drawing.geometry())
        return bool(super().eventFilter(watched, event))

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Begin the line."""
        if event.button() == Qt.MouseButton.LeftButton:
            self._points = [event.position()]
        else:
            self.given_up.emit()

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Go on with the line."""
        if self._points:
            self._points.append(event.position())
            self.update()

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        """Close the line."""
        points, self._points = self._points, []
        if event.button() == Qt.MouseButton.LeftButton and points:
            self.drawn.emit(np.array([(each.x(), each.y()) for each in points]))

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Escape gives up."""
        if event.key() == Qt.Key.Key_Escape:
            self.given_up.emit()
        else:
            super().keyPressEvent(event)

    def paintEvent(self, _event: QPaintEvent) -> None:
        """The sentence, and the line so far."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        head = QRect(0, 0, self.width(), self.fontMetrics().height() + 2 * _MARGIN)
        painter.fillRect(head, QColor(self._theme.panel))
        painter.setPen(QColor(self._theme.text))
        painter.drawText(head, Qt.AlignmentFlag.AlignCenter, self.toolTip())
        tint = QColor(self._theme.accent)
        if self._brush:
            tint.setAlpha(3 * _TINT)
            broad = QPen(tint, 2 * BRUSH)
            broad.setCapStyle(Qt.PenCapStyle.RoundCap)
            painter.setPen(broad)
            painter.drawPolyline(QPolygonF(self._points))
            painter.end()
            return
        painter.setPen(QPen(tint, 2))
        tint.setAlpha(_TINT)
        painter.setBrush(tint)
        painter.drawPolygon(QPolygonF(self._points))
        painter.end()


def enclosed(brain: BrainView, line: Array) -> tuple[int, ...]:
    """Return the parcels of which most that can be seen lies inside ``line``, (n, 2) pixels of the drawing."""
    if len(line) < _LEAST_POINTS:
        return ()
    if not brain.available:
        spots = brain.flat.spots()
        there = within(line, np.array([(centre.x(), centre.y()) for _, centre, _ in spots]).reshape(-1, 2))
        return tuple(sorted({parcel for (parcel, *_), inside in zip(spots, there, strict=True) if inside}))
    return _enclosed_3d(brain.canvas, line)


def touched(brain: BrainView, line: Array) -> tuple[int, ...]:
    """Return the parcels that can be seen under a brush along ``line``, (n, 2) pixels of the drawing."""
    points = _along(line)
    if not brain.available:
        found: set[int] = set()
        for parcel, centre, radius in brain.flat.spots():
            away = np.hypot(points[:, 0] - centre.x(), points[:, 1] - centre.y())
            if away.min() <= radius + BRUSH / 2:
                found.add(parcel)
        return tuple(sorted(found))
    sides = np.array([(0, 0), (BRUSH / 2, 0), (-BRUSH / 2, 0), (0, BRUSH / 2), (0, -BRUSH / 2)])
    seen = {brain.canvas.parcel_at(QPointF(*(point + side))) for point in points for side in sides}
    return tuple(sorted(seen - {-1}))


def _along(line: Array) -> Array:
    """Return points (m, 2) along ``line`` at most ``_STEP`` pixels apart."""
    made = [line[:1]]
    for before, after in pairwise(line):
        count = max(1, int(np.ceil(np.hypot(*(after - before)) / _STEP)))
        made.append(before + (after - before) * (np.arange(1, count + 1) / count)[:, None])
    return np.concatenate(made)


def _enclosed_3d(canvas: BrainCanvas, line: Array) -> tuple[int, ...]:
    """Count, panel by panel, how many of each parcel's vertices that are in sight lie inside."""
    found: set[int] = set()
    for panel in canvas.panels():
        left, top, width, height = panel.box
        places, parcels = [], []
        for part in panel.parts:
            mesh = canvas.parts.mesh(part)
            facing = mesh.normals @ panel.camera.axes()[2] > 0
            places.append(panel.camera.to_pixels(mesh.vertices[facing], width, height))
            parcels.append(canvas.parts.parcel(part)[facing])
        seen, whose = np.concatenate(places), np.concatenate(parcels)
        front = in_front(seen) & (whose >= 0)
        seen, whose = seen[front], whose[front]
        inside = within(line - np.array([left, top]), seen[:, :2])
        for parcel in np.unique(whose[inside]):
            if inside[whose == parcel].mean() > _MOST_OF:
                found.add(int(parcel))
    return tuple(sorted(found))


def in_front(seen: Array) -> Array:
    """Return (n,) bool: nothing much nearer lies in the same cell. ``seen`` (n, 3): x, y, nearness in mm."""
    cells = np.floor(seen[:, :2] / _CELL).astype(np.int64)
    cells -= cells.min(0)
    key = cells[:, 0] * (cells[:, 1].max() + 1) + cells[:, 1]
    nearest = np.full(int(key.max()) + 1, -np.inf)
    np.maximum.at(nearest, key, seen[:, 2])
    return np.asarray(seen[:, 2] >= nearest[key] - _BEHIND_MM)


def within(line: Array, points: Array) -> Array:
    """Return (n,) bool: which ``points`` (n, 2) lie inside the closed ``line`` (m, 2), by counting crossings."""
    inside = np.zeros(len(points), bool)
    for (ax, ay), (bx, by) in zip(line, np.roll(line, -1, axis=0), strict=True):
        if ay == by:
            continue
        between = (points[:, 1] < ay) != (points[:, 1] < by)
        at = ax + (points[:, 1] - ay) / (by - ay) * (bx - ax)
        inside ^= between & (points[:, 0] < at)
    return inside
