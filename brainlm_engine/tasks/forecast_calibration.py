"""What turns a model's answer into a forecast that can be trusted: learned from people, kept in the model's folder.

A masked autoencoder that is asked about the future answers with its best guess, whatever the lead. Here it is joined
with a linear forecast (:class:`brainlm_engine.baselines.shared_lags.SharedLags`): at every lead the two are weighted as
was best for the cohort's validation people, and where the sum was not better than the mean of the past, the forecast
fades into the mean. The bands are quantiles of what was left over for the same people (split conformal: Vovk et al.,
2005), by lead.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from brainlm_engine.api.errors import BadInput
from brainlm_engine.baselines.lstm import SmallLSTM, train_lstm
from brainlm_engine.baselines.shared_lags import SharedLags
from brainlm_engine.cohort import Cohort, load_recording, open_cohort
from brainlm_engine.files import written_whole
from brainlm_engine.models.base import MaskedModel
from brainlm_engine.progress import SILENT, Progress
from brainlm_engine.tasks.future import HISTORY, HORIZON, Past, model_future, past_of

Floats = NDArray[np.float32]
Doubles = NDArray[np.float64]
FILE = "forecast.safetensors"
LEVELS = (0.5, 0.9)
_SMOOTH = 5  # leads
_FADE = 6  # leads over which the forecast becomes the mean
_RESAMPLES = 500
_SAME_TR = 0.02  # seconds


@dataclass(frozen=True)
class Calibration:
    """How to forecast with one model.

    Attributes
    ----------
    weights : (leads, 2), of the model's answer and of the linear forecast
    half_width : (levels, leads), of the bands, SD of the past
    shared : the linear forecast at ``tr_s``
    lstm : a simple method, learned from the same people
    tr_s, history : of the people it was learned from; leads are ``(1 ... leads) * tr_s`` seconds ahead
    people : how many validation people
    data : their cohort, in words
    beats_mean_s : seconds ahead up to which the forecast was better than the mean
    """

    weights: Doubles
    half_width: Doubles
    shared: SharedLags
    lstm: SmallLSTM
    tr_s: float
    history: int
    people: int
    data: str
    beats_mean_s: float

    @property
    def lead_s(self) -> Doubles:
        """(leads,) seconds ahead."""
        return np.arange(1, len(self.weights) + 1, dtype=np.float64) * self.tr_s

    def same_tr(self, tr_s: float) -> bool:
        """Tell whether what was learned frame by frame holds for a recording."""
        return abs(tr_s - self.tr_s) <= _SAME_TR

    def at(self, tr_s: float, horizon: int) -> tuple[Doubles, Doubles]:
        """Return weights (horizon, 2) and half widths (levels, horizon) at another TR; none beyond the last lead."""
        asked = (1 + np.arange(horizon)) * tr_s
        weights = np.stack([np.interp(asked, self.lead_s, column) for column in self.weights.T], 1)
        weights[asked > self.lead_s[-1] + 1e-6] = 0
        return weights, np.stack([np.interp(asked, self.lead_s, row) for row in self.half_width])

    def fading(self, tr_s: float, horizon: int) -> Doubles:
        """Return (horizon,) 1 as far ahead as anything could be forecast, 0 soon after."""
        beyond = (1 + np.arange(horizon)) * tr_s - self.beats_mean_s
        return np.clip(1 - beyond / (_FADE * self.tr_s), 0, 1)

    def save(self, folder: Path) -> Path:
        """Write the calibration into a model's folder, whole or not at all."""
        from safetensors.numpy import save_file

        head = {
            "tr_s": self.tr_s, "history": self.history, "people": self.people, "data": self.data,
            "beats_mean_s": self.beats_mean_s, "levels": LEVELS,
        }  # fmt: skip
        arrays = {
            "weights": self.weights, "half_width": self.half_width, "shared": self.shared.weights,
            **{f"lstm.{name}": value.numpy() for name, value in self.lstm.state_dict().items()},
        }  # fmt: skip
        with written_whole(folder / FILE) as temporary:
            save_file(
                {name: np.ascontiguousarray(value, np.float32) for name, value in arrays.items()}, temporary,
                metadata={"forecast": json.dumps(head)},
            )  # fmt: skip
        return folder / FILE


