"""Reading a cohort folder: who is in it, which split, and the recordings of a split, in memory or mapped.

A cohort is a folder with ``participants.tsv`` (columns ``participant_id`` and ``split``) and either ``recordings/``
with one file per run, ``<participant_id>_task-..._run-....safetensors``, each a
:class:`brainlm_engine.recording.Recording`, or ``arrow/`` with files that hold many
(:mod:`brainlm_engine.cohort.arrow_file`). A data set of the published BrainLM code is a cohort too
(:mod:`brainlm_engine.cohort.published`).
"""

from __future__ import annotations

import csv
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from brainlm_engine.api.errors import BadInput
from brainlm_engine.cohort.arrow_file import Kind, Mapped, PackedRow, read_rows
from brainlm_engine.cohort.published import PublishedRow, Reading, is_published, read_published
from brainlm_engine.progress import SILENT, Progress
from brainlm_engine.recording import Recording

if TYPE_CHECKING:
    from brainlm_engine.preprocess.scaling import ScaledSeries

SPLITS = ("train", "val", "test")
RECORDINGS, ARROW = "recordings", "arrow"

#: a recording on disk: a file of its own, or a row of an Arrow file
Place = Path | PackedRow | PublishedRow


@dataclass(frozen=True)
class Cohort:
    """What a cohort folder holds, before any recording is read.

    Attributes
    ----------
    folder : the cohort
    description : contents of dataset_description.json
    split : participant_id -> 'train', 'val' or 'test'
    files : participant_id -> recordings, in order of their names
    notes : sentences about what had to be decided when it was opened
    """

    folder: Path
    description: dict[str, Any]
    split: dict[str, str]
    files: dict[str, tuple[Place, ...]] = field(repr=False)
    notes: tuple[str, ...] = ()

    def people(self, split: str) -> list[str]:
        """Return who belongs to ``split`` and has recordings, in the table's order."""
        return [person for person, part in self.split.items() if part == split and self.files.get(person)]

    @property
    def simulated(self) -> bool:
        """True when the cohort says that it was simulated."""
        return bool(self.description.get("simulated", False))


@dataclass(frozen=True)
class Series:
    """Recordings of one split, z-scored per parcel, in memory or mapped.

    Attributes
    ----------
    values : one (parcels, frames) float16 array per recording; NaN where a parcel is missing
    people : who, per recording
    xyz : (parcels, 3) float32, MNI mm, the same for all
    tr_s : seconds per frame, the same for all
    atlas_id : '' when only coordinates are known
    names : name of the file, per recording
    spreads : (parcels,) float32 SD in the recording's unit, per recording: what was divided by
    """

    values: Sequence[NDArray[np.float16]]
    people: tuple[str, ...]
    xyz: NDArray[np.float32]
    tr_s: float
    atlas_id: str
    names: tuple[str, ...] = ()
    spreads: tuple[NDArray[np.float32], ...] = ()

    def __len__(self) -> int:
        return len(self.values)

    @property
    def shortest(self) -> int:
        """Frames of the shortest recording."""
        if isinstance(self.values, Mapped):
            return min(self.values.lengths)
        return int(min(values.shape[1] for values in self.values))


def open_cohort(folder: Path, reading: Reading | None = None) -> Cohort:
    """Read the tables of a cohort folder.

    Parameters
    ----------
    reading : how a data set of the published code is to be read

    Raises
    ------
    BadInput
        When the folder is no cohort, or a person stands in two splits.
    """
    if not (folder / "participants.tsv").exists() and is_published(folder):
        split, rows, notes = read_published(folder, reading or Reading())
        return Cohort(folder, _description(folder), split, dict(rows), notes)
    split = _splits(folder)
    files: dict[str, list[Place]] = {}
    if packed := sorted((folder / ARROW).glob("*.arrow")):
        for path in packed:
            for person, row in read_rows(path):
                files.setdefault(person, []).append(row)
    else:
        for path in sorted((folder / RECORDINGS).glob("*.safetensors")):
            files.setdefault(path.name.split("_")[0], []).append(path)
    return Cohort(folder, _description(folder), split, {person: tuple(paths) for person, paths in files.items()})


def load_recording(place: Place) -> Recording:
    """Read one recording of a cohort into memory.

    Raises
    ------
    BadInput
        When its file is damaged or gone.
    """
    return Recording.load(place) if isinstance(place, Path) else place.load()


