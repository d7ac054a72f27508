"""Parcel traces: one line per parcel, names and network colours at the left, the reconstruction over the measurement.

Only rows and frames on screen are turned into lines, and all of them are one curve: 424 separate plot items would be
several times slower.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pyqtgraph as pg
from numpy.typing import NDArray
from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QFontMetrics, QPainter, QPen, QResizeEvent

from app.text import tr
from app.theme.tokens import DARK
from app.views.time_plot import CACHED, TimePlot
from app.views.trace_raster import count_lines, shaded
from app.widgets.colour_map import hex_rgb
from app.widgets.row_statistics import row_medians, typical_spread
from app.widgets.ticks import number, round_step

Array = NDArray[Any]
ROW_PX = 18.0
ROOM = 4.5
"""a row is as high as this many standard deviations of a typical parcel"""
LEGEND_PX = 24
MARGIN_PX = 24
"""at the right of the plot: there the scale bar stands, in nobody's way"""
WIDE_POINTS = 8000
LINE_PX = 7.0
"""rows lower than this are drawn as a picture of line counts"""


class TraceView(TimePlot):
    """Hundreds of parcel time series that can be scrolled and zoomed without delay."""

    def __init__(self, parent: Any = None) -> None:
        super().__init__(parent)
        self._series: Array = np.zeros((0, 0), np.float32)
        self._centre: Array = np.zeros(0, np.float32)
        self._missing: frozenset[int] = frozenset()
        self._predicted: Array | None = None
        self._start = 0
        self._unit = ""
        self._per_row = 1.0
        self._gain = 1.0
        self._fresh = True
        self.measured = pg.PlotCurveItem(skipFiniteCheck=True)
        self.chosen = pg.PlotCurveItem(skipFiniteCheck=True)
        self.answer = pg.PlotCurveItem(skipFiniteCheck=True)
        self.absent = pg.PlotCurveItem(connect="pairs")
        self.crowd = pg.ImageItem(axisOrder="row-major")
        self.crowd_answer = pg.ImageItem(axisOrder="row-major")
        self.bands = pg.BarGraphItem(x=[], height=[], width=1)
        items = (self.bands, self.absent, self.crowd, self.measured, self.crowd_answer, self.chosen, self.answer)
        for depth, item in enumerate(items):
            item.setZValue(depth + (6 if depth else 1))
            self.addItem(item, ignoreBounds=True)
        for item in (self.measured, self.chosen, self.answer):
            item.setCacheMode(CACHED)
        self.plotItem.setContentsMargins(2, 4, MARGIN_PX, 2)
        self.view.sigRangeChanged.connect(self._range_changed)
        self.setAccessibleName(tr("traces.name"))
        self.setAccessibleDescription(tr("traces.help"))
        self.set_theme(DARK)

    # ---------------------------------------------------------------- data

    def set_series(self, series: Array, tr_s: float, names: Sequence[str], unit: str) -> None:
        """Measured activity.

        Parameters
        ----------
        series : (V, T) float, in ``unit``; a row of NaN is a missing parcel
        tr_s : seconds per frame
        names : (V,) parcel names
        unit : e.g. 'SD', '% signal change', 'raw'
        """
        series = np.asarray(series, np.float32)
        fresh = series.shape != self._series.shape
        self._series = series
        middle = row_medians(series)
        self._missing = frozenset(int(p) for p in np.flatnonzero(np.isnan(middle)))
        self._centre = np.nan_to_num(middle)
        self._per_row = ROOM * typical_spread(series)
        self._unit = unit
        self._predicted = None
        with self.at_once():
            self._set_size(len(series), series.shape[1], tr_s)
            self._names = tuple(names)
            self.set_shaded(None)
        if fresh:
            self.show_start()

    def show_start(self) -> None:
        """All frames, and as many rows from the top as can be read."""
        count = len(self.rows())
        room = max(self.view.height(), 40.0) / ROW_PX
        self.view.setRange(xRange=(-0.5, self.n_frames - 0.5), yRange=(0, max(1.0, min(room, count))), padding=0)

    def set_predicted(self, predicted: Array, start: int, mask: Array, patch_frames: int) -> None:
        """The reconstruction over the measured lines.

        Parameters
        ----------
        predicted : (V, W) float in the unit of the series, NaN = none
        start : frame of the series at which it begins
        mask : (V, N) bool, patches hidden from the model: shaded
        patch_frames : frames per patch
        """
        self._predicted = np.asarray(predicted, np.float32)
        self._start = start
        self.plotItem.setContentsMargins(2, LEGEND_PX, MARGIN_PX, 2)
        self.set_shaded(mask, start, patch_frames)
        self._draw_curves()

    def clear_predicted(self) -> None:
        """Measured lines alone."""
        self._predicted = None
        self.plotItem.setContentsMargins(2, 4, MARGIN_PX, 2)
        self.set_shaded(None)
        self._draw_curves()

    def set_gain(self, gain: float) -> None:
        """Taller lines for more than 1; the scale bar follows."""
        self._gain = float(np.clip(gain, 0.05, 50.0))
        self.redraw()

    # ---------------------------------------------------------------- drawing

    def redraw(self) -> None:
        """Pens, selection bands and curves."""
        if not hasattr(self, "bands"):
            return
        theme = self.theme
        quiet = QColor(theme.muted)
        self.measured.setPen(QPen(quiet, 0))
        self.chosen.setPen(QPen(QColor(theme.text), 0))
        dashed = QPen(QColor(theme.border), 0, Qt.PenStyle.CustomDashLine)
        dashed.setDashPattern([4, 4])
        self.absent.setPen(dashed)
        rows = [self._row_of[p] for p in self._selected if p in self._row_of]
        band = QColor(theme.selection)
        band.setAlpha(130)
        middle = self.n_frames / 2 - 0.5
        self.bands.setOpts(
            x=[middle] * len(rows), y=[row + 0.5 for row in rows], height=1, width=self.n_frames, brush=band, pen=None
        )
        lost = [self._row_of[p] + 0.5 for p in self._missing if p in self._row_of]
        self.absent.setData(np.tile([-0.5, self.n_frames - 0.5], len(lost)), np.repeat(lost, 2), connect="pairs")
        self._draw_curves()

    def _range_changed(self, *_: object) -> None:
        self._draw_curves()

    def _draw_curves(self) -> None:
        """Lines of the rows and frames on screen."""
        if not hasattr(self, "answer") or self._series.size == 0 or self._held:
            return
        (x0, x1), (y0, y1) = self.view.viewRange()
        rows = self.rows()
        shown = np.arange(max(int(y0) - 2, 0), min(int(y1) + 3, len(rows)))
        span = max(int(x0) - 1, 0), min(int(x1) + 3, self.n_frames)
        crowded = self.view.height() / max(y1 - y0, 1e-9) < LINE_PX
        chosen = np.isin(rows[shown], self._selected)
        none = shown[:0]
        self._curve(self.measured, self._series, none if crowded else shown[~chosen], span, 0)
        self._curve(self.chosen, self._series, shown[chosen], span, 0)
        self._picture(self.crowd, self._series, shown if crowded else none, span, 0)
        if self._predicted is None:
            self.answer.setData([], [])
            self.crowd_answer.clear()
            return
        there = np.array([row for row in shown if int(rows[row]) not in self._missing], int)
        inside = max(span[0], self._start), min(span[1], self._start + self._predicted.shape[1])
        # a wide pen is slow: only where few points are on screen
        few = len(there) * (inside[1] - inside[0]) < WIDE_POINTS
        self.answer.setPen(pg.mkPen(self.theme.accent, width=2 if few else 1))
        self._curve(self.answer, self._predicted, none if crowded else there, inside, self._start)
        self._picture(self.crowd_answer, self._predicted, there if crowded else none, inside, self._start)

    def _heights(self, source: Array, shown: Array, span: tuple[int, int], offset: int) -> Array:
        """(rows, frames) float32: where each sample is drawn, in rows from the top; NaN = nowhere."""
        parcels = self.rows()[shown]
        heights = source[parcels, span[0] - offset : span[1] - offset]
        heights -= self._centre[parcels, None]
        heights *= np.float32(-self._gain / self._per_row)
        heights += (shown + 0.5).astype(np.float32)[:, None]
        return np.asarray(heights)

    def _picture(self, item: Any, source: Array, shown: Array, span: tuple[int, int], offset: int) -> None:
        """Too many rows to tell lines apart: draw how many cross each pixel."""
        if len(shown) == 0 or span[1] - span[0] < 2:
            item.clear()
            return
        (x0, x1), (y0, y1) = self.view.viewRange()
        width, height = max(int(self.view.width()), 2), max(int(self.view.height()), 2)
        y = self._heights(source, shown, span, offset)
        y -= np.float32(y0)
        y *= np.float32(height / (y1 - y0))
        columns = (np.arange(*span) - x0) * (width / (x1 - x0))
        counts = count_lines(y, columns, (height, width))
        typical = float(np.mean(counts[::4, ::4])) * 1.2
        over = item is self.crowd_answer  # the measured lines below stay visible
        colour = hex_rgb(self.theme.accent if over else self.theme.text)
        pixels = shaded(counts, typical, colour, 0.5 if over else 1.0)
        item.setImage(pixels, autoLevels=False)
        item.setRect(QRectF(x0, y0, x1 - x0, y1 - y0))

    def _curve(self, item: Any, source: Array, shown: Array, span: tuple[int, int], offset: int) -> None:
        """One curve of many rows; lines break between rows and at NaN."""
        if span[1] - span[0] < 2 or len(shown) == 0:
            item.setData([], [])
            return
        y = self._heights(source, shown, span, offset)
        known = np.isfinite(y)
        joined = np.zeros(y.shape, np.int32)
        joined[:, :-1] = known[:, :-1] & known[:, 1:]
        y[~known] = 0.0
        x = np.broadcast_to(np.arange(*span, dtype=np.float64), y.shape)
        item.setData(x.ravel(), y.astype(np.float64).ravel(), connect=joined.ravel())

    def paint_over(self, painter: QPainter, area: QRectF) -> None:
        """The word for missing rows, and the scale bar."""
        y0, y1 = self.view.viewRange()[1]
        row_px = area.height() / max(y1 - y0, 1e-9)
        if self._predicted is not None:
            self._write_legend(painter, area)
        if self._series.size == 0 or row_px < LINE_PX:
            return
        self._write_missing(painter, area, y0, row_px)
        self._draw_scale(painter, area, row_px * self._gain / self._per_row)

    def _draw_scale(self, painter: QPainter, area: QRectF, px_per_value: float) -> None:
        """A bar as high as a round value, its unit along it, in the margin at the right."""
        value = round_step(34.0 / px_per_value, 1)
        length = min(value * px_per_value, area.height())
        painter.setFont(self.row_axis.type)
        metrics = painter.fontMetrics()
        text = metrics.elidedText(f"{number(value)} {self._unit}", Qt.TextElideMode.ElideRight, int(area.height()))
        needed = max(length, metrics.horizontalAdvance(text))
        x, middle = area.right() + 4, area.bottom() - needed / 2
        painter.setPen(QPen(QColor(self.theme.text), 2))
        painter.drawLine(QPointF(x, middle - length / 2), QPointF(x, middle + length / 2))
        painter.save()
        painter.translate(x + 3, middle)
        painter.rotate(-90)
        spot = QRectF(-needed / 2, 0, needed, metrics.height())
        painter.drawText(spot, Qt.AlignmentFlag.AlignCenter, text)
        painter.restore()

    def _write_legend(self, painter: QPainter, area: QRectF) -> None:
        """Which line is which; the reconstruction is also the thicker one."""
        painter.setFont(self.row_axis.type)
        metrics = painter.fontMetrics()
        theme, line = self.theme, float(metrics.height())
        entries = ((tr("traces.measured"), theme.muted, 1), (tr("traces.predicted"), theme.accent, 2))
        hidden, (gap, total) = tr("traces.hidden"), self.legend_room(metrics, "traces.hidden")
        if total > self.width() - 8:
            hidden, (gap, total) = tr("traces.hidden.short"), self.legend_room(metrics, "traces.hidden.short")
        widths = [20.0 + gap + metrics.horizontalAdvance(text) for text, *_ in entries]
        x, middle = max(min(area.right(), self.width() - 4.0) - total, 4.0), area.top() / 2 + 1
        for (text, colour, pen_width), width in zip(entries, widths, strict=True):
            painter.setPen(QPen(QColor(colour), pen_width))
            painter.drawLine(QPointF(x, middle), QPointF(x + 16, middle))
            painter.setPen(QColor(theme.text))
            painter.drawText(QRectF(x + 20, middle - line / 2, width, line), Qt.AlignmentFlag.AlignVCenter, text)
            x += width
        swatch = QRectF(x, middle - 5, 14, 10)
        painter.fillRect(swatch, QColor(*self._shade_rgba()))
        painter.drawText(QRectF(x + 18, middle - line / 2, total, line), Qt.AlignmentFlag.AlignVCenter, hidden)

    def legend_room(self, metrics: QFontMetrics, hidden: str) -> tuple[float, float]:
        """Return the gap between the entries of the legend, and the width of all, with that word for what is hidden."""
        words = sum(metrics.horizontalAdvance(tr(key)) for key in ("traces.measured", "traces.predicted", hidden))
        gap = min(8.0, max(0.0, (self.width() - 8 - words - 58.0) / 2))
        return gap, words + 58.0 + 2 * gap

    def _write_missing(self, painter: QPainter, area: QRectF, y0: float, row_px: float) -> None:
        painter.setFont(self.row_axis.type)
        metrics = painter.fontMetrics()
        word = tr("traces.missing")
        for parcel in self._missing:
            middle = area.top() + (self._row_of.get(parcel, -9) + 0.5 - y0) * row_px
            if area.top() + 4 < middle < area.bottom() - 4 and row_px >= metrics.height() * 0.8:
                width = metrics.horizontalAdvance(word) + 10.0
                spot = QRectF(area.left() + 12, middle - metrics.height() / 2, width, metrics.height())
                painter.fillRect(spot, QColor(self.theme.canvas))
                painter.setPen(QColor(self.theme.muted))
                painter.drawText(spot, Qt.AlignmentFlag.AlignCenter, word)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Rows keep a readable height until the person zooms."""
        before = self.view.height() if hasattr(self, "view") else 0.0
        super().resizeEvent(event)
        if hasattr(self, "answer") and self.n_parcels and before > 0 and not self._only_selected:
            (_x0, _x1), (y0, y1) = self.view.viewRange()
            rows = (y1 - y0) * self.view.height() / before
            top = min(y0, max(len(self.rows()) - rows, 0.0))
            self.view.setYRange(top, min(top + rows, float(len(self.rows()))), padding=0)
