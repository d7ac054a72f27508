"""What an atlas does not say itself, read off MNI-424 lying over it: structure, side and reference network."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from brainlm_engine.atlas.parcellation import Atlas

_REACH_MM = 6.0  # a voxel this far from MNI-424's nearest parcel still counts as lying in it
_ONE_SIDED = 0.8  # share of voxels on one side
STRUCTURES = ("cortex", "subcortex", "cerebellum")


@dataclass(frozen=True)
class Derived:
    """Per parcel: structure and hemisphere ('' = unclear), network ('' = none) and the share (0..1) lying in it."""

    structures: tuple[str, ...]
    hemispheres: tuple[str, ...]
    networks: tuple[str, ...]
    shares: NDArray[np.float64]


def derive(labels: NDArray[np.int16], affine: NDArray[np.float64], reference: Atlas) -> Derived:
    """Compare a label volume (values 1..n) with the reference atlas.

    A parcel is cortical when most of its voxels lie in cortical parcels of the reference; its network is the one that
    covers the largest share of it.
    """
    n = int(labels.max())
    voxels = np.argwhere(labels > 0)
    parcel = labels[tuple(voxels.T)].astype(np.int64) - 1
    xyz = voxels @ affine[:3, :3].T + affine[:3, 3]
    met = _nearest_parcel(xyz, reference)
    sizes = np.maximum(np.bincount(parcel, minlength=n), 1)

    structure = _shares(parcel, _codes(reference.structures, STRUCTURES)[met], n, len(STRUCTURES)) / sizes[:, None]
    structures = tuple(STRUCTURES[row.argmax()] if row.sum() > 0.5 else "" for row in structure)

    left = np.bincount(parcel, weights=xyz[:, 0] < 0, minlength=n) / sizes
    hemispheres = tuple("L" if share >= _ONE_SIDED else "R" if share <= 1 - _ONE_SIDED else "" for share in left)

    known = reference.network_names
    network = _shares(parcel, _codes(reference.networks, known)[met], n, len(known)) / sizes[:, None]
    cortical = np.array([name == "cortex" for name in structures]) & (network.max(1) > 0)
    networks = tuple(known[row.argmax()] if yes else "" for row, yes in zip(network, cortical, strict=True))
    return Derived(structures, hemispheres, networks, np.where(cortical, network.max(1), 0.0))


def _codes(values: tuple[str, ...], known: tuple[str, ...]) -> NDArray[np.int64]:
    """Return the place of each parcel's value in ``known``; one more entry at the end (-1) for no parcel."""
    return np.array([known.index(value) if value in known else -1 for value in values] + [-1])


def _shares(parcel: NDArray[np.int64], code: NDArray[np.int64], n: int, k: int) -> NDArray[np.float64]:
    """Count the voxels of each parcel (n) in each class (k), (n, k); class -1 is left out."""
    counts = np.zeros((n, k))
    counted = code >= 0
    np.add.at(counts, (parcel[counted], code[counted]), 1)
    return counts


def _nearest_parcel(xyz: NDArray[np.float64], reference: Atlas) -> NDArray[np.int64]:
    """Return the reference's parcel at or near each point, -1 when there is none within reach."""
    from scipy.ndimage import distance_transform_edt

    zooms = np.linalg.norm(reference.affine[:3, :3], axis=0)
    distance, nearest = distance_transform_edt(reference.labels == 0, sampling=zooms, return_indices=True)
    filled = np.where(distance <= _REACH_MM, reference.labels[tuple(nearest)], 0).astype(np.int64) - 1
    to_voxel = np.linalg.inv(reference.affine)
    ijk = np.rint(xyz @ to_voxel[:3, :3].T + to_voxel[:3, 3]).astype(int)
    inside = ((ijk >= 0) & (ijk < filled.shape)).all(1)
    met = np.full(len(xyz), -1)
    met[inside] = filled[tuple(ijk[inside].T)]
    return met
