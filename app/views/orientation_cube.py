"""The small cube that says where left, front and top are; its faces can be clicked."""

from __future__ import annotations

import numpy as np
from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QPainter, QPen, QPolygonF

from app.theme.tokens import Theme
from app.views.brain_camera import Camera

#: letter, view, outward direction, and the two other axes of the face
FACES = (
    ("L", "left", (-1, 0, 0)),
    ("R", "right", (1, 0, 0)),
    ("A", "front", (0, 1, 0)),
    ("P", "back", (0, -1, 0)),
    ("S", "top", (0, 0, 1)),
    ("I", "bottom", (0, 0, -1)),
)
SIZE = 46.0


def _corners(normal: tuple[int, int, int]) -> np.ndarray:
    """(4, 3) corners of a face of the cube [-1, 1]^3."""
    axis = int(np.flatnonzero(normal)[0])
    others = [i for i in range(3) if i != axis]
    square = np.zeros((4, 3))
    square[:, axis] = normal[axis]
    square[:, others] = [(-1, -1), (1, -1), (1, 1), (-1, 1)]
    return square


def cube_faces(camera: Camera, area: QRectF) -> list[tuple[str, str, QPolygonF, float]]:
    """Visible faces as (letter, view, outline, how squarely it faces the viewer 0..1)."""
    axes = camera.axes()
    reach = area.width() / 3.4
    found = []
    for letter, view, normal in FACES:
        facing = float(axes[2] @ np.array(normal))
        if facing < 0.05:
            continue
        seen = _corners(normal) @ axes.T * reach
        points = [QPointF(area.center().x() + x, area.center().y() - y) for x, y, _ in seen]
        found.append((letter, view, QPolygonF(points), facing))
    return found


def paint_cube(painter: QPainter, area: QRectF, camera: Camera, theme: Theme) -> None:
    """The cube as seen by ``camera``."""
    painter.save()
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    base = QColor(theme.panel)
    for letter, _view, polygon, facing in sorted(cube_faces(camera, area), key=lambda face: face[3]):
        fill = QColor(base)
        fill = fill.lighter(int(100 + 35 * facing)) if theme.dark else fill.darker(int(118 - 15 * facing))
        painter.setBrush(fill)
        painter.setPen(QPen(QColor(theme.border), 1))
        painter.drawPolygon(polygon)
        if facing > 0.4:
            painter.setPen(QColor(theme.text))
            centre = polygon.boundingRect().center()
            spot = QRectF(centre.x() - 12, centre.y() - 12, 24, 24)
            painter.drawText(spot, Qt.AlignmentFlag.AlignCenter, letter)
    painter.restore()


def clicked_view(camera: Camera, area: QRectF, point: QPointF) -> str:
    """The view whose face lies under ``point``, or ''."""
    if not area.contains(point):
        return ""
    for _letter, view, polygon, _facing in sorted(cube_faces(camera, area), key=lambda face: -face[3]):
        if polygon.containsPoint(point, Qt.FillRule.OddEvenFill):
            return view
    return ""
