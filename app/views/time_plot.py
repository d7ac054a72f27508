"""What traces and carpet share: rows of parcels over time, one cursor, the same mouse and the same keys.

Left drag moves the plot, a click sets the time and chooses the row; the wheel scrolls rows, Shift-wheel time,
Ctrl-wheel zooms time, Alt-wheel (or Ctrl-Shift-wheel) makes rows higher. Keys: left and right go frame by frame, up and
down row by row, Page Up / Page Down a page, Home / End to the ends, plus and minus zoom time, Shift with them makes
rows higher, 0 shows all.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import pyqtgraph as pg
from numpy.typing import NDArray
from PySide6.QtCore import QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QKeyEvent, QMouseEvent, QPainter, QPen, QResizeEvent, QWheelEvent

from app.text import tr
from app.theme.tokens import DARK, THEMES, Theme
from app.views.clock import TimeUnit
from app.views.time_axes import RowAxis, TimeAxis
from app.widgets.colour_bar import small_font
from app.widgets.colour_map import hex_rgb
from app.widgets.focus_ring import paint_focus_ring
from app.widgets.network_colours import network_colours, readable

Array = NDArray[Any]
CACHED = pg.QtWidgets.QGraphicsItem.CacheMode.DeviceCoordinateCache


class TimePlot(pg.PlotWidget):
    """Rows of parcels (downwards) over frames (rightwards)."""

    frame_requested = Signal(int)
    parcel_clicked = Signal(int)
    time_range_changed = Signal(float, float)
    """first and last frame on screen"""

    def __init__(self, parent: Any = None) -> None:
        self.row_axis, self.time_axis = RowAxis(), TimeAxis()
        view = pg.ViewBox(enableMouse=False, enableMenu=False, invertY=True)
        view.disableAutoRange()
        super().__init__(
            parent, viewBox=view, axisItems={"left": self.row_axis, "bottom": self.time_axis}, enableMenu=False
        )
        self.theme: Theme = DARK
        self.n_parcels = self.n_frames = 0
        self.cursor: int | None = None
        self._order: Array = np.zeros(0, int)
        self._row_of: dict[int, int] = {}
        self._names: tuple[str, ...] = ()
        self._labels: tuple[str, ...] = ()
        self._colours: tuple[str, ...] = ()
        self._selected: tuple[int, ...] = ()
        self._only_selected = False
        self._press: QPointF | None = None
        self._last = QPointF()
        self._dragged = self._scrubbing = False
        self.view = view
        self.shade = pg.ImageItem(axisOrder="row-major")
        self.shade.setZValue(5)
        self.addItem(self.shade, ignoreBounds=True)
        self.hideButtons()
        self.setFrameShape(pg.QtWidgets.QFrame.Shape.NoFrame)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setMinimumSize(200, 96)
        self.plotItem.setContentsMargins(2, 4, 8, 2)
        view.sigXRangeChanged.connect(lambda _view, span: self.time_range_changed.emit(*map(float, span)))
        self._mask: Array | None = None
        self._mask_place = (0, 1)

    def sizeHint(self) -> QSize:
        """A comfortable size."""
        return QSize(720, 320)

    # ---------------------------------------------------------------- data

    def _set_size(self, n_parcels: int, n_frames: int, tr_s: float) -> None:
        """A new recording: keep order and names when they still fit."""
        fresh = n_parcels != self.n_parcels
        self.n_parcels, self.n_frames = n_parcels, n_frames
        self.time_axis.tr_s = tr_s or 1.0
        if fresh:
            self._order = np.arange(n_parcels)
            self._labels = self._colours = ()
            self._names = ()
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
        if self._only_selected and self._selected:
            return self._order[np.isin(self._order, self._selected)]
        return self._order

    def row_of(self, parcel: int) -> int | None:
        """Row of a parcel, None when it is not shown."""
        return self._row_of.get(parcel)

    def _group_colours(self) -> Sequence[str]:
        return self._colours or network_colours(self._labels, self.theme)

    def _arrange_rows(self) -> None:
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
        """Shade masked patches: ``mask`` (V, N) bool, patch n covers ``patch_frames`` frames from ``start + n * patch_frames``."""
        self._mask = None if mask is None else np.asarray(mask, bool)
        self._mask_place = (start, patch_frames)
        self._draw_shade()

    def _draw_shade(self) -> None:
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
        self._label_time()
        self._arrange_rows()

    def set_time_unit(self, unit: TimeUnit) -> None:
        """Seconds, frames or clock."""
        self.time_axis.unit = unit
        self._label_time()
        self.time_axis.picture = None
        self.time_axis.update()

    def _label_time(self) -> None:
        text = tr(f"time.axis.{self.time_axis.unit}")
        size = f"{small_font(self.font()).pointSizeF():.1f}pt"
        self.time_axis.setLabel(text, **{"color": self.theme.muted, "font-size": size})

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
        self.paint_over(painter, area)
        if self.hasFocus():
            paint_focus_ring(painter, QRectF(self.viewport().rect()), self.theme)

    def paint_over(self, painter: QPainter, area: QRectF) -> None:
        """More to draw on top, in pixels; ``area`` is the plot without its axes."""

    # ---------------------------------------------------------------- range

    def show_all(self) -> None:
        """Every frame and every row."""
        self.show_all_rows()
        self.set_time_range(-0.5, self.n_frames - 0.5)

    def show_all_rows(self) -> None:
        """Every row, whatever its height."""
        self.view.setYRange(0, max(len(self.rows()), 1), padding=0)

    def set_time_range(self, first: float, last: float) -> None:
        """Frames on screen, e.g. to follow another plot."""
        before = self.view.viewRange()[0]
        if abs(before[0] - first) + abs(before[1] - last) > 1e-6:
            self.view.setXRange(first, last, padding=0)

    def _limit(self) -> None:
        frames, rows = max(self.n_frames, 2), max(len(self.rows()), 1)
        self.view.setLimits(xMin=-0.5, xMax=frames - 0.5, yMin=0, yMax=rows, minXRange=4, minYRange=min(1, rows))

    def scroll(self, frames: float, rows: float) -> None:
        """Move by so much, staying within the recording."""
        (x0, x1), (y0, y1) = self.view.viewRange()
        dx = min(max(frames, -0.5 - x0), self.n_frames - 0.5 - x1)
        dy = min(max(rows, -y0), len(self.rows()) - y1)
        if dx or dy:
            self.view.setRange(xRange=(x0 + dx, x1 + dx), yRange=(y0 + dy, y1 + dy), padding=0)

    def zoom(self, time: float = 1.0, rows: float = 1.0, centre: QPointF | None = None) -> None:
        """Closer for factors > 1, about ``centre`` (frame, row)."""
        (x0, x1), (y0, y1) = self.view.viewRange()
        cx, cy = (centre.x(), centre.y()) if centre is not None else ((x0 + x1) / 2, (y0 + y1) / 2)
        x = [max(cx + (x0 - cx) / time, -0.5), min(cx + (x1 - cx) / time, self.n_frames - 0.5)]
        y = [max(cy + (y0 - cy) / rows, 0.0), min(cy + (y1 - cy) / rows, float(len(self.rows())))]
        if x[1] - x[0] >= 4 and y[1] - y[0] >= 1:
            self.view.setRange(xRange=x, yRange=y, padding=0)

    def reveal(self, parcel: int) -> None:
        """Scroll so that a parcel's row is on screen."""
        row = self.row_of(parcel)
        if row is None:
            return
        y0, y1 = self.view.viewRange()[1]
        if row < y0:
            self.scroll(0, row - y0)
        elif row + 1 > y1:
            self.scroll(0, row + 1 - y1)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """The names take a share of the width."""
        super().resizeEvent(event)
        if hasattr(self, "row_axis"):
            self.row_axis.setWidth(int(min(max(self.width() * 0.22, 72), 220)))

    # ---------------------------------------------------------------- mouse and keyboard

    def _place(self, point: QPointF) -> QPointF:
        return QPointF(self.view.mapSceneToView(self.mapToScene(point.toPoint())))

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Start of a click or a drag; a press below the plot scrubs time."""
        self._press = self._last = event.position()
        self._dragged = False
        area = self.view.sceneBoundingRect()
        self._scrubbing = event.position().y() > area.bottom() and event.position().x() >= area.left()
        if self._scrubbing:
            self._ask_frame(event.position())
        event.accept()

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Scrub or move."""
        if self._press is None:
            return
        if self._scrubbing:
            self._ask_frame(event.position())
            return
        if not self._dragged and (event.position() - self._press).manhattanLength() < 4:
            return
        self._dragged = True
        here, before = self._place(event.position()), self._place(self._last)
        self._last = event.position()
        self.scroll(before.x() - here.x(), before.y() - here.y())

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        """A press without a drag sets the time and chooses the row."""
        pressed, self._press = self._press, None
        if pressed is None or self._dragged or self._scrubbing or event.button() != Qt.MouseButton.LeftButton:
            return
        row = int(self._place(event.position()).y())
        rows = self.rows()
        if event.position().x() >= self.view.sceneBoundingRect().left():
            self._ask_frame(event.position())
        if 0 <= row < len(rows):
            self.parcel_clicked.emit(int(rows[row]))

    def _ask_frame(self, point: QPointF) -> None:
        frame = round(self._place(point).x())
        if self.n_frames:
            self.frame_requested.emit(min(max(frame, 0), self.n_frames - 1))

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        """Nothing beyond the two clicks it is made of."""
        self.mousePressEvent(event)

    def wheelEvent(self, event: QWheelEvent) -> None:
        """Scroll or zoom, see the module."""
        delta = event.angleDelta()
        steps = (delta.y() or delta.x()) / 120.0
        (x0, x1), (y0, y1) = self.view.viewRange()
        keys, modifier = event.modifiers(), Qt.KeyboardModifier
        taller = keys & modifier.AltModifier or (keys & modifier.ControlModifier and keys & modifier.ShiftModifier)
        if taller:
            self.zoom(rows=1.2**steps, centre=self._place(event.position()))
        elif keys & modifier.ControlModifier:
            self.zoom(time=1.2**steps, centre=self._place(event.position()))
        elif keys & modifier.ShiftModifier or (delta.x() and not delta.y()):
            self.scroll(-steps * (x1 - x0) * 0.1, 0)
        else:
            self.scroll(0, -steps * max(1.0, (y1 - y0) * 0.1))
        event.accept()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """See the module."""
        key, keys = Qt.Key(event.key()), event.modifiers()
        if keys & (Qt.KeyboardModifier.ControlModifier | Qt.KeyboardModifier.AltModifier):
            event.ignore()
            return
        shift = bool(keys & Qt.KeyboardModifier.ShiftModifier)
        y0, y1 = self.view.viewRange()[1]
        frames = {Qt.Key.Key_Left: -1, Qt.Key.Key_Right: 1}
        rows = {Qt.Key.Key_Up: -1, Qt.Key.Key_Down: 1}
        ends = {Qt.Key.Key_Home: 0, Qt.Key.Key_End: self.n_frames - 1}
        if key in frames and self.n_frames:
            wanted = (self.cursor or 0) + frames[key] * (10 if shift else 1)
            self.frame_requested.emit(min(max(wanted, 0), self.n_frames - 1))
        elif key in rows:
            self._step_row(rows[key])
        elif key in ends and self.n_frames:
            self.frame_requested.emit(ends[key])
        elif key in (Qt.Key.Key_PageUp, Qt.Key.Key_PageDown):
            self.scroll(0, (y1 - y0) * (0.9 if key == Qt.Key.Key_PageDown else -0.9))
        elif key in (Qt.Key.Key_Plus, Qt.Key.Key_Equal, Qt.Key.Key_Minus, Qt.Key.Key_Underscore, Qt.Key.Key_Asterisk):
            factor = 1 / 1.2 if key in (Qt.Key.Key_Minus, Qt.Key.Key_Underscore) else 1.2
            self.zoom(rows=factor) if shift else self.zoom(time=factor)
        elif key == Qt.Key.Key_0:
            self.show_all()
        else:
            event.ignore()

    def _step_row(self, by: int) -> None:
        rows = self.rows()
        if len(rows) == 0:
            return
        row = self._row_of.get(self._selected[-1], -1) if self._selected else -1
        parcel = int(rows[min(max(row + by, 0), len(rows) - 1)])
        self.parcel_clicked.emit(parcel)
        self.reveal(parcel)
