"""The brain without 3D: every parcel a disc at its centre, seen from the left, from above and from the right."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QKeyEvent, QMouseEvent, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QWidget

from app.text import tr
from app.theme.tokens import DARK, Theme
from app.widgets.colour_bar import small_font
from app.widgets.focus_ring import paint_focus_ring

Array = NDArray[Any]
#: caption, MNI axis drawn to the right and its sign, axis drawn up, which x are shown (-1 left, 1 right, 0 both)
SIDES = (("left", 1, -1.0, 2, -1), ("top", 0, 1.0, 1, 0), ("right", 1, 1.0, 2, 1))


class FlatBrain(QWidget):
    """Three flat projections of parcel centres, in the colours the 3D brain would have."""

    parcel_clicked = Signal(int)
    crosshair_requested = Signal(float, float, float)
    step_requested = Signal(int)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.theme: Theme = DARK
        self.title = ""
        self.message = ""
        self.crosshair: Array | None = None
        self._xyz: Array = np.zeros((0, 3))
        self._colours: Array = np.zeros((0, 3), np.uint8)
        self._selected: frozenset[int] = frozenset()
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setAccessibleName(tr("brain.name"))
        self.setMinimumSize(160, 120)

    def sizeHint(self) -> QSize:
        """A comfortable size."""
        return QSize(520, 400)

    def set_theme(self, theme: Theme) -> None:
        """Take the colours of ``theme``."""
        self.theme = theme
        self.update()

    def set_centres(self, xyz: Array) -> None:
        """(V, 3) MNI mm; NaN rows are not drawn."""
        self._xyz = np.asarray(xyz, np.float64)
        self.update()

    def set_colours(self, rgb: Array) -> None:
        """(V, 3) uint8."""
        self._colours = rgb
        self.update()

    def set_selected(self, parcels: frozenset[int]) -> None:
        """Ringed parcels."""
        self._selected = parcels
        self.update()

    def spots(self) -> list[tuple[int, QPointF, float]]:
        """Every disc as parcel, centre, radius in widget pixels; far ones first."""
        if len(self._xyz) == 0:
            return []
        column = self.width() / 3
        head = 64.0
        per_mm = min(column / 200.0, (self.height() - head - 24) / 190.0)
        radius = max(3.0, 4.2 * per_mm)
        found = []
        for i, (_name, across, sign, up, which) in enumerate(SIDES):
            origin = np.array([0.0, -18.0, 10.0])
            x = column * (i + 0.5) + sign * per_mm * (self._xyz[:, across] - origin[across])
            y = head + (self.height() - head - 24) / 2 - per_mm * (self._xyz[:, up] - origin[up])
            depth = which * self._xyz[:, 0] if which else self._xyz[:, 2]
            shown = np.isfinite(x + y) & ((which == 0) | (which * self._xyz[:, 0] >= 0))
            rows = np.flatnonzero(shown)
            found += [(int(p), QPointF(float(x[p]), float(y[p])), radius) for p in rows[np.argsort(depth[rows])]]
        return found

    def paintEvent(self, _event: QPaintEvent) -> None:
        """Sentence, discs, captions."""
        painter = QPainter(self)
        painter.fillRect(self.rect(), QColor(self.theme.canvas))
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        line = painter.fontMetrics().height()
        painter.setPen(QColor(self.theme.text))
        painter.drawText(QRectF(12, 8, self.width() - 24, line), Qt.AlignmentFlag.AlignLeft, self.title)
        painter.setPen(QColor(self.theme.muted))
        flags = Qt.AlignmentFlag.AlignLeft | Qt.TextFlag.TextWordWrap
        painter.drawText(QRectF(12, 12 + line, self.width() - 24, 2.2 * line), flags, self.message)
        painter.setFont(small_font(self.font()))
        for i, side in enumerate(SIDES):
            foot = QRectF(i * self.width() / 3, self.height() - line - 6, self.width() / 3, line)
            painter.drawText(foot, Qt.AlignmentFlag.AlignCenter, tr(f"brain.flat.{side[0]}"))
        edge = QPen(QColor(self.theme.canvas), 1)
        ring = QPen(QColor(self.theme.text), 2)
        for parcel, centre, radius in self.spots():
            known = parcel < len(self._colours)
            colour = QColor(*map(int, self._colours[parcel])) if known else QColor(self.theme.brain_grey)
            painter.setPen(ring if parcel in self._selected else edge)
            painter.setBrush(colour)
            painter.drawEllipse(centre, radius, radius)
        if self.hasFocus():
            paint_focus_ring(painter, QRectF(self.rect()), self.theme)
        painter.end()

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Choose the disc under the mouse."""
        for parcel, centre, radius in reversed(self.spots()):
            if (event.position() - centre).manhattanLength() <= radius * 1.4:
                self.parcel_clicked.emit(parcel)
                self.crosshair_requested.emit(*(float(v) for v in self._xyz[parcel]))
                return

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Comma and full stop: previous and next parcel."""
        if event.key() in (Qt.Key.Key_Comma, Qt.Key.Key_Period):
            self.step_requested.emit(1 if event.key() == Qt.Key.Key_Period else -1)
        else:
            super().keyPressEvent(event)
