"""Scoring trained variants on people none of them has seen: the same people and windows for all, so differences pair.

Everything is scored in z-scores per recording, whatever scaling a model was trained on. What is hidden: 75 % at random
(the figure that counts), and on the cohort also one whole network per person.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from concurrent.futures import Executor
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from brainlm_engine import baselines
from brainlm_engine.api.messages import MaskSpec
from brainlm_engine.atlas.nearest_network import NETWORKS, nearest_networks
from brainlm_engine.cohort import open_cohort, zscored
from brainlm_engine.cohort.abide import is_abide, open_abide
from brainlm_engine.models import load_model
from brainlm_engine.models.base import MaskedModel
from brainlm_engine.models.studio import Studio
from brainlm_engine.recording import Recording
from brainlm_engine.tasks.evaluate import Person
from brainlm_engine.tasks.masking import build_mask
from brainlm_engine.tasks.reconstruct import plan_window, predict
from brainlm_engine.tasks.scoring import sums, window_mean

Floats = NDArray[np.float32]
RATIO = 0.75
RESAMPLES = 2000
SIMPLE = {"ridge_people": "Ridge learned from other people", "interpolation": "Straight lines in time"}


@dataclass(frozen=True)
class Window:
    """One window to fill in: ``measured (V, T)`` z-scores and ``hidden (V, N)``."""

    measured: Floats
    hidden: NDArray[np.bool_]
    patch: int

    @property
    def hidden_frames(self) -> NDArray[np.bool_]:
        """(V, T) bool."""
        return np.repeat(self.hidden, self.patch, axis=1)

    def errors(self, guess: Floats) -> tuple[float, float]:
        """Return the squared error over the hidden measured frames, and their spread about the parcels' means."""
        scored = self.hidden_frames & np.isfinite(self.measured)
        if not np.isfinite(guess[scored]).all():
            raise ValueError("a guess that is not a number")
        total = sums(self.measured, guess, scored, window_mean(self.measured))
        return total.error, total.total


