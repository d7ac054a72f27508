"""Which network of MNI-424 a place belongs to, whatever atlas the place is a parcel of."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from brainlm_engine.atlas.registry import DEFAULT_ATLAS, shipped_folder
from brainlm_engine.atlas.table import read_table

#: the seven reference networks of the cortex, and what lies below it
NETWORKS = (
    "Visual", "Somatomotor", "DorsalAttention", "SalienceVentralAttention", "Limbic", "Frontoparietal", "Default",
    "subcortex", "cerebellum",
)  # fmt: skip


def nearest_networks(xyz: NDArray[np.float32]) -> NDArray[np.intp]:
    """Return for each place the number in ``NETWORKS`` of the nearest parcel of MNI-424.

    Parameters
    ----------
    xyz : (parcels, 3) MNI mm

    Returns
    -------
    networks : (parcels,), -1 where the position is unknown
    """
    from scipy.spatial import cKDTree

    points, networks = _reference()
    known = np.isfinite(xyz).all(1)
    found = np.full(len(xyz), -1, np.intp)
    found[known] = networks[cKDTree(points).query(xyz[known])[1]]
    return found


@lru_cache(maxsize=1)
def _reference() -> tuple[NDArray[np.float64], NDArray[np.intp]]:
    rows = read_table(shipped_folder() / DEFAULT_ATLAS / "table.tsv")
    points = np.array([(row.x, row.y, row.z) for row in rows])
    return points, np.array([NETWORKS.index(row.network or row.structure) for row in rows], np.intp)
