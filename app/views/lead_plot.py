"""How the error of every method grows with time ahead."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pyqtgraph as pg
from numpy.typing import NDArray
from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QColor, QPainter

from app.text import tr
from app.views.forecast_plot import method_entry
from app.views.legend_plot import Entry, LegendPlot
from app.widgets.ticks import number, round_ticks

Array = NDArray[Any]
_HIGHEST = 1.6
"""persistence is far above: its line may leave the plot"""


class LeadPlot(LegendPlot):
    """MSE as a share of that of the mean of the history: below the line of 1 is better than knowing nothing."""

    def __init__(self, parent: Any = None) -> None:
        super().__init__(tr("forecast.axis.error"), tr("forecast.axis.ahead"), parent)
        self._errors: dict[str, Array] = {}
        self._tr_s = 1.0
        self._items: list[Any] = []
        self.one = pg.InfiniteLine(1, angle=0)
        self.addItem(self.one, ignoreBounds=True)
        self.setAccessibleName(tr("forecast.lead.name"))
        self.setToolTip(tr("forecast.lead.name"))

    def set_errors(self, errors: Mapping[str, Array], tr_s: float) -> None:
        """Draw ``errors``: method -> (horizon,) share of the mean's MSE; the forecast is the thick line."""
        self._errors, self._tr_s = dict(errors), tr_s
        self.redraw()

    @property
    def empty(self) -> bool:
        """True when no error is known."""
        return not any(np.isfinite(values).any() for values in self._errors.values())

    def redraw(self) -> None:
        """Draw everything again."""
        if not hasattr(self, "one"):
            return
        for item in self._items:
            self.removeItem(item)
        self._items = []
        entries, place = [], 0
        self.one.setPen(pg.mkPen(self.theme.border, width=1))
        for name, values in self._errors.items():
            if name == "forecast":
                entry = Entry(tr("forecast.method.forecast"), self.theme.accent, 2.5)
            else:
                entry, place = method_entry(self.theme, name, place), place + 1
            ahead = (1 + np.arange(len(values))) * self._tr_s
            item = pg.PlotCurveItem(ahead, values, pen=self.pen(entry), connect="finite")
            item.setZValue(5 if name == "forecast" else 2)
            self.addItem(item, ignoreBounds=True)
            self._items.append(item)
            entries.append(entry)
        self.set_entries(() if self.empty else entries)
        self._set_range()

    def _set_range(self) -> None:
        known = [values[np.isfinite(values)] for values in self._errors.values()]
        every = np.concatenate([np.array([1.0]), *known])
        low, high = min(0.4, float(every.min())), min(_HIGHEST, max(1.1, float(every.max())))
        last = self._tr_s * max((len(values) for values in self._errors.values()), default=1)
        self.view.setRange(xRange=(0, last), yRange=(low - 0.03, high + 0.03), padding=0)
        self.getAxis("left").setTicks([[(v, number(v, 0.1)) for v in round_ticks(low, high, 5)], []])
        self.getAxis("bottom").setTicks([[(v, number(v, 1.0)) for v in round_ticks(0, last, 6)], []])

    def paint_words(self, painter: QPainter) -> None:
        """Say why there is no line."""
        if self.empty:
            painter.setPen(QColor(self.theme.muted))
            painter.drawText(QRectF(self.viewport().rect()), Qt.AlignmentFlag.AlignCenter, tr("forecast.lead.none"))
