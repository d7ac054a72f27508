"""Training: cohorts, what can be chosen, how fast this computer is, and how trainings stand."""

from __future__ import annotations

import os
import platform
import sys
import time
from pathlib import Path
from typing import Any

from brainlm_engine.api.errors import BadInput
from brainlm_engine.api.messages import Reply
from brainlm_engine.api.training import (
    CohortInfo,
    CohortList,
    ModelSize,
    TrainingChoices,
    TrainingEstimate,
    TrainingInfo,
    TrainingList,
    TrainingSpeed,
)
from brainlm_engine.server.warm import Warm


def cohorts(warm: Warm) -> CohortList:
    """List demo cohorts and cohorts of earlier trainings that can still be used."""
    from brainlm_engine.cohort.describing import describe_cohort
    from brainlm_engine.jobs.trainings import list_trainings
    from brainlm_engine.paths import data_dir

    own = data_dir() / "cohorts"
    folders = sorted(path.parent for path in own.glob("*/participants.tsv")) if own.is_dir() else []
    folders += [Path(training.cohort) for training in list_trainings()]
    found = [describe_cohort(folder) for folder in dict.fromkeys(folders)]
    return CohortList(cohorts=tuple(info for info in found if not info.problem))


def inspect_cohort(warm: Warm, path: str) -> CohortInfo:
    """Look at one folder."""
    from brainlm_engine.cohort.describing import describe_cohort

    return describe_cohort(Path(path))


def training_choices(warm: Warm) -> TrainingChoices:
    """Return sizes, devices and processors."""
    from brainlm_engine.hardware import gpus, installed_version
    from brainlm_engine.models.sizes import SIZES

    devices = ["cpu"]
    if gpus() and "+cpu" not in installed_version("torch"):
        devices.append("cuda")
    if sys.platform == "darwin" and platform.machine() == "arm64":
        devices.append("mps")
    return TrainingChoices(sizes=SIZES, devices=tuple(devices), threads=os.cpu_count() or 1)


#: A model with more parameters than this takes minutes for the two steps that are measured, on a processor.
_MOST_MEASURED = 20_000_000


def training_speed(warm: Warm, size_id: str, n_parcels: int, settings: dict[str, Any]) -> TrainingSpeed:
    """Time a fresh model on noise of the right shape.

    Of a model too large to be tried on a processor the largest smaller one is timed, and its time scaled by the number
    of parameters: the matrix products, which grow like that, are most of a step.
    """
    from brainlm_engine.models.sizes import SIZES

    size = next((size for size in SIZES if size.size_id == size_id), None)
    if size is None:
        raise BadInput(f"There is no model size called “{size_id}”.", "Choose one of the list.")
    if size.n_parameters <= _MOST_MEASURED or settings.get("device", "cpu") != "cpu":
        return _measured(size, n_parcels, settings)
    tried = max((each for each in SIZES if each.n_parameters <= _MOST_MEASURED), key=lambda each: each.n_parameters)
    speed, factor = _measured(tried, n_parcels, settings), size.n_parameters / tried.n_parameters
    return TrainingSpeed(
        step_s=factor * speed.step_s, look_s=factor * speed.look_s, scaled_from=tried.size_id
    )  # fmt: skip


def _measured(size: ModelSize, n_parcels: int, settings: dict[str, Any]) -> TrainingSpeed:
    """Time two steps and one window; the first step warms up."""
    import torch

    from brainlm_engine.models.patches import frames_per_patch
    from brainlm_engine.models.studio import Studio
    from brainlm_engine.train.evaluate import MOST
    from brainlm_engine.train.settings import settings_from
    from brainlm_engine.train.step import new_learner, train_step
    from brainlm_engine.train.windows import Batch

    chosen = settings_from({"model": size.sizes, "steps": 2, **settings, "compile": "off"})
    torch.set_num_threads(chosen.threads)
    tr_s = 0.72
    patches = max(1, chosen.window_frames // frames_per_patch(tr_s))
    shape = (chosen.batch, n_parcels, patches)
    signal = torch.randn(chosen.batch, n_parcels, patches * frames_per_patch(tr_s))
    xyz = torch.randn(n_parcels, 3).mul(40).expand(chosen.batch, -1, -1)
    queries = torch.arange(min(chosen.queries, n_parcels))
    batch = Batch(signal, xyz, torch.rand(shape) < 0.75, queries, tr_s)
    learner = new_learner(Studio.from_config(dict(size.sizes)), chosen)
    train_step(learner, batch, chosen)
    began = time.perf_counter()
    train_step(learner, batch, chosen)
    step_s = time.perf_counter() - began
    began = time.perf_counter()
    with torch.inference_mode():
        learner.average(
            signal[:1].to(chosen.device), xyz[:1].to(chosen.device), mask=batch.hidden[:1].to(chosen.device), tr_s=tr_s
        )
    return TrainingSpeed(step_s=step_s, look_s=MOST * (time.perf_counter() - began))


def pretrain_estimate(warm: Warm, params: dict[str, Any]) -> TrainingEstimate:
    """Measure what a ``pretrain`` job with these parameters would take here."""
    from brainlm_engine.jobs.model_jobs import chosen_settings
    from brainlm_engine.train.estimate import estimate_training

    return estimate_training(Path(params["cohort"]), chosen_settings(params))


def trainings(warm: Warm) -> TrainingList:
    """List the trainings of this study."""
    from brainlm_engine.jobs.trainings import list_trainings

    return TrainingList(trainings=list_trainings())


def training(warm: Warm, job_id: str) -> Reply[TrainingInfo]:
    """Return one training with its curve and preview."""
    from brainlm_engine.jobs.trainings import training as read

    return read(job_id)
