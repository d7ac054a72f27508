"""Parcels that a file holds only on a cortical surface, given voxels by the positions in a table.

The vertices of such a file are those of a mesh (fs_LR 32k) whose positions are not in the file, so the parcels' own
borders cannot be had. What a table gives is one point each: every voxel of the cortex goes to the nearest point of its
side, within reach.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from brainlm_engine.atlas.parcellation import Atlas
from brainlm_engine.atlas.resample import resample_labels

REACH_MM = 12.0  # the same as for regions of a table of which only positions are known


def placed_by_position(
    values: NDArray[np.int32],
    affine: NDArray[np.float64],
    sides: Mapping[int, str],
    positions: Mapping[int, tuple[float, float, float]],
    reference: Atlas,
) -> NDArray[np.int32]:
    """Fill the cortex with the parcels of ``sides``; voxels that have a label keep it.

    Parameters
    ----------
    values : (X, Y, Z) int32, labels that have voxels of their own; 0 = none
    affine : (4, 4), voxel to MNI mm
    sides : 'L' or 'R' for each label to be placed, '' when unknown
    positions : MNI mm for each label to be placed
    reference : an atlas whose cortical parcels say where the cortex is

    Returns
    -------
    (X, Y, Z) int32
        Every placed label has at least one voxel where the grid has a cortical voxel left for it.
    """
    from scipy.spatial import cKDTree

    cortical = np.array([False, *(structure == "cortex" for structure in reference.structures)])
    shape = (values.shape[0], values.shape[1], values.shape[2])
    free = np.argwhere(cortical[resample_labels(reference, shape, affine)] & (values == 0))
    mm = free @ affine[:3, :3].T + affine[:3, 3]
    filled = values.copy()
    for side, here in (("L", mm[:, 0] < 0), ("R", mm[:, 0] >= 0)):
        mine = np.array(
            [label for label in sides if (sides[label] or ("L" if positions[label][0] < 0 else "R")) == side], np.int32
        )
        voxels = free[here]
        if not len(mine) or not len(voxels):
            continue
        points = np.array([positions[int(label)] for label in mine])
        distance, nearest = cKDTree(points).query(mm[here], distance_upper_bound=REACH_MM)
        near = np.isfinite(distance)
        given = np.zeros(len(voxels), np.int32)
        given[near] = mine[np.asarray(nearest)[near]]
        tree = cKDTree(mm[here])
        for label, point in zip(mine, points, strict=True):
            if not (given == label).any():  # crowded out, or its point lies off the cortex: its nearest voxel
                given[int(tree.query(point)[1])] = label
        filled[tuple(voxels.T)] = given
    return filled
