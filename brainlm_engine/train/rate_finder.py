"""Which learning rate to train with: a short sweep from far too small to far too large, on weights that are not kept.

The rate grows by the same factor every step. The loss first falls, then explodes (Smith, "Cyclical learning rates for
training neural networks", 2017); one takes a tenth of the rate at which it is lowest, where it still falls steadily. A
few batches come in turn, and each is compared with itself: some masks are much harder, which would hide the rest.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from brainlm_engine.api.errors import BadInput, NotANumber
from brainlm_engine.cohort import load_series, open_cohort
from brainlm_engine.progress import SILENT, Progress
from brainlm_engine.train.checkpoint import load_checkpoint
from brainlm_engine.train.settings import TrainSettings
from brainlm_engine.train.step import new_learner, train_step
from brainlm_engine.train.trainable import check_sizes, new_model
from brainlm_engine.train.windows import draw_batch

LOWEST, HIGHEST, STEPS = 1e-6, 1.0, 100
_BATCHES = 4
_SMOOTHING = 0.8
_EXPLODED = 4.0
_FALLEN = 0.995


@dataclass(frozen=True)
class RateCurve:
    """What a sweep saw.

    Attributes
    ----------
    rates : learning rate of every step
    losses : its loss as a share of what that batch began with, smoothed
    suggestion : a tenth of the rate at which it is lowest
    """

    rates: tuple[float, ...]
    losses: tuple[float, ...]
    suggestion: float


def find_learning_rate(
    cohort_folder: Path,
    settings: TrainSettings,
    progress: Progress = SILENT,
    *,
    start: Path | None = None,
    steps: int = STEPS,
) -> RateCurve:
    """Sweep the learning rate over weights of the model that the settings describe; nothing is written.

    Parameters
    ----------
    start : folder of a training whose weights to begin with; fresh ones when it holds none
    steps : length of the sweep

    Raises
    ------
    BadInput
        When the cohort cannot be used, or the loss falls at no rate.
    """
    check_sizes(settings.architecture, settings.model)
    train = load_series(open_cohort(cohort_folder), "train", progress)
    torch.set_num_threads(settings.threads)
    torch.manual_seed(settings.seed)
    model = new_model(settings.architecture, settings.model, len(train.xyz), settings.window_frames)
    learner = new_learner(model, settings)
    if start is not None:
        load_checkpoint(learner, settings, start)
    batches = [draw_batch(train, settings, number) for number in range(_BATCHES)]
    began: dict[int, float] = {}
    rates: list[float] = []
    losses: list[float] = []
    smooth = 0.0
    for step in range(steps):
        rate = LOWEST * (HIGHEST / LOWEST) ** (step / (steps - 1))
        progress(step / steps, f"Learning rate {rate:.1e}")
        try:
            loss = train_step(learner, batches[step % _BATCHES], settings, rate=rate)
        except NotANumber:  # beyond all use
            break
        share = loss / began.setdefault(step % _BATCHES, loss)
        smooth = _SMOOTHING * smooth + (1 - _SMOOTHING) * share
        rates.append(rate)
        losses.append(smooth / (1 - _SMOOTHING ** (step + 1)))
        if losses[-1] > _EXPLODED * min(losses):
            break
    return RateCurve(tuple(rates), tuple(losses), suggested(rates, losses))


def suggested(rates: list[float], losses: list[float]) -> float:
    """Return a tenth of the rate at which the loss is lowest.

    Raises
    ------
    BadInput
        When it never fell.
    """
    lowest = int(np.argmin(losses))
    if losses[lowest] > _FALLEN * losses[0]:
        raise BadInput("The loss falls at no learning rate that was tried.", "Look at the recordings' scaling.")
    return rates[lowest] / 10


def drawn(curve: RateCurve, width: int = 60, rows: int = 24) -> str:
    """Return the curve as text, one bar per few rates, the suggestion marked."""
    low, high = min(curve.losses), max(curve.losses[:1] + tuple(sorted(curve.losses))[: len(curve.losses) * 9 // 10])
    marks = np.unique(np.linspace(0, len(curve.rates) - 1, rows).astype(int))
    nearest = min(marks, key=lambda index: abs(math.log(curve.rates[index] / curve.suggestion)))
    lines = []
    for index in marks:
        share = min(1.0, (curve.losses[index] - low) / max(high - low, 1e-12))
        bar = "#" * max(1, round(share * width))
        lines.append(f"{curve.rates[index]:8.1e}  {curve.losses[index]:8.4f}  {bar}{'  <' if index == nearest else ''}")
    return "\n".join(lines)
