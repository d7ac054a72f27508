"""Pretraining, start to finish: draw, step, look at validation people, save. Can be stopped and goes on just there."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path

import torch

from brainlm_engine.api.errors import BadInput
from brainlm_engine.cohort import Cohort, Series, load_series, open_cohort
from brainlm_engine.files import refuse_same, writing_to
from brainlm_engine.progress import SILENT, Progress
from brainlm_engine.train.checkpoint import load_checkpoint, save_checkpoint
from brainlm_engine.train.evaluate import validation_r2
from brainlm_engine.train.log import TrainingLog
from brainlm_engine.train.result import write_model
from brainlm_engine.train.settings import TrainSettings
from brainlm_engine.train.step import Learner, new_learner, train_step
from brainlm_engine.train.trainable import check_sizes, new_model, trainable
from brainlm_engine.train.windows import draw_batch

#: A step slower than this does not count in full: the computer slept or was busy with other things.
_LONGEST_STEP_S = 30.0


@dataclass(frozen=True)
class PretrainResult:
    """What :func:`pretrain` leaves behind.

    Attributes
    ----------
    folder : the model, ready for ``load_model``
    steps, windows : how much was learned from
    seconds : of training
    validation_r2 : at 75 % hidden patches, people of the split 'val'
    """

    folder: Path
    steps: int
    windows: int
    seconds: float
    validation_r2: float


def pretrain(
    cohort_folder: Path, out: Path, settings: TrainSettings, progress: Progress = SILENT, *, title: str = ""
) -> PretrainResult:
    """Train a masked autoencoder on the 'train' people of a cohort and write it to ``out``.

    A folder that holds a checkpoint of the same training is continued. When stopped, a checkpoint is left.

    Raises
    ------
    BadInput
        When the cohort cannot be used, or ``out`` holds something else.
    """
    refuse_same(out, (cohort_folder, cohort_folder / "recordings"))
    _check_device(settings.device)
    check_sizes(settings.architecture, settings.model)
    cohort = open_cohort(cohort_folder)
    train = load_series(cohort, "train", progress)
    held_out = load_series(cohort, "val", progress, most=64)
    _check_length(cohort, train, settings)
    _check_folder(out)
    torch.set_num_threads(settings.threads)
    torch.manual_seed(settings.seed)
    model = new_model(settings.architecture, settings.model, len(train.xyz), settings.window_frames)
    learner = new_learner(model, settings)
    log = TrainingLog(out, resumed=load_checkpoint(learner, settings, out), step=learner.step)
    if learner.step:
        progress.log(f"Going on from step {learner.step}")
    best = _learn(learner, train, held_out, settings, log=log, progress=progress)
    progress(1.0, "Writing the model")
    write_model(learner, settings, cohort, train, r2=best, title=title, out=out)
    progress(1.0, "Model written")
    return PretrainResult(out, learner.step, learner.step * settings.batch, learner.seconds, best)


def _learn(
    learner: Learner, train: Series, held_out: Series, settings: TrainSettings, *, log: TrainingLog, progress: Progress
) -> float:
    """Run the steps that are left and return R2 on the validation people at the end."""
    losses: list[float] = []
    while settings.share_done(learner.step, learner.seconds) < 1:
        began = time.perf_counter()
        try:
            progress(settings.share_done(learner.step, learner.seconds), f"Training, step {learner.step}")
        except BaseException:
            save_checkpoint(learner, settings, log.path.parent)
            raise
        losses.append(train_step(learner, draw_batch(train, settings, learner.step), settings))
        learner.seconds += min(time.perf_counter() - began, _LONGEST_STEP_S)
        if learner.step % settings.evaluate_every == 0:
            log.write(learner, losses, validation_r2(learner.average, held_out, settings.window_frames), progress)
            losses = []
        if learner.step % settings.checkpoint_every == 0:
            save_checkpoint(learner, settings, log.path.parent)
    final = validation_r2(learner.average, held_out, settings.window_frames)
    if losses:
        log.write(learner, losses, final, progress)
    save_checkpoint(learner, settings, log.path.parent)
    return final


def _check_length(cohort: Cohort, train: Series, settings: TrainSettings) -> None:
    shortest = min(values.shape[1] for values in train.values)
    one = trainable(settings.architecture).frames_per_patch(settings.model, train.tr_s)
    if shortest < max(settings.window_frames, one):
        raise BadInput(
            f"The shortest recording of {cohort.folder.name} has {shortest} frames, fewer than the window of "
            f"{max(settings.window_frames, one)}.",
            "Choose a shorter window, or leave short recordings out.",
        )


def _check_folder(out: Path) -> None:
    if out.exists() and not out.is_dir():
        raise BadInput(f"{out.name} is a file, not a folder.", "Choose a folder for the model.")
    with writing_to(out):
        out.mkdir(parents=True, exist_ok=True)


def _check_device(device: str) -> None:
    there = {"cpu": True, "cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available()}
    if not there[device]:
        kind = {"cuda": "NVIDIA graphics processor (CUDA)", "mps": "Apple graphics processor (MPS)"}[device]
        raise BadInput(f"This computer has no {kind} that can be trained on.", "Train on the CPU: --device cpu.")
