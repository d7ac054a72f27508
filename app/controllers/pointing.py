"""Crosshair, parcel and selection follow each other."""

from __future__ import annotations

import numpy as np

from app.controllers.display import parcel_at
from app.state import AppState
from app.text import tr


class Pointing:
    """Whatever a person points at, everything else goes there."""

    def __init__(self, state: AppState) -> None:
        self._state = state

    def point(self, x: float, y: float, z: float) -> None:
        """Move the crosshair to a place in mm and find the parcel there."""
        view = self._state.view
        mm = (float(x), float(y), float(z))
        grid = self._state.case.labels
        view.parcel = parcel_at(grid, mm) if grid is not None else -1
        view.crosshair_mm = mm

    def find(self) -> None:
        """Find the parcel at the crosshair anew: the atlas arrived."""
        grid, view = self._state.case.labels, self._state.view
        view.parcel = parcel_at(grid, view.crosshair_mm) if grid is not None else -1

    def pick(self, parcel: int) -> None:
        """Select one parcel and move the crosshair into it."""
        self.choose((parcel,) if parcel >= 0 else ())

    def choose(self, parcels: tuple[int, ...]) -> None:
        """Select parcels; the crosshair goes into the first."""
        state = self._state
        state.edits.set(tr("edit.select"), state.view, selected=tuple(int(p) for p in parcels))
        if parcels and parcels[0] != state.view.parcel:
            self._enter(int(parcels[0]))

    def clear(self) -> None:
        """Select nothing."""
        self._state.edits.set(tr("edit.select"), self._state.view, selected=())

    def _enter(self, parcel: int) -> None:
        """Go to the voxel of ``parcel`` nearest to its centre."""
        grid, atlas, view = self._state.case.labels, self._state.case.atlas, self._state.view
        if grid is None:
            if atlas is not None and np.isfinite(atlas.xyz[parcel]).all():
                x, y, z = (float(v) for v in atlas.xyz[parcel])
                view.crosshair_mm = (x, y, z)
            return
        voxels = np.argwhere(grid.labels == parcel + 1)
        if not len(voxels):
            return
        centre = voxels.mean(axis=0)
        nearest = voxels[((voxels - centre) ** 2).sum(axis=1).argmin()]
        x, y, z = (float(v) for v in (grid.affine @ np.array([*nearest, 1.0]))[:3])
        view.parcel = parcel
        view.crosshair_mm = (x, y, z)
