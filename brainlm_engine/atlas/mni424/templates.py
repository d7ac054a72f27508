"""MNI152 templates (ICBM 2009a symmetric, 1 mm) brought to the 2 mm grid."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import affine_transform, binary_closing, binary_fill_holes, gaussian_filter, label

from brainlm_engine.atlas.mni_grid import AFFINE, SHAPE
from brainlm_engine.atlas.surfaces import bundled_folder

FILES = {kind: f"mni_icbm152_{kind}_tal_nlin_sym_09a_converted.nii.gz" for kind in ("gm", "wm", "t1")}
_ANTI_ALIAS_SIGMA = 0.6  # 1 mm voxels


def load_template(kind: str) -> NDArray[np.float32]:
    """Return 'gm' or 'wm' (probability 0..1) or 't1' (0..1), (91, 109, 91) float32, exactly symmetric."""
    import nibabel as nib

    image = nib.load(bundled_folder() / FILES[kind])
    fine = gaussian_filter(np.asarray(image.dataobj, np.float32) / 255, _ANTI_ALIAS_SIGMA)
    to_fine = np.linalg.inv(image.affine) @ AFFINE
    coarse = affine_transform(fine, to_fine[:3, :3], to_fine[:3, 3], output_shape=SHAPE, order=1)
    return ((coarse + coarse[::-1]) / 2).astype(np.float32)


def brain_mask() -> NDArray[np.bool_]:
    """Return the brain of the skull-stripped T1 template, (91, 109, 91), one solid piece."""
    bright = load_template("t1") > 0.2
    parts, _ = label(bright)
    sizes = np.bincount(parts.ravel())
    sizes[0] = 0
    whole = binary_closing(np.pad(parts == sizes.argmax(), 5), iterations=3)[5:-5, 5:-5, 5:-5]
    return np.asarray(binary_fill_holes(whole), dtype=bool)
