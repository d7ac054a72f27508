"""Tables in binary files: NumPy, MATLAB, HDF5, Excel, CIFTI parcel series. Nothing in them is ever executed."""

from __future__ import annotations

import warnings
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from brainlm_engine.api.errors import BadInput, EngineError
from brainlm_engine.api.messages import Choice, Question
from brainlm_engine.io.faults import human_size, kind_of_values, reading, shown
from brainlm_engine.io.raw_table import RawTable, table_of_cells
from brainlm_engine.io.sniff import Sniffed

_MOST_BYTES = 4_000_000_000
_DAMAGED_NEXT = "Copy it again from its source."


def read_binary(found: Sniffed, answers: Mapping[str, str]) -> RawTable:
    """Read the table of a binary file; when it holds several, ask which (question ``recording``).

    Raises
    ------
    BadInput
        When it is damaged, refused (pickled objects), or holds no matrix of numbers.
    """
    readers = {
        "npy": _npy, "npz": _npz, "mat5": _mat, "hdf5": _hdf5, "xlsx": _xlsx, "nifti2": _cifti,
    }  # fmt: skip
    return readers[found.kind](found.path, answers)


def _matrix(path: Path, array: NDArray[Any], fmt: str, answers: Mapping[str, str], label: str = "") -> RawTable:
    """Make a table of a 2D array, or of one recording of a 3D array (first axis)."""
    name = shown(path)
    array = np.asarray(array)
    if array.dtype.kind not in "iufb":
        raise BadInput(
            f"{name} holds {kind_of_values(array.dtype)}, not measured signal.", "Save real numbers and open that."
        )
    array = array.reshape([n for n in array.shape if n > 1] or [1]) if array.ndim > 2 else array
    questions: tuple[Question, ...] = ()
    notes: tuple[str, ...] = ()
    if array.ndim == 3:
        keys = [str(i + 1) for i in range(array.shape[0])]
        key, question, notes = _chosen(name, keys, answers, f"recordings along its first axis {array.shape}")
        array, questions = array[int(key) - 1], (question,)
    if array.ndim == 1:
        array = array[:, None]
    if array.ndim != 2 or 0 in array.shape:
        raise BadInput(
            f"{name} holds an array of shape {array.shape}, not a table of regions and frames.",
            "Save one recording as a two-dimensional array.",
        )
    if label:
        notes = (f"The array '{label}' was read.", *notes)
    return RawTable(np.asarray(array, np.float64), fmt, questions=questions, notes=notes)


def _chosen(name: str, keys: list[str], answers: Mapping[str, str], what: str) -> tuple[str, Question, tuple[str, ...]]:
    """Return the key answered (default the first), the question, and a note."""
    question = Question(
        question_id="recording",
        text=f"{name} holds {len(keys)} {what}. Which one?",
        choices=tuple(Choice(value=key, label=key.rsplit("/", 1)[-1]) for key in keys[:2000]),
        default=keys[0],
        free=True,
    )
    key = answers.get("recording", keys[0])
    if key not in keys:
        ends = [k for k in keys if k.rsplit("/", 1)[-1] == key]
        if len(ends) != 1:
            raise BadInput(f"{name} has no recording '{key}'.", f"It has {keys[0]} to {keys[-1]} ({len(keys)}).")
        key = ends[0]
    note = () if "recording" in answers else (f"The file holds {len(keys)} recordings; '{key}' is shown.",)
    return key, question, note


def _npy(path: Path, answers: Mapping[str, str]) -> RawTable:
    return _matrix(path, _loaded(path), "NumPy", answers)


@contextmanager
def _numpy_faults(path: Path) -> Iterator[None]:
    """Turn numpy's many complaints about a broken file into a sentence; refuse pickles in their own words."""
    try:
        with reading(path):
            yield
    except EngineError:
        raise
    except Exception as error:
        if any(word in str(error) for word in ("pickle", "Object arrays", "Python objects")):
            raise _pickled(path) from error
        raise BadInput(f"{shown(path)} is a damaged or cut-off NumPy file.", _DAMAGED_NEXT, str(error)) from error


def _loaded(path: Path) -> Any:
    with _numpy_faults(path):
        return np.load(path, mmap_mode="r", allow_pickle=False)  # the header's size is held against the file's


def _pickled(path: Path) -> BadInput:
    return BadInput(
        f"{shown(path)} holds Python objects (a pickle), which could run a program on opening, and is refused.",
        "Save it again as plain numbers: numpy.save(name, array.astype(float)).",
    )


def _too_large(path: Path) -> BadInput:
    return BadInput(
        f"{shown(path)} holds more than {human_size(_MOST_BYTES)} of numbers, too much for region series.",
        "Save one recording (regions x frames) and open that.",
    )


def _npz(path: Path, answers: Mapping[str, str]) -> RawTable:
    with _numpy_faults(path), zipfile.ZipFile(path) as parts:
        size = sum(part.file_size for part in parts.infolist())
    if size > _MOST_BYTES:
        raise _too_large(path)
    with _numpy_faults(path), np.load(path, allow_pickle=False) as archive:
        arrays = {key: archive[key] for key in archive.files}
    return _one_of(path, arrays, "NumPy archive", answers)


def _one_of(path: Path, arrays: Mapping[str, Any], fmt: str, answers: Mapping[str, str]) -> RawTable:
    """Choose among the arrays that can be a recording."""
    usable = {k: v for k, v in arrays.items() if _is_table(np.shape(v), np.asarray(v).dtype)}
    if not usable:
        raise BadInput(f"{shown(path)} holds no matrix of numbers.", "Save one recording as a two-dimensional array.")
    if len(usable) == 1:
        key, value = next(iter(usable.items()))
        return _matrix(path, value, fmt, answers, key)
    key, question, notes = _chosen(shown(path), list(usable), answers, "arrays")
    table = _matrix(path, usable[key], fmt, {})
    return replace(table, questions=(question, *table.questions), notes=notes + table.notes)


