"""One of the three slices: grey image, coloured overlay, outline of the chosen parcel, crosshair, letters."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyqtgraph as pg
from numpy.typing import NDArray
from PySide6.QtCore import QPointF, QRectF, Qt, Signal
from PySide6.QtGui import QColor, QFont, QPen
from PySide6.QtWidgets import QGraphicsRectItem, QGraphicsSimpleTextItem

from app.views.slice_grid import LETTERS, PLANES, Grid, border

Array = NDArray[Any]
LETTER_X, LETTER_Y, EDGE = 12.0, 15.0, 2.0
"""room of a letter beside the slice, and of the pane's edge, in pixels"""


class SlicePane(pg.ViewBox):  # type: ignore[misc]
    """A slice in millimetres along its voxel axes, so that anisotropic voxels keep their true shape."""

    dragged = Signal(float, float)
    """position across and up, in voxels"""
    stepped = Signal(int)
    """slices to go"""
    pressed = Signal()
    resized = Signal()

    def __init__(self, plane: int) -> None:
        super().__init__(lockAspect=True, enableMouse=False, enableMenu=False, defaultPadding=0.02)
        self.plane = plane
        self.name_of_plane, self.across, self.up, self.through = PLANES[plane]
        self._zooms = (1.0, 1.0)
        self._shape = (1, 1)
        self._dark = ((0.0, 0.0), (0.0, 0.0))
        self._radiological = False
        self.image = pg.ImageItem(axisOrder="col-major")
        self.overlay = pg.ImageItem(axisOrder="col-major")
        self.outline = pg.PlotCurveItem(connect="pairs", pen=pg.mkPen("#FFFFFF", width=1))
        self.cross = pg.PlotCurveItem(connect="pairs", pen=pg.mkPen("#5AA9F0", width=1))
        for depth, item in enumerate((self.image, self.overlay, self.outline, self.cross)):
            item.setZValue(depth)
            self.addItem(item, ignoreBounds=True)
        self.shades = [QGraphicsRectItem(self) for _ in range(5)]
        self.letters = [QGraphicsSimpleTextItem(self) for _ in range(4)]
        self.label = QGraphicsSimpleTextItem(self)
        self.setBorder(None)
        self.set_empty(True)
        self.sigTransformChanged.connect(lambda *_: self._place_letters())

    # ---------------------------------------------------------------- contents

    def set_grid(self, grid: Grid) -> None:
        """Voxel counts and sizes of the two axes on screen."""
        zooms = grid.zooms
        self._zooms = (float(zooms[self.across]), float(zooms[self.up]))
        self._shape = (grid.shape[self.across], grid.shape[self.up])
        side = min(grid.dark[self.across])  # both sides alike: radiological swaps them
        self._dark = ((side, side), grid.dark[self.up])
        for item in (self.image, self.overlay):
            item.clear()
        self.outline.setData([], [])

    def set_empty(self, empty: bool) -> None:
        """Hide everything while there is no slice."""
        for item in (self.image, self.overlay, self.outline, self.cross, self.label, *self.letters, *self.shades):
            item.setVisible(not empty)

    def area(self) -> QRectF:
        """The slice in mm, voxel centres at multiples of the voxel size."""
        zx, zy = self._zooms
        return QRectF(-0.5 * zx, -0.5 * zy, self._shape[0] * zx, self._shape[1] * zy)

    def margins(self, scale: float) -> tuple[float, float, float]:
        """Pixels that the letters need at either side, below and above the slice, at so many pixels per mm.

        Where the picture is dark anyway, a letter stands in it.
        """
        (side, _), (below, above) = self._dark
        need = ((LETTER_X, side), (LETTER_Y, below), (LETTER_Y, above))
        x, low, high = (max(letter - dark * scale, 0.0) + EDGE for letter, dark in need)
        return x, low, high

    def needed(self, scale: float) -> tuple[float, float]:
        """Width and height in pixels of the slice and the letters round it."""
        box, (x, low, high) = self.area(), self.margins(scale)
        return box.width() * scale + 2 * x, box.height() * scale + low + high

    def fit(self, scale: float) -> None:
        """Show the whole slice in the middle, at so many pixels per mm."""
        centre, (_x, low, high) = self.area().center(), self.margins(scale)
        up = centre.y() + (high - low) / 2 / scale
        half_x, half_y = self.width() / scale / 2, self.height() / scale / 2
        self.setRange(
            xRange=(centre.x() - half_x, centre.x() + half_x),
            yRange=(up - half_y, up + half_y),
            padding=0,
        )
        self.updateMatrix()
        self._place_letters()

    def set_image(self, values: Array, lo: float, hi: float) -> None:
        """(across, up) values, drawn grey from ``lo`` to ``hi``."""
        scaled = np.clip((values.astype(np.float32) - lo) * (255.0 / (hi - lo if hi > lo else 1.0)), 0, 255)
        grey = np.nan_to_num(scaled, nan=0.0).astype(np.uint8)
        self._show(self.image, grey, levels=(0, 255))

    def set_overlay(self, rgba: Array | None) -> None:
        """(across, up, 4) uint8, None for no overlay."""
        self.overlay.setVisible(rgba is not None)
        if rgba is not None:
            self._show(self.overlay, rgba, levels=None)

    def _show(self, item: Any, pixels: Array, levels: tuple[int, int] | None) -> None:
        fresh = item.image is None or item.image.shape != pixels.shape
        item.setImage(pixels, autoLevels=False, levels=levels)
        if fresh:
            item.setRect(self.area())

    def set_outline(self, region: Array | None) -> None:
        """(across, up) bool: the chosen parcels."""
        if region is None or not region.any():
            self.outline.setData([], [])
            return
        x, y = border(region)
        self.outline.setData(x * self._zooms[0], y * self._zooms[1], connect="pairs")

    def set_crosshair(self, voxel: Array) -> None:
        """Both lines through a voxel position (3,), with a gap in the middle so that the place itself is seen."""
        x, y = float(voxel[self.across]) * self._zooms[0], float(voxel[self.up]) * self._zooms[1]
        gap = 1.6 * max(self._zooms)
        box = self.area()
        xs = [box.left(), x - gap, x + gap, box.right(), x, x, x, x]
        ys = [y, y, y, y, box.top(), y - gap, y + gap, box.bottom()]
        self.cross.setData(np.array(xs), np.array(ys), connect="pairs")

    def set_radiological(self, radiological: bool) -> None:
        """Radiological: the patient's right is at the left of the picture."""
        self._radiological = radiological
        self.invertX(radiological and self.across == 0)
        self._write_letters()

    def set_label(self, text: str) -> None:
        """Name of the plane and where it is."""
        if text != self.label.text():
            self.label.setText(text)
            self.shades[-1].setRect(self.label.boundingRect().translated(self.label.pos()).adjusted(-1, 1, 1, -1))

    # ---------------------------------------------------------------- letters

    def set_looks(self, text: str, muted: str, accent: str, canvas: str, font: QFont) -> None:
        """Colours and type; letters over the picture stand on a shade of ``canvas``."""
        bold = QFont(font)
        for letter in self.letters:
            letter.setFont(bold)
            letter.setBrush(QColor(text))
        shade = QColor(canvas)
        shade.setAlpha(170)
        for item in self.shades:
            item.setBrush(shade)
            item.setPen(QPen(Qt.PenStyle.NoPen))
            item.setZValue(9)
        self.label.setFont(font)
        self.label.setBrush(QColor(muted))
        pen = QPen(QColor(accent))
        pen.setWidthF(1.0)
        pen.setCosmetic(True)
        self.cross.setPen(pen)
        self._write_letters()

    def _write_letters(self) -> None:
        (low_x, high_x), (low_y, high_y) = LETTERS[self.across], LETTERS[self.up]
        if self._radiological and self.across == 0:
            low_x, high_x = high_x, low_x
        for item, letter in zip(self.letters, (low_x, high_x, low_y, high_y), strict=True):
            item.setText(letter)
        self._place_letters()

    def _place_letters(self) -> None:
        """Beside the slice; at the edge of the pane when the slice reaches it."""
        box, slice_box = self.rect(), self.mapRectFromItem(self.childGroup, self.area())
        left, right, low, high = self.letters
        size = high.boundingRect()
        x_left = max(box.left() + 2, min(slice_box.left(), box.right()) - size.width() - 3)
        x_right = min(box.right() - right.boundingRect().width() - 2, max(slice_box.right(), box.left()) + 3)
        y_high = max(box.top(), min(slice_box.top(), box.bottom()) - size.height() - 1)
        y_low = min(box.bottom() - size.height(), max(slice_box.bottom(), box.top()) + 1)
        middle = QPointF(box.center().x() - size.width() / 2, box.center().y() - size.height() / 2)
        for item, x, y in (
            (left, x_left, middle.y()),
            (right, x_right, middle.y()),
            (low, middle.x(), y_low),
            (high, middle.x(), y_high),
        ):
            item.setPos(x, y)
            item.setZValue(10)
        self.label.setPos(box.left() + 6, box.top())
        self.label.setZValue(10)
        for shade, item in zip(self.shades, (*self.letters, self.label), strict=True):
            shade.setRect(item.boundingRect().translated(item.pos()).adjusted(-1, 1, 1, -1))

    def resizeEvent(self, event: Any) -> None:
        """Letters stay at the edges."""
        super().resizeEvent(event)
        if hasattr(self, "letters"):
            self._place_letters()
            self.resized.emit()

    # ---------------------------------------------------------------- mouse

    def voxel_at(self, scene_point: QPointF) -> tuple[float, float]:
        """Position across and up in voxels, kept inside the slice."""
        place = self.mapSceneToView(scene_point)
        x = min(max(place.x() / self._zooms[0], 0.0), self._shape[0] - 1.0)
        y = min(max(place.y() / self._zooms[1], 0.0), self._shape[1] - 1.0)
        return x, y

    def mousePressEvent(self, event: Any) -> None:
        """The crosshair jumps to the press and follows the drag."""
        if event.button() == Qt.MouseButton.LeftButton:
            self.pressed.emit()
            self.dragged.emit(*self.voxel_at(event.scenePos()))
            event.accept()
            return
        event.accept()

    def mouseMoveEvent(self, event: Any) -> None:
        """Left: crosshair; middle or right: move the picture."""
        if event.buttons() & Qt.MouseButton.LeftButton:
            self.dragged.emit(*self.voxel_at(event.scenePos()))
        elif event.buttons():
            here, before = self.mapSceneToView(event.scenePos()), self.mapSceneToView(event.lastScenePos())
            self.translateBy(x=before.x() - here.x(), y=before.y() - here.y())
        event.accept()

    def mouseDoubleClickEvent(self, event: Any) -> None:
        """Show the whole slices again."""
        self.resized.emit()
        event.accept()

    def wheelEvent(self, event: Any, axis: int | None = None) -> None:
        """Through the slices; with Ctrl, zoom."""
        steps = event.delta() / 120.0
        if event.modifiers() & Qt.KeyboardModifier.ControlModifier:
            self.zoom(1.15**steps)
        else:
            self.stepped.emit(1 if steps > 0 else -1)
        event.accept()

    def zoom(self, factor: float, centre: QPointF | None = None) -> None:
        """Closer for ``factor`` > 1."""
        self.scaleBy((1 / factor, 1 / factor), centre)
