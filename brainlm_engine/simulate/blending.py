"""How much of each parcel's time course a voxel follows: all of it inside, a mixture near borders, little outside."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from scipy.sparse import csr_array

#: Half width of the mixing across borders, mm.
BLEND_MM = 2.0
#: What is left over (white matter, fluid) follows the mean of all parcels this much.
_OUTSIDE = 0.3
_LEAST = 0.01


def blend_weights(labels: NDArray[np.int16], zoom_mm: float, voxels: NDArray[np.intp], n_parcels: int) -> csr_array:
    """Return weights (voxels, parcels + 1) float32; the last column is for the mean of all parcels.

    Parameters
    ----------
    labels
        (x, y, z) int16 on the scan's grid, value i = parcel i - 1.
    zoom_mm
        Edge of a voxel.
    voxels
        Flat indices of the wanted voxels, x running fastest, ascending.
    n_parcels
        Parcels of the atlas, also those without a voxel here.
    """
    from scipy.ndimage import find_objects, gaussian_filter
    from scipy.sparse import csr_array

    shape = labels.shape
    row_of = np.full(labels.size, -1, np.int64)
    row_of[voxels] = np.arange(len(voxels))
    rows, columns, values = [], [], []
    sigma = BLEND_MM / zoom_mm
    margin = int(np.ceil(3 * sigma))
    boxes: list[tuple[slice, ...] | None] = list(find_objects(labels, n_parcels))
    for parcel, box in enumerate(boxes):
        if box is None:
            continue
        low = [max(side.start - margin, 0) for side in box]
        high = [min(side.stop + margin, size) for side, size in zip(box, shape, strict=True)]
        window = tuple(slice(a, b) for a, b in zip(low, high, strict=True))
        smooth = gaussian_filter((labels[window] == parcel + 1).astype(np.float32), sigma, mode="constant", truncate=3)
        i, j, k = np.nonzero(smooth > _LEAST)
        row = row_of[(i + low[0]) + shape[0] * ((j + low[1]) + shape[1] * (k + low[2]))]
        wanted = row >= 0
        rows.append(row[wanted])
        columns.append(np.full(int(wanted.sum()), parcel))
        values.append(smooth[i, j, k][wanted])
    row, value = np.concatenate(rows), np.concatenate(values)
    rest = _OUTSIDE * np.clip(1 - np.bincount(row, value, len(voxels)), 0, 1).astype(np.float32)
    row = np.concatenate([row, np.arange(len(voxels))])
    column = np.concatenate([*columns, np.full(len(voxels), n_parcels)])
    return csr_array((np.concatenate([value, rest]), (row, column)), shape=(len(voxels), n_parcels + 1))
