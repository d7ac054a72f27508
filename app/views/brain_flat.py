"""The brain without 3D: every parcel a disc at its centre, seen from left, right, above and behind."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QPointF, QRect, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QKeyEvent, QMouseEvent, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QWidget

from app.text import tr
from app.theme.tokens import DARK, Theme
from app.widgets.colour_bar import small_font
from app.widgets.focus_ring import paint_focus_ring

Array = NDArray[Any]
#: caption, MNI axis drawn to the right and its sign, axis drawn up, axis towards the viewer and its sign, one half only
SIDES = (
    ("left", 1, -1.0, 2, 0, -1.0, True),
    ("right", 1, 1.0, 2, 0, 1.0, True),
    ("top", 0, 1.0, 1, 2, 1.0, False),
    ("back", 0, 1.0, 2, 1, -1.0, False),
)
MIDDLE = np.array([0.0, -18.0, 10.0])
REACH = 190.0


class FlatBrain(QWidget):
    """Four flat projections of parcel centres, in the colours the 3D brain would have."""

    parcel_clicked = Signal(int)
    crosshair_requested = Signal(float, float, float)
    step_requested = Signal(int)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.theme: Theme = DARK
        self.title = ""
        self.message = ""
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

    def _head(self) -> float:
        """Height of the two sentences above the discs."""
        line = self.fontMetrics().height()
        return max(60.0, 16.0 + line + self._told().height())

    def _told(self) -> QRectF:
        """Room of the message, as many lines as it needs."""
        room = QRect(12, 12 + self.fontMetrics().height(), max(self.width() - 24, 1), self.height())
        flags = int(Qt.AlignmentFlag.AlignLeft) | int(Qt.TextFlag.TextWordWrap)
        return QRectF(self.fontMetrics().boundingRect(room, flags, self.message))

    def _boxes(self) -> list[QRectF]:
        """Room of each projection: side by side when wide, two by two otherwise."""
        head = self._head()
        columns = 4 if self.width() > 2.2 * (self.height() - head) else 2
        width, height = self.width() / columns, max((self.height() - head) * columns / 4, 1.0)
        return [QRectF(i % columns * width, head + i // columns * height, width, height) for i in range(4)]

    def spots(self) -> list[tuple[int, QPointF, float]]:
        """Every disc as parcel, centre, radius in widget pixels; far ones first."""
        found: list[tuple[int, QPointF, float]] = []
        if len(self._xyz) == 0:
            return found
        place = self._xyz - MIDDLE
        for box, (_name, across, sign, up, toward, near, half) in zip(self._boxes(), SIDES, strict=True):
            per_mm = min(box.width() / REACH, (box.height() - 24) / (REACH if not half else 160.0))
            x = box.center().x() + sign * per_mm * place[:, across]
            y = box.center().y() - 10 - per_mm * place[:, up]
            depth = near * self._xyz[:, toward]
            shown = np.isfinite(x + y) & (not half or depth >= 0)
            rows = np.flatnonzero(shown)
            radius = max(3.0, 5.0 * per_mm)
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
        painter.drawText(self._told(), flags, self.message)
        painter.setFont(small_font(self.font()))
        for box, side in zip(self._boxes(), SIDES, strict=True):
            foot = QRectF(box.left(), box.bottom() - line - 4, box.width(), line)
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


def centres(labels: Array, affine: Array, n_parcels: int) -> Array:
    """(V, 3) centre of gravity of every parcel in mm, NaN when it has no voxel.

    Parameters
    ----------
    labels : (X, Y, Z) int16, 0 = none, value - 1 = parcel
    affine : (4, 4) voxel to mm
    """
    where = np.argwhere(labels > 0)
    parcel = labels[tuple(where.T)].astype(int) - 1
    count = np.bincount(parcel, minlength=n_parcels).astype(float)
    sums = np.stack([np.bincount(parcel, weights=where[:, i], minlength=n_parcels) for i in range(3)], axis=1)
    with np.errstate(invalid="ignore"):
        ijk = sums[:n_parcels] / count[:n_parcels, None]
    return np.asarray(ijk @ affine[:3, :3].T + affine[:3, 3])
