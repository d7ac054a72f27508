"""How far the simple methods come on the very windows and masks by which a training is judged: lines to cross."""

from __future__ import annotations

import json
from functools import reduce
from operator import add
from pathlib import Path
from typing import Any

import numpy as np

from brainlm_engine.api.training import Level
from brainlm_engine.baselines import covariance_of_people
from brainlm_engine.cohort import Series
from brainlm_engine.files import written_whole
from brainlm_engine.progress import Progress
from brainlm_engine.train.evaluate import MOST, validation_windows
from brainlm_engine.train.judging import PATCHES, Judging
from brainlm_engine.training_folder import LEVELS


def save_levels(
    train: Series,
    validation: Series,
    frames: int,
    window_frames: int,
    *,
    folder: Path,
    progress: Progress,
    judging: Judging = PATCHES,
    sizes: dict[str, Any] | None = None,
) -> None:
    """Score the simple methods once and write ``folder/levels.json``; nothing when it is there already."""
    from brainlm_engine.tasks.scoring import TITLES, baseline_guesses, sums, window_mean

    if (folder / LEVELS).exists():
        return
    progress(0.0, "Scoring the simple methods")
    covariance = covariance_of_people(values.astype(np.float32) for values in train.values)
    pooled = []
    count = min(MOST, len(validation))
    windows = validation_windows(validation, frames, window_frames, judging=judging, sizes=sizes)
    for done, (signal, window) in enumerate(windows):
        progress(0.0, f"Scoring the simple methods, {done + 1} of {count}")
        measured, covered = signal.numpy(), window.covered.numpy()
        guesses = baseline_guesses(np.where(covered, np.nan, measured).astype(np.float32), covariance)
        scored, centre = covered & np.isfinite(measured), window_mean(measured)
        pooled.append({method: sums(measured, guess, scored, centre) for method, guess in guesses.items()})
    totals = {method: reduce(add, (parts[method] for parts in pooled)) for method in pooled[0]}
    levels = [
        Level(method=method, title=TITLES[method], r2=round(total.score(method).r2, 4))
        for method, total in totals.items()
    ]
    with written_whole(folder / LEVELS) as temporary:
        temporary.write_text(json.dumps([level.model_dump() for level in levels], indent=1) + "\n", encoding="utf-8")
