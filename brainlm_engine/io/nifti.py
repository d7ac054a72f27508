"""NIfTI-1 and NIfTI-2 headers: what a 4D scan promises, checked against the file before anything is allocated."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from nibabel.nifti1 import Nifti1Header
from nibabel.nifti2 import Nifti2Header
from nibabel.spatialimages import HeaderDataError
from numpy.typing import NDArray

from brainlm_engine.api.errors import BadInput
from brainlm_engine.api.messages import Choice, Question
from brainlm_engine.files import fingerprint
from brainlm_engine.io.faults import human_size, kind_of_values, reading, shown
from brainlm_engine.io.inflate import MAX_RATIO, Inflater, plausible_end
from brainlm_engine.io.repetition import Repetition, from_header
from brainlm_engine.io.sidecar import Sidecar, read_sidecar
from brainlm_engine.io.sniff import Sniffed
from brainlm_engine.io.voxels import VoxelLayout

#: compressed files up to this size are inflated once when they are opened, so that damage is found at once
_VERIFY_BYTES = 4_000_000


@dataclass(frozen=True)
class Header4D:
    """What a 4D file says of itself, in the file's own axis order."""

    path: Path
    format: str
    shape4: tuple[int, int, int, int]
    affine: NDArray[np.float64]
    layout: VoxelLayout
    repetition: Repetition
    questions: tuple[Question, ...] = ()
    notes: tuple[str, ...] = ()
    has_position: bool = True
    claims_mni: bool = False  # the header's code says so; many MNI scans do not, some native ones do
    simulated: bool = False


def read_header(found: Sniffed, answers: Mapping[str, str]) -> Header4D:
    """Read and check the header of a NIfTI file.

    Raises
    ------
    BadInput
        When the file is no 4D recording, or cannot hold what its header promises.
    """
    name = shown(found.path)
    header = _parsed(found)
    descrip = bytes(header["descrip"]).split(b"\0")[0].decode("latin-1").strip()
    dtype = _dtype(name, header)
    shape4 = _shape4(name, header, descrip)
    data_path, gzipped = _data_file(found, header)
    stamp = _stamp(data_path)
    slope, inter = float(header["scl_slope"]), float(header["scl_inter"])
    if not np.isfinite(slope) or slope == 0:
        slope, inter = 1.0, 0.0
    layout = VoxelLayout(
        data_path, _offset(found, header, dtype), dtype, int(np.prod(shape4[:3], dtype=np.int64)), shape4[3],
        slope, inter if np.isfinite(inter) else 0.0, gzipped, stamp,
    )  # fmt: skip
    notes = _check_size(name, layout, shape4)
    affine, affine_questions, affine_notes, has_position = _affine(header, answers)
    sidecar = read_sidecar(found.path)
    repetition = _repetition(sidecar, header, answers)
    if "asl" in found.path.stem.lower():
        notes += ("The file's name suggests arterial spin labelling (ASL), not BOLD.",)
    return Header4D(
        found.path, "NIfTI-2" if found.kind == "nifti2" else "NIfTI-1", shape4, affine, layout, repetition,
        affine_questions, sidecar.notes + notes + affine_notes, has_position,
        claims_mni=int(header["sform_code"]) == 4 or int(header["qform_code"]) == 4, simulated=sidecar.simulated,
    )  # fmt: skip


def _parsed(found: Sniffed) -> Any:
    cls: Any = Nifti2Header if found.kind == "nifti2" else Nifti1Header
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            # its own length comes first, 348 or 540: that tells the byte order
            order = "<" if found.head[0] in (0x5C, 0x1C) else ">"
            return cls(found.head[: cls.sizeof_hdr], order, check=False)
    except Exception as error:  # nibabel raises many kinds for a broken header
        raise BadInput(
            f"{shown(found.path)} has a damaged NIfTI header.", "Copy it again from its source.", str(error)
        ) from error


