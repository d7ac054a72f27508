"""Atlases and brain surfaces, fetched once from the engine and kept."""

from __future__ import annotations

import asyncio

import numpy as np

from app.services.engine import EngineService
from app.state.data import Array, Atlas
from brainlm_engine.api.messages import AtlasInfo

REACH_MM = 12.0


class Shelf:
    """Atlases by id and the fsaverage5 surfaces."""

    def __init__(self, engine: EngineService) -> None:
        self._engine = engine
        self._atlases: dict[str, Atlas] = {}
        self._surfaces: dict[str, Array] = {}
        self._lock = asyncio.Lock()

    async def surfaces(self) -> dict[str, Array]:
        """Return the arrays of :class:`brainlm_engine.api.messages.SurfaceInfo`."""
        async with self._lock:
            if not self._surfaces:
                self._surfaces = dict((await self._engine.client.surfaces()).arrays)
            return self._surfaces

    async def atlas(self, atlas_id: str) -> Atlas:
        """Return one atlas with its arrays."""
        async with self._lock:
            if atlas_id not in self._atlases:
                reply = await self._engine.client.atlas(atlas_id)
                arrays = reply.arrays
                self._atlases[atlas_id] = Atlas(
                    info=reply.message,
                    xyz=arrays["xyz"],
                    labels=arrays["labels"],
                    labels_affine=np.asarray(arrays["labels_affine"], np.float64),
                    surface_left=arrays["surface_left"],
                    surface_right=arrays["surface_right"],
                )
            return self._atlases[atlas_id]

    async def atlas_of_positions(self, xyz: Array, names: tuple[str, ...], base_id: str) -> Atlas:
        """Return places to draw for regions of which only positions are known.

        Each voxel of the template brain and each vertex takes the nearest position within :data:`REACH_MM`.

        Parameters
        ----------
        xyz : (parcels, 3) MNI mm, NaN where unknown
        names : per parcel, or empty
        base_id : the atlas whose brain is drawn on
        """
        base, surfaces = await self.atlas(base_id), await self.surfaces()
        return await asyncio.to_thread(_drawn, xyz, names, base, surfaces)


def _drawn(xyz: Array, names: tuple[str, ...], base: Atlas, surfaces: dict[str, Array]) -> Atlas:
    step = 2
    labels = np.zeros_like(base.labels)
    coarse = np.argwhere(base.labels[::step, ::step, ::step] > 0) * step
    mm = coarse @ base.labels_affine[:3, :3].T + base.labels_affine[:3, 3]
    nearest = _nearest(mm.astype(np.float32), xyz) + 1
    small = np.zeros_like(base.labels[::step, ::step, ::step])
    small[tuple((coarse // step).T)] = nearest
    wide = small.repeat(step, 0).repeat(step, 1).repeat(step, 2)
    shape = base.labels.shape
    labels[:] = np.where(base.labels > 0, wide[: shape[0], : shape[1], : shape[2]], 0)
    parcels = xyz.shape[0]
    info = AtlasInfo(
        atlas_id="", title="Positions", n_parcels=parcels, names=names, structures=("cortex",) * parcels, own=False
    )
    return Atlas(
        info=info,
        xyz=xyz,
        labels=labels,
        labels_affine=base.labels_affine,
        surface_left=_nearest(surfaces["pial_left_vertices"], xyz),
        surface_right=_nearest(surfaces["pial_right_vertices"], xyz),
    )


def _nearest(points: Array, xyz: Array, rows: int = 4096) -> Array:
    """Index of the nearest position of each point, -1 when none is within reach. ``points`` (n, 3) mm."""
    places = np.where(np.isnan(xyz), 1e6, xyz).astype(np.float32)
    found = np.empty(len(points), np.int16)
    squares = (places**2).sum(axis=1)
    for start in range(0, len(points), rows):
        part = points[start : start + rows].astype(np.float32)
        distance = squares - 2.0 * part @ places.T + (part**2).sum(axis=1, keepdims=True)
        best = distance.argmin(axis=1)
        near = distance[np.arange(len(part)), best] <= REACH_MM**2
        found[start : start + rows] = np.where(near, best, -1)
    return found
