"""Data sets as the published BrainLM code writes and reads them, opened as they are.

They were saved with Hugging Face ``datasets``: a folder per split (``train``, ``val_ukbiobank1000``, ...) that holds
``data-00000-of-000NN.arrow``, one row per recording, and a folder ``Brain_Region_Coordinates`` (columns Index, X, Y, Z)
beside or inside. The files are Arrow streams, so that package is not needed. Seconds per frame stand nowhere in them:
they come from ``dataset_description.json`` (``RepetitionTime``) or from the person who converts the folder.

Every column holds lists of lists of numbers, but some are (parcels, frames) and some (frames, parcels): the axis that
is as long as the table of coordinates is that of the parcels. Values are z-scored per parcel when they are asked for,
as all recordings are before training; for the columns that are scaled per parcel that undoes the scaling.
"""

from __future__ import annotations

import hashlib
import json
import math
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from brainlm_engine.api.errors import BadInput
from brainlm_engine.cohort.arrow_file import Half, Kind
from brainlm_engine.recording import Recording

#: what is read when no column is named, the first that is there
COLUMNS = (
    "Raw_Recording",
    "Voxelwise_RobustScaler_Normalized_Recording",
    "Subtract_Mean_Normalized_Recording",
    "Subtract_Mean_Divide_Global_STD_Normalized_Recording",
    "Subtract_Mean_Divide_Global_99thPercent_Normalized_Recording",
)
_COORDINATES = "*Coordinates*"
_SPLITS = {"train": "train", "val": "val", "validation": "val", "dev": "val", "test": "test"}
_SUBJECT = re.compile(r"sub-[A-Za-z0-9]+")
_OPEN, _SCALED = 256, 64


@dataclass(frozen=True)
class Reading:
    """How a published data set is to be read, where it does not say so itself.

    Attributes
    ----------
    tr_s : seconds per frame; None: as dataset_description.json says
    column : '' for the first of :data:`COLUMNS` that is there
    coordinates : folder or text file with the positions of the parcels; None: looked for in and beside the data set
    """

    tr_s: float | None = None
    column: str = ""
    coordinates: Path | None = None


@dataclass(frozen=True, eq=False)
class PublishedRow:
    """One recording of a published data set."""

    path: Path
    stamp: int
    index: int
    stem: str
    n_frames: int
    column: str
    kind: Kind

    @property
    def name(self) -> str:
        """The recording, as errors call it."""
        return f"{self.stem} ({self.path.name}, row {self.index})"

    def values(self) -> Half:
        """Return (parcels, frames) float16, z-scored per parcel; the last few asked for are remembered."""
        return _scaled(self)

    def load(self) -> Recording:
        """Read the recording, z-scored."""
        return self.kind.recording(_zscored(self), self.stem, self.path)

    def stored(self) -> NDArray[np.floating[Any]]:
        """Return (parcels, frames) as stored, a view of the mapped file."""
        return _opened(self.path, self.stamp, self.column, self.kind.n_parcels).values(self.index)


def is_published(folder: Path) -> bool:
    """Tell whether ``folder`` looks like such a data set."""
    return bool(_split_folders(folder))


def read_published(
    folder: Path, reading: Reading
) -> tuple[dict[str, str], dict[str, tuple[PublishedRow, ...]], tuple[str, ...]]:
    """Return person -> split, person -> recordings, and sentences about what had to be decided.

    Raises
    ------
    BadInput
        When TR or coordinates are not known, or a file is damaged.
    """
    kind = Kind(_tr_s(folder, reading), _xyz(folder, reading))
    parts: dict[str, set[str]] = {}
    rows: dict[str, list[PublishedRow]] = {}
    for part, place in _split_folders(folder):
        for path in sorted(place.glob("*.arrow")):
            for person, row in _rows(path, reading.column, kind):
                parts.setdefault(person, set()).add(part)
                rows.setdefault(person, []).append(row)
    split: dict[str, str] = {
        person: next(part for part in ("test", "val", "train") if part in into) for person, into in parts.items()
    }
    notes = []
    if torn := sum(len(into) > 1 for into in parts.values()):
        notes.append(
            f"{torn} of the people of {folder.name} stand in several splits: nothing is learned from them, so that no "
            "model is judged on people it knows."
        )
    if "val" not in split.values():
        split = _kept_apart(split)
        notes.append(f"{folder.name} has no people to validate on: one in ten is kept for that, and one for tests.")
    return split, {person: tuple(found) for person, found in rows.items()}, tuple(notes)