def _shape4(name: str, header: Any, descrip: str) -> tuple[int, int, int, int]:
    n_dims = int(header["dim"][0])
    dims = [int(n) for n in header["dim"][1 : n_dims + 1]] if 1 <= n_dims <= 7 else []
    if not dims or min(dims) < 1:
        raise BadInput(
            f"{name} has a damaged header: its size {dims} makes no sense.", "Copy it again from its source."
        )
    if descrip.startswith("SPM{"):
        raise BadInput(
            f"{name} is a statistical map ({descrip[:12].rstrip()}…), not a recording.",
            "Open the 4D scan it was computed from.",
        )
    if len(dims) > 4 and dims[3] == 1:
        dims = dims[:3] + dims[4:]  # (x, y, z, 1, t)
    while len(dims) > 4 and dims[-1] == 1:
        dims.pop()
    if len(dims) > 4:
        raise BadInput(
            f"{name} has {n_dims} dimensions {tuple(dims)}: it holds vectors or several measures, not one time series.",
            "Extract one 4D series from it and open that.",
        )
    if len(dims) < 4 or dims[3] == 1:
        raise BadInput(f"{name} holds one volume, not a time series.", "Open the 4D functional scan instead.")
    return dims[0], dims[1], dims[2], dims[3]


def _dtype(name: str, header: Any) -> np.dtype[Any]:
    try:
        dtype: np.dtype[Any] = header.get_data_dtype()
    except (HeaderDataError, KeyError) as error:
        raise BadInput(
            f"{name} stores its voxels in a type this program does not know (code {int(header['datatype'])}).",
            "Save it again as 32-bit float.",
            str(error),
        ) from error
    if dtype.kind == "c":
        raise BadInput(
            f"{name} holds complex numbers (magnitude and phase together).",
            "Save the magnitude as float and open that.",
        )
    if dtype.names:
        raise BadInput(
            f"{name} holds colours (RGB), not measured signal.", "Open the original functional scan instead."
        )
    if dtype.kind not in "iuf":
        raise BadInput(f"{name} holds {kind_of_values(dtype)}, not measured signal.", "Save it again as 32-bit float.")
    return dtype


def _stamp(path: Path) -> str:
    with reading(path):
        return fingerprint(path)


def _data_file(found: Sniffed, header: Any) -> tuple[Path, bool]:
    """Return the file that holds the voxels, and whether it is gzipped: a header/image pair keeps them apart."""
    if bytes(header["magic"]).startswith(b"n+"):
        return found.path, found.gzipped
    stem = found.path.name.removesuffix(".gz").removesuffix(".hdr").removesuffix(".HDR")
    candidates = [found.path.with_name(stem + end) for end in (".img", ".IMG", ".img.gz")]
    image = next((path for path in candidates if path.is_file()), None)
    if image is None:
        raise BadInput(
            f"{shown(found.path)} is only the header of a pair; its image {shown(candidates[0])} is missing.",
            "Put the .img file into the same folder.",
        )
    with reading(image), image.open("rb") as file:
        return image, file.read(2) == b"\x1f\x8b"


def _offset(found: Sniffed, header: Any, dtype: np.dtype[Any]) -> int:
    stated = float(header["vox_offset"])
    offset = int(stated) if np.isfinite(stated) and stated >= 0 else 0
    single = bytes(header["magic"]).startswith(b"n+")
    least = {"nifti1": 352, "nifti2": 544}[found.kind] if single else 0
    return max(offset, least)


def _check_size(name: str, layout: VoxelLayout, shape4: tuple[int, ...]) -> tuple[str, ...]:
    """Compare the promised size with the file; small or suspicious gzip files are inflated once to be sure."""
    with reading(layout.path):
        size = layout.path.stat().st_size
    promised = layout.offset + layout.frame_bytes * layout.n_frames
    room = size * MAX_RATIO if layout.gzipped else size
    if promised > room:
        raise BadInput(
            f"{name} is incomplete: its header promises {human_size(promised)} "
            f"({' x '.join(map(str, shape4))}), the file has {human_size(size)}.",
            "Copy it again from its source.",
        )
    if layout.gzipped and (size <= _VERIFY_BYTES or not plausible_end(layout.path, promised)):
        with Inflater(layout.path) as stream:
            stream.skip(layout.offset)
            for t in range(layout.n_frames):
                stream.skip(layout.frame_bytes, layout.where(t))
            stream.finish()
    if not layout.gzipped and size > promised + 1024:
        return (f"The file is {human_size(size - promised)} longer than its header says; the rest is ignored.",)
    return ()


