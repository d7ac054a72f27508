"""Reading the volume of an atlas: one whole number per voxel."""

from __future__ import annotations

import zlib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from brainlm_engine.api.errors import BadInput
from brainlm_engine.io.faults import kind_of_values, reading, shown
from brainlm_engine.progress import SILENT, Progress

_LARGEST_GRID = 600**3  # voxels; a 0.3 mm head
_MOST_PARCELS = 32_000  # labels are stored as int16
_NEXT = "Choose a 3D NIfTI file with one whole number per voxel (0 = no parcel)."


@dataclass(frozen=True)
class LabelVolume:
    """Labels as the file has them: ``values`` (X, Y, Z) int32 in RAS+ order, 0 = none; ``affine`` (4, 4) to mm.

    ``names`` are those the file itself carries, by label (CIFTI only). ``surface_only`` gives the side ('L', 'R') of
    labels that the file holds on the cortical surface and in no voxel (CIFTI only).
    """

    values: NDArray[np.int32]
    affine: NDArray[np.float64]
    names: dict[int, str]
    surface_only: dict[int, str] = field(default_factory=dict)

    def labels(self) -> NDArray[np.int32]:
        """Return the labels that occur, in voxels or on the surface, ascending, without 0."""
        found = np.union1d(np.unique(self.values), np.array(list(self.surface_only), np.int32)).astype(np.int32)
        return found[found > 0]


def read_label_file(path: Path, progress: Progress = SILENT) -> LabelVolume:
    """Read a label NIfTI (3D; a 4D one of probability maps is turned into labels) or a CIFTI ``.dlabel.nii``."""
    import nibabel as nib

    from brainlm_engine.atlas.dlabel import read_dlabel

    with reading(path):
        path.open("rb").close()
    try:
        image = nib.load(path, keep_file_open=True) if path.name.endswith(".gz") else nib.load(path)
    except Exception as error:  # nibabel raises a dozen kinds for a file it does not know
        raise BadInput(f"{shown(path)} is not a NIfTI or CIFTI file.", _NEXT, str(error)) from error
    if isinstance(image, nib.Cifti2Image):
        return read_dlabel(path, image)
    if not isinstance(image, nib.Nifti1Image | nib.Nifti1Pair):
        raise BadInput(f"{shown(path)} is not a NIfTI file.", _NEXT)
    if int(np.prod(image.shape[:3], dtype=object)) > _LARGEST_GRID:
        raise BadInput(f"{shown(path)} claims {image.shape[:3]} voxels, which cannot be a brain.", _NEXT)
    try:
        image = nib.as_closest_canonical(image)
        values = _values(path, image, progress)
    except (OSError, EOFError, zlib.error, ValueError) as error:
        raise BadInput(f"{shown(path)} is damaged or cut off.", "Copy it again from its source.", str(error)) from error
    volume = LabelVolume(values, np.asarray(image.affine, np.float64), {})
    check_labels(path, volume)
    return volume


def check_labels(path: Path, volume: LabelVolume) -> None:
    """Raise a sentence when the volume has no labels, or more than can be kept."""
    count = len(volume.labels())
    if count == 0:
        raise BadInput(f"{shown(path)} is empty: no voxel has a label above 0.", _NEXT)
    if count > _MOST_PARCELS:
        raise BadInput(f"{shown(path)} has {count} different labels; an atlas may have {_MOST_PARCELS}.", _NEXT)


def _values(path: Path, image: Any, progress: Progress) -> NDArray[np.int32]:
    shape = image.shape
    while len(shape) > 3 and shape[-1] == 1:
        shape = shape[:-1]
    if len(shape) == 3:
        return whole_numbers(path, np.asarray(image.dataobj).reshape(shape))
    if len(shape) == 4 and shape[3] <= _MOST_PARCELS:
        return _strongest_map(path, image.dataobj, shape, progress)
    raise BadInput(f"{shown(path)} has {len(image.shape)} dimensions; an atlas has three.", _NEXT)


def whole_numbers(path: Path, data: NDArray[Any]) -> NDArray[np.int32]:
    """Return ``data`` as int32; a sentence when it holds anything but whole numbers from 0 on."""
    if data.dtype.kind not in "iufb":
        raise BadInput(f"{shown(path)} holds {kind_of_values(data.dtype)}, not labels.", _NEXT)
    if data.dtype.kind == "f":
        data = np.where(np.isnan(data), 0, data)
        if not np.array_equal(data, np.rint(data)):
            raise BadInput(f"{shown(path)} holds fractions, so it is an image or a map, not labels.", _NEXT)
    if data.size and data.min() < 0:
        raise BadInput(f"{shown(path)} holds negative numbers (lowest {data.min():g}), which are no labels.", _NEXT)
    if data.size and data.max() > np.iinfo(np.int32).max:
        raise BadInput(f"{shown(path)} holds numbers up to {data.max():g}, too large for labels.", _NEXT)
    return data.astype(np.int32)


def _strongest_map(path: Path, maps: Any, shape: tuple[int, ...], progress: Progress) -> NDArray[np.int32]:
    """Give each voxel the number (from 1) of its strongest map, read one map at a time.

    Maps are told from a recording by their overlap: a voxel lies in few maps, but in all frames of a recording.
    """
    strongest = np.zeros(shape[:3], np.float32)
    label = np.zeros(shape[:3], np.int32)
    times_met = np.zeros(shape[:3], np.int32)
    for number in range(shape[3]):
        progress(number / shape[3], "Reading the probability maps")
        one = np.asarray(maps[..., number], np.float32)
        if not np.isfinite(one).all() or one.min() < 0:
            raise BadInput(f"{shown(path)} has four dimensions and is no set of probability maps.", _NEXT)
        stronger = one > strongest
        label[stronger] = number + 1
        strongest[stronger] = one[stronger]
        times_met += one > 0
    met = times_met[times_met > 0]
    if met.size and met.mean() > 0.5 * shape[3]:
        raise BadInput(f"{shown(path)} has four dimensions: it looks like a recording, not an atlas.", _NEXT)
    return label