def _split_folders(folder: Path) -> list[tuple[str, Path]]:
    found = []
    if folder.is_dir():
        for place in sorted(folder.iterdir()):
            part = _SPLITS.get(place.name.lower().split("_")[0])
            if part and place.is_dir() and any(place.glob("*.arrow")):
                found.append((part, place))
        if not found and any(folder.glob("data-*.arrow")):
            found.append(("train", folder))
    return found


def _kept_apart(split: dict[str, str]) -> dict[str, str]:
    """Move one person in ten to 'val' and, unless there are any, one to 'test': the same ones whatever the order."""
    people = sorted(
        (person for person, part in split.items() if part == "train"),
        key=lambda person: hashlib.sha256(person.encode()).digest(),
    )
    tenth = max(1, len(people) // 10)
    moved = dict.fromkeys(people[:tenth], "val")
    if "test" not in split.values():
        moved |= dict.fromkeys(people[tenth : 2 * tenth], "test")
    return {**split, **moved}


def _tr_s(folder: Path, reading: Reading) -> float:
    if reading.tr_s is not None:
        return reading.tr_s
    try:
        told = float(json.loads((folder / "dataset_description.json").read_text(encoding="utf-8"))["RepetitionTime"])
    except (OSError, ValueError, KeyError, TypeError):
        told = 0.0
    if not told > 0:
        raise BadInput(
            f"{folder.name} does not say how many seconds a frame takes.",
            "Convert it with brainlm-engine cohort convert --tr SECONDS (0.735 for UK Biobank), or write "
            '{"RepetitionTime": SECONDS} into its dataset_description.json.',
        )
    return told


def _xyz(folder: Path, reading: Reading) -> NDArray[np.float32]:
    """Return (parcels, 3) in MNI mm from the coordinates' folder or text file."""
    places = [reading.coordinates] if reading.coordinates else []
    if not places:
        places = [path for near in (folder, folder.parent) for path in sorted(near.glob(_COORDINATES))]
    for path in places:
        if path.is_dir():
            if files := sorted(path.rglob("*.arrow")):
                table = _table(files[0])
                columns = [table.column(axis).to_numpy() for axis in "XYZ" if axis in table.column_names]
                if len(columns) == 3:
                    return np.stack(columns, 1).astype(np.float32)
        elif path.is_file() and path.suffix in (".dat", ".txt", ".tsv"):
            try:
                return np.loadtxt(path, np.float32, ndmin=2)[:, -3:]
            except (ValueError, IndexError):
                continue
    raise BadInput(
        f"The positions of the parcels of {folder.name} were not found: it has no Brain_Region_Coordinates beside it.",
        "Give that folder, or a text file with Index X Y Z: brainlm-engine cohort convert --coordinates PATH.",
    )


def _rows(path: Path, column: str, kind: Kind) -> Iterator[tuple[str, PublishedRow]]:
    stamp = path.stat().st_mtime_ns
    file = _opened(path, stamp, column, kind.n_parcels)
    for index, (person, stem, frames) in enumerate(zip(file.people, file.names, file.frames, strict=True)):
        yield person, PublishedRow(path, stamp, index, stem, frames, file.column, kind)


def _zscored(row: PublishedRow) -> NDArray[np.float32]:
    from brainlm_engine.preprocess import scale

    return scale(np.ascontiguousarray(row.stored(), np.float32), "zscore").series


@lru_cache(maxsize=_SCALED)
def _scaled(row: PublishedRow) -> Half:
    return _zscored(row).astype(np.float16)


@lru_cache(maxsize=_OPEN)
def _opened(path: Path, stamp: int, column: str, parcels: int) -> _PublishedFile:
    return _PublishedFile(path, column, parcels)


def _table(path: Path) -> Any:
    """Return a mapped Arrow stream (or file) as a table; nothing but its heads is read."""
    import pyarrow as pa

    try:
        try:
            return pa.ipc.open_stream(pa.memory_map(str(path))).read_all()
        except pa.ArrowInvalid:
            return pa.ipc.open_file(pa.memory_map(str(path))).read_all()
    except (pa.ArrowException, OSError) as error:
        raise BadInput(
            f"{path.name} in {path.parent} is not an Arrow file, or it is damaged.",
            "Copy it again from where it came.",
            str(error),
        ) from error


class _PublishedFile:
    """One mapped file: who, how long, and where the numbers of each row lie."""

    def __init__(self, path: Path, column: str, parcels: int) -> None:
        table = _table(path)
        self.path, self.parcels = path, parcels
        wanted = (column,) if column else COLUMNS
        self.column = next((name for name in wanted if name in table.column_names), "")
        if not self.column:
            raise BadInput(
                f"{path.name} has no column {wanted[0]}; it has {', '.join(table.column_names)}.",
                "Choose one of these: brainlm-engine cohort convert --column NAME.",
            )
        self.names, self.people = _who(table, path)
        self._where: list[tuple[NDArray[Any], int, int]] = []
        self.shapes: list[tuple[int, int]] = []
        for chunk in table.column(self.column).chunks:
            self._add(chunk)
        first_is_parcels = {a == parcels for a, b in self.shapes if (a == parcels) != (b == parcels)}
        if len(first_is_parcels) != 1:
            index = next((i for i, shape in enumerate(self.shapes) if parcels not in shape), 0)
            told = " x ".join(map(str, self.shapes[index])) if self.shapes else "nothing"
            raise BadInput(
                f"The column {self.column} of {path.name} cannot be laid over {parcels} parcels: row {index} is "
                f"{told}.",
                "Choose the coordinates that belong to this data set.",
            )
        self.by_parcel = first_is_parcels.pop()
        self.frames = [shape[1 if self.by_parcel else 0] for shape in self.shapes]
        odd = next((i for i, shape in enumerate(self.shapes) if shape[0 if self.by_parcel else 1] != parcels), None)
        if odd is not None:
            raise BadInput(
                f"Row {odd} of {path.name} ({self.names[odd]}) has other parcels than the rest.",
                "Leave that recording out of the data set.",
            )

    def _add(self, chunk: Any) -> None:
        outer, inner = _starts(chunk), chunk.values
        ends = _starts(inner)
        numbers = inner.values
        flat = numbers.to_numpy(zero_copy_only=not numbers.null_count)
        for first, last in pairwise(outer.tolist()):
            begin, end = int(ends[first]), int(ends[last])
            count = last - first
            length = int(ends[first + 1] - ends[first]) if count else 0
            if end - begin != count * length:
                raise BadInput(
                    f"Row {len(self.shapes)} of {self.path.name} holds lists of different lengths.",
                    "Leave that recording out of the data set.",
                )
            self._where.append((flat, begin, end))
            self.shapes.append((count, length))

    def values(self, index: int) -> NDArray[np.floating[Any]]:
        """Return (parcels, frames) as stored."""
        flat, first, last = self._where[index]
        stored = flat[first:last].reshape(self.shapes[index])
        return stored if self.by_parcel else stored.T


def _starts(lists: Any) -> NDArray[np.int64]:
    """Return where each list begins, and the last one ends, for lists of any or of a fixed length."""
    if hasattr(lists, "offsets"):
        return np.asarray(lists.offsets.to_numpy(), np.int64)
    return np.arange(len(lists) + 1, dtype=np.int64) * int(lists.type.list_size)


def _who(table: Any, path: Path) -> tuple[list[str], list[str]]:
    """Return the recordings' names, and the people: column eid, else sub-... in the name, else the name up to a "_"."""
    count = table.num_rows
    names = table.column("Filename").to_pylist() if "Filename" in table.column_names else [None] * count
    people = table.column("eid").to_pylist() if "eid" in table.column_names else [None] * count
    stems = [Path(str(name)).name.split(".")[0] if name else f"{path.stem}-{row}" for row, name in enumerate(names)]
    return stems, [_person(eid, stem) for eid, stem in zip(people, stems, strict=True)]


def _person(eid: object, stem: str) -> str:
    if isinstance(eid, float | int) and not math.isnan(eid):
        return f"{eid:.0f}"
    if isinstance(eid, str) and eid:
        return eid
    found = _SUBJECT.search(stem)
    return found.group() if found else stem.split("_", maxsplit=1)[0]
