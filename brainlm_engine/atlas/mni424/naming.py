"""Anatomical names: each parcel takes the gyrus or lobule most of its voxels are nearest to."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from brainlm_engine.atlas.mni424.tables import landmarks

_DIRECTIONS = (("medial", "lateral"), ("posterior", "anterior"), ("inferior", "superior"))


def regions(cell: NDArray[np.int64], xyz: NDArray[np.float64], structure: str) -> list[str]:
    """Return the region name of each cell of the left hemisphere.

    Parameters
    ----------
    cell : (n,) cell of each voxel
    xyz : (n, 3) MNI mm
    structure : 'cortex' or 'cerebellum'
    """
    known = landmarks(structure)
    points = np.vstack([item.points for item in known])
    owner = np.repeat(np.arange(len(known)), [len(item.points) for item in known])
    folded = np.abs(xyz * [1, 0, 0]) + xyz * [0, 1, 1]
    nearest = owner[cKDTree(points).query(folded)[1]]
    votes = np.zeros((int(cell.max()) + 1, len(known)), int)
    np.add.at(votes, (cell, nearest), 1)
    return [known[index].name for index in votes.argmax(1)]


def unique_names(region: list[str], centroids: NDArray[np.float64]) -> list[str]:
    """Tell the cells of one region apart: by direction up to three of them, by number along the region from four on.

    Directions and numbers follow the axis (medial-lateral, back-front, below-above) on which the cells differ most.

    Parameters
    ----------
    region : region of each cell (left hemisphere)
    centroids : (cells, 3) MNI mm
    """
    names = list(region)
    for name in dict.fromkeys(region):
        members = np.array([index for index, other in enumerate(region) if other == name])
        if len(members) == 1:
            continue
        places = np.abs(centroids[members] * [1, 0, 0]) + centroids[members] * [0, 1, 1]
        axis = int(np.ptp(places, axis=0).argmax())
        low, high = _DIRECTIONS[axis]
        order = members[np.argsort(places[:, axis], kind="stable")]
        words = {2: [low, high], 3: [low, "middle", high]}.get(len(order))
        for place, member in enumerate(order):
            names[member] = f"{name}, {words[place]}" if words else f"{name} {place + 1}"
    return names
