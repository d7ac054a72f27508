"""A plot whose rows go down and whose frames go right: scrolling, zooming, clicking, with mouse and keyboard.

Left drag moves the plot, a click sets the time and chooses the row, a drag below the plot scrubs; the wheel scrolls
rows, Shift-wheel time, Ctrl-wheel zooms time, Alt-wheel (or Ctrl-Shift-wheel) makes rows higher. Keys: left and right
go frame by frame, up and down row by row, Page Up / Page Down a page, Home / End to the ends, plus and minus zoom time,
with Shift they make rows higher, 0 shows all.
"""

from __future__ import annotations

from typing import Any, Protocol

import numpy as np
import pyqtgraph as pg
from numpy.typing import NDArray
from PySide6.QtCore import QPointF, Qt, Signal
from PySide6.QtGui import QKeyEvent, QMouseEvent, QWheelEvent

from app.views.time_axes import RowAxis, TimeAxis

Array = NDArray[Any]


class Brush(Protocol):
    """Takes a drag or a key for itself where it says True, see :class:`app.views.mask_brush.MaskBrush`."""

    def press(self, event: QMouseEvent) -> bool:
        """A button went down."""

    def move(self, event: QMouseEvent) -> bool:
        """The mouse moved."""

    def release(self) -> bool:
        """The button went up."""

    def key(self, event: QKeyEvent) -> bool:
        """A key was pressed."""


class RowPlot(pg.PlotWidget):  # type: ignore[misc]
    """Knows rows, frames and gestures; what is drawn is left to its children."""

    frame_requested = Signal(int)
    parcel_clicked = Signal(int)
    time_range_changed = Signal(float, float)
    """first and last frame on screen"""

    def __init__(self, parent: Any = None) -> None:
        self.row_axis, self.time_axis = RowAxis(), TimeAxis()
        view = pg.ViewBox(enableMouse=False, enableMenu=False, invertY=True)
        view.disableAutoRange()
        axes = {"left": self.row_axis, "bottom": self.time_axis}
        super().__init__(parent, viewBox=view, axisItems=axes, enableMenu=False)
        self.view = view
        self.n_parcels = self.n_frames = 0
        self.cursor: int | None = None
        self.brush: Brush | None = None
        self._order: Array = np.zeros(0, int)
        self._row_of: dict[int, int] = {}
        self._selected: tuple[int, ...] = ()
        self._press: QPointF | None = None
        self._last = QPointF()
        self._dragged = self._scrubbing = False
        self.hideButtons()
        self.setFrameShape(pg.QtWidgets.QFrame.Shape.NoFrame)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setMinimumSize(200, 96)
        self.plotItem.setContentsMargins(2, 4, 8, 2)
        view.sigXRangeChanged.connect(self._time_moved)

    def _time_moved(self, _view: object, span: tuple[float, float]) -> None:
        self.time_range_changed.emit(float(span[0]), float(span[1]))

    def rows(self) -> Array:
        """Parcel of each row on show, from the top."""
        return self._order

    @property
    def selected(self) -> tuple[int, ...]:
        """Parcels that are highlighted."""
        return self._selected

    def row_of(self, parcel: int) -> int | None:
        """Row of a parcel, None when it is not shown."""
        return self._row_of.get(parcel)

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

    # ---------------------------------------------------------------- mouse and keyboard

    def place_of(self, point: QPointF) -> QPointF:
        """Return frame and row under a point of the widget."""
        return QPointF(self.view.mapSceneToView(self.mapToScene(point.toPoint())))

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Start of a click or a drag; a press below the plot scrubs time."""
        if self.brush is not None and self.brush.press(event):
            event.accept()
            return
        self._press = self._last = event.position()
        self._dragged = False
        area = self.view.sceneBoundingRect()
        self._scrubbing = event.position().y() > area.bottom() and event.position().x() >= area.left()
        if self._scrubbing:
            self._ask_frame(event.position())
        event.accept()

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Scrub or move."""
        if self.brush is not None and self.brush.move(event):
            return
        if self._press is None:
            return
        if self._scrubbing:
            self._ask_frame(event.position())
            return
        if not self._dragged and (event.position() - self._press).manhattanLength() < 4:
            return
        self._dragged = True
        here, before = self.place_of(event.position()), self.place_of(self._last)
        self._last = event.position()
        self.scroll(before.x() - here.x(), before.y() - here.y())

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        """A press without a drag sets the time and chooses the row."""
        if self.brush is not None and self.brush.release():
            return
        pressed, self._press = self._press, None
        if pressed is None or self._dragged or self._scrubbing or event.button() != Qt.MouseButton.LeftButton:
            return
        row = int(self.place_of(event.position()).y())
        rows = self.rows()
        if event.position().x() >= self.view.sceneBoundingRect().left():
            self._ask_frame(event.position())
        if 0 <= row < len(rows):
            self.parcel_clicked.emit(int(rows[row]))

    def _ask_frame(self, point: QPointF) -> None:
        frame = round(self.place_of(point).x())
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
            self.zoom(rows=1.2**steps, centre=self.place_of(event.position()))
        elif keys & modifier.ControlModifier:
            self.zoom(time=1.2**steps, centre=self.place_of(event.position()))
        elif keys & modifier.ShiftModifier or (delta.x() and not delta.y()):
            self.scroll(-steps * (x1 - x0) * 0.1, 0)
        else:
            self.scroll(0, -steps * max(1.0, (y1 - y0) * 0.1))
        event.accept()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """See the module."""
        if self.brush is not None and self.brush.key(event):
            return
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
