"""How near a search has come: the distance left over looks at the model, a line per start."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pyqtgraph as pg

from app.text import tr
from app.views.legend_plot import DASHES, Entry, LegendPlot
from app.widgets.ticks import number, round_ticks

_LEAST_LOOKS = 10


class SteerPlot(LegendPlot):
    """Percent of the distance before, from 100 down."""

    def __init__(self, parent: Any = None) -> None:
        super().__init__(tr("steer.plot.axis"), tr("steer.plot.looks"), parent)
        self._curves: tuple[tuple[float, ...], ...] = ()
        self._null = float("nan")
        self._lines: list[Any] = []
        self._level = pg.InfiniteLine(0, angle=0)
        self.addItem(self._level, ignoreBounds=True)
        self.setAccessibleName(tr("steer.plot.name"))
        self.setAccessibleDescription(tr("steer.plot.help"))
        self.setToolTip(tr("steer.plot.help"))
        self.redraw()

    def set_curves(self, curves: Sequence[Sequence[float]], null: float = float("nan")) -> None:
        """Draw curves (looks,) of the share of the distance that is left; ``null``: moved to random regions."""
        self._curves, self._null = tuple(tuple(curve) for curve in curves), null
        self.redraw()

    def redraw(self) -> None:
        """Draw everything again."""
        if not hasattr(self, "_level"):
            return
        for item in self._lines:
            self.removeItem(item)
        self._lines = []
        entries = []
        dashes = ((), *map(tuple, DASHES))
        for place, curve in enumerate(self._curves):
            entry = Entry(
                tr("steer.plot.start", number=place + 1), self.theme.accent if not place else self.theme.muted,
                2.5 if not place else 1.5, dashes[place % len(dashes)],
            )  # fmt: skip
            item = pg.PlotCurveItem(np.arange(len(curve)), 100 * np.array(curve), pen=self.pen(entry))
            self.addItem(item, ignoreBounds=True)
            self._lines.append(item)
            entries.append(entry)
        known = bool(np.isfinite(self._null))
        top = max(105.0, *(100 * max(curve, default=1.0) for curve in self._curves)) if self._curves else 105.0
        if known:
            entries.append(Entry(tr("steer.plot.null"), self.theme.warning, 1.5, tuple(DASHES[1])))
            top = max(top, 108 * self._null)
            self._level.setValue(100 * self._null)
            self._level.setPen(self.pen(entries[-1]))
        self._level.setVisible(known)
        self.set_entries(entries)
        last = max([_LEAST_LOOKS, *(len(curve) - 1 for curve in self._curves)])
        self.view.setRange(xRange=(0.0, float(last)), yRange=(0.0, top), padding=0)
        self.getAxis("left").setTicks([[(v, number(v, 1.0)) for v in round_ticks(0.0, top, 5)], []])
        self.getAxis("bottom").setTicks([[(v, number(v, 1.0)) for v in round_ticks(0.0, last, 6)], []])
