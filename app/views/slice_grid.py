"""A scan's voxel grid: from MNI millimetres to voxels and back, and how the three slices lie on the screen."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]

#: name, axis across the screen, axis up the screen, axis through the slices
PLANES: tuple[tuple[str, int, int, int], ...] = (("sagittal", 1, 2, 0), ("coronal", 0, 2, 1), ("axial", 0, 1, 2))
#: letters at the low and high end of each axis of a canonical (RAS+) grid
DARK_SHARE = 0.15
"""of the way from black to white: darker is the air around a head"""
LETTERS: tuple[tuple[str, str], ...] = (("L", "R"), ("P", "A"), ("I", "S"))


@dataclass(frozen=True)
class Grid:
    """A voxel grid in canonical axis order; its axes may be oblique to the scanner's.

    Attributes
    ----------
    shape : voxels along x, y, z
    affine : (4, 4) float64, voxel to mm, RAS+
    dark : mm of dark voxels before the low and the high end of each axis; letters may stand there
    """

    shape: tuple[int, int, int]
    affine: Array
    dark: tuple[tuple[float, float], ...] = ((0.0, 0.0),) * 3

    @property
    def zooms(self) -> Array:
        """(3,) voxel size in mm along each axis."""
        return np.asarray(np.linalg.norm(self.affine[:3, :3], axis=0))

    @property
    def oblique_deg(self) -> float:
        """Largest angle between a voxel axis and the scanner axis it stands for."""
        cosines = np.abs(np.diag(self.affine[:3, :3])) / self.zooms
        return float(np.rad2deg(np.arccos(np.clip(cosines.min(), 0, 1))))

    def to_mm(self, ijk: Array) -> Array:
        """(3,) voxel position, fractions allowed, to mm."""
        return np.asarray(self.affine[:3, :3] @ np.asarray(ijk, float) + self.affine[:3, 3])

    def to_voxel(self, mm: Array) -> Array:
        """(3,) mm to voxel position, fractions kept."""
        offset = np.asarray(mm, float) - self.affine[:3, 3]
        return np.asarray(np.linalg.solve(self.affine[:3, :3], offset))

    def nearest(self, mm: Array) -> tuple[int, int, int]:
        """The voxel nearest to a place, the border voxel when it is outside."""
        i, j, k = np.clip(np.rint(self.to_voxel(mm)), 0, np.array(self.shape) - 1).astype(int)
        return int(i), int(j), int(k)

    def inside(self, mm: Array) -> bool:
        """Is the place within the grid?"""
        voxel = self.to_voxel(mm)
        return bool(((voxel >= -0.5) & (voxel <= np.array(self.shape) - 0.5)).all())


def dark_borders(volume: Array, lo: float, hi: float, affine: Array) -> tuple[tuple[float, float], ...]:
    """How many mm of ``volume (x, y, z)`` are dark at the low and high end of each axis, black being ``lo``.

    Every second voxel is looked at; a border narrower than that counts as none.
    """
    some = volume[::2, ::2, ::2]
    bright = some > lo + DARK_SHARE * (hi - lo)  # NaN is dark
    zooms = np.linalg.norm(affine[:3, :3], axis=0)
    borders = []
    for axis in range(3):
        filled = np.flatnonzero(bright.any(axis=tuple(a for a in range(3) if a != axis)))
        first, last = (int(filled[0]), int(filled[-1])) if filled.size else (0, some.shape[axis] - 1)
        low, high = 2 * first - 1, volume.shape[axis] - 2 * last - 2
        borders.append((float(max(low, 0) * zooms[axis]), float(max(high, 0) * zooms[axis])))
    return tuple(borders)


def largest_scale(fits: Callable[[float], bool], most: float = 100.0) -> float:
    """The largest number of pixels per mm at which everything fits; what fits at one scale fits at every smaller."""
    low, high = 0.01, most
    for _ in range(24):
        middle = (low + high) / 2
        low, high = (middle, high) if fits(middle) else (low, middle)
    return low


def plane_of(volume: Array, plane: int, ijk: tuple[int, int, int]) -> Array:
    """The slice of a volume through a voxel: sagittal (y, z), coronal (x, z) or axial (x, y)."""
    through = PLANES[plane][3]
    return np.asarray(np.take(volume, ijk[through], axis=through))


def border(region: Array) -> tuple[Array, Array]:
    """Edges of the pixels marked in ``region`` (a, b) bool, as x and y of point pairs in pixel units.

    Pixel (i, j) covers i - 0.5 .. i + 0.5; points 2k and 2k + 1 are one edge.
    """
    padded = np.pad(region.astype(np.int8), 1)
    i, j = np.nonzero(np.diff(padded, axis=0)[:, 1:-1])
    k, m = np.nonzero(np.diff(padded, axis=1)[1:-1, :])
    x = np.concatenate([np.stack([i - 0.5, i - 0.5], 1), np.stack([k - 0.5, k + 0.5], 1)]).ravel()
    y = np.concatenate([np.stack([j - 0.5, j + 0.5], 1), np.stack([m - 0.5, m - 0.5], 1)]).ravel()
    return x, y
