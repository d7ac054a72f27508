"""A curve over training steps: points as they come, levels to cross as dashed lines with their names."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import pyqtgraph as pg
from PySide6.QtCore import QPointF, QRectF, QSize, Qt
from PySide6.QtGui import (
    QColor,
    QFocusEvent,
    QFontMetrics,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QPen,
    QResizeEvent,
)

from app.text import tr
from app.theme.tokens import DARK, Theme
from app.widgets.colour_bar import small_font
from app.widgets.focus_ring import paint_focus_ring
from app.widgets.ticks import number, round_ticks

_DOTS = 80
_DASHES = ([6.0, 4.0], [2.0, 3.0], [8.0, 3.0, 2.0, 3.0])
_FRESH_STEPS = 10.0


class CurveView(pg.PlotWidget):  # type: ignore[misc]
    """One quantity over steps. Hover, or left and right arrow keys, read single points."""

    def __init__(self, title: str, unit: str, *, from_zero: bool = False, parent: Any = None) -> None:
        view = pg.ViewBox(enableMouse=False, enableMenu=False)
        view.disableAutoRange()
        super().__init__(parent, viewBox=view, enableMenu=False)
        self.view, self._title, self._unit, self._from_zero = view, title, unit, from_zero
        self.theme: Theme = DARK
        self.steps: tuple[int, ...] = ()
        self.values: tuple[float, ...] = ()
        self.levels: tuple[tuple[str, float], ...] = ()
        self._at: int | None = None
        self._line = pg.PlotDataItem(symbolSize=5)
        self._dashes: list[Any] = []
        self.addItem(self._line)
        self.hideButtons()
        self.setFrameShape(pg.QtWidgets.QFrame.Shape.NoFrame)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setMouseTracking(True)
        self.setMinimumSize(180, 110)
        self.plotItem.setContentsMargins(2, 6, 12, 2)
        self.setLabel("left", unit)
        self.setLabel("bottom", tr("train.axis.step"))
        for name in ("left", "bottom"):
            axis = self.getAxis(name)
            axis.enableAutoSIPrefix(False)
            axis.setStyle(tickFont=small_font(self.font()), tickLength=-4, hideOverlappingLabels=False)
            axis.label.setFont(small_font(self.font()))
        self.getAxis("left").setWidth(58)
        self.setAccessibleName(tr("train.curve.name", what=title))
        self.set_points((), ())

    def sizeHint(self) -> QSize:
        """A comfortable size."""
        return QSize(420, 220)

    # ---------------------------------------------------------------- data

    def set_points(self, steps: Sequence[int], values: Sequence[float]) -> None:
        """Show ``values`` over ``steps``; what is no number is left out."""
        known = [(s, v) for s, v in zip(steps, values, strict=True) if math.isfinite(v)]
        new = tuple(s for s, _ in known), tuple(v for _, v in known)
        if new != (self.steps, self.values):
            self.steps, self.values = new
            self._at = None
        self._draw()

    def set_levels(self, levels: Sequence[tuple[str, float]]) -> None:
        """Draw these ``(name, value)`` as dashed lines."""
        if tuple(levels) == self.levels:
            return
        self.levels = tuple(levels)
        self._draw()

    def _span(self) -> tuple[float, float]:
        """Lowest and highest value on show."""
        seen = [*self.values, *(value for _, value in self.levels if value > -0.1)]
        if not seen:
            return 0.0, 1.0
        low, high = min(seen), max(seen)
        if self._from_zero:
            low = min(low, 0.0)
        room = max(0.08 * (high - low), 0.01 * abs(high), 1e-3)
        return low - room, high + room * (2.0 if self.levels else 1.0)

    def _draw(self) -> None:
        low, high = self._span()
        last = float(self.steps[-1]) if self.steps else _FRESH_STEPS
        self.view.setRange(xRange=(0.0, max(last, 1.0) * 1.02), yRange=(low, high), padding=0)
        self.getAxis("left").setTicks([[(v, number(v, _step(low, high))) for v in round_ticks(low, high, 5)], []])
        self.getAxis("bottom").setTicks([[(v, number(v, 1.0)) for v in round_ticks(0, last, 6)], []])
        accent = QColor(self.theme.accent)
        symbol = "o" if len(self.steps) <= _DOTS else None
        self._line.setData(
            np.array(self.steps, float), np.array(self.values, float), pen=pg.mkPen(accent, width=2), symbol=symbol,
            symbolBrush=accent, symbolPen=None,
        )  # fmt: skip
        self._draw_levels(low, high)
        told = tr("train.curve.none")
        if self.steps:
            told = tr("train.curve.last", step=self.steps[-1], value=number(self.values[-1], 1e-3))
        self.setAccessibleDescription(told)
        self.viewport().update()

    def _draw_levels(self, low: float, high: float) -> None:
        for item in self._dashes:
            self.removeItem(item)
        self._dashes = []
        for index, (_, value) in enumerate(self.levels):
            if low <= value <= high:
                pen = QPen(QColor(self.theme.trace[(index + 4) % len(self.theme.trace)]), 1.5)
                pen.setCosmetic(True)
                pen.setDashPattern(_DASHES[index % len(_DASHES)])
                self._dashes.append(pg.InfiniteLine(value, angle=0, pen=pen))
                self.addItem(self._dashes[-1], ignoreBounds=True)

    def set_theme(self, theme: Theme) -> None:
        """Repaint in the colours of ``theme``."""
        self.theme = theme
        self.setBackground(theme.canvas)
        for name in ("left", "bottom"):
            axis = self.getAxis(name)
            axis.setPen(pg.mkPen(theme.border))
            axis.setTextPen(pg.mkPen(theme.muted))
            axis.label.setDefaultTextColor(QColor(theme.muted))
        self._draw()

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Where the plot is low, its axis says the unit alone: "SD²" of "Squared error, SD²"."""
        super().resizeEvent(event)
        if hasattr(self, "_unit"):  # Qt asks before it is built
            room = self.view.height() - QFontMetrics(small_font(self.font())).horizontalAdvance(self._unit)
            axis = self.getAxis("left")
            axis.setLabel(self._unit if room > 4 else self._unit.rpartition(", ")[2])
            axis.resizeEvent()  # it centres its label only then

    # ---------------------------------------------------------------- words over the plot

    def paintEvent(self, event: QPaintEvent) -> None:
        """The plot, the names of the levels, the point that is read, the focus ring."""
        super().paintEvent(event)
        painter = QPainter(self.viewport())
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setFont(small_font(self.font()))
        self._write_levels(painter)
        if self._at is not None and self._at < len(self.steps):
            self._write_point(painter, self._at)
        if self.hasFocus():
            paint_focus_ring(painter, QRectF(self.viewport().rect()), self.theme)
        painter.end()

    def _write_levels(self, painter: QPainter) -> None:
        """Names at an end of their lines, above or below: where the curve does not run; never over each other."""
        for index, text, spot in self.level_spots(painter.fontMetrics()):
            painter.fillRect(spot.adjusted(-2, 0, 2, 0), QColor(self.theme.canvas))  # no place may be free of the curve
            painter.setPen(QColor(self.theme.trace[(index + 4) % len(self.theme.trace)]))
            painter.drawText(spot, Qt.AlignmentFlag.AlignVCenter, text)

    def level_spots(self, metrics: QFontMetrics) -> list[tuple[int, str, QRectF]]:
        """Return number, text and place of the name of each level that is on show, the highest first."""
        area, line = self._area(), float(metrics.height())
        low, high = self.view.viewRange()[1]
        spots: list[tuple[int, str, QRectF]] = []
        for index, (name, value) in sorted(enumerate(self.levels), key=lambda entry: -entry[1][1]):
            if not low <= value <= high:
                continue
            text = self.level_text(metrics, name, value, area.width() - 14)
            width, y = float(metrics.horizontalAdvance(text)), self._spot(0.0, value).y()
            places = [
                QRectF(left, top, width, line)
                for top in (y - line - 2, y + 2)
                for left in (area.right() - width - 8, area.left() + 6)
                if top >= area.top() - 4 and top + line <= area.bottom()
            ]
            free = [place for place in places if not any(place.intersects(spot) for _, _, spot in spots)]
            clear = [place for place in free if not self.runs_through(place)]
            if free:
                spots.append((index, text, (clear or free)[0]))
        return spots

    def runs_through(self, place: QRectF) -> bool:
        """Tell whether the curve comes into ``place``, in pixels of the widget."""
        if not self.steps:
            return False
        points = [self._spot(step, value) for step, value in zip(self.steps, self.values, strict=True)]
        x, y = np.array([point.x() for point in points]), np.array([point.y() for point in points])
        across = np.linspace(place.left() - 2, place.right() + 2, 65)
        across = np.sort(np.concatenate([across, x[(x > across[0]) & (x < across[-1])]]))
        across = across[(across >= x[0]) & (across <= x[-1])]
        if not across.size:
            return False
        height = np.interp(across, x, y)
        above, below = np.minimum(height[:-1], height[1:]), np.maximum(height[:-1], height[1:])
        if height.size == 1:
            above = below = height
        return bool(((below >= place.top() - 1) & (above <= place.bottom() + 1)).any())

    @staticmethod
    def level_text(metrics: QFontMetrics, name: str, value: float, room: float) -> str:
        """Return name and value of a level in ``room`` pixels; the name gives way, never the value."""
        figure = f" {number(value, 0.01)}"
        left = int(room) - metrics.horizontalAdvance(figure)
        return metrics.elidedText(name, Qt.TextElideMode.ElideRight, left) + figure

    def _write_point(self, painter: QPainter, index: int) -> None:
        area, metrics = self._area(), painter.fontMetrics()
        point = self._spot(self.steps[index], self.values[index])
        text = tr("train.curve.readout", step=self.steps[index], value=number(self.values[index], 1e-3))
        width, height = metrics.horizontalAdvance(text) + 12.0, metrics.height() + 6.0
        left = min(max(point.x() - width / 2, area.left()), area.right() - width)
        top = point.y() - height - 8 if point.y() - height - 8 > area.top() else point.y() + 8
        box = QRectF(left, top, width, height)
        painter.setPen(QPen(QColor(self.theme.text), 1.5))
        painter.setBrush(QColor(self.theme.canvas))
        painter.drawEllipse(point, 4.0, 4.0)
        painter.setPen(QPen(QColor(self.theme.border), 1))
        painter.setBrush(QColor(self.theme.panel))
        painter.drawRoundedRect(box, 3, 3)
        painter.setPen(QColor(self.theme.text))
        painter.drawText(box, Qt.AlignmentFlag.AlignCenter, text)

    def _area(self) -> QRectF:
        return QRectF(self.mapFromScene(self.view.sceneBoundingRect()).boundingRect())

    def _spot(self, step: float, value: float) -> QPointF:
        return QPointF(self.mapFromScene(self.view.mapViewToScene(QPointF(step, value))))

    # ---------------------------------------------------------------- reading points

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Read the point nearest to the pointer."""
        if not self.steps:
            return
        step = self.view.mapSceneToView(self.mapToScene(event.position().toPoint())).x()
        self._read(int(np.argmin(np.abs(np.array(self.steps) - step))))

    def leaveEvent(self, event: Any) -> None:
        """Read nothing."""
        super().leaveEvent(event)
        self._read(None)

    def focusOutEvent(self, event: QFocusEvent) -> None:
        """Read nothing."""
        super().focusOutEvent(event)
        self._read(None)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Left, right, Home, End go from point to point."""
        last = len(self.steps) - 1
        here = self._at if self._at is not None else last
        places = {
            Qt.Key.Key_Left: max(here - 1, 0), Qt.Key.Key_Right: min(here + 1, last), Qt.Key.Key_Home: 0,
            Qt.Key.Key_End: last,
        }  # fmt: skip
        if last < 0 or Qt.Key(event.key()) not in places:
            event.ignore()
            return
        self._read(places[Qt.Key(event.key())])

    def _read(self, index: int | None) -> None:
        if index == self._at:
            return
        self._at = index
        if index is not None:
            told = tr("train.curve.readout", step=self.steps[index], value=number(self.values[index], 1e-3))
            self.setAccessibleDescription(told)
        self.viewport().update()


def _step(low: float, high: float) -> float:
    ticks = round_ticks(low, high, 5)
    return ticks[1] - ticks[0] if len(ticks) > 1 else 0.0
