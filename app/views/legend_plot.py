"""A plot of a few lines with a legend above, in the colours of the theme."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pyqtgraph as pg
from pyqtgraph.graphicsItems.ScatterPlotItem import Symbols
from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QFontMetrics, QPainter, QPaintEvent, QPen, QResizeEvent, QTransform

from app.theme.tokens import DARK, Theme
from app.widgets.colour_bar import small_font
from app.widgets.focus_ring import paint_focus_ring

_GAP, _SWATCH, _SYMBOL = 14.0, 16.0, 9.0
DASHES = ([6.0, 4.0], [2.0, 3.0], [8.0, 3.0, 2.0, 3.0])


@dataclass(frozen=True)
class Entry:
    """One entry of a legend: ``area`` is a filled swatch, ``symbol`` the form of a dot, else a line as it is drawn."""

    text: str
    colour: str
    width: float = 1.5
    dash: tuple[float, ...] = ()
    area: bool = False
    symbol: str = ""


class LegendPlot(pg.PlotWidget):  # type: ignore[misc]
    """Axes, theme, legend and focus ring; what is drawn inside is the subclass's."""

    def __init__(self, left: str, bottom: str, parent: Any = None) -> None:
        view = pg.ViewBox(enableMouse=False, enableMenu=False)
        view.disableAutoRange()
        super().__init__(parent, viewBox=view, enableMenu=False)
        self.view, self.theme = view, DARK
        self.entries: tuple[Entry, ...] = ()
        self._rows = 1
        self._units = {"left": left, "bottom": bottom}
        self.hideButtons()
        self.setFrameShape(pg.QtWidgets.QFrame.Shape.NoFrame)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setMinimumSize(180, 120)
        for name, text in self._units.items():
            self.setLabel(name, text)
            axis = self.getAxis(name)
            axis.enableAutoSIPrefix(False)
            axis.setStyle(tickFont=small_font(self.font()), tickLength=-4, hideOverlappingLabels=False)
            axis.label.setFont(small_font(self.font()))
        self.getAxis("left").setWidth(52)
        self.set_entries(())

    def set_entries(self, entries: Sequence[Entry]) -> None:
        """Explain these lines above the plot."""
        self.entries = tuple(entries)
        self._make_room()

    def set_theme(self, theme: Theme) -> None:
        """Repaint in the colours of ``theme``."""
        self.theme = theme
        self.setBackground(theme.canvas)
        for name in ("left", "bottom"):
            axis = self.getAxis(name)
            axis.setPen(pg.mkPen(theme.border))
            axis.setTextPen(pg.mkPen(theme.muted))
            axis.label.setDefaultTextColor(QColor(theme.muted))
        self.redraw()

    def redraw(self) -> None:
        """Draw everything again in the present colours."""

    def pen(self, entry: Entry) -> QPen:
        """Return the pen of a line as the legend shows it."""
        made = QPen(QColor(entry.colour), entry.width)
        made.setCosmetic(True)
        if entry.dash:
            made.setDashPattern(list(entry.dash))
        return made

    # ---------------------------------------------------------------- legend

    def _spots(self, metrics: QFontMetrics) -> list[tuple[Entry, float, int]]:
        """Entry, left edge and row of every entry; rows are as wide as the widget."""
        spots, x, row = [], 8.0, 0
        for entry in self.entries:
            width = _SWATCH + 4 + metrics.horizontalAdvance(entry.text)
            if x > 8 and x + width > self.width() - 8:
                x, row = 8.0, row + 1
            spots.append((entry, x, row))
            x += width + _GAP
        return spots

    def _make_room(self) -> None:
        metrics = QFontMetrics(small_font(self.font()))
        rows = 1 + max((row for *_, row in self._spots(metrics)), default=0)
        self.plotItem.setContentsMargins(2, 6 + rows * metrics.height() if self.entries else 6, 12, 2)
        self.viewport().update()

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Give the legend as many rows as it needs."""
        super().resizeEvent(event)
        if hasattr(self, "entries"):  # Qt asks before it is built
            self._make_room()

    def paintEvent(self, event: QPaintEvent) -> None:
        """The plot, the legend, the focus ring."""
        super().paintEvent(event)
        painter = QPainter(self.viewport())
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setFont(small_font(self.font()))
        metrics = painter.fontMetrics()
        line = float(metrics.height())
        for entry, x, row in self._spots(metrics):
            middle = 4 + (row + 0.5) * line
            if entry.area:
                colour = QColor(entry.colour)
                colour.setAlpha(90)
                painter.fillRect(QRectF(x, middle - 5, _SWATCH - 2, 10), colour)
            elif entry.symbol:
                place = QTransform.fromTranslate(x + _SWATCH / 2, middle).scale(_SYMBOL, _SYMBOL)
                painter.fillPath(place.map(Symbols[entry.symbol]), QColor(entry.colour))
                painter.strokePath(place.map(Symbols[entry.symbol]), QPen(QColor(self.theme.border), 1))
            else:
                painter.setPen(self.pen(entry))
                painter.drawLine(QPointF(x, middle), QPointF(x + _SWATCH, middle))
            painter.setPen(QColor(self.theme.text))
            spot = QRectF(x + _SWATCH + 4, middle - line / 2, self.width(), line)
            painter.drawText(spot, Qt.AlignmentFlag.AlignVCenter, entry.text)
        self.paint_words(painter)
        if self.hasFocus():
            paint_focus_ring(painter, QRectF(self.viewport().rect()), self.theme)
        painter.end()

    def paint_words(self, painter: QPainter) -> None:
        """Write over the plot."""
