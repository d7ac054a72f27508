"""A matrix between parcels, ordered by network, the chosen parcel marked; a colour bar with its unit."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pyqtgraph as pg
from numpy.typing import NDArray
from PySide6.QtCore import QRectF, Qt, Signal
from PySide6.QtGui import QFontMetrics, QKeyEvent, QMouseEvent, QPainter, QPaintEvent
from PySide6.QtWidgets import QHBoxLayout, QWidget

from app.text import has, tr
from app.theme.tokens import DARK, Theme
from app.widgets.colour_bar import ColourBar, small_font
from app.widgets.colour_map import colour_map, hex_rgb
from app.widgets.focus_ring import paint_focus_ring
from app.widgets.network_colours import network_colours, network_order, readable

Array = NDArray[Any]
_STRIPE = 0.02  # of the matrix, the colours of the networks beside it
_WIDEST = "Somatomotor"  # of the names beside the rows
_LEAST_TICK = 0.035  # of the matrix: networks with fewer parcels have no room for their name


class MatrixPlot(pg.PlotWidget):  # type: ignore[misc]
    """Rows take, columns give. A click chooses the row's parcel, arrow keys go to the next one.

    Emits ``parcel_clicked(parcel)``.
    """

    parcel_clicked = Signal(int)

    def __init__(self, parent: Any = None) -> None:
        view = pg.ViewBox(enableMouse=False, enableMenu=False, invertY=True, lockAspect=True)
        view.disableAutoRange()
        super().__init__(parent, viewBox=view, enableMenu=False)
        self.view, self.theme = view, DARK
        self.order: Array = np.zeros(0, int)
        self._groups: tuple[str, ...] = ()
        self._values: Array = np.zeros((0, 0), np.float32)
        self._range, self._cmap = (-1.0, 1.0), "vik"
        self._parcel, self._column = -1, False
        self.image, self.left, self.top = (pg.ImageItem(axisOrder="row-major") for _ in range(3))
        self.mark = pg.PlotCurveItem()
        for item in (self.image, self.left, self.top, self.mark):
            self.addItem(item, ignoreBounds=True)
        self.hideButtons()
        self.setFrameShape(pg.QtWidgets.QFrame.Shape.NoFrame)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setMinimumSize(180, 150)
        self.hideAxis("bottom")
        axis = self.getAxis("left")
        axis.setStyle(tickFont=small_font(self.font()), tickLength=0)
        axis.setWidth(round(QFontMetrics(small_font(self.font())).horizontalAdvance(_WIDEST) + 10))
        self.setAccessibleName(tr("attention.matrix.name"))
        self.setAccessibleDescription(tr("attention.matrix.help"))
        self.setToolTip(tr("attention.matrix.help"))

    def set_groups(self, groups: Sequence[str]) -> None:
        """Order the parcels by these networks, one name per parcel."""
        self._groups = tuple(groups)
        self.order = np.array(network_order(self._groups), int)
        self._stripes()

    def set_matrix(self, values: Array, lo: float, hi: float, cmap: str) -> None:
        """Draw ``values (P, P)`` in the order of the parcels; NaN is grey."""
        self._values, self._range, self._cmap = values, (lo, hi), cmap
        if len(self.order) != len(values):
            self.set_groups(("",) * len(values))
        self._paint()

    def set_chosen(self, parcel: int, *, column: bool) -> None:
        """Mark the row of ``parcel``, or its column; -1 = none."""
        self._parcel, self._column = parcel, column
        self._mark()

    def set_theme(self, theme: Theme) -> None:
        """Repaint in the colours of ``theme``."""
        self.theme = theme
        self.setBackground(theme.canvas)
        self.getAxis("left").setPen(pg.mkPen(None))
        self.getAxis("left").setTextPen(pg.mkPen(theme.muted))
        self._stripes()
        self._paint()

    # ---------------------------------------------------------------- drawing

    def _paint(self) -> None:
        size = len(self._values)
        if not size:
            return
        ordered = self._values[np.ix_(self.order, self.order)]
        grey = hex_rgb(self.theme.brain_grey)
        self.image.setImage(colour_map(self._cmap).rgb(ordered, *self._range, nan=grey), levels=(0, 255))
        edge = size * _STRIPE
        self.view.setRange(xRange=(-edge, size), yRange=(-edge, size), padding=0.01)
        self._mark()

    def _stripes(self) -> None:
        size = len(self.order)
        if not size:
            return
        names = [self._groups[parcel] for parcel in self.order]
        colours = np.array([hex_rgb(colour) for colour in network_colours(names, self.theme)], np.uint8)
        edge = size * _STRIPE
        self.left.setImage(colours[:, None], levels=(0, 255))
        self.left.setRect(QRectF(-edge, 0, edge * 0.8, size))
        self.top.setImage(colours[None], levels=(0, 255))
        self.top.setRect(QRectF(0, -edge, size, edge * 0.8))
        ticks, start = [], 0
        for place in range(1, size + 1):
            if place == size or names[place] != names[start]:
                if place - start >= size * _LEAST_TICK:
                    ticks.append(((start + place) / 2, _short(names[start])))
                start = place
        self.getAxis("left").setTicks([ticks, []])

    def _mark(self) -> None:
        where = np.flatnonzero(self.order == self._parcel)
        if not where.size:
            self.mark.setData([], [])
            return
        at, size = float(where[0]), float(len(self.order))
        across, along = np.array([0, size, size, 0, 0]), np.array([at, at, at + 1, at + 1, at])
        x, y = (along, across) if self._column else (across, along)
        self.mark.setData(x, y, pen=pg.mkPen(self.theme.warning, width=1.5))

    # ---------------------------------------------------------------- gestures

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Choose the parcel of the row (or of the column, when columns are chosen)."""
        super().mousePressEvent(event)
        if event.button() != Qt.MouseButton.LeftButton:
            return
        spot = self.view.mapSceneToView(self.mapToScene(event.position().toPoint()))
        at = int(np.floor(spot.x() if self._column else spot.y()))
        across = spot.y() if self._column else spot.x()
        if 0 <= at < len(self.order) and 0 <= across < len(self.order):
            self.parcel_clicked.emit(int(self.order[at]))

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Arrow keys go to the parcel before or after in the order on show."""
        keys = {Qt.Key.Key_Up: -1, Qt.Key.Key_Left: -1, Qt.Key.Key_Down: 1, Qt.Key.Key_Right: 1}
        step = keys.get(Qt.Key(event.key()))
        if step is None or not len(self.order):
            event.ignore()
            return
        where = np.flatnonzero(self.order == self._parcel)
        at = min(max(0, int(where[0]) + step), len(self.order) - 1) if where.size else 0
        self.parcel_clicked.emit(int(self.order[at]))

    def paintEvent(self, event: QPaintEvent) -> None:
        """The matrix, and the focus ring."""
        super().paintEvent(event)
        if self.hasFocus():
            painter = QPainter(self.viewport())
            paint_focus_ring(painter, QRectF(self.viewport().rect()), self.theme)
            painter.end()


def _short(name: str) -> str:
    """Return a network's name with as much room as there is beside the rows."""
    if has(f"attention.short.{name}"):
        return tr(f"attention.short.{name}")
    return readable(name) or tr("attention.matrix.other")


class MatrixView(QWidget):
    """The matrix beside its colour bar."""

    def __init__(self) -> None:
        super().__init__()
        self.plot, self.bar = MatrixPlot(), ColourBar()
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(0)
        row.addWidget(self.plot, 1)
        row.addWidget(self.bar)
        self.setFocusProxy(self.plot)
        self.setAutoFillBackground(True)

    def set_matrix(self, values: Array, lo: float, hi: float, cmap: str, unit: str) -> None:
        """Draw ``values (P, P)`` in ``unit``."""
        self.plot.set_matrix(values, lo, hi, cmap)
        self.bar.set_range(lo, hi, cmap)
        self.bar.set_unit(unit)

    def set_theme(self, theme: Theme) -> None:
        """Repaint."""
        self.plot.set_theme(theme)
        self.bar.set_theme(theme)
        palette = self.palette()
        palette.setColor(self.backgroundRole(), theme.canvas)
        self.setPalette(palette)
