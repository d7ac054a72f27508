"""The brain of the MNI152 template."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from brainlm_engine.atlas.storage import read_nifti_bytes
from brainlm_engine.paths import resources_dir

MASK = "brain_mask.nii.gz"


@lru_cache(maxsize=1)
def mni_brain_mask() -> tuple[NDArray[np.bool_], NDArray[np.float64]]:
    """Return which voxels of the 2 mm grid lie in the brain.

    Returns
    -------
    mask : (91, 109, 91) bool, RAS+
    affine : (4, 4) float64, voxel to MNI mm
    """
    data, affine = read_nifti_bytes((resources_dir() / "atlas" / "mni424" / MASK).read_bytes())
    mask = data > 0
    mask.setflags(write=False)
    return mask, affine
