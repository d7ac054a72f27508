"""What a training would take on this computer, said before it starts: memory, parts of a step, minutes."""

from __future__ import annotations

import time
from pathlib import Path

import torch

from brainlm_engine.api.errors import OutOfMemory
from brainlm_engine.api.training import TrainingEstimate
from brainlm_engine.cohort import Series, load_series, open_cohort
from brainlm_engine.train.memory import Need, measure
from brainlm_engine.train.settings import TrainSettings
from brainlm_engine.train.step import Learner, alone, new_learner, train_step
from brainlm_engine.train.team import Team
from brainlm_engine.train.trainable import check_sizes, new_model
from brainlm_engine.train.windows import draw_batch

#: recordings that are read to know what windows are like
_RECORDINGS = 8
#: windows whose steps are timed; they differ in size
_TIMED = 3


def estimate_training(cohort_folder: Path, settings: TrainSettings) -> TrainingEstimate:
    """Build the model, run a few single windows, and return what the whole training would take. Nothing is written.

    With several processes on this computer their share of its memory is looked at; the time is that of one process that
    has the computer to itself, divided among them.

    Raises
    ------
    BadInput
        When cohort or settings cannot be used.
    """
    check_sizes(settings.architecture, settings.model)
    train = load_series(open_cohort(cohort_folder), "train", most=_RECORDINGS)
    torch.set_num_threads(settings.threads)
    torch.manual_seed(settings.seed)
    model = new_model(settings.architecture, settings.model, len(train.xyz), settings.window_frames)
    team = alone(settings)
    learner = new_learner(model, settings, team)
    count = sum(value.numel() for value in model.parameters())
    shared = Team(team.device, world=settings.devices * settings.nodes, beside=settings.devices)
    try:
        need = measure(learner, train, settings, shared)
    except OutOfMemory as error:
        return TrainingEstimate(n_parameters=count, sentence=error.message, fits=False)
    if need.parts is None:
        return TrainingEstimate(
            n_parameters=count, memory=need.total(need.windows), memory_free=need.free + need.weights,
            sentence=need.sentence(), fits=False,
        )  # fmt: skip
    parts = max(need.parts, settings.accumulate)
    step_s = _window_s(learner, train, settings) * need.windows
    steps, minutes = _length(settings, step_s)
    return TrainingEstimate(
        n_parameters=count, memory=need.total(parts), memory_free=need.free + need.weights, parts=parts, fits=True,
        step_s=step_s, steps=steps, minutes=minutes, sentence=_sentence(need, settings, steps, minutes),
    )  # fmt: skip


def _window_s(learner: Learner, train: Series, settings: TrainSettings) -> float:
    """Return the mean seconds of a step of one window."""
    single = settings.model_copy(update={"batch": 1})
    batches = [draw_batch(train, single, step) for step in range(_TIMED)]
    began = time.perf_counter()
    for batch in batches:
        train_step(learner, batch, single)
    return (time.perf_counter() - began) / _TIMED


def _length(settings: TrainSettings, step_s: float) -> tuple[int, float]:
    """Return about how many steps and minutes it takes, whichever end comes first."""
    by_clock = int(60 * settings.minutes / step_s) if settings.minutes else None
    steps = max(1, min(filter(None, (settings.steps, by_clock)), default=1))
    return steps, steps * step_s / 60


def _sentence(need: Need, settings: TrainSettings, steps: int, minutes: float) -> str:
    length = f"{minutes:.0f} minutes" if minutes >= 1.5 else f"{60 * minutes:.0f} seconds"
    return f"{need.sentence(settings.accumulate)} {steps} steps take about {length} here."
