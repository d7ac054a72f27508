"""The reference network of each cortical parcel: a vote of the network points around its centroid.

Votes come from this project's own table and from two ROI sets nilearn brings along (Seitzman 2018, Dosenbach 2010)
whose networks are translated into the seven; points of both hemispheres count for both, so a parcel and its mirror
image agree.
"""

from __future__ import annotations

import csv

import numpy as np
from numpy.typing import NDArray

from brainlm_engine.atlas.mni424.tables import network_points
from brainlm_engine.atlas.surfaces import bundled_folder

NETWORK_NAMES = (
    "Visual", "Somatomotor", "DorsalAttention", "SalienceVentralAttention", "Limbic", "Frontoparietal", "Default",
)  # fmt: skip

_REACH_MM = 9.0
_OWN_WEIGHT, _SEITZMAN_WEIGHT, _DOSENBACH_WEIGHT = 1.5, 1.0, 0.5
_SEITZMAN = {
    "Visual": "Visual", "SomatomotorDorsal": "Somatomotor", "SomatomotorLateral": "Somatomotor",
    "Auditory": "Somatomotor", "DorsalAttention": "DorsalAttention", "CinguloOpercular": "SalienceVentralAttention",
    "Salience": "SalienceVentralAttention", "Reward": "Limbic", "FrontoParietal": "Frontoparietal",
    "ParietoMedial": "Frontoparietal", "DefaultMode": "Default", "VentralAttention": "Default",
    "MedialTemporalLobe": "Default",
}  # fmt: skip
_DOSENBACH = {
    "default": "Default", "fronto-parietal": "Frontoparietal", "sensorimotor": "Somatomotor", "occipital": "Visual",
    "cingulo-opercular": "SalienceVentralAttention",
}  # fmt: skip

Points = NDArray[np.float64]


def reference_networks(centroids: Points) -> list[str]:
    """Return the network of each cortical parcel.

    Parameters
    ----------
    centroids : (parcels, 3) MNI mm
    """
    points, network, weight = _voters()
    folded = np.abs(centroids * [1, 0, 0]) + centroids * [0, 1, 1]
    distance = np.linalg.norm(folded[:, None] - points, axis=2)
    # the small second term decides where no point is within reach
    strength = weight * (np.exp(-0.5 * (distance / _REACH_MM) ** 2) + 1e-9 / (1 + distance))
    votes = np.stack([strength[:, network == index].sum(1) for index in range(len(NETWORK_NAMES))], axis=1)
    return [NETWORK_NAMES[index] for index in votes.argmax(1)]


def _voters() -> tuple[Points, NDArray[np.int64], Points]:
    """Return positions (n, 3) folded to one hemisphere, network index (n,), weight (n,)."""
    rows = [(point, item.name, _OWN_WEIGHT) for item in network_points() for point in item.points]
    rows += [(point, name, _SEITZMAN_WEIGHT) for point, name in _seitzman()]
    rows += [(point, name, _DOSENBACH_WEIGHT) for point, name in _dosenbach()]
    points = np.array([point for point, _, _ in rows])
    points[:, 0] = np.abs(points[:, 0])
    names = np.array([NETWORK_NAMES.index(name) for _, name, _ in rows])
    return points, names, np.array([weight for _, _, weight in rows])


def _seitzman() -> list[tuple[Points, str]]:
    table = (bundled_folder() / "seitzman_2018_ROIs_300inVol_MNI_allInfo.txt").read_text().splitlines()[1:]
    places = (bundled_folder() / "seitzman_2018_ROIs_anatomicalLabels.txt").read_text().splitlines()[1:]
    found = []
    for line, place in zip(table, places, strict=True):
        x, y, z, _, _, name = line.split()
        if int(place) <= 2 and name in _SEITZMAN:  # 0, 1, 2: cortex
            found.append((np.array([float(x), float(y), float(z)]), _SEITZMAN[name]))
    return found


def _dosenbach() -> list[tuple[Points, str]]:
    found = []
    with (bundled_folder() / "dosenbach_2010.csv").open(newline="") as file:
        for row in csv.DictReader(file):
            deep = row["name"] in ("basal ganglia", "thalamus")
            if row["network"] in _DOSENBACH and not deep:
                found.append((np.array([float(row[axis]) for axis in "xyz"]), _DOSENBACH[row["network"]]))
    return found
