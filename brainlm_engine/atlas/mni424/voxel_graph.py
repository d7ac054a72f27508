"""A graph of neighbouring voxels whose edges cost more where they would jump across a sulcus."""

from __future__ import annotations

from itertools import product

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix
from scipy.sparse.csgraph import dijkstra
from scipy.spatial import cKDTree

from brainlm_engine.atlas.mni_grid import SHAPE
from brainlm_engine.atlas.surfaces import adjacency, load_mesh, medial_wall

_DETOUR_LIMIT_MM = 14.0
_DETOUR_FREE_MM = 4.0
_DETOUR_COST = 2.5
_OFFSETS = tuple(offset for offset in product((-1, 0, 1), repeat=3) if offset > (0, 0, 0))


def voxel_graph(mask: NDArray[np.bool_], xyz: NDArray[np.float64], on_left_cortex: bool) -> csr_matrix:
    """Join each voxel to its 26 neighbours.

    Parameters
    ----------
    mask : (91, 109, 91), the voxels (n of them, in C order)
    xyz : (n, 3) MNI mm of these voxels
    on_left_cortex : add what the way along the cortical sheet is longer than the straight one

    Returns
    -------
    csr_matrix
        (n, n) symmetric, cost in mm.
    """
    voxels = np.argwhere(mask)
    number = np.full(SHAPE, -1)
    number[mask] = np.arange(len(voxels))
    detour = _CorticalDetour(xyz) if on_left_cortex else None
    rows, columns, costs = [], [], []
    for offset in _OFFSETS:
        beside = voxels + offset
        inside = ((beside >= 0) & (beside < SHAPE)).all(1)
        there = np.full(len(voxels), -1)
        there[inside] = number[tuple(beside[inside].T)]
        here = np.flatnonzero(there >= 0)
        there = there[here]
        length = 2.0 * float(np.linalg.norm(offset))
        cost = np.full(len(here), length)
        if detour is not None:
            cost += _DETOUR_COST * np.maximum(detour.between(here, there) - length - _DETOUR_FREE_MM, 0)
        rows.append(here)
        columns.append(there)
        costs.append(cost)
    row, column, cost = (np.concatenate(parts) for parts in (rows, columns, costs))
    both = (np.r_[row, column], np.r_[column, row])
    return csr_matrix((np.r_[cost, cost], both), shape=(len(voxels), len(voxels)))


class _CorticalDetour:
    """How far apart two voxels are along the left cortical sheet."""

    def __init__(self, xyz: NDArray[np.float64]) -> None:
        pial, faces = load_mesh("pial", "left")
        middle = (pial.astype(np.float64) + load_mesh("white", "left")[0]) / 2
        cortex = np.flatnonzero(~medial_wall("left"))
        nearest = cortex[cKDTree(middle[cortex]).query(xyz)[1]]
        edges = adjacency(faces).tocoo()
        lengths = np.linalg.norm(middle[edges.row] - middle[edges.col], axis=1)
        mesh = csr_matrix((lengths, (edges.row, edges.col)), shape=edges.shape)
        used, self._place = np.unique(nearest, return_inverse=True)
        distance = dijkstra(mesh, indices=used, limit=_DETOUR_LIMIT_MM)[:, used]
        self._distance = np.where(np.isfinite(distance), distance, _DETOUR_LIMIT_MM).astype(np.float32)

    def between(self, here: NDArray[np.int64], there: NDArray[np.int64]) -> NDArray[np.float64]:
        """Return the distance (mm) between pairs of voxels, at most 14 mm."""
        return self._distance[self._place[here], self._place[there]].astype(np.float64)
