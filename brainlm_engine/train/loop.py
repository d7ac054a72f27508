"""Pretraining, start to finish: draw, step, look at validation people, save. Can be stopped and goes on just there."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np
import torch

from brainlm_engine.api.errors import BadInput
from brainlm_engine.api.messages import ModelInfo
from brainlm_engine.baselines import covariance_of_people
from brainlm_engine.baselines.people import save_people
from brainlm_engine.cohort import Cohort, Series, load_series, open_cohort
from brainlm_engine.files import refuse_same, writing_to, written_whole
from brainlm_engine.models.card import Card, known_answer
from brainlm_engine.models.patches import frames_per_patch
from brainlm_engine.models.registry import save_model
from brainlm_engine.models.studio import Studio, StudioConfig
from brainlm_engine.progress import SILENT, Progress
from brainlm_engine.train.checkpoint import load_checkpoint, save_checkpoint
from brainlm_engine.train.evaluate import validation_r2
from brainlm_engine.train.levels import save_levels
from brainlm_engine.train.preview import save_preview
from brainlm_engine.train.settings import TrainSettings
from brainlm_engine.train.step import Learner, new_learner, train_step
from brainlm_engine.train.windows import draw_batch
from brainlm_engine.training_folder import LOG, whole_lines

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
    _check_sizes(settings)
    cohort = open_cohort(cohort_folder)
    train = load_series(cohort, "train", progress)
    held_out = load_series(cohort, "val", progress, most=64)
    _check_length(cohort, train, settings)
    _check_folder(out)
    torch.set_num_threads(settings.threads)
    torch.manual_seed(settings.seed)
    learner = new_learner(_new_model(settings), settings)
    save_levels(train, held_out, settings.window_frames, out, progress)
    log = TrainingLog(out, resumed=load_checkpoint(learner, settings, out), step=learner.step)
    if learner.step:
        progress.log(f"Going on from step {learner.step}")
    best = _learn(learner, train, held_out, settings, log=log, progress=progress)
    learner.average.cpu()
    info = _info(learner.average, out.name, title, cohort, train)
    card = _card(info, learner, settings, cohort, best)
    progress(1.0, "Writing the model")
    save_people(covariance_of_people(values.astype(np.float32) for values in train.values), train.xyz, out)
    save_model(learner.average, settings.architecture, card, out)
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
        if learner.step == 1 or learner.step % settings.evaluate_every == 0:  # at once, to see where it begins
            log.write(learner, losses, validation_r2(learner.average, held_out, settings.window_frames), progress)
            save_preview(learner.average, held_out, settings.window_frames, log.path.parent, learner.step)
            losses = []
        if learner.step % settings.checkpoint_every == 0:
            save_checkpoint(learner, settings, log.path.parent)
    final = validation_r2(learner.average, held_out, settings.window_frames)
    if losses:
        log.write(learner, losses, final, progress)
        save_preview(learner.average, held_out, settings.window_frames, log.path.parent, learner.step)
    save_checkpoint(learner, settings, log.path.parent)
    return final


class TrainingLog:
    """``training.jsonl``: one line per look at the validation people."""

    def __init__(self, folder: Path, *, resumed: bool, step: int) -> None:
        self.path = folder / LOG
        kept = [line for line in whole_lines(self.path) if line["step"] <= step] if resumed else []
        with written_whole(self.path) as temporary:
            temporary.write_text("".join(json.dumps(line) + "\n" for line in kept), encoding="utf-8")

    def write(self, learner: Learner, losses: list[float], r2: float, progress: Progress) -> None:
        """Add a line: mean loss since the last one, R2, speed."""
        rate = learner.step / max(learner.seconds, 1e-9)
        line: dict[str, Any] = {
            "step": learner.step, "seconds": round(learner.seconds, 2), "loss": sum(losses) / max(1, len(losses)),
            "validation_r2": r2, "steps_per_s": round(rate, 3),
        }  # fmt: skip
        with self.path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(line) + "\n")
        progress.log(
            f"step {learner.step}  {learner.seconds:.0f} s  loss {line['loss']:.4f}  R2 of validation people {r2:.4f}"
        )


def _new_model(settings: TrainSettings) -> Studio:
    if settings.architecture != "studio":
        raise BadInput(f"This version cannot train the architecture “{settings.architecture}”.", "Choose “studio”.")
    try:
        return Studio.from_config(dict(settings.model))
    except (TypeError, ValueError, RuntimeError, ZeroDivisionError) as error:
        raise BadInput(
            "The sizes asked for do not make a model.", "Leave them out for the default.", str(error)
        ) from error


def _check_sizes(settings: TrainSettings) -> None:
    known = [field.name for field in fields(StudioConfig)]
    if strange := [name for name in settings.model if name not in known]:
        raise BadInput(f"The model has no size called “{strange[0]}”.", f"Its sizes are: {', '.join(known)}.")


def _check_length(cohort: Cohort, train: Series, settings: TrainSettings) -> None:
    shortest, one = min(values.shape[1] for values in train.values), frames_per_patch(train.tr_s)
    if shortest < max(settings.window_frames, one):
        raise BadInput(
            f"The shortest recording of {cohort.folder.name} has {shortest} frames, fewer than the window of "
            f"{settings.window_frames}.",
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


def _info(model: Studio, model_id: str, title: str, cohort: Cohort, train: Series) -> ModelInfo:
    simulated = "simulated " if cohort.simulated else ""
    return ModelInfo(
        model_id=model_id,
        title=title or model_id,
        architecture="studio",
        n_parameters=sum(parameter.numel() for parameter in model.parameters()),
        patch_frames=frames_per_patch(train.tr_s),
        window_frames=200,
        tr_s=train.tr_s,
        atlas_id=train.atlas_id,
        any_atlas=True,
        capabilities=("reconstruct", "embed", "attention"),
        licence="BSD-3-Clause",
        trained_on=f"{len(train)} {simulated}recordings of {len(set(train.people))} people ({cohort.folder.name})",
    )


def _card(info: ModelInfo, learner: Learner, settings: TrainSettings, cohort: Cohort, r2: float) -> Card:
    figures = {"validation_r2_75": round(r2, 4)}
    limits = (
        "Trained on simulated recordings only: what it says of a real scan is a demonstration, not a finding.",
    ) * cohort.simulated
    return Card(
        info=info.model_copy(update={"figures": figures}),
        seed=settings.seed,
        training={
            "settings": settings.model_dump(mode="json"), "steps": learner.step, "seconds": round(learner.seconds, 1),
            "windows": learner.step * settings.batch, "torch": torch.__version__,
        },
        cohort=cohort.description,
        limits=limits,
        known_answer=known_answer(learner.average),
    )  # fmt: skip
