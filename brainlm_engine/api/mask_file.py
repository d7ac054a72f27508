"""Masks in files: parcels x patches of a window (CSV, TSV or NPY), or a table of parcel, start_s, end_s.

The matrix holds 0 and 1 (1 = hidden), one row a parcel in the order of the recording, one column a time patch of the
window. The table has a header with these three columns; a parcel is a number from 0 or a name, ``all`` for every one,
and times are seconds from the beginning of the recording. A patch that a span touches is hidden as a whole.
"""

from __future__ import annotations

import csv
import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from brainlm_engine.api.errors import BadInput
from brainlm_engine.api.messages import MaskSpec

COLUMNS = ("parcel", "start_s", "end_s")
_LARGEST = 50_000_000  # bytes
Patches = tuple[tuple[int, int], ...]


@dataclass(frozen=True)
class MaskWindow:
    """The window that a mask is for.

    Attributes
    ----------
    n_parcels, n_patches, patch_frames : its size
    start : its first frame in the recording
    names : of the parcels, may be empty
    """

    n_parcels: int
    n_patches: int
    patch_frames: int
    start: int = 0
    tr_s: float = 1.0
    names: Sequence[str] = ()


def read_mask(path: Path, window: MaskWindow) -> MaskSpec:
    """Read a mask.

    Raises
    ------
    BadInput
        One sentence: the file is not there, is no mask, is of another size, or hides nothing of this window.
    """
    try:
        if path.stat().st_size > _LARGEST:
            raise BadInput(f"{path.name} is too large for a mask.", "Choose a table of parcels x time patches.")
        patches = _of_matrix(_npy(path), path, window) if path.suffix.lower() == ".npy" else _of_text(path, window)
    except OSError as error:
        raise BadInput(
            f"{path.name} cannot be read as a mask: {error.strerror or error}.", "Choose a .csv, .tsv or .npy file."
        ) from error
    if not patches:
        raise BadInput(f"{path.name} hides nothing of this window.", "Choose another window, or another file.")
    if len(patches) == window.n_parcels * window.n_patches:
        raise BadInput(f"{path.name} hides everything, so there is nothing to reconstruct from.", "Leave some visible.")
    return MaskSpec(kind="painted", patches=patches)


def write_mask(path: Path, hidden: NDArray[np.bool_]) -> None:
    """Write ``hidden (parcels, patches)``: .npy as such, anything else as CSV with one line a parcel.

    Raises
    ------
    BadInput
        When the file cannot be written.
    """
    from brainlm_engine.files import written_whole

    with written_whole(path) as temporary:
        if path.suffix.lower() == ".npy":
            with temporary.open("wb") as file:
                np.save(file, hidden)
        else:
            text = "\n".join(",".join("1" if value else "0" for value in row) for row in hidden)
            temporary.write_text(text + "\n", "utf-8")


def _npy(path: Path) -> NDArray[Any]:
    try:
        loaded: NDArray[Any] = np.load(path, allow_pickle=False)
    except (ValueError, EOFError) as error:
        raise BadInput(f"{path.name} is not a NumPy file with numbers.", "Save the mask with numpy.save.") from error
    return loaded


def _of_matrix(matrix: NDArray[Any], path: Path, window: MaskWindow) -> Patches:
    wanted = (window.n_parcels, window.n_patches)
    if matrix.ndim != 2 or matrix.shape != wanted:
        size = " x ".join(map(str, matrix.shape)) or "no"
        raise BadInput(
            f"{path.name} holds {size} values, this window has {wanted[0]} parcels x {wanted[1]} time patches.",
            "Give one row a parcel and one column a time patch, or a table of parcel, start_s, end_s.",
        )
    if matrix.dtype.kind not in "biuf" or not np.isin(matrix, (0, 1)).all():
        raise BadInput(
            f"{path.name} holds other values than 0 and 1.", "Write 1 for a hidden patch, 0 for a visible one."
        )
    return tuple((int(parcel), int(patch)) for parcel, patch in np.argwhere(matrix != 0))


def _of_text(path: Path, window: MaskWindow) -> Patches:
    try:
        text = path.read_text("utf-8-sig")
    except UnicodeDecodeError as error:
        raise BadInput(f"{path.name} is no text, and no mask.", "Choose a .csv, .tsv or .npy file.") from error
    lines = [line for line in text.splitlines() if line.strip()]
    if not lines:
        raise BadInput(f"{path.name} is empty.", "Choose a file with a mask.")
    separator = next((mark for mark in ("\t", ";", ",") if mark in lines[0]), ",")
    rows = [[cell.strip() for cell in row] for row in csv.reader(lines, delimiter=separator)]
    header = [cell.casefold() for cell in rows[0]]
    if set(COLUMNS) <= set(header):
        return _of_spans(rows[1:], [header.index(name) for name in COLUMNS], path, window)
    width = len(rows[0])
    try:
        if any(len(row) != width for row in rows):
            raise ValueError("rows differ in length")
        matrix = np.array([[float(cell) for cell in row] for row in rows])
    except ValueError as error:
        raise BadInput(
            f"{path.name} is neither a table of 0 and 1 nor one with the columns {', '.join(COLUMNS)}.",
            "Give one of both; the help page on the Model workspace shows how.",
            str(error),
        ) from error
    return _of_matrix(matrix, path, window)


def _of_spans(rows: list[list[str]], places: list[int], path: Path, window: MaskWindow) -> Patches:
    hidden = np.zeros((window.n_parcels, window.n_patches), bool)
    patch_s = window.patch_frames * window.tr_s
    for number, row in enumerate(rows, start=2):
        try:
            who, first, last = (row[place] for place in places)
            begin, end = float(first), float(last)
            if not (math.isfinite(begin) and math.isfinite(end) and begin < end):
                raise ValueError("not a span")
        except (ValueError, IndexError) as error:
            raise BadInput(
                f"Line {number} of {path.name} is not a parcel with a start before its end in seconds.",
                "For example: 17,14.4,28.8.",
            ) from error
        from_patch = (begin - window.start * window.tr_s) / patch_s
        to_patch = (end - window.start * window.tr_s) / patch_s
        low, high = max(0, math.floor(from_patch + 1e-6)), min(window.n_patches, math.ceil(to_patch - 1e-6))
        if low < high:
            hidden[_parcel(who, number, path, window), low:high] = True
    return tuple((int(parcel), int(patch)) for parcel, patch in np.argwhere(hidden))


def _parcel(who: str, number: int, path: Path, window: MaskWindow) -> slice | int:
    if who.casefold() == "all":
        return slice(None)
    if who in window.names:
        return list(window.names).index(who)
    if who.isdigit() and int(who) < window.n_parcels:
        return int(who)
    raise BadInput(
        f"Line {number} of {path.name} names the parcel {who or '(nothing)'}, which this recording does not have.",
        f"Give a number from 0 to {window.n_parcels - 1}, a name of the atlas, or all.",
    )
