"""The carpet plot: every parcel a row, every frame a column, values as colours; hundreds of traces in one look."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pyqtgraph as pg
from numpy.typing import NDArray
from PySide6.QtCore import QRectF
from PySide6.QtGui import QColor, QPainter, QPen
from PySide6.QtWidgets import QHBoxLayout, QWidget

from app.text import tr
from app.theme.tokens import DARK, THEMES, Theme
from app.views.time_plot import TimePlot
from app.widgets.colour_bar import ColourBar
from app.widgets.colour_map import colour_map, hex_rgb
from app.widgets.row_statistics import row_means, typical_spread

Array = NDArray[Any]
NO_VALUE = 255


class CarpetPlot(TimePlot):
    """The image and its axes; :class:`CarpetView` adds the colour bar."""

    def __init__(self, parent: Any = None) -> None:
        super().__init__(parent)
        self._pixels: Array = np.zeros((0, 0), np.uint8)
        self._cmap = "vik"
        self.image = pg.ImageItem(axisOrder="row-major")
        self.addItem(self.image, ignoreBounds=True)
        self.setAccessibleName(tr("carpet.name"))
        self.setAccessibleDescription(tr("traces.help"))
        self.set_theme(DARK)

    def set_values(self, series: Array, tr_s: float, reach: float, cmap: str, names: Sequence[str]) -> None:
        """(V, T) deviations, coloured from -reach to reach."""
        fresh = series.shape != (self.n_parcels, self.n_frames)
        self._cmap = cmap
        indices = colour_map(cmap).indices(series, -reach, reach).astype(np.uint8)
        self._pixels = np.where(np.isnan(series), NO_VALUE, np.minimum(indices, NO_VALUE - 1)).astype(np.uint8)
        with self.at_once():
            self._set_size(len(series), series.shape[1], tr_s)
            self._names = tuple(names)
        if fresh:
            self.show_all()

    def redraw(self) -> None:
        """The rows in their order."""
        if not hasattr(self, "image") or self._pixels.size == 0:
            return
        table = colour_map(self._cmap).table.copy()
        table[NO_VALUE] = hex_rgb(self.theme.brain_grey)
        rows = self.rows()
        self.image.setImage(self._pixels[rows], autoLevels=False, levels=(0, 255), lut=table)
        self.image.setRect(QRectF(-0.5, 0, self.n_frames, len(rows)))
        self.viewport().update()

    def _shade_rgba(self) -> tuple[int, int, int, int]:
        """Hidden patches go grey, which no value is."""
        return (*hex_rgb(self.theme.border), 165)

    def paint_over(self, painter: QPainter, area: QRectF) -> None:
        """A frame of thin lines round each selected row, and ticks above single frames that are shaded."""
        self._paint_ticks(painter, area)
        y0, y1 = self.view.viewRange()[1]
        row_px = area.height() / max(y1 - y0, 1e-9)
        painter.save()
        painter.setClipRect(area)
        painter.setPen(QPen(QColor("#FFFFFF" if self.theme.dark else "#000000"), 1))
        for parcel in self._selected:
            row = self.row_of(parcel)
            if row is not None:
                top = area.top() + (row - y0) * row_px
                painter.drawRect(QRectF(area.left() - 2, top - 1, area.width() + 4, max(row_px, 1.0) + 2))
        painter.restore()

    def _paint_ticks(self, painter: QPainter, area: QRectF) -> None:
        """Frames shaded in most rows, which may be narrower than a pixel, where the shading is frame by frame."""
        if self._mask is None or self._mask_place[1] != 1:
            return
        colour = QColor(self.theme.accent)
        for frame in np.flatnonzero(self._mask.mean(0) > 0.5):
            left, right = self._scene_x(float(frame) - 0.5), self._scene_x(float(frame) + 0.5)
            if area.left() <= right and left <= area.right():
                painter.fillRect(QRectF(left, area.top(), max(right - left, 2.0), 4.0), colour)


class CarpetView(QWidget):
    """The carpet with its colour bar."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.plot = CarpetPlot()
        self.bar = ColourBar()
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(0)
        row.addWidget(self.plot, 1)
        row.addWidget(self.bar)
        self.setFocusProxy(self.plot)
        self.setAutoFillBackground(True)
        self.frame_requested = self.plot.frame_requested
        self.parcel_clicked = self.plot.parcel_clicked
        self.time_range_changed = self.plot.time_range_changed
        self.at_once = self.plot.at_once
        self.set_order = self.plot.set_order
        self.set_networks = self.plot.set_networks
        self.set_first_frame = self.plot.set_first_frame
        self.set_selected = self.plot.set_selected
        self.set_cursor = self.plot.set_cursor
        self.set_mask = self.plot.set_shaded
        self.set_time_unit = self.plot.set_time_unit
        self.set_time_range = self.plot.set_time_range
        self.show_all = self.plot.show_all
        self.set_theme(DARK)

    def set_series(
        self,
        series: Array,
        tr_s: float,
        order: Sequence[int] | Array | None = None,
        *,
        unit: str = "SD",
        names: Sequence[str] = (),
        reach: float | None = None,
        cmap: str = "vik",
    ) -> None:
        """Values as colours, each parcel about its own mean.

        Parameters
        ----------
        series : (V, T) float, NaN = grey
        tr_s : seconds per frame
        order : (V,) parcel of each row, from the top; None keeps the present order
        unit : of the series, for the colour bar
        reach : value at the ends of the colour map; by default 3 SD of a typical parcel
        """
        series = np.asarray(series, np.float32)
        change = series - row_means(series)[:, None]
        if reach is None:
            reach = 3.0 * typical_spread(change)
        if order is not None:
            self.plot._order = np.asarray(order, int)
        self.plot.set_values(change, tr_s, reach, cmap, names)
        self.bar.set_range(-reach, reach, cmap)
        self.bar.set_unit(unit)

    def set_theme(self, theme: Theme | str) -> None:
        """A theme or its name."""
        theme = THEMES[theme] if isinstance(theme, str) else theme
        self.plot.set_theme(theme)
        self.bar.set_theme(theme)
        palette = self.palette()
        palette.setColor(self.backgroundRole(), QColor(theme.canvas))
        self.setPalette(palette)
