"""CIFTI label files (``.dlabel.nii``): only their voxels can be used on a volume."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from brainlm_engine.api.errors import BadInput
from brainlm_engine.atlas.label_file import LabelVolume, check_labels, whole_numbers
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
    """Read the voxels of a CIFTI label file.

    The cortex of such a file is a list of vertices on the fs_LR 32k mesh, whose positions are not in the file: an atlas
    that needs them cannot be made into a volume, and the sentence says so.
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
    used, with_voxels = set(np.unique(values[values > 0])), set(np.unique(values[in_volume & (values > 0)]))
    if used - with_voxels:
        raise BadInput(
            f"{shown(path)} holds {len(used - with_voxels)} of its {len(used)} parcels only on the cortical surface "
            "(fs_LR 32k), whose positions in the brain are not in the file.",
            _NEXT,
        )
    if brain.volume_shape is None or not used:
        raise BadInput(f"{shown(path)} is empty: no voxel has a label above 0.", _NEXT)
    volume = np.zeros(brain.volume_shape, np.int32)
    volume[tuple(brain.voxel[in_volume].T)] = values[in_volume]
    canonical = nib.as_closest_canonical(nib.Nifti1Image(volume, brain.affine))
    found = LabelVolume(np.asarray(canonical.dataobj, np.int32), np.asarray(canonical.affine, np.float64), names)
    check_labels(path, found)
    return found
