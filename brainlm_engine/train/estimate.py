"""What a training would take on this computer, said before it starts: memory, parts of a step, minutes."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from torch.utils._python_dispatch import TorchDispatchMode

from brainlm_engine.api.errors import Cancelled, OutOfMemory
from brainlm_engine.api.training import TrainingEstimate
from brainlm_engine.cohort import Series, load_series, open_cohort
from brainlm_engine.train.evaluate import MOST, validation_r2
from brainlm_engine.train.fabric_team import check_shares
from brainlm_engine.train.memory import SMALLER, TWICE, Need, measure_or_save, weights_alone
from brainlm_engine.train.settings import TrainSettings
from brainlm_engine.train.step import Learner, alone, new_learner, train_step
from brainlm_engine.train.team import Team
from brainlm_engine.train.trainable import check_sizes, new_model, trainable
from brainlm_engine.train.windows import draw_batch

#: recordings that are read to know what windows are like
_RECORDINGS = 8
#: windows whose steps are timed; they differ in size
_TIMED = 3
#: parameters from which on a window takes seconds on a processor
_LARGE = 20_000_000


class _GivenUp(TorchDispatchMode):
    """Ends what is computed inside the block, between two operations, as soon as nobody waits for it."""

    def __init__(self, left: Callable[[], bool]) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self._left = left

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        """Run ``func``, unless it is too late for it."""
        if self._left():
            raise Cancelled("Measuring was given up: other settings are asked about.")
        return func(*args, **(kwargs or {}))


def estimate_training(
    cohort_folder: Path, settings: TrainSettings, left: Callable[[], bool] = lambda: False
) -> TrainingEstimate:
    """Return what :func:`measured_training` does, unless ``left`` says on the way that nobody waits for it.

    Raises
    ------
    BadInput
        When cohort or settings cannot be used.
    Cancelled
        When it was given up.
    """
    if settings.device != "cpu" or settings.compile == "on":  # quick, and compiled layers are not looked into
        return measured_training(cohort_folder, settings)
    with _GivenUp(left):
        return measured_training(cohort_folder, settings)


def measured_training(cohort_folder: Path, settings: TrainSettings) -> TrainingEstimate:
    """Build the model, run a few single windows, and return what the whole training would take. Nothing is written.

    With several processes on this computer their share of its memory is looked at; the time is that of one process that
    has the computer to itself, divided among them.

    Raises
    ------
    BadInput
        When cohort or settings cannot be used.
    """
    check_sizes(settings.architecture, settings.model)
    check_shares(settings, settings.devices)
    train = load_series(open_cohort(cohort_folder), "train", most=_RECORDINGS)
    torch.set_num_threads(settings.threads)
    torch.manual_seed(settings.seed)
    model = new_model(settings.architecture, settings.model, len(train.xyz), settings.window_frames)
    count = sum(value.numel() for value in model.parameters())
    shared = Team(alone(settings).device, world=settings.devices * settings.nodes, beside=settings.devices)
    if settings.device == "cpu" and (need := weights_alone(count, settings, shared)).parts is None:
        return _too_large(need)  # before this computer is filled with it
    learner = new_learner(model, settings, alone(settings))
    try:
        need, twice = measure_or_save(learner, train, settings, shared)
    except OutOfMemory as error:
        return TrainingEstimate(n_parameters=count, sentence=error.message, next_step=SMALLER, fits=False)
    if need.parts is None:
        return _too_large(need)
    parts = max(need.parts, settings.accumulate)
    step_s, look_s = _window_s(learner, train, settings) * need.windows, _look_s(learner, train, settings)
    steps, minutes = _length(settings, step_s)
    sentence = " ".join(filter(None, (_sentence(need, settings, steps, minutes), TWICE if twice else "")))
    return TrainingEstimate(
        n_parameters=count, memory=need.total(parts), memory_free=need.free + need.weights, parts=parts, fits=True,
        step_s=step_s, look_s=look_s, steps=steps, minutes=minutes, sentence=sentence,
    )  # fmt: skip


def _too_large(need: Need) -> TrainingEstimate:
    return TrainingEstimate(
        n_parameters=need.parameters, memory=need.total(need.windows), memory_free=need.free + need.weights,
        sentence=need.sentence(), next_step=SMALLER, fits=False,
    )  # fmt: skip


def _window_s(learner: Learner, train: Series, settings: TrainSettings) -> float:
    """Return the mean seconds of a step of one window; of a model that is large for a processor one is enough.

    The first step of a smaller one is not counted: what is only done once in a training would be counted in every step.
    """
    large = settings.device == "cpu" and sum(value.numel() for value in learner.model.parameters()) > _LARGE
    single = settings.model_copy(update={"batch": 1})
    batches = [draw_batch(train, single, step) for step in range(1 if large else _TIMED)]
    if not large:
        train_step(learner, batches[0], single)
    began = time.perf_counter()
    for batch in batches:
        train_step(learner, batch, single)
    return (time.perf_counter() - began) / len(batches)


def _look_s(learner: Learner, train: Series, settings: TrainSettings) -> float:
    """Return the seconds of a look at the validation people, from that at one window."""
    judging = trainable(settings.architecture).judging
    began = time.perf_counter()
    validation_r2(learner.average, train, settings.window_frames, 1, judging=judging, sizes=settings.model)
    return MOST * (time.perf_counter() - began)


def _length(settings: TrainSettings, step_s: float) -> tuple[int, float]:
    """Return about how many steps and minutes it takes, whichever end comes first."""
    by_clock = int(60 * settings.minutes / step_s) if settings.minutes else None
    steps = max(1, min(filter(None, (settings.steps, by_clock)), default=1))
    return steps, steps * step_s / 60


def _sentence(need: Need, settings: TrainSettings, steps: int, minutes: float) -> str:
    length = f"{minutes:.0f} minutes" if minutes >= 1.5 else f"{60 * minutes:.0f} seconds"
    return f"{need.sentence(settings.accumulate)} {steps} steps take about {length} here."
