"""Reading a cohort folder: who is in it, which split, and the recordings as one array in memory.

A cohort is a folder with ``participants.tsv`` (columns ``participant_id`` and ``split``) and ``recordings/`` with one
file per run, ``<participant_id>_task-..._run-....safetensors``, each a :class:`brainlm_engine.recording.Recording`.
"""

from __future__ import annotations

import csv
import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from brainlm_engine.api.errors import BadInput
from brainlm_engine.progress import SILENT, Progress
from brainlm_engine.recording import Recording

if TYPE_CHECKING:
    from brainlm_engine.preprocess.scaling import ScaledSeries

SPLITS = ("train", "val", "test")


@dataclass(frozen=True)
class Cohort:
    """What a cohort folder holds, before any recording is read.

    Attributes
    ----------
    folder : the cohort
    description : contents of dataset_description.json
    split : participant_id -> 'train', 'val' or 'test'
    files : participant_id -> recordings, in order of their names
    """

    folder: Path
    description: dict[str, Any]
    split: dict[str, str]
    files: dict[str, tuple[Path, ...]] = field(repr=False)

    def people(self, split: str) -> list[str]:
        """Return who belongs to ``split`` and has recordings, in the table's order."""
        return [person for person, part in self.split.items() if part == split and self.files.get(person)]

    @property
    def simulated(self) -> bool:
        """True when the cohort says that it was simulated."""
        return bool(self.description.get("simulated", False))


@dataclass(frozen=True)
class Series:
    """Recordings of one split in memory, z-scored per parcel.

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

    values: tuple[NDArray[np.float16], ...]
    people: tuple[str, ...]
    xyz: NDArray[np.float32]
    tr_s: float
    atlas_id: str
    names: tuple[str, ...] = ()
    spreads: tuple[NDArray[np.float32], ...] = ()

    def __len__(self) -> int:
        return len(self.values)


def open_cohort(folder: Path) -> Cohort:
    """Read the tables of a cohort folder.

    Raises
    ------
    BadInput
        When the folder is no cohort, or a person stands in two splits.
    """
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
    files: dict[str, list[Path]] = {}
    for path in sorted((folder / "recordings").glob("*.safetensors")):
        files.setdefault(path.name.split("_")[0], []).append(path)
    return Cohort(folder, _description(folder), split, {person: tuple(paths) for person, paths in files.items()})


def load_series(cohort: Cohort, split: str, progress: Progress = SILENT, most: int | None = None) -> Series:
    """Read all recordings of ``split`` into memory.

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
    values: list[NDArray[np.float16]] = []
    spreads: list[NDArray[np.float32]] = []
    first: Recording | None = None
    for done, (_, path) in enumerate(wanted):
        progress(done / len(wanted), f"Reading {split} recordings")
        recording = Recording.load(path)
        first = first or recording
        _check_same(first, recording, path)
        scaled = scaled_alone(recording)
        values.append(scaled.series.astype(np.float16))
        spreads.append(scaled.scale.astype(np.float32))
    assert first is not None
    people, names = tuple(person for person, _ in wanted), tuple(path.stem for _, path in wanted)
    return Series(tuple(values), people, first.xyz, first.tr_s, first.atlas_id, names, tuple(spreads))


def zscored(recording: Recording) -> NDArray[np.float32]:
    """Return (parcels, frames) float32 with mean 0 and SD 1 per parcel over the recording; NaN where missing."""
    return scaled_alone(recording).series


def scaled_alone(recording: Recording) -> ScaledSeries:
    """Return what :func:`zscored` returns, with the means and SDs it was made with."""
    from brainlm_engine.preprocess.scaling import scale

    series = recording.series.copy()
    series[recording.missing] = np.nan
    return scale(series, "zscore")


def _check_same(first: Recording, other: Recording, path: Path) -> None:
    if other.n_parcels != first.n_parcels or not np.allclose(other.xyz, first.xyz, atol=0.01, equal_nan=True):
        raise BadInput(
            f"{path.name} was made with another atlas than the first recording of the cohort.",
            "Parcellate all recordings of a cohort with one atlas.",
        )
    if abs(other.tr_s - first.tr_s) > 0.01:
        raise BadInput(
            f"{path.name} has a TR of {other.tr_s:g} s, the first recording of the cohort {first.tr_s:g} s.",
            "Put recordings of another TR into a cohort of their own.",
        )


def _description(folder: Path) -> dict[str, Any]:
    try:
        content = json.loads((folder / "dataset_description.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return content if isinstance(content, dict) else {}
