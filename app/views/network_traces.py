"""The mean course of every network, one above the other."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pyqtgraph as pg
from numpy.typing import NDArray
from PySide6.QtCore import Signal
from PySide6.QtGui import QColor, QFontMetrics

from app.text import tr
from app.views.legend_plot import LegendPlot
from app.widgets.colour_bar import small_font
from app.widgets.network_colours import readable
from app.widgets.ticks import number, round_ticks

Array = NDArray[Any]
_APART = 3.0  # SD between the zero lines of neighbours


class NetworkTraces(LegendPlot):
    """A line per network in SD, in its colour, its name at the left. Emits ``time_chosen(seconds)`` on a click."""

    time_chosen = Signal(float)

    def __init__(self, parent: Any = None) -> None:
        super().__init__("", tr("networks.axis.time"), parent)
        self._courses: dict[str, Array] = {}
        self._colours: dict[str, str] = {}
        self._tr_s, self._items = 1.0, []  # type: tuple[float, list[Any]]
        self.cursor = pg.InfiniteLine(0, angle=90)
        self.addItem(self.cursor, ignoreBounds=True)
        self.setAccessibleName(tr("networks.traces.name"))
        self.setAccessibleDescription(tr("networks.traces.help"))
        self.setToolTip(f"{tr('networks.traces.name')}. {tr('networks.traces.help')}")

    def set_courses(self, courses: Mapping[str, Array], colours: Mapping[str, str], tr_s: float) -> None:
        """Draw ``courses``: network -> (frames,) SD, from above."""
        self._courses, self._colours, self._tr_s = dict(courses), dict(colours), tr_s
        self.redraw()

    def set_cursor(self, seconds: float) -> None:
        """Show the time cursor."""
        self.cursor.setValue(seconds)

    def redraw(self) -> None:
        """Draw everything again."""
        if not hasattr(self, "cursor"):
            return
        for item in self._items:
            self.removeItem(item)
        self._items = []
        self.cursor.setPen(pg.mkPen(self.theme.warning, width=2))
        if not self._courses:
            return
        frames = max(len(course) for course in self._courses.values())
        ticks = []
        for place, (name, course) in enumerate(self._courses.items()):
            zero = -_APART * place
            line = pg.InfiniteLine(zero, angle=0, pen=pg.mkPen(QColor(self.theme.border), width=0.5))
            colour = self._colours.get(name, self.theme.no_network)
            item = pg.PlotCurveItem(
                np.arange(len(course)) * self._tr_s, course + zero, pen=pg.mkPen(colour, width=1.4), connect="finite"
            )
            for each in (line, item):
                self.addItem(each, ignoreBounds=True)
                self._items.append(each)
            ticks.append((zero, readable(name) or tr("networks.none")))
        metrics = QFontMetrics(small_font(self.font()))
        self.getAxis("left").setWidth(16 + max(metrics.horizontalAdvance(text) for _, text in ticks))
        self.getAxis("left").setTicks([ticks, []])
        last = frames * self._tr_s
        self.view.setRange(xRange=(0, last), yRange=(-_APART * (len(self._courses) - 0.35), 0.65 * _APART), padding=0)
        self.getAxis("bottom").setTicks([[(v, number(v, 1.0)) for v in round_ticks(0, last, 8)], []])

    def mousePressEvent(self, event: Any) -> None:
        """Go to where it was clicked."""
        at: Any = self.view.mapSceneToView(self.mapToScene(event.position().toPoint()))
        self.time_chosen.emit(float(at.x()))
