"""Windows of a recording in two principal components, joined in the order of time; their states over time."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyqtgraph as pg
from numpy.typing import NDArray
from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QKeyEvent

from app.text import tr
from app.views.legend_plot import LegendPlot
from app.views.window_colours import Colouring, by_state, condition_colour, condition_entries, state_colour, symbol
from app.widgets.ticks import number, round_ticks

Array = NDArray[Any]


class StatePlot(LegendPlot):
    """A dot per window; states differ by form and, unless colour says something else, by colour; the present window
    has a ring.

    Emits ``window_chosen(window)`` on a click on a dot and for arrow keys.
    """

    window_chosen = Signal(int)

    def __init__(self, parent: Any = None) -> None:
        super().__init__(tr("states.axis.second"), tr("states.axis.first"), parent)
        self._xy: Array = np.zeros((0, 2))
        self._states: Array = np.zeros(0, int)
        self._colouring: Colouring = by_state(self._states)
        self.window = 0
        self.path, self.dots, self.ring = pg.PlotCurveItem(), pg.ScatterPlotItem(), pg.ScatterPlotItem()
        for item in (self.path, self.dots, self.ring):
            self.addItem(item, ignoreBounds=True)
        self.dots.sigClicked.connect(lambda _item, spots, *_: self.window_chosen.emit(int(spots[0].data())))
        self.setAccessibleName(tr("states.plot.name"))
        self.setAccessibleDescription(tr("states.plot.help"))
        self.setToolTip(tr("states.plot.help"))

    def set_windows(self, xy: Array, states: Array, colouring: Colouring) -> None:
        """Draw ``xy (T, 2)`` with ``states (T,)`` from 0; NaN and -1 for windows left out."""
        self._xy, self._states, self._colouring = np.asarray(xy, np.float64), states, colouring
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
        painted = self._colouring(theme)
        self.dots.setData(
            pos=self._xy[known], data=known, size=9, pen=pg.mkPen(theme.border),
            brush=[pg.mkBrush(painted.colours[at]) for at in known],
            symbol=[symbol(int(self._states[at])) for at in known],
        )  # fmt: skip
        self.set_entries(painted.entries)
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
    """Rows over time: states in the embedding, states in the parcel series, conditions where they are known.

    Emits ``time_chosen(seconds)``.
    """

    time_chosen = Signal(float)

    def __init__(self, parent: Any = None) -> None:
        super().__init__("", tr("states.axis.time"), parent)
        self._kinds: tuple[Array, ...] = ()
        self._conditions: tuple[str, ...] = ()
        self._window_s, self._bars = 1.0, pg.BarGraphItem(x0=[], x1=[], y0=[], y1=[])
        self.cursor = pg.InfiniteLine(0, angle=90)
        self.getAxis("left").setWidth(68)  # its words are longer than numbers
        self.addItem(self._bars, ignoreBounds=True)
        self.addItem(self.cursor, ignoreBounds=True)
        self.setAccessibleName(tr("states.strip.name"))
        self.setAccessibleDescription(tr("states.strip.help"))
        self.setToolTip(f"{tr('states.strip.name')}. {tr('states.strip.help')}")

    def set_states(
        self, model: Array, series: Array, condition: Array | None, conditions: tuple[str, ...], window_s: float
    ) -> None:
        """Draw states (T,) of windows of ``window_s`` seconds, -1 for windows left out, and their condition (T,)."""
        self._kinds = (model, series) if condition is None else (model, series, condition)
        self._conditions, self._window_s = conditions, window_s
        self.redraw()

    def set_cursor(self, seconds: float) -> None:
        """Show the time cursor."""
        self.cursor.setValue(seconds)

    def redraw(self) -> None:
        """Draw everything again."""
        if not hasattr(self, "cursor") or not self._kinds:
            return
        theme, rows = self.theme, ("model", "series", "condition")[: len(self._kinds)]
        colour_of = (state_colour, state_colour, condition_colour)
        spots = [(row, at, int(s)) for row, states in enumerate(self._kinds) for at, s in enumerate(states) if s >= 0]
        low = np.array([-float(row) - 0.9 for row, *_ in spots])
        left = np.array([at * self._window_s for _, at, _ in spots])
        brushes = [pg.mkBrush(colour_of[row](theme, kind)) for row, _, kind in spots]
        self._bars.setOpts(x0=left, x1=left + self._window_s, y0=low, y1=low + 0.8, brushes=brushes, pen=None)
        self.getAxis("left").setTicks([[(-0.5 - at, tr(f"states.row.{name}")) for at, name in enumerate(rows)], []])
        named = self._kinds[2] if self._conditions else np.zeros(0, int)
        self.set_entries(condition_entries(named[named >= 0], self._conditions, theme, "s"))
        last = len(self._kinds[0]) * self._window_s
        self.view.setRange(xRange=(0, last), yRange=(-len(self._kinds), 0), padding=0)
        self.getAxis("bottom").setTicks([[(v, number(v, 1.0)) for v in round_ticks(0, last, 6)], []])
        self.cursor.setPen(pg.mkPen(self.theme.warning, width=2))

    def mousePressEvent(self, event: Any) -> None:
        """Go to where it was clicked."""
        at: Any = self.view.mapSceneToView(self.mapToScene(event.position().toPoint()))
        self.time_chosen.emit(float(at.x()))
