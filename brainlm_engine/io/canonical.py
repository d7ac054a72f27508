"""Axis order. Everything outside this folder sees RAS+ (x to the right, y to the front, z up); files keep their own."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import nibabel.orientations as nio
import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Canonical:
    """How a file's voxel axes map to RAS+.

    Attributes
    ----------
    file_shape : (a, b, c) voxels along the file's axes, the first one fastest
    perm : file axis that becomes x, y, z
    flip : per file axis, True when it runs against RAS+
    shape : (x, y, z) voxels in RAS+ order
    affine : (4, 4) float64, RAS+ voxel to mm
    """

    file_shape: tuple[int, int, int]
    perm: tuple[int, int, int]
    flip: tuple[bool, bool, bool]
    shape: tuple[int, int, int]
    affine: NDArray[np.float64]

    @classmethod
    def of(cls, file_shape: tuple[int, int, int], affine: NDArray[np.float64]) -> Canonical:
        """Work out the mapping for a file with this shape and voxel-to-mm ``affine``."""
        orientation = nio.io_orientation(affine)
        order = np.argsort(orientation[:, 0])
        perm = (int(order[0]), int(order[1]), int(order[2]))
        flip = (bool(orientation[0, 1] < 0), bool(orientation[1, 1] < 0), bool(orientation[2, 1] < 0))
        shape = (file_shape[perm[0]], file_shape[perm[1]], file_shape[perm[2]])
        return cls(file_shape, perm, flip, shape, affine @ nio.inv_ornt_aff(orientation, file_shape))

    def view(self, voxels: NDArray[Any]) -> NDArray[Any]:
        """Return one frame ``(voxels,)`` in file order as an ``(x, y, z)`` view; no copy."""
        frame = voxels.reshape(self.file_shape, order="F")
        flips = tuple(slice(None, None, -1) if flipped else slice(None) for flipped in self.flip)
        return frame[flips].transpose(self.perm)

    def to_file_order(self, volume: NDArray[Any]) -> NDArray[Any]:
        """Return an RAS+ ``(x, y, z)`` volume as ``(voxels,)`` in the file's order."""
        back = tuple(int(axis) for axis in np.argsort(self.perm))
        flips = tuple(slice(None, None, -1) if flipped else slice(None) for flipped in self.flip)
        return np.ascontiguousarray(volume.transpose(back)[flips].ravel(order="F"))

    def index(self, ijk: tuple[int, int, int]) -> int:
        """Return the position in file order of the RAS+ voxel ``ijk``."""
        position = [0, 0, 0]
        for value, axis in zip(ijk, self.perm, strict=True):
            position[axis] = self.file_shape[axis] - 1 - value if self.flip[axis] else value
        return position[0] + self.file_shape[0] * (position[1] + self.file_shape[1] * position[2])
