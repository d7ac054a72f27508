"""What traces and carpet share: order and names of the rows, shaded patches, the time cursor, the theme."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np
import pyqtgraph as pg
from numpy.typing import NDArray
from PySide6.QtCore import QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QFontMetrics, QPainter, QPen, QResizeEvent

from app.text import tr
from app.theme.tokens import DARK, THEMES, Theme
from app.views.clock import TimeUnit
from app.views.row_plot import RowPlot
from app.widgets.colour_bar import small_font
from app.widgets.colour_map import hex_rgb
from app.widgets.focus_ring import paint_focus_ring
from app.widgets.network_colours import network_colours, network_order, readable

Array = NDArray[Any]
CACHED = pg.QtWidgets.QGraphicsItem.CacheMode.DeviceCoordinateCache


class TimePlot(RowPlot):
    """Rows of parcels (downwards) over frames (rightwards)."""

    def __init__(self, parent: Any = None) -> None:
        super().__init__(parent)
        self.theme: Theme = DARK
        self._names: tuple[str, ...] = ()
        self._labels: tuple[str, ...] = ()
        self._colours: tuple[str, ...] = ()
        self._only_selected = False
        self._mask: Array | None = None
        self._mask_place = (0, 1)
        self._held = 0
        self.shade = pg.ImageItem(axisOrder="row-major")
        self.shade.setZValue(5)
        self.addItem(self.shade, ignoreBounds=True)

    def sizeHint(self) -> QSize:
        """A comfortable size."""
        return QSize(720, 320)

    # ---------------------------------------------------------------- data

    @contextmanager
    def at_once(self) -> Iterator[None]:
        """Several changes inside this block are drawn once, when it ends."""
        self._held += 1
        try:
            yield
        finally:
            self._held -= 1
            if not self._held:
                self._arrange_rows()

    def _set_size(self, n_parcels: int, n_frames: int, tr_s: float) -> None:
        """A new recording: keep order and names when they still fit."""
        self.n_parcels, self.n_frames = n_parcels, n_frames
        self.time_axis.tr_s = tr_s or 1.0
        self._limit()
        self._arrange_rows()

    def set_order(
        self, order: Sequence[int] | Array, labels: Sequence[str], colours: Sequence[str] | None = None
    ) -> None:
        """Rows from the top.

        Parameters
        ----------
        order : (V,) parcel of each row
        labels : (V,) group (network) name of each parcel, in parcel order
        colours : (V,) group colour of each parcel; by default the theme's network colours in order of appearance
        """
        self._order = np.asarray(order, int)
        self._labels = tuple(labels)
        self._colours = tuple(colours) if colours is not None else ()
        self._arrange_rows()

    def set_networks(self, networks: Sequence[str], structures: Sequence[str] = ()) -> None:
        """Sort the rows by network and colour them; without a network the structure ('cerebellum') names the group."""
        groups = [network or (structures[p] if p < len(structures) else "") for p, network in enumerate(networks)]
        self.set_order(network_order(networks), groups)

    def set_first_frame(self, frame: int) -> None:
        """The series begins at this frame of the recording: times on the axis count from the recording's start."""
        self.time_axis.first = frame
        self.time_axis.picture = None
        self.time_axis.update()

    def set_selected(self, parcels: Iterable[int]) -> None:
        """Highlight these parcels."""
        self._selected = tuple(int(parcel) for parcel in parcels)
        if self._only_selected:
            self._arrange_rows()
        else:
            self._mark_rows()
            self.redraw()

    def set_only_selected(self, only: bool) -> None:
        """Show the highlighted parcels alone, or all."""
        if only != self._only_selected:
            self._only_selected = only
            self._arrange_rows()
            self.show_all_rows()

    def rows(self) -> Array:
        """Parcel of each row on show, from the top."""
        order = self._order if len(self._order) == self.n_parcels else np.arange(self.n_parcels)
        return order[np.isin(order, self._selected)] if self._only_selected and self._selected else order

    def _group_colours(self) -> Sequence[str]:
        return self._colours or network_colours(self._labels, self.theme)

    def _arrange_rows(self) -> None:
        if self._held:
            return
        rows = self.rows()
        self._row_of = {int(parcel): row for row, parcel in enumerate(rows)}
        names = [self._names[p] if p < len(self._names) else str(p + 1) for p in rows]
        labels = [readable(self._labels[p]) if p < len(self._labels) else "" for p in rows]
        by_parcel = self._group_colours()
        colours = [by_parcel[p] if p < len(by_parcel) else self.theme.no_network for p in rows]
        self.row_axis.set_rows(names, labels, colours)
        self._mark_rows()
        self._limit()
        self._draw_shade()
        self.redraw()

    def _mark_rows(self) -> None:
        chosen = frozenset(self._row_of[p] for p in self._selected if p in self._row_of)
        self.row_axis.set_marks(chosen)

    def redraw(self) -> None:
        """Rows, selection or theme changed."""

    # ---------------------------------------------------------------- masked patches

    def set_shaded(self, mask: Array | None, start: int = 0, patch_frames: int = 1) -> None:
        """Shade masked patches: ``mask`` (V, N) bool, patch n begins at frame ``start + n * patch_frames``."""
        self._mask = None if mask is None else np.asarray(mask, bool)
        self._mask_place = (start, patch_frames)
        self._draw_shade()

    def _draw_shade(self) -> None:
        if self._held:
            return
        rows = self.rows()
        if self._mask is None or len(rows) == 0 or rows.max() >= len(self._mask):
            self.shade.clear()
            return
        pixels = np.zeros((*self._mask[rows].shape, 4), np.uint8)
        pixels[self._mask[rows]] = self._shade_rgba()
        start, frames = self._mask_place
        self.shade.setImage(pixels, autoLevels=False)
        self.shade.setRect(QRectF(start - 0.5, 0, frames * pixels.shape[1], len(rows)))

    def _shade_rgba(self) -> tuple[int, int, int, int]:
        return (*hex_rgb(self.theme.accent), 46 if self.theme.dark else 40)

    # ---------------------------------------------------------------- looks

    def set_theme(self, theme: Theme | str) -> None:
        """A theme or its name."""
        self.theme = THEMES[theme] if isinstance(theme, str) else theme
        self.setBackground(QColor(self.theme.canvas))
        font = small_font(self.font())
        self.row_axis.theme, self.row_axis.type = self.theme, font
        self.time_axis.setTickFont(font)
        self.time_axis.setTextPen(QColor(self.theme.muted))
        self.time_axis.setPen(QPen(QColor(self.theme.border), 1))
        self._arrange_rows()

    def set_time_unit(self, unit: TimeUnit) -> None:
        """Seconds, frames or clock."""
        self.time_axis.unit = unit
        self.viewport().update()
        self.time_axis.picture = None
        self.time_axis.update()

    def write_unit(self, painter: QPainter, area: QRectF) -> None:
        """What the numbers below the plot are, in the corner at their left: a row of its own would cost a trace."""
        painter.setFont(self.row_axis.type)
        painter.setPen(QColor(self.theme.muted))
        corner = QRectF(0, area.bottom() + 4, max(self._unit_end(painter.fontMetrics(), area), 0.0), 16)
        text = painter.fontMetrics().elidedText(
            tr(f"time.axis.{self.time_axis.unit}"), Qt.TextElideMode.ElideRight, int(corner.width())
        )
        painter.drawText(corner, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter, text)

    def _unit_end(self, metrics: QFontMetrics, area: QRectF) -> float:
        """Pixel where the unit ends: before the names' stripe, and before the first number, which may reach over it."""
        low, high = self.view.viewRange()[0]
        end, axis = area.left() - 12, self.time_axis
        for spacing, ticks in axis.tickValues(low, high, area.width()):
            for tick, text in zip(ticks[:1], axis.tickStrings(ticks[:1], 1.0, spacing), strict=True):
                middle = area.left() + (tick - low) / (high - low) * area.width()
                end = min(end, middle - metrics.horizontalAdvance(text) / 2 - 6)
        return end

    def set_cursor(self, frame: int | None) -> None:
        """The time cursor; None hides it. Only two thin strips of the plot are painted again."""
        if frame == self.cursor:
            return
        for place in (self.cursor, frame):
            if place is not None:
                self._update_strip(place)
        self.cursor = frame

    def _update_strip(self, frame: int) -> None:
        x = self._scene_x(frame)
        self.viewport().update(round(x) - 3, 0, 6, self.viewport().height())

    def _scene_x(self, frame: float) -> float:
        return float(self.view.mapViewToScene(QPointF(frame, 0)).x())

    def drawForeground(self, painter: QPainter, _rect: QRectF) -> None:
        """Cursor and focus ring, above the cached curves."""
        area = self.view.sceneBoundingRect()
        if self.cursor is not None:
            x = self._scene_x(self.cursor)
            if area.left() - 1 <= x <= area.right() + 1:
                painter.setPen(QPen(QColor(self.theme.accent), 1))
                painter.drawLine(QPointF(x, area.top()), QPointF(x, area.bottom()))
        self.write_unit(painter, area)
        self.paint_over(painter, area)
        if self.hasFocus():
            paint_focus_ring(painter, QRectF(self.viewport().rect()), self.theme)

    def paint_over(self, painter: QPainter, area: QRectF) -> None:
        """More to draw on top, in pixels; ``area`` is the plot without its axes."""

    def resizeEvent(self, event: QResizeEvent) -> None:
        """The names take a share of the width."""
        super().resizeEvent(event)
        if hasattr(self, "row_axis"):
            self.row_axis.setWidth(int(min(max(self.width() * 0.22, 72), 220)))
