"""What an average EPI volume in MNI space looks like, made from the tissue maps that come with nilearn."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from brainlm_engine.api.errors import EngineError

Volume = NDArray[np.float32]

#: Brightness of the tissues in a T2*-weighted image, grey matter = 1.
_GREY, _WHITE, _FLUID = 1.0, 0.76, 1.40
#: Half width of an EPI voxel's point spread, mm.
_BLUR_MM = 1.7
#: Air-filled cavities that swallow signal: centre (MNI mm), radius (mm), share of the signal lost.
_DROPOUT = (
    ((0.0, 38.0, -24.0), (20.0, 17.0, 11.0), 0.60),
    ((50.0, -24.0, -32.0), (14.0, 15.0, 11.0), 0.45),
    ((-50.0, -24.0, -32.0), (14.0, 15.0, 11.0), 0.45),
)


def epi_baseline(shape: tuple[int, int, int], affine: NDArray[np.float64]) -> Volume:
    """Return the time-averaged signal of an EPI brain.

    Parameters
    ----------
    shape, affine
        Grid in MNI space, axes along x, y, z (voxel to mm, no rotation).

    Returns
    -------
    (x, y, z) float32
        About 1 in grey matter, less in white matter, more in the ventricles, faint above the eyes and ears; falls to 0
        at the edge of the brain.
    """
    from scipy.ndimage import affine_transform, gaussian_filter

    grey, template_affine = _template("gm")
    white, _ = _template("wm")
    head, _ = _template("t1")
    inside = (head > 0) | (grey > 25) | (white > 25)
    contrast = np.full(head.shape, _FLUID, np.float32)
    contrast += grey * np.float32((_GREY - _FLUID) / 255)
    contrast += white * np.float32((_WHITE - _FLUID) / 255)
    contrast *= inside
    del grey, white, head, inside
    blurred = gaussian_filter(contrast, _BLUR_MM)  # the templates have 1 mm voxels
    to_template = np.linalg.inv(template_affine) @ affine
    baseline: Volume = affine_transform(
        blurred, to_template[:3, :3], to_template[:3, 3], output_shape=shape, order=1, output=np.float32
    )
    baseline *= _signal_kept(shape, affine)
    baseline[baseline < 0.02] = 0
    return baseline


def _template(kind: str) -> tuple[NDArray[np.uint8], NDArray[np.float64]]:
    """Read one of nilearn's bundled 1 mm templates, 0..255, without importing nilearn."""
    import nibabel

    spec = importlib.util.find_spec("nilearn")
    origin = spec.origin if spec else None
    file = Path(origin or "").parent / "datasets" / "data" / f"mni_icbm152_{kind}_tal_nlin_sym_09a_converted.nii.gz"
    if origin is None or not file.is_file():
        raise EngineError(
            "The MNI templates of nilearn are missing.", "Install nilearn again (pip install nilearn).", str(file)
        )
    image = nibabel.load(file)
    return np.asarray(image.dataobj, dtype=np.uint8), np.asarray(image.affine, np.float64)


def _signal_kept(shape: tuple[int, int, int], affine: NDArray[np.float64]) -> Volume:
    """Share of signal left by dropout and by the sensitivity of the coils, which see the rim better than the middle."""
    axes = [affine[k, 3] + affine[k, k] * np.arange(shape[k], dtype=np.float32) for k in range(3)]
    x, y, z = np.meshgrid(*axes, indexing="ij", sparse=True)
    kept = 0.92 + 0.10 * ((x / 75) ** 2 + ((y + 18) / 95) ** 2 + ((z - 10) / 75) ** 2) * 0.5
    for centre, radius, loss in _DROPOUT:
        squared = ((x - centre[0]) / radius[0]) ** 2 + ((y - centre[1]) / radius[1]) ** 2
        kept = kept * (1 - loss * np.exp(-(squared + ((z - centre[2]) / radius[2]) ** 2)))
    return np.asarray(kept, np.float32)
