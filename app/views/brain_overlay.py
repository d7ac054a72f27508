"""What is painted flat over the 3D picture: title, captions, side letters, crosshair, rings, orientation cube."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QFont, QFontMetrics, QPainter, QPen

from app.text import has, tr
from app.theme.tokens import DARK, Theme
from app.views.brain_camera import Camera
from app.views.brain_layout import Panel, Part
from app.views.brain_parts import HEMISPHERES, BrainParts
from app.views.orientation_cube import SIZE, paint_cube
from app.widgets.colour_bar import small_font

Array = NDArray[Any]
_KEPT_EDGES = 16
CAPTION_GAP = 4
"""px kept free between the captions of neighbours"""


def caption_text(panel: Panel, metrics: QFontMetrics) -> str:
    """The words below a picture: its name, a shorter one where there is no room for it, at the worst cut."""
    name, room = f"brain.{panel.caption}", panel.box[2] - CAPTION_GAP
    short = f"{name}.short"
    if has(short) and metrics.horizontalAdvance(tr(name)) >= room:
        name = short
    return metrics.elidedText(tr(name), Qt.TextElideMode.ElideRight, int(room))


@dataclass
class BrainOverlay:
    """Flat drawing over the brain.

    Attributes
    ----------
    title : shown at the upper left
    crosshair : (3,) MNI mm or None
    marks : part and (3,) place of chosen parcels that have no outline of their own
    """

    parts: BrainParts
    theme: Theme = DARK
    title: str = ""
    crosshair: Array | None = None
    marks: list[tuple[Part, Array]] = field(default_factory=list)
    _reach: dict[tuple[Camera, float, float], tuple[Array, float, float]] = field(default_factory=dict)
    _nearest: tuple[Array, str, Array] | None = None

    def cube_area(self, height: float) -> QRectF:
        """Where the orientation cube stands."""
        return QRectF(8, height - SIZE - 8, SIZE, SIZE)

    def paint(self, painter: QPainter, panels: Sequence[Panel], size: tuple[int, int], font: QFont, cube: bool) -> None:
        """Everything, in order."""
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setFont(small_font(font))
        for panel in panels:
            self._caption(painter, panel)
            self._sides(painter, panel)
        self._rings(painter, panels)
        self._crosshair(painter, panels)
        painter.setFont(font)
        if self.title:
            painter.setPen(QColor(self.theme.text))
            area = QRectF(12, 8, size[0] - 24, painter.fontMetrics().height())
            painter.drawText(area, Qt.AlignmentFlag.AlignLeft, self.title)
        if cube and panels:
            paint_cube(painter, self.cube_area(size[1]), panels[0].camera, self.theme)

    def _caption(self, painter: QPainter, panel: Panel) -> None:
        if panel.caption:
            x, y, width, height = panel.box
            line = painter.fontMetrics().height()
            painter.setPen(QColor(self.theme.muted))
            foot = QRectF(x, y + height - line - 5, width, line)
            painter.drawText(foot, Qt.AlignmentFlag.AlignCenter, caption_text(panel, painter.fontMetrics()))

    def _sides(self, painter: QPainter, panel: Panel) -> None:
        """L and R beside the brain when it is seen from front, back, above or below."""
        if not panel.lettered:
            return
        rightward = float(panel.camera.axes()[0][0])
        x, y, width, height = panel.box
        line = painter.fontMetrics().height()
        painter.setPen(QColor(self.theme.text))
        letters = (tr("side.L"), tr("side.R")) if rightward > 0 else (tr("side.R"), tr("side.L"))
        outer = [part for part in panel.parts if part in HEMISPHERES] or panel.parts
        first, last = self._edges(panel, self.parts.points(outer))
        for letter, edge, sign in ((letters[0], first, -1), (letters[1], last, 1)):
            centre = min(max(x + edge + sign * 10, x + 7), x + width - 7)
            middle = y + (height + panel.pad[0] - panel.pad[1]) / 2
            spot = QRectF(centre - 10, middle - line / 2, 20, line)
            painter.drawText(spot, Qt.AlignmentFlag.AlignCenter, letter)

    def _edges(self, panel: Panel, points: Array) -> tuple[float, float]:
        """Where the brain begins and ends from left to right, in pixels of the panel; kept while nothing turns."""
        _, _, width, height = panel.box
        key = (panel.camera, width, height)
        if key not in self._reach or self._reach[key][0] is not points:
            seen = panel.camera.to_pixels(points[::8], width, height)[:, 0]
            if len(self._reach) > _KEPT_EDGES:
                self._reach.clear()
            self._reach[key] = (points, float(seen.min()), float(seen.max()))
        return self._reach[key][1:]

    def _drawn_crosshair(self, mm: Array) -> Array:
        if self._nearest is None or self._nearest[0] is not mm or self._nearest[1] != self.parts.surface:
            self._nearest = (mm, self.parts.surface, self.parts.nearest(mm))
        return self._nearest[2]

    def _crosshair(self, painter: QPainter, panels: Sequence[Panel]) -> None:
        if self.crosshair is None:
            return
        place = self._drawn_crosshair(self.crosshair)[None]
        for panel in panels:
            one_side = ("left" in panel.parts) != ("right" in panel.parts)
            if panel.key == "inset" or (one_side and (place[0, 0] < 0) != ("left" in panel.parts)):
                continue
            self._ring(painter, panel, place, 5.0, self.theme.accent, ticks=True)

    def _rings(self, painter: QPainter, panels: Sequence[Panel]) -> None:
        for part, centre in self.marks:
            for panel in panels:
                if part in panel.parts:
                    self._ring(painter, panel, centre[None], 9.0, self.theme.text, ticks=False)

    def _ring(self, painter: QPainter, panel: Panel, place: Array, radius: float, colour: str, *, ticks: bool) -> None:
        spot = panel.camera.to_pixels(place, panel.box[2], panel.box[3])[0, :2] + np.array(panel.box[:2])
        if not panel.contains(float(spot[0]), float(spot[1])):
            return
        centre = QPointF(float(spot[0]), float(spot[1]))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        for pen_colour, pen_width in ((self.theme.canvas, 4.0), (colour, 1.6)):
            painter.setPen(QPen(QColor(pen_colour), pen_width))
            painter.drawEllipse(centre, radius, radius)
            for dx, dy in ((1, 0), (-1, 0), (0, 1), (0, -1)) if ticks else ():
                step = QPointF(dx, dy)
                painter.drawLine(centre + step * (radius + 1), centre + step * (radius + 5))
