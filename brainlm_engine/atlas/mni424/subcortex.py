"""Where the deep grey nuclei of the left hemisphere lie: simple solids in MNI mm, cut to the grey-matter template.

Each structure is a chain of spheres (its course through the brain) or a sheared ellipsoid. The numbers were read off
the ICBM 2009a template; ``x`` is the distance from the midline. A voxel belongs to the structure in whose solid it lies
deepest.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Points = NDArray[np.float64]


@dataclass(frozen=True)
class Chain:
    """Spheres (x, y, z, radius) in mm, joined."""

    spheres: tuple[tuple[float, float, float, float], ...]

    def depth(self, xyz: Points) -> NDArray[np.float64]:
        """Return the distance from the chain's axis over its radius, (n,): below 1 is inside."""
        best = np.full(len(xyz), np.inf)
        for start, end in zip(self.spheres, self.spheres[1:], strict=False):
            for share in np.linspace(0, 1, 12):
                x, y, z, radius = (1 - share) * np.array(start) + share * np.array(end)
                best = np.minimum(best, np.linalg.norm(xyz - [x, y, z], axis=1) / radius)
        return best


@dataclass(frozen=True)
class Lens:
    """An ellipsoid (mm) whose x shifts with y and z: ``shear`` = (dx/dy, dx/dz)."""

    centre: tuple[float, float, float]
    radii: tuple[float, float, float]
    shear: tuple[float, float]

    def depth(self, xyz: Points) -> NDArray[np.float64]:
        """Return the normalised distance from the centre, (n,): below 1 is inside."""
        offset = xyz - np.array(self.centre)
        offset[:, 0] -= self.shear[0] * offset[:, 1] + self.shear[1] * offset[:, 2]
        return np.asarray(np.linalg.norm(offset / np.array(self.radii), axis=1))


@dataclass(frozen=True)
class Structure:
    """One nucleus: its solid, how grey a voxel must be, and into how many parcels it is cut."""

    name: str
    solid: Chain | Lens
    grey: float
    parcels: int


STRUCTURES = (
    Structure(
        "hippocampus",
        Chain(((22, -10, -22, 6), (26, -16, -19, 6.5), (29, -24, -14, 6), (30, -32, -7, 5.5), (26, -37, -1, 5))),
        0.40,
        3,
    ),
    Structure("amygdala", Lens((23, -4, -19), (7.5, 7, 7.5), (0, 0)), 0.35, 1),
    Structure("nucleus accumbens", Chain(((9, 11, -8, 5.5), (13, 11, -8, 4.5))), 0.40, 1),
    Structure(
        "caudate",
        Chain(
            ((9, 15, -1, 5.5), (11, 16, 6, 6.5), (13, 9, 13, 5.5), (14, 0, 18, 5), (16, -10, 20, 4), (18, -18, 20, 3.5))
        ),
        0.35,
        3,
    ),
    Structure("putamen", Lens((26, 2, 2), (7, 19, 12), (-0.27, 0.05)), 0.35, 4),
    Structure("pallidum", Lens((18.5, -4, -1), (5, 9.5, 7), (-0.38, 0.1)), 0.05, 1),
    Structure("thalamus", Chain(((6, -7, 7, 7), (9, -14, 8, 9), (12, -22, 8, 9.5), (16, -29, 6, 7.5))), 0.22, 5),
)


def nuclei(xyz: Points, grey: NDArray[np.float32]) -> NDArray[np.int8]:
    """Tell which structure each point of the left hemisphere belongs to.

    Parameters
    ----------
    xyz : (n, 3) MNI mm, x < 0
    grey : (n,) grey-matter probability

    Returns
    -------
    (n,) int8
        Index into :data:`STRUCTURES`, -1 = none.
    """
    folded = np.abs(xyz * [1, 0, 0]) + xyz * [0, 1, 1]
    depth = np.stack([item.solid.depth(folded.copy()) for item in STRUCTURES])
    allowed = np.stack([grey >= item.grey for item in STRUCTURES])
    depth[~allowed] = np.inf
    return np.where(depth.min(0) < 1, depth.argmin(0), -1).astype(np.int8)
