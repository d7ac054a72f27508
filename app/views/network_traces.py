"""The mean activity of each network over time, a row each, on one time cursor."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyqtgraph as pg
from numpy.typing import NDArray
from PySide6.QtCore import QPointF, QRectF, Qt, Signal
from PySide6.QtGui import QColor, QFontMetrics, QKeyEvent, QPainter

from app.text import tr
from app.views.legend_plot import LegendPlot
from app.widgets.colour_bar import small_font
from app.widgets.ticks import number, round_ticks

Array = NDArray[Any]
_REACH = 0.85
"""of the distance between two rows that the largest deflection takes"""


@dataclass(frozen=True, eq=False)
class Row:
    """A row: its name, its colour, and its values (frames,) in SD; those of a mean decide the scale."""

    name: str
    colour: str
    values: Array
    strong: bool = False
    mean: bool = True


class NetworkTraces(LegendPlot):
    """Rows from above, all on one scale, whose size a bar of 1 SD tells. Emits ``frame_chosen(frame)``."""

    frame_chosen = Signal(int)

    def __init__(self, parent: Any = None) -> None:
        super().__init__("", tr("networks.traces.time"), parent)
        self.rows: tuple[Row, ...] = ()
        self.frame, self._tr_s, self._scale, self._frames = 0, 1.0, 1.0, 0
        self._items: list[Any] = []
        self.cursor = pg.InfiniteLine(0, angle=90)
        self.addItem(self.cursor, ignoreBounds=True)
        self.setMinimumSize(180, 90)
        self.setAccessibleName(tr("networks.traces.name"))
        self.setAccessibleDescription(tr("networks.traces.help"))
        self.setToolTip(tr("networks.traces.help"))

    def set_rows(self, rows: Sequence[Row], tr_s: float) -> None:
        """Draw these rows, ``tr_s`` seconds per frame."""
        self.rows, self._tr_s = tuple(rows), tr_s
        self._frames = max((len(row.values) for row in rows), default=0)
        self.redraw()

    def set_frame(self, frame: int) -> None:
        """Show the time cursor at a frame."""
        self.frame = frame
        self.cursor.setValue(frame * self._tr_s)

    def redraw(self) -> None:
        """Draw everything again."""
        if not hasattr(self, "cursor"):
            return
        for item in self._items:
            self.removeItem(item)
        self._items = []
        means = [row.values for row in self.rows if row.mean]
        known = np.abs(np.concatenate(means)) if means else np.zeros(0)
        known = known[np.isfinite(known)]
        self._scale = _REACH / max(1e-6, float(np.quantile(known, 0.995))) if known.size else 1.0
        ticks = []
        for place, row in enumerate(self.rows):
            seconds = np.arange(len(row.values)) * self._tr_s
            pen = pg.mkPen(row.colour, width=1.6 if row.strong else 1.0)
            item = pg.PlotCurveItem(seconds, row.values * self._scale - place, pen=pen, connect="finite")
            self.addItem(item, ignoreBounds=True)
            self._items.append(item)
            ticks.append((-float(place), row.name))
        metrics = QFontMetrics(small_font(self.font()))
        wide = max((metrics.horizontalAdvance(row.name) for row in self.rows), default=0)
        self.getAxis("left").setWidth(min(max(52, wide + 14), 220))
        self.getAxis("left").setTicks([ticks, []])
        last = max(1, self._frames - 1) * self._tr_s
        self.getAxis("bottom").setTicks([[(v, number(v, 1.0)) for v in round_ticks(0, last, 8)], []])
        self.view.setRange(xRange=(0, last), yRange=(-max(0, len(self.rows) - 1) - 0.75, 0.75), padding=0)
        self.cursor.setPen(pg.mkPen(self.theme.warning, width=1.5))
        self.set_frame(self.frame)

    def paint_words(self, painter: QPainter) -> None:
        """Draw the bar of 1 SD at the right, over its own ground."""
        if not self.rows:
            return
        area = self.view.sceneBoundingRect()
        per_row = area.height() / (max(0, len(self.rows) - 1) + 1.5)
        high = self._scale * per_row
        words = tr("networks.traces.bar")
        width = painter.fontMetrics().horizontalAdvance(words) + 16
        high = min(high, area.height() - 8)
        box = QRectF(area.right() - width - 2, area.top() + 2, width, max(high, painter.fontMetrics().height()) + 6)
        ground = QColor(self.theme.canvas)
        ground.setAlpha(215)
        painter.fillRect(box, ground)
        painter.setPen(QColor(self.theme.text))
        x, middle = box.left() + 5, box.center().y()
        painter.drawLine(QPointF(x, middle - high / 2), QPointF(x, middle + high / 2))
        painter.drawText(
            QRectF(x + 5, box.top(), width, box.height()), Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft,
            words,
        )  # fmt: skip

    def mousePressEvent(self, event: Any) -> None:
        """Go to where it was clicked."""
        at: Any = self.view.mapSceneToView(self.mapToScene(event.position().toPoint()))
        self._choose(round(float(at.x()) / self._tr_s))

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Left and right go frame by frame."""
        step = {Qt.Key.Key_Left: -1, Qt.Key.Key_Right: 1}.get(Qt.Key(event.key()))
        if step is None:
            event.ignore()
            return
        self._choose(self.frame + step * (10 if event.modifiers() & Qt.KeyboardModifier.ShiftModifier else 1))

    def _choose(self, frame: int) -> None:
        if self._frames:
            self.frame_chosen.emit(min(max(0, frame), self._frames - 1))
