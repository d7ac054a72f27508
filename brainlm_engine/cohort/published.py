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
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from brainlm_engine.api.errors import BadInput
from brainlm_engine.cohort.arrow_file import Half, Kind
from brainlm_engine.cohort.published_file import mapped_table, opened
from brainlm_engine.recording import Recording

_COORDINATES = "*Coordinates*"
_SPLITS = {"train": "train", "val": "val", "validation": "val", "dev": "val", "test": "test"}
_SCALED = 64


@dataclass(frozen=True)
class Reading:
    """How a published data set is to be read, where it does not say so itself.

    Attributes
    ----------
    tr_s : seconds per frame; None: as dataset_description.json says
    column : '' for the first of :data:`brainlm_engine.cohort.published_file.COLUMNS` that is there
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
        return opened(self.path, self.stamp, self.column, self.kind.n_parcels).values(self.index)


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
                table = mapped_table(files[0])
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
    file = opened(path, stamp, column, kind.n_parcels)
    for index, (person, stem, frames) in enumerate(zip(file.people, file.names, file.frames, strict=True)):
        yield person, PublishedRow(path, stamp, index, stem, frames, file.column, kind)


def _zscored(row: PublishedRow) -> NDArray[np.float32]:
    from brainlm_engine.preprocess import scale

    return scale(np.ascontiguousarray(row.stored(), np.float32), "zscore").series


@lru_cache(maxsize=_SCALED)
def _scaled(row: PublishedRow) -> Half:
    return _zscored(row).astype(np.float16)
