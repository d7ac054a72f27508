"""Atlases: the list, one with its arrays, one on a scan's grid, and the surfaces they are shown on."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from brainlm_engine.api.messages import AtlasInfo, AtlasList, Reply, SurfaceInfo
from brainlm_engine.server.operations.scans import volume_scan
from brainlm_engine.server.warm import Warm


def atlases(warm: Warm) -> AtlasList:
    """List the atlases."""
    from brainlm_engine.atlas import list_atlases

    return AtlasList(atlases=tuple(list_atlases()))


def atlas(warm: Warm, atlas_id: str) -> Reply[AtlasInfo]:
    """Return one atlas with its arrays (:data:`brainlm_engine.api.messages.ATLAS_ARRAYS`)."""
    from brainlm_engine.atlas import load_atlas

    found = load_atlas(atlas_id)
    arrays: dict[str, NDArray[Any]] = {
        "xyz": found.xyz,
        "labels": found.labels,
        "labels_affine": np.asarray(found.affine),
        "surface_left": found.surface_left,
        "surface_right": found.surface_right,
    }
    return Reply(found.info(), arrays)


def atlas_on_scan(warm: Warm, scan_id: str, atlas_id: str) -> Reply[AtlasInfo]:
    """Return an atlas on a scan's grid: array ``labels (x, y, z)`` int16, 0 = none, value-1 = parcel."""
    from brainlm_engine.atlas import load_atlas, resample_labels

    scan, found = volume_scan(warm, scan_id), load_atlas(atlas_id)
    labels = warm.atlases_on_scans.get_or_make(
        (scan_id, atlas_id, id(found)), lambda: resample_labels(found, scan.shape4[:3], scan.affine)
    )
    return Reply(found.info(), {"labels": labels})


def surfaces(warm: Warm) -> Reply[SurfaceInfo]:
    """Return the fsaverage5 meshes."""
    from brainlm_engine.atlas import load_surfaces

    return Reply(SurfaceInfo(), load_surfaces())
