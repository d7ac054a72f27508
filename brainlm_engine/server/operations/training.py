"""Training: cohorts, what can be chosen, how fast this computer is, and how trainings stand."""

from __future__ import annotations

import os
import platform
import sys
from collections import deque
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from brainlm_engine.api.messages import Message, Reply
from brainlm_engine.api.training import (
    CohortInfo,
    CohortList,
    TrainingChoices,
    TrainingEstimate,
    TrainingInfo,
    TrainingList,
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
    """Return models, devices, processors, and where trainings can run."""
    from brainlm_engine.hardware import gpus, installed_version
    from brainlm_engine.models.sizes import PUBLISHED, SIZES

    cards = len(gpus()) if "+cpu" not in installed_version("torch") else 0
    devices = ["cpu"]
    if cards:
        devices.append("cuda")
    if sys.platform == "darwin" and platform.machine() == "arm64":
        devices.append("mps")
    needed = {"slurm": "submitit", "dask": "distributed"}
    launches = ("here", *(where for where, package in needed.items() if find_spec(package) is not None))
    return TrainingChoices(
        sizes=(*SIZES, *PUBLISHED), devices=tuple(devices), threads=os.cpu_count() or 1, graphics=cards,
        launches=launches,
    )  # fmt: skip


#: stamps of estimates that nobody waits for any more, the newest
_LEFT: deque[str] = deque(maxlen=64)


def pretrain_estimate(warm: Warm, params: dict[str, Any], stamp: str = "") -> TrainingEstimate:
    """Measure what a ``pretrain`` job with these parameters would take here."""
    from brainlm_engine.jobs.model_jobs import chosen_settings
    from brainlm_engine.train.estimate import estimate_training

    return estimate_training(Path(params["cohort"]), chosen_settings(params), lambda: bool(stamp) and stamp in _LEFT)


def leave_estimate(warm: Warm, stamp: str) -> Message:
    """Give up an estimate, also one that has not begun."""
    _LEFT.append(stamp)
    return Message()


def trainings(warm: Warm) -> TrainingList:
    """List the trainings of this study."""
    from brainlm_engine.jobs.trainings import list_trainings

    return TrainingList(trainings=list_trainings())


def training(warm: Warm, job_id: str) -> Reply[TrainingInfo]:
    """Return one training with its curve and preview."""
    from brainlm_engine.jobs.trainings import training as read

    return read(job_id)
