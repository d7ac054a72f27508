"""A few named lines on one pair of axes, one of them chosen."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pyqtgraph as pg
from numpy.typing import NDArray

from app.text import tr
from app.views.compare_plot import tones
from app.views.legend_plot import DASHES, Entry, LegendPlot
from app.widgets.ticks import number, round_ticks

Array = NDArray[Any]
Line = tuple[str, Array, Array]
_LEAST, _MOST_NAMED = 0.05, 8


class LinesPlot(LegendPlot):
    """Lines ``(name, x, y)``; the ``chosen`` one is thick. ``words`` is the key of its accessible texts."""

    def __init__(self, left: str, bottom: str, words: str, parent: Any = None) -> None:
        super().__init__(left, bottom, parent)
        self._lines: tuple[Line, ...] = ()
        self._chosen = -1
        self._items: list[Any] = []
        self._zero = pg.InfiniteLine(0, angle=0)
        self.addItem(self._zero, ignoreBounds=True)
        self.setAccessibleName(tr(f"{words}.name"))
        self.setAccessibleDescription(tr(f"{words}.help"))
        self.setToolTip(tr(f"{words}.help"))
        self.redraw()

    def set_lines(self, lines: Sequence[Line], chosen: int = -1, left: str = "") -> None:
        """Draw lines; ``left`` names the upright axis anew."""
        self._lines, self._chosen = tuple(lines), chosen
        if left:
            self.setLabel("left", left)
        self.redraw()

    def redraw(self) -> None:
        """Draw everything again."""
        if not hasattr(self, "_zero"):
            return
        for item in self._items:
            self.removeItem(item)
        self._items = []
        self._zero.setPen(pg.mkPen(self.theme.border))
        colours, entries = tones(self.theme), []
        for place, (name, x, y) in enumerate(self._lines):
            thick = place == self._chosen
            turn = place // len(colours)
            dash = tuple(DASHES[(turn - 1) % len(DASHES)]) if turn else ()
            entry = Entry(name, colours[place % len(colours)], 3.0 if thick else 1.5, dash)
            item = pg.PlotCurveItem(np.asarray(x), np.asarray(y), pen=self.pen(entry), connect="finite")
            item.setZValue(2 if thick else 1)
            self.addItem(item, ignoreBounds=True)
            self._items.append(item)
            entries.append(entry)
        self.set_entries(entries[:_MOST_NAMED])
        xs = np.concatenate([x for _, x, _ in self._lines]) if self._lines else np.array([0.0, 1.0])
        ys = np.concatenate([y for _, _, y in self._lines]) if self._lines else np.zeros(1)
        ys = ys[np.isfinite(ys)]
        low, high = float(min(ys.min(initial=0.0), -0.0)), float(ys.max(initial=_LEAST))
        room = 0.08 * (high - low)
        first, last = float(xs.min()), float(max(xs.max(), xs.min() + 1e-6))
        self.view.setRange(xRange=(first, last), yRange=(low - room, high + room), padding=0)
        for axis, ticks in (("left", round_ticks(low, high, 5)), ("bottom", round_ticks(first, last, 6))):
            step = ticks[1] - ticks[0] if len(ticks) > 1 else 1.0
            self.getAxis(axis).setTicks([[(tick, number(tick, step)) for tick in ticks], []])