def _repetition(sidecar: Sidecar, header: Any, answers: Mapping[str, str]) -> Repetition:
    axis = 5 if int(header["dim"][0]) >= 5 and int(header["dim"][4]) == 1 else 4
    try:
        unit = header.get_xyzt_units()[1]
    except (KeyError, HeaderDataError):
        unit = "unknown"
    repetition = from_header(float(header["pixdim"][axis]), "" if unit == "unknown" else unit, answers)
    if sidecar.tr_s is None or repetition.source == "answer" or repetition.tr_s == sidecar.tr_s:
        return repetition
    note = f"TR {sidecar.tr_s:g} s taken from the .json file beside the scan."
    return Repetition(sidecar.tr_s, "header", (), (note,))


def _affine(
    header: Any, answers: Mapping[str, str]
) -> tuple[NDArray[np.float64], tuple[Question, ...], tuple[str, ...], bool]:
    sform, qform = _form(header.get_sform), _form(header.get_qform)
    if sform is None and qform is None:
        note = "The header gives no position in space: left, right and the centre are guessed."
        return _base(header), (), (note,), False
    if sform is None or qform is None:
        only = sform if sform is not None else qform
        assert only is not None
        return only, (), (), True
    apart = _apart(sform, qform, [int(n) for n in header["dim"][1:4]])
    if apart <= 2.0:
        return sform, (), (), True
    question = Question(
        question_id="affine",
        text=f"The header holds two positions of the head (sform, qform), {apart:.0f} mm apart. Which is right?",
        choices=(Choice(value="sform", label="sform (usual)"), Choice(value="qform", label="qform (scanner)")),
        default="sform",
    )
    choice = answers.get("affine", "sform")
    if choice not in ("sform", "qform"):
        raise BadInput(
            f"'{choice}' is not an answer to which position is right.", "Answer affine=sform or affine=qform."
        )
    note = f"The header's two positions (sform, qform) are {apart:.0f} mm apart; the {choice} is used."
    return (sform if choice == "sform" else qform), (question,), (note,), True


def _base(header: Any) -> NDArray[np.float64]:
    """Return the guess for a header without a position: the middle at the origin, 1 mm where sizes are absurd."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        affine = np.asarray(header.get_base_affine(), np.float64)
    return affine if possible_affine(affine) else np.eye(4)


def _form(getter: Any) -> NDArray[np.float64] | None:
    try:
        matrix = getter(coded=True)[0]
    except (HeaderDataError, ValueError):
        return None
    return np.asarray(matrix, np.float64) if matrix is not None and possible_affine(matrix) else None


def possible_affine(affine: NDArray[np.float64]) -> bool:
    """Return True when an affine can be a scan's: three directions, voxels of 0.01 to 500 mm, near the head."""
    if affine.shape != (4, 4) or not np.isfinite(affine).all() or np.abs(affine[:3]).max() > 1e4:
        return False
    zooms = np.sqrt((affine[:3, :3].astype(np.float64) ** 2).sum(0))
    if zooms.min() < 0.01 or zooms.max() > 500:
        return False
    return bool(abs(np.linalg.det(affine[:3, :3] / zooms)) > 1e-3)


def _apart(one: NDArray[np.float64], other: NDArray[np.float64], shape: list[int]) -> float:
    """Return the largest distance in mm between the two places of the grid's corners."""
    corners = np.array([[i, j, k, 1] for i in (0, shape[0] - 1) for j in (0, shape[1] - 1) for k in (0, shape[2] - 1)])
    return float(np.linalg.norm((corners @ one.T - corners @ other.T)[:, :3], axis=1).max())