def window_of(recording: Recording, patch: int, length: int, number: int, kind: str) -> Window:
    """Return the window of the person with this ``number``; ``kind`` of mask: 'random' or 'network'."""
    start = (37 * number) % (recording.n_frames - length + 1)
    measured = zscored(recording)[:, start : start + length]
    if kind == "random":
        hidden = build_mask(MaskSpec(ratio=RATIO, seed=number), recording.n_parcels, length // patch)
    else:
        networks = nearest_networks(recording.xyz)
        there = [code for code in range(len(NETWORKS)) if (networks == code).any()]
        hidden = np.repeat((networks == there[number % len(there)])[:, None], length // patch, axis=1)
    return Window(measured, hidden, patch)


def recordings_of(data: Path, most: int) -> list[Recording]:
    """Return whom to score: the 'test' people of a cohort folder, or people of all sites of an ABIDE file."""
    if is_abide(data):
        file = open_abide(data)
        return list(file.recordings(file.choose(most)))
    cohort = open_cohort(data)
    return [Recording.load(cohort.files[person][0]) for person in cohort.people("test")[:most]]


def can_read(model: MaskedModel, recording: Recording) -> bool:
    """Tell whether ``model`` reads this recording's atlas."""
    assert model.card is not None
    return model.card.any_atlas or (bool(recording.atlas_id) and model.card.atlas_id == recording.atlas_id)


def score_model(
    model: MaskedModel, recordings: list[Recording], kind: str, frames: int
) -> list[tuple[float, float]] | None:
    """Return squared error and spread of every person; None when the model cannot read their atlas."""
    rows = []
    for number, recording in enumerate(recordings):
        if not can_read(model, recording):
            return None
        patch, length, _ = plan_window(model, recording, frames)
        window = window_of(recording, patch, length, number, kind)
        rows.append(window.errors(predict(model, window.measured[None], recording, window.hidden[None])[0]))
    return rows


@dataclass(frozen=True)
class Plan:
    """What is scored: column -> (data, most people, kind of mask)."""

    columns: dict[str, tuple[Path, int, str]]
    frames: int
    device: str
    threads: int

    def describe(self) -> dict[str, Any]:
        """Return what stored scores must agree with to be used again."""
        return {
            "columns": {name: [str(path), *rest] for name, (path, *rest) in self.columns.items()},
            "of": self.frames,
        }


def score_folder(folder: Path, plan: Plan) -> dict[str, Any]:
    """Score the model in ``folder`` on every column, keep that beside it, and return it; None = another atlas."""
    import torch

    kept = folder / "scores.json"
    if kept.is_file() and (stored := json.loads(kept.read_text(encoding="utf-8")))["plan"] == plan.describe():
        return dict(stored["scores"])
    torch.set_num_threads(plan.threads)
    model = load_model(folder).to(plan.device)
    scores = {
        name: score_model(model, _recordings(path, most), kind, plan.frames)
        for name, (path, most, kind) in plan.columns.items()
    }
    kept.write_text(json.dumps({"plan": plan.describe(), "scores": scores}), encoding="utf-8")
    return scores


@lru_cache(maxsize=4)
def _recordings(path: Path, most: int) -> list[Recording]:
    return recordings_of(path, most)


def score_simple(persons: list[Person], kind: str, frames: int, pool: Executor) -> dict[str, NDArray[np.float64]]:
    """Return the scores of the simple methods, on the windows that our model with default switches sees."""
    model, tasks = Studio(), []
    for number, person in enumerate(persons):
        patch, length, _ = plan_window(model, person.recording, frames)
        tasks.append((window_of(person.recording, patch, length, number, kind), person.covariance))
    found: Iterable[dict[str, tuple[float, float]]] = pool.map(_simple, tasks, chunksize=2)
    rows = list(found)
    return {method: np.array([row[method] for row in rows]) for method in SIMPLE if all(method in row for row in rows)}


def _simple(task: tuple[Window, Floats | None]) -> dict[str, tuple[float, float]]:
    window, covariance = task
    shown = np.where(window.hidden_frames, np.nan, window.measured).astype(np.float32)
    with threadpool_limits(1):
        guesses = {"interpolation": baselines.interpolate(shown)}
        if covariance is not None:
            guesses["ridge_people"] = baselines.ridge(shown, covariance).filled
    return {method: window.errors(guess) for method, guess in guesses.items()}


def summary(rows: NDArray[np.float64], reference: NDArray[np.float64] | None = None) -> dict[str, Any]:
    """Return R2 of ``rows (..., people, 2)`` (several seeds are pooled) with its 95 % interval from resampling people.

    With ``reference`` of the same people also the difference to it, the same people being drawn for both.
    """
    rows = rows.reshape(-1, *rows.shape[-2:]).sum(0)
    draws = np.random.default_rng(0).integers(len(rows), size=(RESAMPLES, len(rows)))
    resampled = _r2(rows[draws])
    result = {"r2": float(_r2(rows)), "low": _at(resampled, 2.5), "high": _at(resampled, 97.5), "people": len(rows)}
    if reference is not None:
        reference = reference.reshape(-1, *reference.shape[-2:]).sum(0)
        ahead = resampled - _r2(reference[draws])
        difference = float(_r2(rows) - _r2(reference))
        result |= {"minus_base": difference, "minus_low": _at(ahead, 2.5), "minus_high": _at(ahead, 97.5)}
    return {key: round(value, 4) if isinstance(value, float) else value for key, value in result.items()}


def _r2(rows: NDArray[np.float64]) -> NDArray[np.float64]:
    total = rows.sum(-2)
    return np.asarray(1 - total[..., 0] / total[..., 1])


def _at(values: NDArray[np.float64], percent: float) -> float:
    return float(np.percentile(values, percent))


def abide_file(path: Path) -> Path:
    """Return the HDF5 file of an ABIDE folder, or the file itself."""
    if path.is_file():
        return path
    files = sorted(path.glob("*.h5"))
    if not files:
        raise SystemExit(f"{path} holds no .h5 file.")
    return files[0]
