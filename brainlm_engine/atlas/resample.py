"""An atlas brought to the grid of a scan."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from brainlm_engine.atlas.parcellation import Atlas

_ROUNDING = 1e-4  # voxels; the noise of float32 affines must not decide a tie


def resample_labels(atlas: Atlas, shape3: tuple[int, int, int], affine: ArrayLike) -> NDArray[np.int16]:
    """Give each voxel of a scan the parcel whose atlas voxel holds its centre (nearest neighbour).

    Parameters
    ----------
    shape3 : the scan's grid
    affine : (4, 4), scan voxel to MNI mm

    Returns
    -------
    (x, y, z) int16
        0 = none, value i = parcel i - 1; nothing outside the atlas's grid.
    """
    to_atlas = np.asarray(np.linalg.inv(atlas.affine) @ np.asarray(affine, np.float64), np.float64)
    if _is_axis_aligned(to_atlas):
        return _aligned(atlas.labels, shape3, to_atlas)
    result = np.zeros(shape3, np.int16)
    plane = np.stack(np.meshgrid(np.arange(shape3[1]), np.arange(shape3[2]), indexing="ij"), -1).reshape(-1, 2)
    in_plane = plane @ to_atlas[:3, 1:3].T + to_atlas[:3, 3]
    limits = np.array(atlas.labels.shape)
    for i in range(shape3[0]):
        ijk = _nearest(in_plane + i * to_atlas[:3, 0])
        inside = ((ijk >= 0) & (ijk < limits)).all(1)
        row = np.zeros(len(ijk), np.int16)
        row[inside] = atlas.labels[tuple(ijk[inside].T)]
        result[i] = row.reshape(shape3[1:])
    return result


def _nearest(position: NDArray[np.float64]) -> NDArray[np.int64]:
    """Return the index of the nearest voxel; exactly between two, the upper one."""
    return np.floor(position + 0.5 + _ROUNDING).astype(np.int64)


def _is_axis_aligned(matrix: NDArray[np.float64]) -> bool:
    """True when each scan axis runs along one atlas axis (within a tenth of a voxel over 1000 voxels)."""
    used = np.abs(matrix[:3, :3]) > 1e-4
    return bool((used.sum(0) == 1).all() and (used.sum(1) == 1).all())


def _aligned(labels: NDArray[np.int16], shape3: tuple[int, int, int], matrix: NDArray[np.float64]) -> NDArray[np.int16]:
    """Look up one index per axis instead of one per voxel."""
    atlas_axis = np.abs(matrix[:3, :3]).argmax(0)
    indices, inside = [], []
    for scan_axis, size in enumerate(shape3):
        axis = atlas_axis[scan_axis]
        index = _nearest(matrix[axis, scan_axis] * np.arange(size) + matrix[axis, 3])
        inside.append((index >= 0) & (index < labels.shape[axis]))
        indices.append(np.clip(index, 0, labels.shape[axis] - 1))
    turned = labels.transpose(atlas_axis)  # its axes now run along the scan's
    found = turned[np.ix_(*indices)]
    found[~(inside[0][:, None, None] & inside[1][:, None] & inside[2])] = 0
    return np.ascontiguousarray(found, np.int16)
