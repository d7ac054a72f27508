"""A volumetric parcellation seen on the cortical surface."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from brainlm_engine.atlas.surfaces import SIDES, Side, load_mesh, medial_wall

_DEPTHS = np.linspace(0.0, 1.0, 7)  # from white (0) to pial (1)
_FILL_MM = 5.0


def project_to_surface(
    labels: NDArray[np.int16],
    affine: NDArray[np.float64],
    structures: tuple[str, ...] = (),
    hemispheres: tuple[str, ...] = (),
) -> tuple[NDArray[np.int16], NDArray[np.int16]]:
    """Give each fsaverage5 vertex the parcel most often met on its way from the white to the pial surface.

    A vertex that meets none takes the nearest labelled voxel within 5 mm of its middle; the medial wall takes none.

    Parameters
    ----------
    labels : (X, Y, Z) int16, 0 = none, value i = parcel i - 1
    affine : (4, 4), voxel to MNI mm
    structures, hemispheres
        Per parcel, when known: only cortical parcels of the same side are taken.

    Returns
    -------
    left, right : (10242,) int16
        Parcel, -1 = none.
    """
    sides = []
    for side in SIDES:
        shown = _parcels_of(side, int(labels.max()), structures, hemispheres)
        kept = np.where(shown[labels], labels, 0).astype(np.int16)
        sides.append(_project(kept, affine, side))
    return sides[0], sides[1]


def _parcels_of(side: Side, n: int, structures: tuple[str, ...], hemispheres: tuple[str, ...]) -> NDArray[np.bool_]:
    """Tell for each label value 0..n whether it may appear on this side's cortex."""
    shown = np.ones(n + 1, bool)
    shown[0] = False
    for parcel in range(min(n, len(structures))):
        shown[parcel + 1] &= structures[parcel] in ("cortex", "")
    for parcel in range(min(n, len(hemispheres))):
        shown[parcel + 1] &= hemispheres[parcel] in (side[0].upper(), "")
    return shown


def _project(labels: NDArray[np.int16], affine: NDArray[np.float64], side: Side) -> NDArray[np.int16]:
    from scipy.spatial import cKDTree

    pial, white = load_mesh("pial", side)[0], load_mesh("white", side)[0]
    to_voxel = np.asarray(np.linalg.inv(affine), np.float64)
    met = np.stack([_label_at(labels, to_voxel, white + depth * (pial - white)) for depth in _DEPTHS])
    winner = _most_frequent(met)

    cortex = ~medial_wall(side)
    empty = np.flatnonzero((winner == 0) & cortex)
    voxels = np.argwhere(labels > 0)
    if len(empty) and len(voxels):
        places = voxels @ affine[:3, :3].T + affine[:3, 3]
        distance, nearest = cKDTree(places).query((pial[empty] + white[empty]) / 2)
        found = np.asarray(distance) <= _FILL_MM
        winner[empty[found]] = labels[tuple(voxels[np.asarray(nearest)[found]].T)]
    return np.where(cortex, winner - 1, -1).astype(np.int16)


def _label_at(labels: NDArray[np.int16], to_voxel: NDArray[np.float64], xyz: NDArray[np.float32]) -> NDArray[np.int16]:
    ijk = np.rint(xyz @ to_voxel[:3, :3].T + to_voxel[:3, 3]).astype(int)
    inside = ((ijk >= 0) & (ijk < labels.shape)).all(1)
    found = np.zeros(len(ijk), np.int16)
    found[inside] = labels[tuple(ijk[inside].T)]
    return found


def _most_frequent(met: NDArray[np.int16]) -> NDArray[np.int16]:
    """Return the value above 0 met most often along axis 0; the deepest of those that tie; 0 when there is none."""
    counts = np.where(met > 0, (met[None] == met[:, None]).sum(0), 0)
    winner: NDArray[np.int16] = np.take_along_axis(met, counts.argmax(0)[None], axis=0)[0]
    return winner
