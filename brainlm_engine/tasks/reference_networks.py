"""Which of the seven reference networks each parcel of a recording belongs to, whatever the atlas."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from brainlm_engine.api.errors import BadInput
from brainlm_engine.atlas.nearest_network import NETWORKS as ALL_NETWORKS
from brainlm_engine.atlas.registry import DEFAULT_ATLAS, atlas_folder, load_atlas
from brainlm_engine.recording import Recording

NETWORKS = ALL_NETWORKS[:7]
_LEAST = 1 / 3  # of a parcel's voxels, in its network
_RADIUS_MM = 6.0  # of the ball that stands for a parcel of which only the position is known


@dataclass(frozen=True)
class Reference:
    """Reference labels of an atlas.

    Attributes
    ----------
    labels : (parcels,) number in ``NETWORKS``, -1 = none: below the cortex, or no network has a third of the parcel
    coverage : (parcels,) 0..1, share of the parcel inside its network; 1 where the atlas itself names the network
    how : where the labels come from, in words
    """

    labels: NDArray[np.intp]
    coverage: NDArray[np.float32]
    how: str


def reference_networks(recording: Recording) -> Reference:
    """Take the labels of the recording's atlas, else the overlap of its parcels with the networks of MNI-424.

    Raises
    ------
    BadInput
        When no parcel has a network.
    """
    named = [NETWORKS.index(name) if name in NETWORKS else -1 for name in recording.networks]
    if any(label >= 0 for label in named):
        labels = np.array(named, np.intp)
        found = Reference(labels, (labels >= 0).astype(np.float32), "the atlas names each parcel's network")
    elif recording.atlas_id and atlas_folder(recording.atlas_id) is not None:
        found = _of_atlas(recording.atlas_id)
    else:
        found = _of_places(recording.xyz)
    if (found.labels >= 0).sum() < 2 or len(found.labels) != recording.n_parcels:
        raise BadInput(
            f"No parcel of {recording.name or 'the recording'} lies in one of the seven reference networks.",
            "Check the positions of the parcels: they must be MNI millimetres.",
        )
    return found


@lru_cache(maxsize=1)
def _volume() -> tuple[NDArray[np.intp], NDArray[np.float64]]:
    """Return the network of every voxel, -1 = none, and millimetres to voxel."""
    atlas = load_atlas(DEFAULT_ATLAS)
    of_label = np.array([-1, *(NETWORKS.index(name) if name in NETWORKS else -1 for name in atlas.networks)], np.intp)
    return of_label[atlas.labels], np.asarray(np.linalg.inv(atlas.affine), np.float64)


def _at(points: NDArray[np.floating]) -> NDArray[np.intp]:
    """Return the network at (n, 3) MNI mm, -1 = none."""
    volume, to_voxel = _volume()
    index = np.rint(points @ to_voxel[:3, :3].T + to_voxel[:3, 3]).astype(int)
    inside = ((index >= 0) & (index < volume.shape)).all(1)
    found = np.full(len(points), -1, np.intp)
    found[inside] = volume[tuple(index[inside].T)]
    return found


def _of_atlas(atlas_id: str) -> Reference:
    atlas = load_atlas(atlas_id)
    voxels = np.argwhere(atlas.labels > 0)
    parcel = atlas.labels[tuple(voxels.T)].astype(int) - 1
    network = _at(voxels @ atlas.affine[:3, :3].T + atlas.affine[:3, 3])
    return _voted(parcel, network, atlas.n_parcels, "overlap of the parcels with the networks of MNI-424")


def _of_places(xyz: NDArray[np.float32]) -> Reference:
    steps = np.arange(-_RADIUS_MM, _RADIUS_MM + 1, 2.0)
    ball = np.stack(np.meshgrid(steps, steps, steps), -1).reshape(-1, 3)
    ball = ball[np.linalg.norm(ball, axis=1) <= _RADIUS_MM]
    known = np.flatnonzero(np.isfinite(xyz).all(1))
    network = _at((xyz[known, None] + ball).reshape(-1, 3))
    how = f"networks of MNI-424 within {_RADIUS_MM:g} mm of each position"
    return _voted(np.repeat(known, len(ball)), network, len(xyz), how)


def _voted(parcel: NDArray[np.int_], network: NDArray[np.intp], count: int, how: str) -> Reference:
    """``parcel``, ``network``: one entry per voxel."""
    votes = np.zeros((count, len(NETWORKS)))
    np.add.at(votes, (parcel[network >= 0], network[network >= 0]), 1)
    share = votes / np.maximum(np.bincount(parcel, minlength=count), 1)[:, None]
    labels, coverage = share.argmax(1), share.max(1)
    return Reference(np.where(coverage > _LEAST, labels, -1), coverage.astype(np.float32), how)