def _is_table(shape: tuple[int, ...], dtype: np.dtype[Any]) -> bool:
    return len([n for n in shape if n > 1]) in (2, 3) and dtype.kind in "iuf"


def _mat(path: Path, answers: Mapping[str, str]) -> RawTable:
    from scipy.io import loadmat

    try:
        with reading(path), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            content = loadmat(path)
    except BadInput:
        raise
    except Exception as error:  # scipy raises many kinds for a broken file
        raise BadInput(f"{shown(path)} is a damaged MATLAB file.", _DAMAGED_NEXT, str(error)) from error
    arrays = {k: v for k, v in content.items() if not k.startswith("__") and isinstance(v, np.ndarray)}
    table = _one_of(path, arrays, "MATLAB", answers)
    tr = next((float(v.ravel()[0]) for k, v in arrays.items() if k.lower() in ("tr", "tr_s") and v.size == 1), None)
    return replace(table, tr_s=tr)


def _hdf5(path: Path, answers: Mapping[str, str]) -> RawTable:
    import h5py

    name = shown(path)
    try:
        with reading(path), h5py.File(path, "r") as file:
            keys: list[str] = []

            def visit(key: str, item: Any) -> None:
                if isinstance(item, h5py.Dataset) and _is_table(item.shape, item.dtype) and not key.startswith("#"):
                    keys.append(key)

            file.visititems(visit)
            if not keys:
                raise BadInput(f"{name} holds no matrix of numbers.", "Save one recording as a two-dimensional array.")
            question: Question | None = None
            notes: tuple[str, ...] = ()
            key = keys[0]
            if len(keys) > 1:
                key, question, notes = _chosen(name, keys, answers, "recordings")
            if file[key].size * file[key].dtype.itemsize > _MOST_BYTES:
                raise _too_large(path)
            data, tr = file[key][()], file[key].attrs.get("TR", file.attrs.get("TR"))
    except (KeyError, RuntimeError, ValueError) as error:
        raise BadInput(f"{name} is a damaged HDF5 file.", _DAMAGED_NEXT, str(error)) from error
    table = _matrix(path, data, "HDF5", {} if question else answers, "" if question else key)
    questions = (question, *table.questions) if question else table.questions
    seconds = float(np.ravel(tr)[0]) if tr is not None and np.asarray(tr).dtype.kind in "iuf" else None
    return replace(table, tr_s=seconds, questions=questions, notes=notes + table.notes)


def _xlsx(path: Path, answers: Mapping[str, str]) -> RawTable:
    import openpyxl

    try:
        with reading(path), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            book = openpyxl.load_workbook(path, read_only=True, data_only=True)
            sheets = {
                sheet.title: [list(row) for row in sheet.iter_rows(values_only=True)] for sheet in book.worksheets
            }
            book.close()
    except BadInput:
        raise
    except Exception as error:  # openpyxl raises many kinds for a broken file
        raise BadInput(f"{shown(path)} is a damaged Excel file.", _DAMAGED_NEXT, str(error)) from error
    filled = {title: _trimmed(rows) for title, rows in sheets.items()}
    filled = {title: rows for title, rows in filled.items() if rows}
    if not filled:
        raise BadInput(f"{shown(path)} has no cells with numbers.", "Export it again with its time series.")
    if len(filled) == 1:
        return table_of_cells(path, next(iter(filled.values())), "Excel")
    key, question, notes = _chosen(shown(path), list(filled), answers, "sheets")
    table = table_of_cells(path, filled[key], "Excel")
    return replace(table, questions=(question,), notes=notes + table.notes)


def _trimmed(rows: list[list[Any]]) -> list[list[Any]]:
    """Drop empty rows, and empty columns at the right."""
    rows = [row for row in rows if any(cell is not None for cell in row)]
    width = max((max(i + 1 for i, cell in enumerate(row) if cell is not None) for row in rows), default=0)
    return [(row + [None] * width)[:width] for row in rows]


def _cifti(path: Path, answers: Mapping[str, str]) -> RawTable:
    from nibabel.cifti2 import Cifti2Image
    from nibabel.cifti2.cifti2_axes import ParcelsAxis, SeriesAxis

    name = shown(path)
    try:
        with reading(path), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            image = Cifti2Image.from_filename(path)
            axes = [image.header.get_axis(i) for i in range(len(image.shape))]
    except BadInput:
        raise
    except Exception as error:  # nibabel raises many kinds for a broken header
        raise BadInput(f"{name} is a damaged CIFTI file.", _DAMAGED_NEXT, str(error)) from error
    series = [i for i, axis in enumerate(axes) if isinstance(axis, SeriesAxis)]
    parcels = [i for i, axis in enumerate(axes) if isinstance(axis, ParcelsAxis)]
    if not series:
        raise BadInput(f"{name} is a CIFTI file without a time axis, not a recording.", "Open a .ptseries.nii file.")
    if not parcels:
        raise BadInput(
            f"{name} is a dense CIFTI series (one row per surface vertex), not a table of regions.",
            "Average it over a parcellation first: wb_command -cifti-parcellate.",
        )
    with reading(path):
        values = np.asarray(image.dataobj, np.float64)
    axis = axes[series[0]]
    tr = float(axis.step) if str(axis.unit).upper() == "SECOND" else None
    names = tuple(str(n) for n in axes[parcels[0]].name)
    if series[0] == 0:
        return RawTable(values, "CIFTI ptseries", None, names, tr_s=tr, frames_are_rows=True)
    return RawTable(values, "CIFTI ptseries", names, None, tr_s=tr, frames_are_rows=False)
