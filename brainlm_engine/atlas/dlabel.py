"""CIFTI label files (``.dlabel.nii``): their voxels, and which labels are on the cortical surface only."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from brainlm_engine.api.errors import BadInput
from brainlm_engine.atlas.label_file import LabelVolume, check_labels, whole_numbers
from brainlm_engine.atlas.mni_grid import AFFINE, SHAPE
from brainlm_engine.io.faults import shown

_NEXT = "Add the volumetric version of this atlas (a 3D NIfTI file) instead."


def label_names(image: Any) -> dict[int, str]:
    """Return the names in the label table of a CIFTI image, by label; {} when it has none."""
    import nibabel as nib

    axis = image.header.get_axis(0)
    if not isinstance(axis, nib.cifti2.LabelAxis):
        return {}
    return {int(key): str(name) for key, (name, _) in axis.label[0].items() if int(key) != 0}


def read_dlabel(path: Path, image: Any) -> LabelVolume:
    """Read the voxels of a CIFTI label file, and the side of labels that have none.

    The cortex of such a file is a list of vertices on the fs_LR 32k mesh, whose positions are not in the file.
    """
    import nibabel as nib

    names = label_names(image)
    if not names:
        raise BadInput(f"{shown(path)} is a CIFTI file, but not one of labels (.dlabel.nii).", _NEXT)
    brain = image.header.get_axis(1)
    if not isinstance(brain, nib.cifti2.BrainModelAxis):
        raise BadInput(f"{shown(path)} does not say where in the brain its labels are.", _NEXT)
    values = whole_numbers(path, np.asarray(image.dataobj))[0]
    in_volume = np.asarray(brain.volume_mask)
    volume, affine = np.zeros(brain.volume_shape or SHAPE, np.int32), AFFINE
    if brain.volume_shape is not None:
        volume[tuple(brain.voxel[in_volume].T)] = values[in_volume]
        canonical = nib.as_closest_canonical(nib.Nifti1Image(volume, brain.affine))
        volume, affine = np.asarray(canonical.dataobj, np.int32), np.asarray(canonical.affine, np.float64)
    found = LabelVolume(volume, affine, names, _surface_only(values, in_volume, np.asarray(brain.name)))
    check_labels(path, found)
    return found


def _surface_only(
    values: NDArray[np.int32], in_volume: NDArray[np.bool_], structure: NDArray[np.str_]
) -> dict[int, str]:
    """Return the side of each label without voxels: 'L', 'R', or '' when it is on both."""
    with_voxels = set(np.unique(values[in_volume]).tolist())
    sides: dict[int, str] = {}
    for end, side in (("LEFT", "L"), ("RIGHT", "R")):
        here = np.char.endswith(structure.astype(str), end) & ~in_volume
        for label in set(np.unique(values[here]).tolist()) - with_voxels - {0}:
            sides[int(label)] = "" if label in sides else side
    return sides
