"""What is told about MNI-424: title, licences, the command that made it, and how good it is."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import find_objects, label

from brainlm_engine.atlas.mni424.networks import NETWORK_NAMES
from brainlm_engine.atlas.mni424.parcels import N_CEREBELLUM, N_CORTEX, N_SUBCORTEX
from brainlm_engine.atlas.table import ParcelRow

COMMAND = "python -m brainlm_engine.atlas.build --out resources/atlas/mni424"

_DESCRIPTION = (
    f"424 parcels made by BrainLM Studio: {N_CORTEX} of cortex, {N_SUBCORTEX} of deep grey nuclei and {N_CEREBELLUM} "
    "of cerebellum in each hemisphere, the right ones mirror images of the left ones. It is not A424 and not Glasser's "
    "parcellation: its borders come from geometry (balanced geodesic k-means on the MNI152 grey-matter template), not "
    "from function. Names say which gyrus, nucleus or lobule a parcel is nearest to; the seven networks are votes of "
    "published network points around its centre. The plane x = 0 belongs to no parcel."
)
_SOURCES = {
    "MNI152 templates (ICBM 2009a nonlinear symmetric, as bundled with nilearn)": (
        "Copyright (C) 1993-2004 Louis Collins, McConnell Brain Imaging Centre, Montreal Neurological Institute, "
        "McGill University; permission to use, copy, modify and distribute with this notice"
    ),
    "fsaverage5 surfaces (FreeSurfer, as bundled with nilearn)": "FreeSurfer software licence",
    "Seitzman 2018 and Dosenbach 2010 regions of interest (as bundled with nilearn)": (
        "published coordinates, used as votes for networks"
    ),
}


def card_of(labels: NDArray[np.int16], rows: list[ParcelRow]) -> dict[str, Any]:
    """Return the card of the atlas, with its quality measured on the labels themselves."""
    return {
        "atlas_id": "mni424",
        "title": "MNI-424 (BrainLM Studio's own atlas)",
        "description": _DESCRIPTION,
        "own": True,
        "licence": "BSD-3-Clause (the labels)",
        "citation": "",
        "sources": _SOURCES,
        "command": COMMAND,
        "network_names": list(NETWORK_NAMES),
        "quality": _quality(labels, rows),
    }


def _quality(labels: NDArray[np.int16], rows: list[ParcelRow]) -> dict[str, Any]:
    by_structure = {}
    for structure in ("cortex", "subcortex", "cerebellum"):
        voxels = [row.voxels for row in rows if row.structure == structure]
        by_structure[structure] = {
            "parcels": len(voxels),
            "voxels_min": min(voxels),
            "voxels_median": int(np.median(voxels)),
            "voxels_max": max(voxels),
        }
    return {
        "parcels": len(rows),
        "voxel_size_mm": 2,
        "structures": by_structure,
        "parcels_per_network": {name: sum(row.network == name for row in rows) for name in NETWORK_NAMES},
        "left_right_symmetric": is_symmetric(labels, rows),
        "contiguous": all_contiguous(labels),
    }


def is_symmetric(labels: NDArray[np.int16], rows: list[ParcelRow]) -> bool:
    """Tell whether mirroring the volume exchanges each parcel with the one of the same name on the other side."""
    number = {row.name: row.index for row in rows}
    other = {"Left": "Right", "Right": "Left"}
    swap = np.zeros(len(rows) + 1, np.int16)
    for row in rows:
        word, _, rest = row.name.partition(" ")
        swap[row.index] = number[f"{other[word]} {rest}"]
    return bool(np.array_equal(swap[labels], labels[::-1]))


def all_contiguous(labels: NDArray[np.int16]) -> bool:
    """Tell whether the voxels of each parcel hang together (faces, edges or corners touching)."""
    boxes = find_objects(labels)
    return all(label(labels[box] == place + 1, np.ones((3, 3, 3)))[1] == 1 for place, box in enumerate(boxes))
