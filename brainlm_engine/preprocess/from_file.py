"""An opened file becomes a recording: what must be answered first, and what is told with the result."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from brainlm_engine.api.errors import BadInput
from brainlm_engine.api.messages import Question
from brainlm_engine.atlas.registry import DEFAULT_ATLAS, load_atlas
from brainlm_engine.io.table import TableScan
from brainlm_engine.io.volume import VolumeScan
from brainlm_engine.preprocess.describe import describe
from brainlm_engine.preprocess.parcellate import parcellate
from brainlm_engine.preprocess.positions import read_places
from brainlm_engine.preprocess.space import check_space, space_note
from brainlm_engine.preprocess.table import recording_from_own, recording_from_table
from brainlm_engine.progress import SILENT, Progress
from brainlm_engine.recording import Recording


@dataclass(frozen=True)
class Given:
    """What a person gave beside the file.

    Attributes
    ----------
    answers : answers to the questions of the file (``scan.info.questions`` and those of :func:`describe`)
    atlas_id : '' for the default one (a scan), or for none (a table)
    coordinates : for a table, a file with the positions of its regions; None when there is none
    """

    answers: Mapping[str, str] = field(default_factory=dict)
    atlas_id: str = ""
    coordinates: Path | None = None


def open_questions(scan: VolumeScan | TableScan, given: Given) -> tuple[Question, ...]:
    """Return the required questions that nothing given answers: until then nothing is computed."""
    placed = bool(given.atlas_id) or given.coordinates is not None
    return tuple(
        question
        for question in describe(scan).questions
        if question.required
        and question.question_id not in given.answers
        and not (question.question_id == "positions" and placed)
    )


def recording_of(scan: VolumeScan | TableScan, given: Given, progress: Progress = SILENT) -> Recording:
    """Average a scan over an atlas, or give a table its positions.

    Returns
    -------
    Recording
        ``provenance["notes"]`` says what was assumed: the TR, the space, the positions.

    Raises
    ------
    BadInput
        While a required question is open, or when something given does not fit.
    """
    if still_open := open_questions(scan, given):
        asked = still_open[0]
        values = " or ".join(choice.value for choice in asked.choices[:6])
        raise BadInput(asked.text, f"Answer it first: {asked.question_id}" + f" = {values}." * bool(values))
    if isinstance(scan, VolumeScan):
        return _of_volume(scan, given, progress)
    return _of_table(scan, given, progress)


def _of_volume(scan: VolumeScan, given: Given, progress: Progress) -> Recording:
    report = check_space(scan)
    note = space_note(report, given.answers, given.atlas_id, scan.header.has_position)
    if not note:
        progress.log(report.text)
    recording = parcellate(scan, load_atlas(given.atlas_id or DEFAULT_ATLAS), progress)
    return _with_note(recording, note)


def _with_note(recording: Recording, note: str) -> Recording:
    notes = [*recording.provenance["notes"], *([note] if note else [])]
    return replace(recording, provenance={**recording.provenance, "notes": notes})


def _of_table(scan: TableScan, given: Given, progress: Progress) -> Recording:
    atlas_id, coordinates = given.atlas_id, given.coordinates
    answer = given.answers.get("positions", "")
    if answer and not atlas_id and coordinates is None:
        coordinates, atlas_id = (Path(answer), "") if Path(answer).is_file() else (None, answer)
    own = None
    if not atlas_id and coordinates is None:
        atlas_id, own = describe(scan).atlas_id, scan.own  # its names are those of an atlas, or it is ours
    atlas = load_atlas(atlas_id) if atlas_id else None
    places = read_places(coordinates, scan.names) if coordinates is not None else None
    progress(0.5, "Checking the positions")
    if own is not None and own.placed:
        return recording_from_own(scan, own, atlas)
    if places is None:
        return recording_from_table(scan, atlas)
    recording = recording_from_table(scan, atlas, places.xyz)
    return _with_note(recording, places.note)
