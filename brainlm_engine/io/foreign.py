"""Scans that nibabel reads for us: AFNI, FreeSurfer MGH and Philips PAR/REC. MINC is told how to become NIfTI."""

from __future__ import annotations

import warnings
import weakref
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from brainlm_engine.api.errors import BadInput
from brainlm_engine.files import fingerprint
from brainlm_engine.io.faults import kind_of_values, reading, shown
from brainlm_engine.io.nifti import Header4D, possible_affine
from brainlm_engine.io.repetition import from_header
from brainlm_engine.io.sniff import Sniffed
from brainlm_engine.io.volume import VolumeScan
from brainlm_engine.io.voxels import ProxyReader, VoxelLayout

_TITLES = {"afni": "AFNI", "mgh": "FreeSurfer MGH", "parrec": "Philips PAR/REC"}
_CONVERT = {
    "afni": "Convert it to NIfTI with 3dAFNItoNIFTI.",
    "mgh": "Convert it to NIfTI with mri_convert.",
    "parrec": "Export it from the scanner again, or convert it to NIfTI with dcm2niix.",
}


def open_foreign(found: Sniffed, answers: Mapping[str, str]) -> VolumeScan:
    """Open a 4D scan of one of the formats above.

    Raises
    ------
    BadInput
        When the file is damaged, half of it is missing, or it holds no time series.
    """
    name = shown(found.path)
    if found.kind == "minc":
        raise BadInput(f"{name} is a MINC file, which this program does not read.", "Convert it to NIfTI with mnc2nii.")
    path = _main_file(found)
    image = _loaded(path, found.kind, name)
    shape = tuple(int(n) for n in image.shape)
    if len(shape) < 4 or shape[3] == 1:
        raise BadInput(f"{name} holds one volume, not a time series.", "Open the 4D functional scan instead.")
    if len(shape) > 4:
        raise BadInput(f"{name} has {len(shape)} dimensions, not four.", "Extract one 4D series from it and open that.")
    stored = np.dtype(image.get_data_dtype())
    if stored.kind not in "iuf":
        raise BadInput(f"{name} holds {kind_of_values(stored)}, not measured signal.", _CONVERT[found.kind])
    data_path = _data_file(path)
    with reading(data_path):
        stamp = fingerprint(data_path)
    n_voxels = shape[0] * shape[1] * shape[2]
    layout = VoxelLayout(data_path, 0, np.dtype(np.float32), n_voxels, shape[3], 1.0, 0.0, True, stamp)
    repetition = from_header(*_repetition(image, found.kind), answers)
    note = f"Read as {_TITLES[found.kind]}."
    header = Header4D(
        found.path, _TITLES[found.kind], (shape[0], shape[1], shape[2], shape[3]), _affine(image, name), layout,
        repetition, (), (note,),
    )  # fmt: skip
    reader = ProxyReader(layout, lambda t: _frame(image, t))
    if kept_open := getattr(getattr(image.dataobj, "file_like", None), "close", None):
        weakref.finalize(reader, kept_open)
    reader.frame(shape[3] - 1)  # the far end, so that a cut-off file is told now
    return VolumeScan(header, reader)


def _frame(image: Any, index: int) -> NDArray[Any]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return np.asarray(image.dataobj[..., index])


def _main_file(found: Sniffed) -> Path:
    """Return the header file of a format that keeps header and voxels apart."""
    path = found.path
    if found.kind == "mgh":
        return path
    stem = path.name.removesuffix(".gz").removesuffix(".bz2")
    stem = stem[: stem.rfind(".")]
    ends = (".HEAD", ".head") if found.kind == "afni" else (".PAR", ".par")
    for end in ends:
        if (header := path.with_name(stem + end)).is_file():
            return header
    half = "HEAD" if found.kind == "afni" else "PAR"
    raise BadInput(
        f"{shown(path)} is one half of a pair; its {half} file is missing.",
        f"Put {stem}{ends[0]} into the same folder.",
    )


def _data_file(path: Path) -> Path:
    stem = path.name[: path.name.rfind(".")]
    for end in (".BRIK", ".BRIK.gz", ".brik", ".REC", ".rec"):
        if (data := path.with_name(stem + end)).is_file():
            return data
    if path.suffix.lower() in (".head", ".par"):
        half = "BRIK" if path.suffix.lower() == ".head" else "REC"
        raise BadInput(
            f"{shown(path)} is one half of a pair; its {half} file is missing.",
            f"Put {stem}.{half} into the same folder.",
        )
    return path


def _loaded(path: Path, kind: str, name: str) -> Any:
    from nibabel.brikhead import AFNIImage
    from nibabel.freesurfer.mghformat import MGHImage
    from nibabel.parrec import PARRECImage

    _data_file(path)
    loaders: dict[str, Any] = {"afni": AFNIImage, "mgh": MGHImage, "parrec": PARRECImage}
    try:
        with reading(path), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            image = loaders[kind].from_filename(path)
            _ = image.shape
            return image
    except BadInput:
        raise
    except Exception as error:  # nibabel raises many kinds for broken headers of these formats
        raise BadInput(
            f"{name} is a damaged or unusual {_TITLES[kind]} scan: its header is inconsistent.",
            _CONVERT[kind],
            str(error),
        ) from error


def _affine(image: Any, name: str) -> NDArray[np.float64]:
    affine = np.asarray(image.affine, np.float64)
    if not possible_affine(affine):
        raise BadInput(
            f"{name} does not say where its voxels lie.", "Convert it to NIfTI with the program that made it."
        )
    return affine


def _repetition(image: Any, kind: str) -> tuple[float, str]:
    """Return the TR the header gives and its unit."""
    if kind == "afni":
        info = image.header.info
        floats, ints = info.get("TAXIS_FLOATS") or [0, 0], info.get("TAXIS_NUMS") or [0, 0, 77002]
        return float(floats[1]), "msec" if int(ints[2]) == 77001 else "sec"
    zooms = image.header.get_zooms()
    value = float(zooms[3]) if len(zooms) > 3 else 0.0
    return value, "msec" if kind == "mgh" else "sec"
