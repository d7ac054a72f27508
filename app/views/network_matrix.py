"""How alike parcels are, parcel by parcel, put in the order of their networks."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QEvent, QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QHelpEvent, QImage, QKeyEvent, QMouseEvent, QPainter, QPaintEvent
from PySide6.QtWidgets import QHBoxLayout, QSizePolicy, QToolTip, QWidget

from app.text import tr
from app.theme.tokens import DARK, Theme
from app.widgets.colour_bar import ColourBar, small_font
from app.widgets.colour_map import colour_map, hex_rgb
from app.widgets.focus_ring import paint_focus_ring
from app.widgets.network_colours import readable

Array = NDArray[Any]
_STRIP, _GAP, _LEAST_NAME = 8, 6, 14
_CMAP = "vik"


def in_order(alike: Array, names: Sequence[str], networks: Sequence[str]) -> Array:
    """Return the parcels by network, those without one last; within a network the most alike stand together.

    Parameters
    ----------
    alike : (P, P)
    names : network per parcel
    networks : in the order wanted
    """
    of = np.array(names, dtype=object)
    rows = []
    for name in (*networks, None):
        members = np.flatnonzero(of == name) if name is not None else np.flatnonzero(~np.isin(of, list(networks)))
        block = np.nan_to_num(alike[np.ix_(members, members)].astype(np.float64))
        if len(members) > 2:
            _, vectors = np.linalg.eigh(block - block.mean(0) - block.mean(1)[:, None] + block.mean())
            members = members[np.argsort(vectors[:, -1], kind="stable")]
        rows.append(members)
    return np.concatenate(rows).astype(int)


class NetworkMatrix(QWidget):
    """A square picture of correlations, a strip of network colours at two sides, names of networks at the left.

    Emits ``parcel_clicked(parcel)`` on a click on a row, and for the arrow keys.
    """

    parcel_clicked = Signal(int)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.theme = DARK
        self._alike: Array = np.zeros((0, 0), np.float32)
        self._names: tuple[str, ...] = ()
        self._regions: tuple[str, ...] = ()
        self._colours: dict[str, str] = {}
        self.order: Array = np.zeros(0, int)
        self._image = QImage()
        self.selected: tuple[int, ...] = ()
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setMouseTracking(True)
        self.setMinimumSize(200, 160)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setAccessibleName(tr("networks.matrix.name"))
        self.setAccessibleDescription(tr("networks.matrix.help"))

    def sizeHint(self) -> QSize:
        """As large as a splitter likes."""
        return QSize(420, 360)

    def set_matrix(self, alike: Array, names: Sequence[str], regions: Sequence[str], colours: dict[str, str]) -> None:
        """Show ``alike (P, P)``, -1..1 and NaN, by the network of each parcel.

        Parameters
        ----------
        names : network per parcel, '' = none: at the end
        regions : name per parcel
        colours : network -> colour, in the order in which networks are put
        """
        self._alike, self._names, self._regions = np.asarray(alike, np.float32), tuple(names), tuple(regions)
        self._colours = dict(colours)
        self.order = in_order(self._alike, names, list(colours))
        self._paint_image()

    def set_selected(self, parcels: Sequence[int]) -> None:
        """Mark rows and columns of these parcels."""
        self.selected = tuple(parcels)
        self.update()

    def set_theme(self, theme: Theme) -> None:
        """Repaint in the colours of ``theme``."""
        self.theme = theme
        self._paint_image()

    def _paint_image(self) -> None:
        if not len(self.order):
            self.update()
            return
        grid = self._alike[np.ix_(self.order, self.order)]
        rgb = np.ascontiguousarray(colour_map(_CMAP).rgb(grid, -1.0, 1.0, nan=hex_rgb(self.theme.panel)))
        size = len(self.order)
        self._image = QImage(rgb.data, size, size, 3 * size, QImage.Format.Format_RGB888).copy()
        self.update()

    # ---------------------------------------------------------------- where is what

    def blocks(self) -> list[tuple[str, int, int]]:
        """Return network, first row and the row after its last, from above."""
        found: list[tuple[str, int, int]] = []
        for row, parcel in enumerate(self.order.tolist()):
            name = self._names[parcel]
            if found and found[-1][0] == name:
                found[-1] = (name, found[-1][1], row + 1)
            else:
                found.append((name, row, row + 1))
        return found

    def area(self) -> QRectF:
        """Return where the square is."""
        metrics = self.fontMetrics()
        names = [readable(name) for name in self._colours] or [""]
        left = min(self.width() * 0.34, max(metrics.horizontalAdvance(name) for name in names) * 0.92)
        left += _STRIP + 2 * _GAP
        top = float(_STRIP + _GAP)
        side = max(40.0, min(self.width() - left - _GAP, self.height() - top - _GAP))
        return QRectF(left, top, side, side)

    def parcel_at(self, point: QPointF) -> tuple[int, int] | None:
        """Return the parcels of row and column, None beside the square."""
        area = self.area()
        if not area.contains(point) or not len(self.order):
            return None
        row = int((point.y() - area.top()) / area.height() * len(self.order))
        column = int((point.x() - area.left()) / area.width() * len(self.order))
        last = len(self.order) - 1
        return int(self.order[min(row, last)]), int(self.order[min(column, last)])

    # ---------------------------------------------------------------- events

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Choose the parcel of a row."""
        self.setFocus(Qt.FocusReason.MouseFocusReason)
        if (at := self.parcel_at(event.position())) is not None:
            self.parcel_clicked.emit(at[0])

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Arrow keys go to the next and previous row."""
        step = {
            Qt.Key.Key_Up: -1, Qt.Key.Key_Left: -1, Qt.Key.Key_Down: 1, Qt.Key.Key_Right: 1,
        }.get(Qt.Key(event.key()))  # fmt: skip
        if step is None or not len(self.order):
            event.ignore()
            return
        here = np.flatnonzero(self.order == self.selected[-1]) if self.selected else np.zeros(0, int)
        row = int(here[0]) + step if here.size else 0
        self.parcel_clicked.emit(int(self.order[row % len(self.order)]))

    def event(self, event: QEvent) -> bool:
        """Say which two parcels are under the pointer, and how alike they are."""
        if event.type() == QEvent.Type.ToolTip and isinstance(event, QHelpEvent):
            at = self.parcel_at(QPointF(event.pos()))
            QToolTip.showText(event.globalPos(), tr("networks.matrix.help") if at is None else self._pair(*at), self)
            return True
        return super().event(event)

    def _pair(self, row: int, column: int) -> str:
        value = self._alike[row, column]
        return tr(
            "networks.matrix.pair", one=self._region(row), other=self._region(column),
            value=f"{value:.2f}" if np.isfinite(value) else tr("networks.unknown"),
        )  # fmt: skip

    def _region(self, parcel: int) -> str:
        network = readable(self._names[parcel])
        return f"{self._regions[parcel]} ({network})" if network else self._regions[parcel]

    # ---------------------------------------------------------------- paint

    def paintEvent(self, event: QPaintEvent) -> None:
        """The square, the strips, the names, the chosen rows."""
        painter = QPainter(self)
        painter.fillRect(self.rect(), QColor(self.theme.canvas))
        if len(self.order):
            area = self.area()
            painter.setFont(small_font(self.font()))
            painter.drawImage(area, self._image)
            self._networks(painter, area)
            self._chosen(painter, area)
        if self.hasFocus():
            paint_focus_ring(painter, QRectF(self.rect()), self.theme)
        painter.end()

    def _networks(self, painter: QPainter, area: QRectF) -> None:
        step, below = area.height() / len(self.order), -1.0
        for name, first, after in self.blocks():
            colour = QColor(self._colours.get(name, self.theme.no_network))
            top, height = area.top() + first * step, (after - first) * step
            left = area.left() + first * step
            painter.fillRect(QRectF(area.left() - _STRIP - 2, top, _STRIP, height), colour)
            painter.fillRect(QRectF(left, area.top() - _STRIP - 2, height, _STRIP), colour)
            painter.setPen(QColor(self.theme.border))
            if after < len(self.order):
                painter.drawLine(QPointF(area.left(), top + height), QPointF(area.right(), top + height))
                painter.drawLine(QPointF(left + height, area.top()), QPointF(left + height, area.bottom()))
            line = painter.fontMetrics().height()
            middle = top + height / 2
            if height >= min(_LEAST_NAME, line) * 0.8 and middle - line / 2 >= below:
                room = area.left() - _STRIP - 2 * _GAP
                said = readable(name) or tr("networks.none")
                text = painter.fontMetrics().elidedText(said, Qt.TextElideMode.ElideRight, int(room))
                painter.setPen(QColor(self.theme.text))
                spot = QRectF(_GAP / 2, middle - line / 2, room, line)
                painter.drawText(spot, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter, text)
                below = middle + line / 2

    def _chosen(self, painter: QPainter, area: QRectF) -> None:
        step = area.height() / len(self.order)
        painter.setPen(QColor(self.theme.warning))
        for parcel in self.selected:
            for row in np.flatnonzero(self.order == parcel).tolist():
                at = (row + 0.5) * step
                painter.drawLine(QPointF(area.left(), area.top() + at), QPointF(area.right(), area.top() + at))
                painter.drawLine(QPointF(area.left() + at, area.top()), QPointF(area.left() + at, area.bottom()))


class MatrixView(QWidget):
    """The matrix and its colour bar."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.matrix, self.bar = NetworkMatrix(self), ColourBar(self)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(0)
        row.addWidget(self.matrix, 1)
        row.addWidget(self.bar)
        self.bar.set_range(-1.0, 1.0, _CMAP)
        self.bar.set_unit("r")
        self.setFocusProxy(self.matrix)
        self.setAutoFillBackground(True)

    def set_theme(self, theme: Theme) -> None:
        """Repaint in the colours of ``theme``."""
        self.matrix.set_theme(theme)
        self.bar.set_theme(theme)
        palette = self.palette()
        palette.setColor(self.backgroundRole(), QColor(theme.canvas))
        self.setPalette(palette)
