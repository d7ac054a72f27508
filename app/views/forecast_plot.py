"""One region around the moment from which is forecast: its history, the forecast with bands, what followed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pyqtgraph as pg
from numpy.typing import NDArray
from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QColor, QKeyEvent

from app.text import tr
from app.theme.tokens import Theme
from app.views.legend_plot import DASHES, Entry, LegendPlot
from app.widgets.ticks import number, round_ticks

Array = NDArray[Any]
_HISTORY = 80
"""frames of history on show: more would make what is forecast too small to see"""


class ForecastPlot(LegendPlot):
    """Measured muted, forecast in the accent colour with its two bands, simple methods dashed.

    Emits ``origin_chosen(frame)`` while the line of the origin is dragged, on a double click, and for arrow keys.
    """

    origin_chosen = Signal(int)

    def __init__(self, parent: Any = None) -> None:
        super().__init__(tr("forecast.axis.sd"), tr("forecast.axis.time"), parent)
        self._past: Array = np.zeros(0)
        self._future: Array = np.zeros(0)
        self._made: Array = np.zeros(0)
        self._widths: Array = np.zeros((0, 0))
        self._beside: dict[str, Array] = {}
        self._origin, self._tr_s, self._cursor = 0, 1.0, 0
        self.past, self.future, self.made = (pg.PlotCurveItem() for _ in range(3))
        self._edges = [(pg.PlotCurveItem(), pg.PlotCurveItem()) for _ in range(2)]
        self.bands = [pg.FillBetweenItem(*edges) for edges in self._edges]
        self._lines: list[Any] = []
        self.line = pg.InfiniteLine(0, angle=90, movable=True)
        self.cursor = pg.InfiniteLine(0, angle=90)
        for depth, item in enumerate((*self.bands, self.past, self.future, self.made, self.cursor, self.line)):
            item.setZValue(depth)
            self.addItem(item, ignoreBounds=True)
        self.line.sigDragged.connect(lambda: self.origin_chosen.emit(round(self.line.value() / self._tr_s)))
        self.setAccessibleName(tr("forecast.plot.name"))
        self.setAccessibleDescription(tr("forecast.plot.help"))
        self.setToolTip(tr("forecast.plot.help"))

    def clear_lines(self) -> None:
        """Show nothing."""
        self.set_region(np.zeros(0), np.zeros(0), np.zeros(0), np.zeros((2, 0)), {}, 0, 1.0)

    def set_region(  # noqa: PLR0917 (one picture)
        self,
        past: Array,
        future: Array,
        made: Array,
        widths: Array,
        beside: Mapping[str, Array],
        origin: int,
        tr_s: float,
    ) -> None:
        """Draw one region.

        Parameters
        ----------
        past : (history,) SD of the history, NaN where not measured
        future : (horizon,) what followed, NaN where nothing is known
        made : (horizon,) the forecast
        widths : (2, horizon) half widths of the inner and the outer band
        beside : name -> (horizon,) of simple methods
        origin : first frame that is forecast
        tr_s : seconds per frame
        """
        self._past, self._future, self._made, self._widths = past[-_HISTORY:], future, made, widths
        self._beside, self._origin, self._tr_s = dict(beside), origin, tr_s
        self.redraw()

    def set_cursor(self, frame: int) -> None:
        """Show the time cursor at a frame of the recording."""
        self._cursor = frame
        self.cursor.setValue(frame * self._tr_s)

    def redraw(self) -> None:
        """Draw everything again."""
        if not hasattr(self, "line"):
            return
        theme, tr_s, origin = self.theme, self._tr_s, self._origin
        for item in self._lines:
            self.removeItem(item)
        self._lines = []
        ahead = (origin + np.arange(len(self._made))) * tr_s
        behind = (origin - len(self._past) + np.arange(len(self._past))) * tr_s
        self._draw_bands(ahead, theme)
        measured = pg.mkPen(theme.muted, width=1.5)
        self.past.setData(behind, self._past, pen=measured, connect="finite")
        joined = np.concatenate([self._past[-1:], self._future])
        self.future.setData(
            np.concatenate([behind[-1:], ahead[: len(self._future)]]), joined, pen=pg.mkPen(theme.text, width=1.5),
            connect="finite",
        )  # fmt: skip
        self.made.setData(ahead, self._made, pen=pg.mkPen(theme.accent, width=2.5), connect="finite")
        entries = [
            Entry(tr("forecast.line.history"), theme.text), Entry(tr("forecast.line.forecast"), theme.accent, 2.5),
            Entry(tr("forecast.line.bands"), theme.accent, area=True),
        ]  # fmt: skip
        for place, (name, values) in enumerate(self._beside.items()):
            entry = method_entry(theme, name, place)
            item = pg.PlotCurveItem(ahead, values, pen=self.pen(entry), connect="finite")
            item.setZValue(3)
            self.addItem(item, ignoreBounds=True)
            self._lines.append(item)
            entries.append(entry)
        self.line.setPen(pg.mkPen(theme.text, width=1))
        self.line.setHoverPen(pg.mkPen(theme.accent, width=3))
        self.cursor.setPen(pg.mkPen(theme.warning, width=1))
        self.line.setValue(origin * tr_s)
        self.cursor.setValue(self._cursor * tr_s)
        self.set_entries(entries if len(self._made) else ())
        self._set_range(behind, ahead)

    def _draw_bands(self, ahead: Array, theme: Theme) -> None:
        for (low, high), band, width, alpha in zip(
            self._edges, self.bands, self._widths[::-1], (50, 70), strict=False
        ):  # the outer one first
            low.setData(ahead, self._made - width, pen=None)
            high.setData(ahead, self._made + width, pen=None)
            colour = QColor(theme.accent)
            colour.setAlpha(alpha)
            band.setBrush(colour)

    def _set_range(self, behind: Array, ahead: Array) -> None:
        if not len(ahead):
            self.view.setRange(xRange=(0, 1), yRange=(-3, 3), padding=0)
            self.getAxis("bottom").setTicks([[], []])
            return
        first, last = (behind[0] if len(behind) else ahead[0]), ahead[-1]
        seen = np.concatenate([self._past, self._future, self._made + self._widths[-1], self._made - self._widths[-1]])
        most = max(2.5, float(np.nanmax(np.abs(seen), initial=0.0)) * 1.05)
        self.view.setRange(xRange=(first, last), yRange=(-most, most), padding=0)
        self.getAxis("left").setTicks([[(v, number(v, 1.0)) for v in round_ticks(-most, most, 5)], []])
        self.getAxis("bottom").setTicks([[(v, number(v, 1.0)) for v in round_ticks(first, last, 6)], []])

    def mouseDoubleClickEvent(self, event: Any) -> None:
        """Forecast from where it was clicked."""
        at = self.view.mapSceneToView(self.mapToScene(event.position().toPoint())).x()
        self.origin_chosen.emit(round(at / self._tr_s))

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Arrow keys move the origin by a frame, Page Up and Page Down by what is forecast."""
        far = max(1, len(self._made))
        steps = {Qt.Key.Key_Left: -1, Qt.Key.Key_Right: 1, Qt.Key.Key_PageUp: -far, Qt.Key.Key_PageDown: far}
        step = steps.get(Qt.Key(event.key()))
        if step is None:
            event.ignore()
            return
        self.origin_chosen.emit(self._origin + step)


def method_entry(theme: Theme, name: str, place: int) -> Entry:
    """Return how a simple method is drawn: by colour and by dashes."""
    colour = theme.trace[(place + 1) % len(theme.trace)]
    return Entry(tr(f"forecast.method.{name}"), colour, 1.5, tuple(DASHES[place % len(DASHES)]))
