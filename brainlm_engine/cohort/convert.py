"""Packing a cohort into Arrow files: one sequential pass, a few recordings in memory at a time."""

from __future__ import annotations

import csv
import json
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from brainlm_engine.api.errors import BadInput
from brainlm_engine.cohort.arrow_file import Half, Kind, write_rows
from brainlm_engine.cohort.published import Reading
from brainlm_engine.cohort.reading import (
    ARROW,
    SPLITS,
    Cohort,
    Place,
    check_same,
    kind_of,
    load_recording,
    open_cohort,
    zscored,
)
from brainlm_engine.files import folder_whole, refuse_same
from brainlm_engine.progress import SILENT, Progress

#: an Arrow file of a cohort ends after the recording with which it becomes this large
SHARD_BYTES = 1 << 30


@dataclass(frozen=True)
class Converted:
    """What :func:`convert_cohort` made.

    Attributes
    ----------
    folder : the packed cohort
    people, recordings : split -> how many
    bytes : of the Arrow files
    notes : sentences about what had to be decided
    """

    folder: Path
    people: dict[str, int]
    recordings: dict[str, int]
    bytes: int
    notes: tuple[str, ...]


def convert_cohort(
    source: Path,
    out: Path,
    reading: Reading | None = None,
    progress: Progress = SILENT,
    *,
    shard_bytes: int = SHARD_BYTES,
) -> Converted:
    """Write the recordings of ``source`` to ``out`` as Arrow files of z-scored float16, in the same order.

    Training on ``out`` draws the same batches as training on ``source``, to the bit.

    Parameters
    ----------
    source : a cohort folder, or a data set of the published BrainLM code
    reading : how the latter is to be read
    shard_bytes : about the largest size of a file

    Raises
    ------
    BadInput
        When the source cannot be used, or ``out`` holds something.
    """
    refuse_same(out, (source, source / ARROW))
    cohort = open_cohort(source, reading)
    if not cohort.files:
        raise BadInput(f"{source.name} holds no recordings.", "Choose a folder that does.")
    total = sum(len(cohort.files[person]) for split in SPLITS for person in cohort.people(split))
    done, kind = _Done(total, progress), None
    counts: dict[str, int] = {}
    with folder_whole(out) as temporary:
        (temporary / ARROW).mkdir()
        for split in SPLITS:
            places = [(person, place) for person in cohort.people(split) for place in cohort.files[person]]
            counts[split] = len(places)
            if places:
                kind = kind or _kind(places[0][1])
                _write_split(temporary / ARROW / split, places, kind, done, shard_bytes)
        _write_tables(cohort, temporary)
        size = sum(path.stat().st_size for path in (temporary / ARROW).iterdir())
    people = {split: len(cohort.people(split)) for split in SPLITS}
    return Converted(out, people, counts, size, cohort.notes)


class _Done:
    """How many recordings are through."""

    def __init__(self, total: int, progress: Progress) -> None:
        self.total, self.count, self.progress = total, 0, progress

    def one(self) -> None:
        self.progress(self.count / self.total, f"Converting recording {self.count + 1} of {self.total}")
        self.count += 1


def _write_split(split: Path, places: list[tuple[str, Place]], kind: Kind, done: _Done, shard_bytes: int) -> None:
    waiting = iter(places)
    number = 0
    pending = next(waiting, None)
    while pending is not None:
        shard = _Shard(pending, waiting, kind, done, shard_bytes)
        write_rows(split.with_name(f"{split.name}-{number:05d}.arrow"), kind, shard)
        pending, number = shard.left, number + 1


class _Shard:
    """The rows of one file; ``left`` is the recording with which the next one begins."""

    def __init__(
        self, first: tuple[str, Place], waiting: Iterator[tuple[str, Place]], kind: Kind, done: _Done, most: int
    ) -> None:
        self.left: tuple[str, Place] | None = first
        self._waiting, self._kind, self._done, self._most = waiting, kind, done, most

    def __iter__(self) -> Iterator[tuple[str, str, Half]]:
        size = 0
        while self.left is not None and size < self._most:
            person, place = self.left
            self._done.one()
            values = _values(place, self._kind)
            size += values.nbytes
            yield person, place.stem, values
            self.left = next(self._waiting, None)


def _kind(place: Place) -> Kind:
    return kind_of(load_recording(place)) if isinstance(place, Path) else place.kind


def _values(place: Place, kind: Kind) -> Half:
    """Return what training would see of a recording."""
    if not isinstance(place, Path):
        check_same(kind, place.kind, place.name)
        return place.values()
    recording = load_recording(place)
    check_same(kind, kind_of(recording), place.name)
    return zscored(recording).astype(np.float16)


def _write_tables(cohort: Cohort, folder: Path) -> None:
    """Copy what is known of the people and the cohort; a published data set gets tables of its own."""
    table, data_dictionary = cohort.folder / "participants.tsv", cohort.folder / "participants.json"
    if table.exists():
        shutil.copyfile(table, folder / table.name)
        if data_dictionary.exists():
            shutil.copyfile(data_dictionary, folder / data_dictionary.name)
    else:
        with (folder / table.name).open("w", newline="", encoding="utf-8") as file:
            writer = csv.writer(file, delimiter="\t", lineterminator="\n")
            writer.writerows([("participant_id", "split"), *cohort.split.items()])
    told = {**cohort.description, "converted_from": cohort.folder.name}
    (folder / "dataset_description.json").write_text(json.dumps(told, indent=1) + "\n", encoding="utf-8")
