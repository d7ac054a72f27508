"""How alike parcels are, as a matrix in the order of the networks, with their borders and names."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QEvent, QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import (
    QColor,
    QFontMetrics,
    QHelpEvent,
    QImage,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QPen,
)
from PySide6.QtWidgets import QToolTip, QWidget

from app.text import tr
from app.theme.tokens import DARK, Theme
from app.widgets.colour_bar import small_font
from app.widgets.colour_map import colour_map
from app.widgets.focus_ring import paint_focus_ring
from app.widgets.ticks import number

Array = NDArray[Any]
_STRIP, _EDGE = 7, 6


@dataclass(frozen=True)
class Group:
    """A network in the matrix: its name, its colour, its first row and the one after its last."""

    name: str
    colour: str
    first: int
    last: int


class NetworkMatrix(QWidget):
    """A square of P x P cells; a click selects the two parcels of a cell, whose row and column are marked.

    Emits ``pair_chosen(row parcel, column parcel)``.
    """

    pair_chosen = Signal(int, int)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.theme: Theme = DARK
        self.order: Array = np.zeros(0, int)
        self.groups: tuple[Group, ...] = ()
        self.range, self.cmap = (-1.0, 1.0), "vik"
        self._names: tuple[str, ...] = ()
        self._values: Array = np.zeros((0, 0), np.float32)
        self._place: dict[int, int] = {}
        self._image: QImage | None = None
        self._pixels: Array = np.zeros(0)
        self._marked: tuple[int, ...] = ()
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setMinimumSize(200, 160)
        self.setAccessibleName(tr("networks.matrix.name"))
        self.setAccessibleDescription(tr("networks.matrix.help"))

    def sizeHint(self) -> QSize:
        """A comfortable size."""
        return QSize(440, 340)

    def set_matrix(self, alike: Array, order: Array, groups: Sequence[Group], names: Sequence[str]) -> None:
        """Draw.

        Parameters
        ----------
        alike : (V, V), larger = more alike; NaN = not known
        order : (P,) parcel of each row
        groups : the networks in order; their borders are drawn
        names : (V,) of the parcels
        """
        self.order, self.groups, self._names = np.asarray(order, int), tuple(groups), tuple(names)
        self._values = np.asarray(alike, np.float32)[np.ix_(self.order, self.order)]
        self._place = {int(parcel): row for row, parcel in enumerate(self.order)}
        beside = self._values[~np.eye(len(self.order), dtype=bool)] if len(self.order) else np.zeros(0)
        self._stretch(beside[np.isfinite(beside)])
        self._render()

    def _stretch(self, known: Array) -> None:
        """Colour from zero outwards where values lie on both sides of it, else from the least to the most."""
        self.range, self.cmap = (-1.0, 1.0), "vik"
        if known.size:
            low, high = (float(value) for value in np.quantile(known, (0.02, 0.98)))
            if low < -0.1 * high:
                reach = max(0.05, abs(low), abs(high))
                self.range = -reach, reach
            else:
                self.range, self.cmap = (low, max(high, low + 0.05)), "batlow"

    def set_marked(self, parcels: Sequence[int]) -> None:
        """Mark the rows of these parcels; the first is the row, the second the column."""
        self._marked = tuple(int(parcel) for parcel in parcels)
        self.update()

    def set_theme(self, theme: Theme) -> None:
        """Take the colours of ``theme``."""
        self.theme = theme
        self._render()

    def _render(self) -> None:
        """Make the picture of the cells, once for many paints."""
        grey = QColor(self.theme.no_network)
        rgb = colour_map(self.cmap).rgb(self._values, *self.range, nan=(grey.red(), grey.green(), grey.blue()))
        side = len(self.order)
        self._pixels = np.ascontiguousarray(rgb)
        self._image = QImage(self._pixels.data, side, side, 3 * side, QImage.Format.Format_RGB888) if side else None
        self.update()

    # ---------------------------------------------------------------- geometry

    def square(self) -> QRectF:
        """Where the cells are."""
        metrics = QFontMetrics(small_font(self.font()))
        words = max((metrics.horizontalAdvance(group.name) for group in self.groups), default=0)
        left = min(words, self.width() * 0.34) + _STRIP + 2 * _EDGE
        top = _STRIP + 2.0 * _EDGE
        side = max(10.0, min(self.width() - left - _EDGE, self.height() - top - _EDGE))
        spare = max(0.0, (self.width() - left - side - _EDGE) / 2)
        return QRectF(left + spare, top + max(0.0, (self.height() - top - side - _EDGE) / 2), side, side)

    def cell(self, point: QPointF) -> tuple[int, int] | None:
        """Return row and column under a point, None outside."""
        square, side = self.square(), len(self.order)
        if not side or not square.contains(point):
            return None
        row = int((point.y() - square.top()) / square.height() * side)
        column = int((point.x() - square.left()) / square.width() * side)
        return min(row, side - 1), min(column, side - 1)

    def _marks(self) -> tuple[int, int] | None:
        places = [self._place[parcel] for parcel in self._marked if parcel in self._place]
        return (places[0], places[min(1, len(places) - 1)]) if places else None

    # ---------------------------------------------------------------- paint

    def paintEvent(self, _event: QPaintEvent) -> None:
        """Cells, borders, names, marks."""
        painter = QPainter(self)
        painter.fillRect(self.rect(), QColor(self.theme.canvas))
        if self._image is not None:
            square = self.square()
            painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform, square.width() < len(self.order))
            painter.drawImage(square, self._image)
            self._paint_groups(painter, square)
            self._paint_marks(painter, square)
        if self.hasFocus():
            paint_focus_ring(painter, QRectF(self.rect()), self.theme)
        painter.end()

    def _paint_groups(self, painter: QPainter, square: QRectF) -> None:
        per = square.height() / len(self.order)
        painter.setFont(small_font(self.font()))
        metrics = painter.fontMetrics()
        line, free = metrics.height(), 0.0
        for group in self.groups:
            first, last = group.first * per, group.last * per
            colour = QColor(group.colour)
            painter.fillRect(QRectF(square.left() - _STRIP - 2, square.top() + first, _STRIP, last - first), colour)
            painter.fillRect(QRectF(square.left() + first, square.top() - _STRIP - 2, last - first, _STRIP), colour)
            painter.setPen(QPen(QColor(self.theme.canvas), 1))
            for edge in (first, last):
                painter.drawLine(
                    QPointF(square.left(), square.top() + edge), QPointF(square.right(), square.top() + edge)
                )  # fmt: skip
                painter.drawLine(
                    QPointF(square.left() + edge, square.top()), QPointF(square.left() + edge, square.bottom())
                )  # fmt: skip
            top = square.top() + (first + last) / 2 - line / 2
            if top < free:
                continue  # its neighbour's name stands there
            free = top + line - 2
            painter.setPen(QColor(self.theme.text))
            room = square.left() - _STRIP - 2 * _EDGE
            name = metrics.elidedText(group.name, Qt.TextElideMode.ElideRight, int(room))
            painter.drawText(
                QRectF(0, top, room, line), Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter, name
            )  # fmt: skip
        painter.setPen(QPen(QColor(self.theme.border), 1))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.drawRect(square)

    def _paint_marks(self, painter: QPainter, square: QRectF) -> None:
        marks = self._marks()
        if marks is None:
            return
        per = square.height() / len(self.order)
        y, x = (square.top() + (marks[0] + 0.5) * per, square.left() + (marks[1] + 0.5) * per)
        for pen in (QPen(QColor(self.theme.canvas), 3), QPen(QColor(self.theme.accent), 1.5)):
            painter.setPen(pen)
            painter.drawLine(QPointF(square.left() - _STRIP - 2, y), QPointF(square.right(), y))
            painter.drawLine(QPointF(x, square.top() - _STRIP - 2), QPointF(x, square.bottom()))

    # ---------------------------------------------------------------- mouse and keyboard

    def told(self, row: int, column: int) -> str:
        """Say in words what a cell is."""
        names = {"row": self._name(row), "row_network": self._network(row)}
        if row == column:
            return tr("networks.matrix.one", **names)
        value = float(self._values[row, column])
        names |= {"column": self._name(column), "column_network": self._network(column)}
        names["value"] = number(value, 0.01) if np.isfinite(value) else tr("probe.none")
        return tr("networks.matrix.cell", **names)

    def _name(self, row: int) -> str:
        parcel = int(self.order[row])
        return self._names[parcel] if parcel < len(self._names) else str(parcel + 1)

    def _network(self, row: int) -> str:
        return next((group.name for group in self.groups if group.first <= row < group.last), tr("networks.none"))

    def _choose(self, row: int, column: int) -> None:
        self.pair_chosen.emit(int(self.order[row]), int(self.order[column]))
        self.setAccessibleDescription(f"{self.told(row, column)}. {tr('networks.matrix.help')}")

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Select the parcels of the cell."""
        found = self.cell(event.position())
        if found is not None and event.button() == Qt.MouseButton.LeftButton:
            self._choose(*found)

    def event(self, event: QEvent) -> bool:
        """Say what is under the mouse."""
        if event.type() == QEvent.Type.ToolTip and isinstance(event, QHelpEvent):
            found = self.cell(QPointF(event.pos()))
            QToolTip.showText(event.globalPos(), self.told(*found) if found else tr("networks.matrix.help"), self)
            return True
        return super().event(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Arrow keys go from cell to cell, page keys from network to network."""
        steps = {
            Qt.Key.Key_Up: (-1, 0), Qt.Key.Key_Down: (1, 0), Qt.Key.Key_Left: (0, -1), Qt.Key.Key_Right: (0, 1),
        }  # fmt: skip
        key, last = Qt.Key(event.key()), len(self.order) - 1
        pages = {Qt.Key.Key_PageUp: -1, Qt.Key.Key_PageDown: 1}
        if last < 0 or (key not in steps and key not in pages):
            event.ignore()
            return
        row, column = self._marks() or (0, 0)
        if key in pages:
            at = next((place for place, group in enumerate(self.groups) if group.first <= row < group.last), 0)
            row = column = self.groups[min(max(0, at + pages[key]), len(self.groups) - 1)].first
        else:
            by = 10 if event.modifiers() & Qt.KeyboardModifier.ShiftModifier else 1
            row = min(max(0, row + by * steps[key][0]), last)
            column = min(max(0, column + by * steps[key][1]), last)
        self._choose(row, column)