def _splits(folder: Path) -> dict[str, str]:
    """Return participant_id -> split, as the table says."""
    table = folder / "participants.tsv"
    try:
        with table.open(newline="", encoding="utf-8") as file:
            rows = list(csv.DictReader(file, delimiter="\t"))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise BadInput(
            f"{folder.name} is not a cohort: it has no participants.tsv that can be read.",
            "Choose the folder that holds participants.tsv and recordings.",
            str(error),
        ) from error
    lacking = [column for column in ("participant_id", "split") if rows and column not in rows[0]]
    if not rows or lacking:
        raise BadInput(
            f"participants.tsv of {folder.name} {'has no column ' + lacking[0] if lacking else 'lists nobody'}.",
            "Add the people with their split: train, val or test.",
        )
    split: dict[str, str] = {}
    for row in rows:
        person, part = row["participant_id"], row["split"]
        if split.get(person, part) != part:
            raise BadInput(f"{person} stands in two splits of {folder.name}.", "Give every person one split.")
        if part not in SPLITS:
            raise BadInput(f"{person} of {folder.name} has the split “{part}”.", "Use train, val or test.")
        split[person] = part
    return split


def load_series(cohort: Cohort, split: str, progress: Progress = SILENT, most: int | None = None) -> Series:
    """Return all recordings of ``split``: read into memory, or mapped when they lie in Arrow files.

    Parameters
    ----------
    most : read at most so many recordings (the first in the table's order)

    Raises
    ------
    BadInput
        When there are none, a file is damaged, or the recordings differ in parcels or TR.
    """
    wanted = [(person, path) for person in cohort.people(split) for path in cohort.files[person]][:most]
    if not wanted:
        raise BadInput(
            f"The cohort {cohort.folder.name} has no recordings in its split “{split}”.",
            "Add people to that split in participants.tsv.",
        )
    people, names = tuple(person for person, _ in wanted), tuple(place.stem for _, place in wanted)
    mapped = _mapped(wanted)
    if mapped is not None:
        kind, rows = mapped
        return Series(rows, people, kind.xyz, kind.tr_s, kind.atlas_id, names)
    kind, values, spreads = _read(wanted, progress, f"Reading {split} recordings")
    return Series(values, people, kind.xyz, kind.tr_s, kind.atlas_id, names, spreads)


def _mapped(wanted: list[tuple[str, Place]]) -> tuple[Kind, Mapped] | None:
    """Return the recordings where they lie; None when they are files of their own."""
    rows = [place for _, place in wanted if not isinstance(place, Path)]
    if len(rows) < len(wanted):
        return None
    first, looked_at = rows[0], set()
    for row in rows:
        if row.path not in looked_at:
            looked_at.add(row.path)
            check_same(first.kind, row.kind, row.path.name)
    return first.kind, Mapped(rows)


def _read(
    wanted: list[tuple[str, Place]], progress: Progress, stage: str
) -> tuple[Kind, tuple[NDArray[np.float16], ...], tuple[NDArray[np.float32], ...]]:
    values: list[NDArray[np.float16]] = []
    spreads: list[NDArray[np.float32]] = []
    first: Kind | None = None
    for done, (_, place) in enumerate(wanted):
        progress(done / len(wanted), stage)
        recording = load_recording(place)
        kind = kind_of(recording)
        first = first or kind
        check_same(first, kind, place.name)
        scaled = scaled_alone(recording)
        values.append(scaled.series.astype(np.float16))
        spreads.append(scaled.scale.astype(np.float32))
    assert first is not None
    return first, tuple(values), tuple(spreads)


def kind_of(recording: Recording) -> Kind:
    """Return what a recording should have in common with the others of its cohort."""
    return Kind(recording.tr_s, recording.xyz, recording.atlas_id, recording.names, recording.networks)


def zscored(recording: Recording) -> NDArray[np.float32]:
    """Return (parcels, frames) float32 with mean 0 and SD 1 per parcel over the recording; NaN where missing."""
    return scaled_alone(recording).series


def scaled_alone(recording: Recording) -> ScaledSeries:
    """Return what :func:`zscored` returns, with the means and SDs it was made with."""
    from brainlm_engine.preprocess.scaling import scale

    series = recording.series.copy()
    series[recording.missing] = np.nan
    return scale(series, "zscore")


def check_same(first: Kind, other: Kind, name: str) -> None:
    """Refuse a recording that does not go with the first one.

    Raises
    ------
    BadInput
        When atlas or TR differ.
    """
    if other.n_parcels != first.n_parcels or not np.allclose(other.xyz, first.xyz, atol=0.01, equal_nan=True):
        raise BadInput(
            f"{name} was made with another atlas than the first recording of the cohort.",
            "Parcellate all recordings of a cohort with one atlas.",
        )
    if abs(other.tr_s - first.tr_s) > 0.01:
        raise BadInput(
            f"{name} has a TR of {other.tr_s:g} s, the first recording of the cohort {first.tr_s:g} s.",
            "Put recordings of another TR into a cohort of their own.",
        )


def _description(folder: Path) -> dict[str, Any]:
    try:
        content = json.loads((folder / "dataset_description.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return content if isinstance(content, dict) else {}
