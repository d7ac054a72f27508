"""Three linked orthogonal slices of a scan, with an overlay of parcel values and one crosshair.

Drag moves the crosshair, the wheel goes through the slices, Ctrl-wheel zooms. Keys: arrows move the crosshair in the
active slice, Page Up / Page Down go through it, X, Y, Z choose the slice, plus, minus and 0 zoom.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import pyqtgraph as pg
from numpy.typing import NDArray
from PySide6.QtCore import QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QKeyEvent, QPainter, QPaintEvent, QResizeEvent
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from app.text import tr
from app.theme.tokens import DARK, THEMES, Theme
from app.views.slice_grid import PLANES, Grid, largest_scale, plane_of
from app.views.slice_pane import SlicePane
from app.widgets.colour_bar import ColourBar, small_font
from app.widgets.colour_map import colour_map, symmetric
from app.widgets.elided import ElidedLabel
from app.widgets.focus_ring import paint_focus_ring
from app.widgets.over_label import OverLabel
from app.widgets.ticks import number

Array = NDArray[Any]
NAMED_PX = 270
"""panes narrower than this say only where they are, not what they are called"""


class SliceView(QWidget):
    """Sagittal, coronal and axial slice on a near-black canvas, letters always visible."""

    crosshair_moved = Signal(float, float, float)
    """MNI mm (scanner mm for a native scan) of the voxel under the crosshair"""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = DARK
        self._grid: Grid | None = None
        self._arranging = False
        self._ijk = (0, 0, 0)
        self._mm: Array = np.zeros(3)
        self._labels: Array | None = None
        self._table: Array | None = None
        self._overlay_range = (0.0, 1.0, "vik")
        self._selected: tuple[int, ...] = ()
        self._active = 2
        self._columns = 0
        self.canvas = pg.GraphicsLayoutWidget()
        self.canvas.ci.layout.setContentsMargins(2, 2, 2, 2)
        self.canvas.ci.layout.setSpacing(2)
        self.canvas.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.panes = [SlicePane(plane) for plane in range(3)]
        self.bar = ColourBar(on_slices=True)
        self.caption, self.waiting = ElidedLabel(), OverLabel(self.canvas)
        self._build()
        for pane in self.panes:
            pane.dragged.connect(lambda x, y, p=pane: self._dragged(p, x, y))
            pane.stepped.connect(lambda by, p=pane: self._step(p.through, by))
            pane.pressed.connect(lambda p=pane: self._activate(p.plane))
            pane.resized.connect(self._pane_resized)
        self.set_theme(DARK)

    def _build(self) -> None:
        column = QVBoxLayout(self)
        column.setContentsMargins(2, 2, 2, 2)
        column.setSpacing(0)
        self._row = QHBoxLayout()
        self._row.setSpacing(0)
        self._row.addWidget(self.canvas, 1)
        self._row.addWidget(self.bar)
        column.addLayout(self._row, 1)
        column.addWidget(self.caption)
        self.caption.setContentsMargins(8, 2, 8, 4)
        self.caption.hide()
        self.caption.setFont(small_font(self.font()))
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setAutoFillBackground(True)
        self.setAccessibleName(tr("slices.name"))
        self.setAccessibleDescription(tr("slices.help"))
        self.setMinimumSize(200, 160)
        self._arrange()

    def sizeHint(self) -> QSize:
        """A comfortable size."""
        return QSize(720, 320)

    # ---------------------------------------------------------------- data

    def set_grid(
        self, shape3: Sequence[int], affine: Array, dark: tuple[tuple[float, float], ...] = ((0.0, 0.0),) * 3
    ) -> None:
        """A new scan.

        Parameters
        ----------
        shape3 : voxels along x, y, z (canonical RAS+ order)
        affine : (4, 4) voxel to mm
        dark : mm of dark at both ends of each axis, see :func:`app.views.slice_grid.dark_borders`
        """
        x, y, z = (int(n) for n in shape3)
        self._grid = Grid((x, y, z), np.asarray(affine, np.float64), dark)
        self._labels = None
        self._ijk = (x // 2, y // 2, z // 2)
        self._mm = self._grid.to_mm(np.array(self._ijk, float))
        for pane in self.panes:
            pane.set_grid(self._grid)
            pane.set_empty(False)
        self.waiting.say("")
        self._arrange()
        self.reset_zoom()
        self._follow()

    def clear(self, why: str = "") -> None:
        """Nothing to show: no picture, no letters, no crosshair; in their place ``why``."""
        self._grid = self._labels = None
        self.waiting.say(why)
        for pane in self.panes:
            pane.set_empty(True)

    def set_slices(self, sagittal: Array, coronal: Array, axial: Array, lo: float, hi: float) -> None:
        """Values through the crosshair: (y, z), (x, z), (x, y); black at ``lo``, white at ``hi``."""
        for pane, values in zip(self.panes, (sagittal, coronal, axial), strict=True):
            pane.set_image(np.asarray(values), lo, hi)

    def set_labels(self, volume: Array | None) -> None:
        """(x, y, z) int16 on the scan's grid, 0 = none, value - 1 = parcel; None for no atlas."""
        self._labels = None if volume is None else np.asarray(volume)
        self._draw_parcels()

    def set_overlay(
        self,
        values: Array | None,
        lo: float = -1.0,
        hi: float = 1.0,
        cmap: str = "vik",
        *,
        threshold: float = 0.0,
        opacity: float = 0.7,
    ) -> None:
        """Colour the parcels.

        Parameters
        ----------
        values : (V,), NaN = no colour; None takes the overlay away
        lo, hi : ends of the colour map; a diverging map is made symmetric about zero
        threshold : parcels whose absolute value is below get no colour
        opacity : 0..1
        """
        if values is None:
            self._table = None
            self.bar.clear()
        else:
            if colour_map(cmap).diverging:
                lo, hi = symmetric(lo, hi)
            self._table = _rgba_table(np.asarray(values, np.float32), (lo, hi), cmap, threshold, opacity)
            self.bar.set_range(lo, hi, cmap)
        self._draw_parcels()

    def set_selected(self, parcels: Iterable[int]) -> None:
        """Outline these parcels."""
        self._selected = tuple(int(parcel) for parcel in parcels if parcel >= 0)
        self._draw_parcels()

    def set_crosshair(self, mm: Sequence[float]) -> None:
        """Move the crosshair to a place in mm; the slices go with it, nothing is emitted."""
        if self._grid is not None:
            self._mm = np.asarray(mm, float)
            before, self._ijk = self._ijk, self._grid.nearest(self._mm)
            if before != self._ijk:
                self._follow()
            else:
                self._label_panes()

    @property
    def ijk(self) -> tuple[int, int, int]:
        """The voxel under the crosshair."""
        return self._ijk

    # ---------------------------------------------------------------- looks

    def set_radiological(self, radiological: bool) -> None:
        """Radiological convention (patient's right at the left) or neurological."""
        for pane in self.panes:
            pane.set_radiological(radiological)

    def set_caption(self, text: str) -> None:
        """Space and units, below the slices."""
        before = self.caption.text()
        self.caption.setText(text)
        self.caption.setVisible(bool(text))
        if (text.count("\n"), bool(text)) != (before.count("\n"), bool(before)):
            self._arrange()

    def set_unit(self, text: str) -> None:
        """Unit on the colour bar."""
        self.bar.set_unit(text)

    def set_theme(self, theme: Theme | str) -> None:
        """A theme or its name; the canvas is near-black in both."""
        self._theme = THEMES[theme] if isinstance(theme, str) else theme
        canvas = QColor(self._theme.slice_canvas)
        self.canvas.setBackground(canvas)
        accent = DARK.accent  # on black in both themes
        for pane in self.panes:
            pane.set_looks(
                self._theme.slice_text, DARK.muted, accent, self._theme.slice_canvas, small_font(self.font())
            )
        self.bar.set_theme(self._theme)
        words = [(label, label.foregroundRole()) for label in (self.caption, self.waiting)]
        for widget, role in ((self, self.backgroundRole()), *words):
            palette = widget.palette()
            palette.setColor(role, canvas if widget is self else QColor(DARK.muted))
            widget.setPalette(palette)

    def reset_zoom(self) -> None:
        """Show the whole of every slice, all three at one scale."""
        self._label_panes()
        scale = largest_scale(lambda s: all(_within(p.needed(s), (p.width(), p.height())) for p in self.panes))
        for pane in self.panes:
            pane.fit(scale)

    def _pane_resized(self) -> None:
        if not self._arranging:
            self.reset_zoom()

    # ---------------------------------------------------------------- drawing

    def _follow(self) -> None:
        """The crosshair moved: lines, labels, parcel slices."""
        grid = self._grid
        if grid is None:
            return
        voxel = np.array(self._ijk, float)
        for pane in self.panes:
            pane.set_crosshair(voxel)
        self._label_panes()
        self._draw_parcels()

    def _label_panes(self) -> None:
        grid = self._grid
        if grid is None:
            return
        oblique = grid.oblique_deg > 1.0
        roomy = all(pane.width() >= NAMED_PX for pane in self.panes)
        for pane in self.panes:
            at, count = self._ijk[pane.through] + 1, grid.shape[pane.through]
            axis = "xyz"[pane.through]
            place = number(float(self._mm[pane.through]), 1.0)
            where = {"axis": axis, "mm": place, "number": at, "count": count}
            short = tr("slices.short_oblique" if oblique else "slices.short", **where)
            pane.set_label(f"{tr(f'slices.{pane.name_of_plane}')}   {short}" if roomy else short)

    def _draw_parcels(self) -> None:
        for pane in self.panes:
            if self._labels is None or (self._table is None and not self._selected):
                pane.set_overlay(None)
                pane.set_outline(None)
                continue
            labels = plane_of(self._labels, pane.plane, self._ijk)
            if self._table is None:
                pane.set_overlay(None)
            else:
                rows = np.where((labels > 0) & (labels < len(self._table)), labels, 0)
                pane.set_overlay(self._table[rows])
            region = np.isin(labels, [parcel + 1 for parcel in self._selected]) if self._selected else None
            pane.set_outline(region)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Side by side when wide, two above one when tall."""
        super().resizeEvent(event)
        self._arrange()

    def _arrange(self) -> None:
        """The arrangement in which the slices are larger; columns and rows as wide and high as they need."""
        below = self.caption.sizeHint().height() if self.caption.text() else 0
        room = self.contentsRect().adjusted(4, 4, -4, -4 - below)
        beside = self._room(3, room.width() - self.bar.sizeHint().width(), room.height())
        above = self._room(2, room.width(), room.height())
        columns = 3 if beside[0] >= above[0] else 2
        if columns != self._columns:
            self._columns = columns
            self._fill(columns)
        _scale, wide, high = beside if columns == 3 else above
        layout = self.canvas.ci.layout
        for i in range(3):
            layout.setColumnFixedWidth(i, wide[i] if i < len(wide) else 0)
            layout.setRowFixedHeight(i, high[i] if i < len(high) else 0)
        if columns == 2:
            self._place_bar()

    def _room(self, columns: int, width: int, height: int) -> tuple[float, list[float], list[float]]:
        """Pixels per mm if ``columns`` slices stand side by side, and the widths and heights in pixels."""
        gaps = 4 + 2 * (columns - 1), 4 + 2 * (len(self.panes) > columns)

        def sizes(scale: float) -> tuple[list[float], list[float]]:
            needed = [pane.needed(scale) for pane in self.panes]
            wide = [max(w for w, _ in needed[i::columns]) for i in range(columns)]
            return wide, [max(h for _, h in needed[i : i + columns]) for i in range(0, 3, columns)]

        def fits(scale: float) -> bool:
            wide, high = sizes(scale)
            return sum(wide) + gaps[0] <= width and sum(high) + gaps[1] <= height

        scale = largest_scale(fits)
        wide, high = sizes(scale)
        rest = (width - gaps[0] - sum(wide)) / len(wide), (height - gaps[1] - sum(high)) / len(high)
        return scale, [w + max(rest[0], 0.0) for w in wide], [h + max(rest[1], 0.0) for h in high]

    def _fill(self, columns: int) -> None:
        self._arranging = True  # each pane that is put in place would have all three framed anew
        for pane in self.panes:
            if pane.scene() is not None:
                self.canvas.removeItem(pane)
        for i, pane in enumerate(self.panes):
            self.canvas.addItem(pane, i // columns, i % columns)
        self._arranging = False
        self.reset_zoom()
        if columns == 3:
            self._row.addWidget(self.bar)
        else:
            self._row.removeWidget(self.bar)

    def _place_bar(self) -> None:
        """Two above one leaves a corner free: the colour bar stands there."""
        self._row.activate()
        corner = self.canvas.geometry()
        height = min(max(corner.height() // 2 - 48, 64), 260)
        left, top = corner.left() + corner.width() * 6 // 10, corner.center().y() + 24
        self.bar.setGeometry(left, top, self.bar.sizeHint().width() + 24, height)
        self.bar.raise_()

    def paintEvent(self, event: QPaintEvent) -> None:
        """Focus ring."""
        super().paintEvent(event)
        if self.hasFocus():
            painter = QPainter(self)
            paint_focus_ring(painter, QRectF(self.rect()), DARK)
            painter.end()

    # ---------------------------------------------------------------- mouse and keyboard

    def _activate(self, plane: int) -> None:
        self._active = plane
        self.setFocus(Qt.FocusReason.MouseFocusReason)

    def _dragged(self, pane: SlicePane, across: float, up: float) -> None:
        voxel = list(self._ijk)
        voxel[pane.across], voxel[pane.up] = round(across), round(up)
        self._go(voxel)

    def _step(self, axis: int, by: int) -> None:
        voxel = list(self._ijk)
        voxel[axis] += by
        self._go(voxel)

    def _go(self, voxel: Sequence[int]) -> None:
        if self._grid is None:
            return
        i, j, k = np.clip(voxel, 0, np.array(self._grid.shape) - 1)
        target = (int(i), int(j), int(k))
        if target != self._ijk:
            self._ijk, self._mm = target, self._grid.to_mm(np.array(target, float))
            self._follow()
            self.crosshair_moved.emit(*(float(v) for v in self._mm))

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """See the accessible description."""
        pane, key = self.panes[self._active], event.key()
        flip = -1 if pane.across == 0 and pane.state["xInverted"] else 1
        moves = {
            Qt.Key.Key_Left: (pane.across, -flip),
            Qt.Key.Key_Right: (pane.across, flip),
            Qt.Key.Key_Up: (pane.up, 1),
            Qt.Key.Key_Down: (pane.up, -1),
            Qt.Key.Key_PageUp: (pane.through, 1),
            Qt.Key.Key_PageDown: (pane.through, -1),
        }
        planes = {Qt.Key.Key_X: 0, Qt.Key.Key_Y: 1, Qt.Key.Key_Z: 2}
        if event.modifiers() & (Qt.KeyboardModifier.ControlModifier | Qt.KeyboardModifier.AltModifier):
            super().keyPressEvent(event)
        elif key in moves:
            axis, by = moves[Qt.Key(key)]
            self._step(axis, by * (5 if event.modifiers() & Qt.KeyboardModifier.ShiftModifier else 1))
        elif key in planes:
            self._active = planes[Qt.Key(key)]
        elif key in (Qt.Key.Key_Plus, Qt.Key.Key_Equal, Qt.Key.Key_Minus):
            for each in self.panes:
                each.zoom(1 / 1.2 if key == Qt.Key.Key_Minus else 1.2)
        elif key == Qt.Key.Key_0:
            self.reset_zoom()
        else:
            super().keyPressEvent(event)


def _within(needed: tuple[float, float], room: tuple[float, float]) -> bool:
    return needed[0] <= room[0] + 1e-6 and needed[1] <= room[1] + 1e-6


def _rgba_table(values: Array, span: tuple[float, float], cmap: str, threshold: float, opacity: float) -> Array:
    """(V + 1, 4) uint8 by label: row 0 and parcels without a value or below the threshold are clear."""
    table = np.zeros((len(values) + 1, 4), np.uint8)
    table[1:, :3] = colour_map(cmap).rgb(values, *span)
    with np.errstate(invalid="ignore"):
        shown = np.isfinite(values) & (np.abs(values) >= threshold)
    table[1:, 3] = np.where(shown, round(255 * opacity), 0)
    return table


__all__ = ["PLANES", "SliceView"]