def calibration_of(model: MaskedModel) -> Calibration | None:
    """Return what the model's folder holds, None when nobody has calibrated it."""
    path = None if model.folder is None else model.folder / FILE
    return None if path is None or not path.is_file() else _load(path, path.stat().st_mtime_ns)


@lru_cache(maxsize=4)
def _load(path: Path, stamp: int) -> Calibration:
    import torch
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, framework="np") as file:
            head: dict[str, Any] = json.loads((file.metadata() or {})["forecast"])
            arrays = {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118
        lstm = SmallLSTM(len(arrays["weights"]))
        lstm.load_state_dict({k[5:]: torch.from_numpy(v) for k, v in arrays.items() if k.startswith("lstm.")})
        shared = SharedLags(arrays["shared"].astype(np.float64))
    except (OSError, SafetensorError, KeyError, ValueError, RuntimeError) as error:
        raise BadInput(
            f"{path.name} of the model {path.parent.name} is damaged.", "Calibrate its forecasts again.", str(error)
        ) from error
    facts = {key: head[key] for key in ("tr_s", "history", "people", "data", "beats_mean_s")}
    half_width = arrays["half_width"].astype(np.float64)
    return Calibration(arrays["weights"].astype(np.float64), half_width, shared, lstm.eval(), **facts)


def calibrate(
    model: MaskedModel,
    cohort_folder: Path,
    *,
    horizon: int = HORIZON,
    history: int = HISTORY,
    people: int = 200,
    windows: int = 4,
    seed: int = 0,
    progress: Progress = SILENT,
) -> Calibration:
    """Learn how to forecast with ``model``: linear forecast and LSTM from 'train' people, the rest from 'val' people.

    Parameters
    ----------
    people : of each split, at most
    windows : origins per person, in all of the person's recordings by turns

    Raises
    ------
    BadInput
        When a split is empty or its recordings are too short.
    """
    cohort = open_cohort(cohort_folder)
    size = _Size(horizon, history, people, windows)
    train = [each[1:] for each in _windows(model, cohort, "train", size, seed, progress=progress)]
    shared = SharedLags.of_people(train)
    lstm = train_lstm(train, seed)
    tr_s, guesses, truth = 0.0, [], []
    for past, filled, future in _windows(model, cohort, "val", size, seed + 1, progress=progress):
        tr_s = past.recording.tr_s
        answer = model_future(model, past, horizon)
        known = np.isfinite(answer).all(1) & past.known
        guesses.append(np.stack([answer[known], shared.forecast(filled)[known]], 2))
        truth.append(future[known])
    weights = _weights(guesses, truth)
    gain, surely = _gain(guesses, truth, windows)
    good = len(surely) if surely.all() else int(np.argmin(surely))  # as far as nothing in between was in doubt
    weights[good:] *= np.maximum(0.0, 1 - (1 + np.arange(len(weights) - good)) / _FADE)[:, None]
    left = [np.abs(y - (g * weights[None]).sum(2)) for g, y in zip(guesses, truth, strict=True)]
    half_width = np.quantile(np.concatenate(left), LEVELS, axis=0)
    kind = "simulated people" if cohort.simulated else "people"
    count = len(cohort.people("val")[:people])
    progress.log(f"Better than the mean by {100 * gain[0]:.0f} % at the first frame, up to {good * tr_s:.1f} s ahead")
    return Calibration(
        weights, half_width, shared, lstm, tr_s, history, count, f"validation {kind} of {cohort.folder.name}",
        round(good * tr_s, 3),
    )  # fmt: skip


@dataclass(frozen=True)
class _Size:
    """Frames of a window, and how many windows of how many people."""

    horizon: int
    history: int
    people: int
    windows: int


def _windows(
    model: MaskedModel, cohort: Cohort, split: str, size: _Size, seed: int, *, progress: Progress
) -> list[tuple[Past, Floats, Floats]]:
    """Return past, its series without gaps, and what followed, of so many people."""
    horizon, history, people, windows = size.horizon, size.history, size.people, size.windows
    chosen, rng, found = cohort.people(split)[:people], np.random.default_rng(seed), []
    for done, person in enumerate(chosen):
        progress(done / len(chosen), f"Reading {done + 1} of {len(chosen)} ({split})")
        places = cohort.files[person][:windows]
        recordings = [load_recording(place) for place in places]
        usable = [recording for recording in recordings if recording.n_frames >= history + horizon]
        for window in range(windows if usable else 0):
            recording = usable[window % len(usable)]
            origin = int(rng.integers(history, recording.n_frames - horizon + 1))
            past = past_of(model, recording, origin, history)
            future = np.nan_to_num(past.truth(recording.series, origin, horizon))
            found.append((past, past.filled, future))
    if not found:
        raise BadInput(
            f"The cohort {cohort.folder.name} has nobody in its split “{split}” with {history + horizon} frames.",
            "Choose a cohort with longer recordings, or a shorter history.",
        )
    return found


def _weights(guesses: list[Floats], truth: list[Floats]) -> Doubles:
    """Return (leads, 2): least squares at every lead, smoothed over neighbouring leads."""
    leads = truth[0].shape[1]
    gram, right = np.zeros((leads, 2, 2)), np.zeros((leads, 2))
    for guess, followed in zip(guesses, truth, strict=True):
        gram += np.einsum("pki,pkj->kij", guess, guess, dtype=np.float64)
        right += np.einsum("pki,pk->ki", guess, followed, dtype=np.float64)
    solution = np.linalg.solve(gram + 1e-9 * np.eye(2), right[..., None])[..., 0]
    smooth: Doubles = solution[_neighbours(leads)].mean(1)
    return smooth


def _gain(guesses: list[Floats], truth: list[Floats], each: int) -> tuple[Doubles, NDArray[np.bool_]]:
    """Return by how much the weighted sum beats the mean at every lead (share of MSE), and where that is no chance.

    Weights are fitted to one half of the people and tried on the other; intervals are from resampling people, who have
    ``each`` windows one after the other.
    """
    whose = np.arange(len(truth)) // each
    ours, mean = np.zeros((whose[-1] + 1, truth[0].shape[1])), np.zeros((whose[-1] + 1, truth[0].shape[1]))
    for half in (0, 1):
        fitted = np.flatnonzero(whose % 2 == half)
        weights = _weights([guesses[i] for i in fitted], [truth[i] for i in fitted])
        for i in np.flatnonzero(whose % 2 != half):
            ours[whose[i]] += ((truth[i] - (guesses[i] * weights[None]).sum(2)) ** 2).mean(0)
            mean[whose[i]] += (truth[i] ** 2).mean(0)
    around = _neighbours(ours.shape[1])
    ours, mean = ours[:, around].mean(2), mean[:, around].mean(2)
    draws = np.random.default_rng(0).integers(len(ours), size=(_RESAMPLES, len(ours)))
    resampled = 1 - ours[draws].mean(1) / mean[draws].mean(1)
    return 1 - ours.mean(0) / mean.mean(0), np.percentile(resampled, 2.5, axis=0) > 0


def _neighbours(leads: int) -> NDArray[np.int_]:
    """Return (leads, 5): which leads are looked at together. The first ones differ most and stand alone."""
    around = np.clip(np.arange(leads)[:, None] + np.arange(_SMOOTH) - _SMOOTH // 2, 0, leads - 1)
    around[:2] = np.arange(min(2, leads))[:, None]
    return np.asarray(around)
