"""Trainings as a person knows them: all jobs that worked on one model folder, with what the folder says. No torch."""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from brainlm_engine.api.errors import BadInput, NotANumber
from brainlm_engine.api.messages import JobRecord, JobState, Reply
from brainlm_engine.api.training import PreviewInfo, TrainingInfo
from brainlm_engine.jobs.store import read_jobs
from brainlm_engine.paths import data_dir
from brainlm_engine.training_folder import (
    checkpoint_head,
    rates_in_words,
    read_evaluation,
    read_levels,
    read_points,
    read_preview,
)

KIND = "pretrain"


def model_folder(params: dict[str, Any]) -> Path:
    """Return where a training writes: ``out``, or the folder of ``model_id`` among the person's own models.

    Raises
    ------
    BadInput
        When neither is given, or the id is not a plain name.
    """
    if params.get("out"):
        return Path(params["out"])
    root, model_id = data_dir() / "models", str(params.get("model_id", ""))
    folder = root / model_id
    if not model_id or folder.parent != root or model_id.startswith("."):
        raise BadInput("It is not said where the model is to be kept.", "Give a folder or a plain name for it.")
    return folder


def list_trainings() -> tuple[TrainingInfo, ...]:
    """Return every training of the study, newest first, without points and preview."""
    by_folder: dict[Path, list[JobRecord]] = {}
    for job in _jobs():
        try:
            by_folder.setdefault(model_folder(job.params), []).append(job)
        except BadInput:
            continue
    return tuple(_short(folder, jobs) for folder, jobs in by_folder.items())


def training(job_id: str) -> Reply[TrainingInfo]:
    """Return the training that ``job_id`` worked on: curve, levels, evaluation; with arrays when there is a preview.

    Raises
    ------
    BadInput
        When there is no such training.
    """
    jobs = _jobs()
    asked = next((job for job in jobs if job.job_id == job_id), None)
    if asked is None:
        raise BadInput(f"There is no training {job_id}.", "List the trainings to see them.")
    folder = model_folder(asked.params)
    short = _short(folder, [job for job in jobs if _same(job, folder)])
    preview, arrays = _preview(folder)
    levels, points = read_levels(folder), read_points(folder)
    return Reply(short.model_copy(update={"points": points, "levels": levels, "preview": preview}), arrays)


def _jobs() -> list[JobRecord]:
    try:
        return read_jobs(KIND)
    except sqlite3.Error:  # nothing was ever run here
        return []


def _same(job: JobRecord, folder: Path) -> bool:
    try:
        return model_folder(job.params) == folder
    except BadInput:
        return False


def _short(folder: Path, jobs: list[JobRecord]) -> TrainingInfo:
    """``jobs`` : newest first, at least one."""
    newest = jobs[0]
    points = read_points(folder, most=2)
    last = points[-1] if points else None
    usable = (folder / "config.json").is_file() and newest.state is JobState.DONE
    result = newest.result or {}
    cohort = Path(str(newest.params.get("cohort", "")))
    kept, rate, rates = checkpoint_head(folder)
    return TrainingInfo(
        job_id=newest.job_id,
        title=str(newest.params.get("title") or folder.name),
        model_id=folder.name,
        out=str(folder),
        state=newest.state,
        created=jobs[-1].created,
        cohort=str(cohort),
        cohort_name=cohort.name,
        simulated=_simulated(cohort, folder),
        params=newest.params,
        step=max(kept, last.step if last else 0, int(result.get("steps", 0))),
        seconds=float(result.get("seconds", last.seconds if last else 0.0)),
        validation_r2=result.get("validation_r2", last.validation_r2 if last else None),
        resumable=newest.state.ended and newest.state is not JobState.DONE,
        usable=usable,
        problem=newest.error.message if newest.error is not None and newest.state is not JobState.CANCELLED else "",
        next_step=newest.error.next_step if newest.error is not None else "",
        spoiled=newest.error is not None and newest.error.code == NotANumber.code,
        learning_rate=float(newest.params.get("learning_rate") or rate),
        rates=rates_in_words(rates),
        evaluation=read_evaluation(folder) if usable else None,
    )


def _simulated(cohort: Path, folder: Path) -> bool:
    """True when the cohort says so, or the finished model's card remembers it."""
    for path, keys in ((cohort / "dataset_description.json", ()), (folder / "card.json", ("cohort",))):
        try:
            content: Any = json.loads(path.read_text(encoding="utf-8"))
            for key in keys:
                content = content[key]
            return bool(content["simulated"])
        except (OSError, ValueError, KeyError, TypeError):
            continue
    return False


def _preview(folder: Path) -> tuple[PreviewInfo | None, dict[str, NDArray[Any]]]:
    found = read_preview(folder)
    if found is None:
        return None, {}
    head, arrays = found
    names = _names(str(head["atlas_id"]), head["parcels"])
    info = PreviewInfo(
        step=head["step"], tr_s=head["tr_s"], patch_frames=head["patch_frames"], names=names
    )  # fmt: skip
    return info, {name: np.ascontiguousarray(array) for name, array in arrays.items()}


def _names(atlas_id: str, parcels: list[int]) -> tuple[str, ...]:
    """Return the parcels' names, or their numbers where the atlas is not there."""
    from brainlm_engine.api.errors import EngineError
    from brainlm_engine.atlas import load_atlas

    known: tuple[str, ...] = ()
    if atlas_id:
        try:
            known = tuple(load_atlas(atlas_id).names)
        except EngineError:
            known = ()
    return tuple(known[parcel] if parcel < len(known) else f"Parcel {parcel + 1}" for parcel in parcels)
