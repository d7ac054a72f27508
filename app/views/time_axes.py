"""The two axes of the time plots: time below, names and network colours at the left."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby
from typing import Any

import numpy as np
import pyqtgraph as pg
from numpy.typing import NDArray
from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QFont, QFontMetricsF, QPainter, QPen

from app.theme.tokens import DARK, Theme
from app.views.clock import TimeUnit, clock, clock_step
from app.widgets.ticks import number, round_step

Array = NDArray[Any]
TICK = 4.0
AXIS_PX = 22
LEAST_TICKS, MOST_TRIES = 3, 16
END_PX = 6.0
TOUCH_PX = 6.0


class TimeAxis(pg.AxisItem):  # type: ignore[misc]
    """Ticks in seconds, frames or clock time; the plot's x is the frame number."""

    def __init__(self) -> None:
        super().__init__("bottom")
        self.tr_s = 1.0
        self.first = 0
        self.unit: TimeUnit = "s"
        self.setStyle(
            tickLength=-4, tickTextOffset=4, autoExpandTextSpace=False, tickTextHeight=16, hideOverlappingLabels=False
        )
        self.setHeight(AXIS_PX)

    def _per_frame(self) -> float:
        return 1.0 if self.unit == "TR" else self.tr_s

    def tickValues(self, low: float, high: float, size: float) -> list[tuple[float, list[float]]]:
        """Round times, as frame positions; three at the least, however narrow the plot is."""
        per, span = self._per_frame(), (high - low) * self._per_frame()
        wanted, step = max(2, int(size // 90)), span
        ticks: list[float] = []
        while len(ticks) < LEAST_TICKS and wanted < MOST_TRIES:
            step = clock_step(span, wanted) if self.unit == "clock" else round_step(span, wanted)
            step = max(1.0, step) if self.unit == "TR" else step
            begin, end = (low + self.first) * per / step, (high + self.first) * per / step
            ticks = [i * step / per - self.first for i in range(int(np.ceil(begin)), int(np.floor(end)) + 1)]
            wanted += 1
        apart = step / per * size / max(high - low, 1e-9)
        fewer = [tick for tick in ticks if round((tick + self.first) * per / step) % 2 == 0]
        if apart < self._widest(ticks, step / per) + TOUCH_PX and len(fewer) >= LEAST_TICKS:
            ticks, step = fewer, 2 * step  # the same ones while time scrolls
        edge = high - END_PX * (high - low) / max(size, 1.0)  # a number at the very end would be cut
        return [(step / per, [tick for tick in ticks if tick <= edge])]

    def _widest(self, ticks: list[float], spacing: float) -> float:
        """Pixels of the longest number."""
        metrics = QFontMetricsF(self.style["tickFont"] or self.font())
        return max((metrics.horizontalAdvance(text) for text in self.tickStrings(ticks, 1.0, spacing)), default=0.0)

    def tickStrings(self, values: Sequence[float], _scale: float, spacing: float) -> list[str]:
        """Numbers without the unit; it stands at the beginning of the axis, see :meth:`TimePlot.write_unit`."""
        per = self._per_frame()
        if self.unit == "clock":
            return [clock((value + self.first) * per) for value in values]
        return [number((value + self.first) * per, spacing * per) for value in values]


class RowAxis(pg.AxisItem):  # type: ignore[misc]
    """One name per row when rows are high enough, else one name per group; a stripe in the network's colour."""

    def __init__(self) -> None:
        super().__init__("left")
        self.theme: Theme = DARK
        self.names: tuple[str, ...] = ()
        self.selected: frozenset[int] = frozenset()
        self.groups: tuple[tuple[str, str, int, int], ...] = ()
        self.type = QFont()
        self.setStyle(showValues=False)

    def set_rows(self, names: Sequence[str], labels: Sequence[str], colours: Sequence[str]) -> None:
        """Per row from the top: its name, its group's name, the group's colour."""
        self.names = tuple(names)
        runs, row = [], 0
        for (label, colour), members in groupby(zip(labels, colours, strict=True)):
            count = len(list(members))
            runs.append((label, colour, row, row + count))
            row += count
        self.groups = tuple(runs)
        self.picture = None
        self.update()

    def set_marks(self, selected: frozenset[int]) -> None:
        """Rows written bright."""
        self.selected = selected
        self.update()

    def paint(self, painter: QPainter, _option: Any, _widget: Any = None) -> None:
        """Stripes, then names."""
        view = self.linkedView()
        if view is None or not self.names:
            return
        low, high = view.viewRange()[1]
        area = self.mapRectFromItem(view, view.rect())
        box = QRectF(0, area.top(), self.size().width(), area.height())
        per_row = box.height() / max(high - low, 1e-9)
        painter.setClipRect(box)
        painter.setFont(self.type)
        line = QFontMetricsF(self.type).height()
        for label, colour, first, last in self.groups:
            top, bottom = box.top() + (first - low) * per_row, box.top() + (last - low) * per_row
            if bottom < box.top() or top > box.bottom():
                continue
            gap = 0.5 if (last - first) * per_row > 3 else 0.0
            stripe = QRectF(box.right() - TICK - 1, top + gap, TICK, bottom - top - 2 * gap)
            painter.fillRect(stripe, QColor(colour))
            if per_row < line * 0.85 and label:
                seen_top, seen_bottom = max(top, box.top()), min(bottom, box.bottom())
                if seen_bottom - seen_top >= line:
                    centre = (seen_top + seen_bottom) / 2
                    self._write(painter, box, centre, label, self.theme.muted)
        if per_row >= line * 0.85:
            for row in range(max(0, int(low)), min(len(self.names), int(high) + 1)):
                colour = self.theme.text if row in self.selected else self.theme.muted
                self._write(painter, box, box.top() + (row + 0.5 - low) * per_row, self.names[row], colour)
        else:
            self._mark_selected(painter, box, low, per_row)

    def _write(self, painter: QPainter, box: QRectF, centre: float, text: str, colour: str) -> None:
        line = QFontMetricsF(self.type).height()
        spot = QRectF(box.left() + 6, centre - line / 2, box.width() - TICK - 14, line)
        elided = QFontMetricsF(self.type).elidedText(text, Qt.TextElideMode.ElideMiddle, spot.width())
        painter.setPen(QColor(colour))
        painter.drawText(spot, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter, elided)

    def _mark_selected(self, painter: QPainter, box: QRectF, low: float, per_row: float) -> None:
        painter.setPen(QPen(QColor(self.theme.text), 2))
        for row in self.selected:
            y = box.top() + (row + 0.5 - low) * per_row
            painter.drawLine(QPointF(box.right() - TICK - 8, y), QPointF(box.right() - TICK - 3, y))
