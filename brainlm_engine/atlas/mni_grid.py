"""The 2 mm MNI152 grid the project's own atlas lives on: 91 x 109 x 91 voxels, RAS+, symmetric about x = 0."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

SHAPE = (91, 109, 91)
AFFINE = np.array([[2.0, 0, 0, -90], [0, 2, 0, -126], [0, 0, 2, -72], [0, 0, 0, 1]])


def millimetres() -> NDArray[np.float64]:
    """Return the position of every voxel centre, (91, 109, 91, 3), MNI mm."""
    axes = [AFFINE[axis, 3] + 2.0 * np.arange(SHAPE[axis]) for axis in range(3)]
    return np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1)
