"""Up to four scenarios side by side: what each does to every reference network, as bars on one scale."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyqtgraph as pg
from PySide6.QtGui import QColor

from app.text import tr
from app.theme.tokens import Theme
from app.views.legend_plot import Entry, LegendPlot
from app.widgets.ticks import number, round_ticks

_ROOM = 0.8  # of a network's width, shared by its bars
_LEAST_SD = 0.1


@dataclass(frozen=True)
class Bars:
    """One scenario: its name, and ``heights`` (networks,) SD, NaN = none."""

    name: str
    heights: tuple[float, ...]


class ComparePlot(LegendPlot):
    """A group of bars per network, in the colour of each scenario."""

    def __init__(self, parent: Any = None) -> None:
        super().__init__(tr("kept.axis"), "", parent)
        self._networks: tuple[str, ...] = ()
        self._bars: tuple[Bars, ...] = ()
        self._items: list[Any] = []
        self._zero = pg.InfiniteLine(0, angle=0)
        self.addItem(self._zero, ignoreBounds=True)
        self.setAccessibleName(tr("kept.plot.name"))
        self.setAccessibleDescription(tr("kept.plot.help"))
        self.setToolTip(tr("kept.plot.help"))
        self.redraw()

    def set_bars(self, networks: Sequence[str], bars: Sequence[Bars]) -> None:
        """Draw scenarios; ``networks`` are short names."""
        self._networks, self._bars = tuple(networks), tuple(bars)
        self.redraw()

    def redraw(self) -> None:
        """Draw everything again."""
        if not hasattr(self, "_zero"):
            return
        for item in self._items:
            self.removeItem(item)
        self._items = []
        self._zero.setPen(pg.mkPen(self.theme.border))
        places = np.arange(len(self._networks))
        width = _ROOM / max(len(self._bars), 1)
        most = _LEAST_SD
        entries = []
        for number_, (bars, colour) in enumerate(zip(self._bars, tones(self.theme), strict=False)):
            heights = np.nan_to_num(np.array(bars.heights))
            most = max(most, float(np.abs(heights).max(initial=0.0)))
            x = places - _ROOM / 2 + width * (number_ + 0.5)
            item = pg.BarGraphItem(x=x, height=heights, width=0.92 * width, brush=QColor(colour), pen=pg.mkPen(None))
            self.addItem(item, ignoreBounds=True)
            self._items.append(item)
            entries.append(Entry(bars.name, colour, symbol="s"))
        self.set_entries(entries)
        self.view.setRange(xRange=(-0.6, len(places) - 0.4), yRange=(-1.1 * most, 1.1 * most), padding=0)
        self.getAxis("bottom").setTicks([list(enumerate(self._networks)), []])
        self.getAxis("left").setTicks([[(v, number(v, 0.1)) for v in round_ticks(-most, most, 5)], []])


def tones(theme: Theme) -> tuple[str, str, str, str]:
    """Return the colours of up to four scenarios."""
    return theme.accent, theme.warning, theme.success, theme.danger
