"""Painting a mask by hand: drag over patches of the traces or the carpet, or press Space.

The patch where a drag begins decides: when it was visible, the patches under the drag are hidden, else they are shown.
Space does the same to the patch at the time cursor in the selected rows; Escape gives a drag up.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QObject, QPointF, Qt, Signal
from PySide6.QtGui import QKeyEvent, QMouseEvent

from app.views.time_plot import TimePlot

Array = NDArray[Any]
Spot = tuple[int, int]


class MaskBrush(QObject):
    """Listens to one plot while a mask is painted; emits ``painted(mask)``, (parcels, patches) bool, after a stroke."""

    painted = Signal(object)

    def __init__(self, plot: TimePlot) -> None:
        super().__init__(plot)
        self._plot = plot
        self._mask: Array | None = None
        self._patch_frames = 1
        self._stroke: Array | None = None
        self._hide, self._last = True, (-1, -1)
        plot.brush = self

    @property
    def active(self) -> bool:
        """True while the plot can be painted on."""
        return self._mask is not None

    def set_canvas(self, mask: Array | None, patch_frames: int = 1) -> None:
        """Paint on ``mask (parcels, patches)`` from now on; None = the plot is moved and clicked as ever."""
        self._mask, self._patch_frames, self._stroke = mask, max(1, patch_frames), None
        cursor = Qt.CursorShape.CrossCursor if mask is not None else Qt.CursorShape.ArrowCursor
        self._plot.viewport().setCursor(cursor)

    def toggle(self, parcels: tuple[int, ...], frame: int) -> None:
        """Hide the patch at ``frame`` in these parcels, or show it when it is hidden in the first."""
        patch = frame // self._patch_frames
        if self._mask is None or not parcels or not 0 <= patch < self._mask.shape[1]:
            return
        mask = self._mask.copy()
        inside = [parcel for parcel in parcels if 0 <= parcel < len(mask)]
        mask[inside, patch] = not mask[inside[0], patch] if inside else False
        self.painted.emit(mask)

    def press(self, event: QMouseEvent) -> bool:
        """Begin a stroke; False when the press is not for the brush: beside the patches, or nothing is painted."""
        spot = self._spot(event.position())
        if event.button() != Qt.MouseButton.LeftButton or spot is None or self._mask is None:
            return False
        self._stroke = self._mask.copy()
        self._hide, self._last = not self._mask[spot], spot
        self._go_on(spot)
        return True

    def move(self, event: QMouseEvent) -> bool:
        """Go on with the stroke; False when there is none."""
        if self._stroke is None:
            return False
        self._go_on(self._spot(event.position()))
        return True

    def release(self) -> bool:
        """End the stroke; False when there is none."""
        stroke, self._stroke = self._stroke, None
        if stroke is not None:
            self.painted.emit(stroke)
        return stroke is not None

    def key(self, event: QKeyEvent) -> bool:
        """Paint with Space, give a stroke up with Escape; False for other keys."""
        key = Qt.Key(event.key())
        if self._mask is not None and key == Qt.Key.Key_Space and not event.modifiers():
            self.toggle(self._plot.selected, self._plot.cursor or 0)
            return True
        if key == Qt.Key.Key_Escape and self._stroke is not None:
            self._stroke = None
            self._plot.set_shaded(self._mask, 0, self._patch_frames)
            return True
        return False

    def _go_on(self, spot: Spot | None) -> None:
        """Paint from the last patch to this one, so that a quick drag leaves no gaps."""
        if spot is None or self._stroke is None:
            return
        rows, row_of = self._plot.rows(), self._plot.row_of
        first, last = row_of(self._last[0]) or 0, row_of(spot[0]) or 0
        steps = max(abs(last - first), abs(spot[1] - self._last[1]), 1)
        along = np.round(np.linspace(first, last, steps + 1)).astype(int)
        patches = np.round(np.linspace(self._last[1], spot[1], steps + 1)).astype(int)
        self._stroke[rows[along], patches] = self._hide
        self._last = spot
        self._plot.set_shaded(self._stroke, 0, self._patch_frames)

    def _spot(self, point: QPointF) -> Spot | None:
        """Return parcel and patch under a point, None beside the patches."""
        if not self._plot.view.sceneBoundingRect().contains(point) or self._mask is None:
            return None
        place, rows = self._plot.place_of(point), self._plot.rows()
        row, patch = int(place.y()), int((place.x() + 0.5) // self._patch_frames)
        if not (0 <= row < len(rows) and 0 <= patch < self._mask.shape[1]):
            return None
        return int(rows[row]), patch
