"""Windows of a recording in two principal components, joined in the order of time; their states over time."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyqtgraph as pg
from numpy.typing import NDArray
from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QColor, QKeyEvent

from app.text import tr
from app.theme.tokens import Theme
from app.views.legend_plot import Entry, LegendPlot
from app.widgets.ticks import number, round_ticks

Array = NDArray[Any]
#: rows of the strip, from above
ROWS = ("model", "series")
_SYMBOLS = ("o", "s", "t", "d", "star", "p", "h", "+")


class StatePlot(LegendPlot):
    """A dot per window; states differ by colour and by form, the present window has a ring.

    Emits ``window_chosen(window)`` on a click on a dot and for arrow keys.
    """

    window_chosen = Signal(int)

    def __init__(self, parent: Any = None) -> None:
        super().__init__(tr("states.axis.second"), tr("states.axis.first"), parent)
        self._xy: Array = np.zeros((0, 2))
        self._states: Array = np.zeros(0, int)
        self._by_time, self.window = False, 0
        self.path, self.dots, self.ring = pg.PlotCurveItem(), pg.ScatterPlotItem(), pg.ScatterPlotItem()
        for item in (self.path, self.dots, self.ring):
            self.addItem(item, ignoreBounds=True)
        self.dots.sigClicked.connect(lambda _item, spots, *_: self.window_chosen.emit(int(spots[0].data())))
        self.setAccessibleName(tr("states.plot.name"))
        self.setAccessibleDescription(tr("states.plot.help"))
        self.setToolTip(tr("states.plot.help"))

    def set_windows(self, xy: Array, states: Array, *, by_time: bool) -> None:
        """Draw ``xy (T, 2)`` with ``states (T,)`` from 0; NaN and -1 for windows left out."""
        self._xy, self._states, self._by_time = np.asarray(xy, np.float64), states, by_time
        self.redraw()

    def set_window(self, window: int) -> None:
        """Mark the present window."""
        self.window = window
        here = self._xy[window : window + 1]
        self.ring.setData(pos=here[np.isfinite(here).all(1)], size=17, pen=self._ring_pen(), brush=None)

    def _ring_pen(self) -> Any:
        return pg.mkPen(self.theme.warning, width=2.5)

    def redraw(self) -> None:
        """Draw everything again."""
        if not hasattr(self, "ring"):
            return
        theme, known = self.theme, np.flatnonzero(np.isfinite(self._xy).all(1))
        self.path.setData(self._xy[:, 0], self._xy[:, 1], pen=pg.mkPen(theme.border, width=1), connect="finite")
        colours = [
            between(theme, at / max(1, len(self._xy) - 1)) if self._by_time else state_colour(theme, self._states[at])
            for at in known
        ]
        self.dots.setData(
            pos=self._xy[known], data=known, size=9, pen=None, brush=[pg.mkBrush(each) for each in colours],
            symbol=[_SYMBOLS[self._states[at] % len(_SYMBOLS)] for at in known],
        )  # fmt: skip
        numbers = [] if self._by_time else sorted({int(state) for state in self._states if state >= 0})
        self.set_entries([
            Entry(tr("states.state", state=state + 1), state_colour(theme, state), 4) for state in numbers
        ])  # fmt: skip
        if len(known):
            low, high = self._xy[known].min(0), self._xy[known].max(0)
            for name, first, last in zip(("bottom", "left"), low.tolist(), high.tolist(), strict=True):
                self.getAxis(name).setTicks([[(v, number(v, 0.1)) for v in round_ticks(first, last, 5)], []])
            self.view.setRange(xRange=(low[0], high[0]), yRange=(low[1], high[1]), padding=0.08)
        self.set_window(self.window)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Arrow keys go to the window before or after."""
        step = {Qt.Key.Key_Left: -1, Qt.Key.Key_Right: 1}.get(Qt.Key(event.key()))
        if step is None or not len(self._xy):
            event.ignore()
            return
        self.window_chosen.emit(min(max(0, self.window + step), len(self._xy) - 1))


class StateStrip(LegendPlot):
    """Two rows over time: states in the embedding, states in the parcel series. Emits ``time_chosen(seconds)``."""

    time_chosen = Signal(float)

    def __init__(self, parent: Any = None) -> None:
        super().__init__("", tr("states.axis.time"), parent)
        self._kinds: tuple[Array, ...] = ()
        self._window_s, self._bars = 1.0, pg.BarGraphItem(x0=[], x1=[], y0=[], y1=[])
        self.cursor = pg.InfiniteLine(0, angle=90)
        self.addItem(self._bars, ignoreBounds=True)
        self.addItem(self.cursor, ignoreBounds=True)
        self.getAxis("left").setTicks([[(-0.5 - at, tr(f"states.row.{name}")) for at, name in enumerate(ROWS)], []])
        self.setAccessibleName(tr("states.strip.name"))
        self.setAccessibleDescription(tr("states.strip.help"))
        self.setToolTip(f"{tr('states.strip.name')}. {tr('states.strip.help')}")

    def set_states(self, rows: tuple[Array, ...], window_s: float) -> None:
        """Draw rows of states (T,), windows of ``window_s`` seconds, -1 for windows left out."""
        self._kinds, self._window_s = rows, window_s
        self.redraw()

    def set_cursor(self, seconds: float) -> None:
        """Show the time cursor."""
        self.cursor.setValue(seconds)

    def redraw(self) -> None:
        """Draw everything again."""
        if not hasattr(self, "cursor") or not self._kinds:
            return
        spots = [(row, at, int(s)) for row, states in enumerate(self._kinds) for at, s in enumerate(states) if s >= 0]
        low = np.array([-float(row) - 0.9 for row, *_ in spots])
        left = np.array([at * self._window_s for _, at, _ in spots])
        brushes = [pg.mkBrush(state_colour(self.theme, state)) for *_, state in spots]
        self._bars.setOpts(x0=left, x1=left + self._window_s, y0=low, y1=low + 0.8, brushes=brushes, pen=None)
        last = len(self._kinds[0]) * self._window_s
        self.view.setRange(xRange=(0, last), yRange=(-len(self._kinds), 0), padding=0)
        self.getAxis("bottom").setTicks([[(v, number(v, 1.0)) for v in round_ticks(0, last, 6)], []])
        self.cursor.setPen(pg.mkPen(self.theme.warning, width=2))

    def mousePressEvent(self, event: Any) -> None:
        """Go to where it was clicked."""
        at: Any = self.view.mapSceneToView(self.mapToScene(event.position().toPoint()))
        self.time_chosen.emit(float(at.x()))


def state_colour(theme: Theme, state: int) -> str:
    """Return the colour of a state."""
    colours = (*theme.networks, theme.text)  # eight that differ; the traces have two blues
    return colours[int(state) % len(colours)]


def between(theme: Theme, share: float) -> QColor:
    """Return the colour of a moment, 0 the first and 1 the last."""
    first, last = QColor(theme.muted), QColor(theme.accent)
    pairs = ((first.red(), last.red()), (first.green(), last.green()), (first.blue(), last.blue()))
    return QColor(*(round((1 - share) * one + share * other) for one, other in pairs))
