"""Forecasts: what follows a moment of a recording, how sure that is, and what simple methods would have said."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from brainlm_engine.api.errors import BadInput
from brainlm_engine.api.forecasting import ForecastInfo, ForecastScore
from brainlm_engine.baselines.forecasts import autoregression, persistence, vector_ridge
from brainlm_engine.baselines.shared_lags import SharedLags
from brainlm_engine.models.base import MaskedModel
from brainlm_engine.progress import SILENT, Progress
from brainlm_engine.recording import Recording
from brainlm_engine.tasks.forecast_calibration import LEVELS, Calibration, calibration_of
from brainlm_engine.tasks.forecast_own import own_weights
from brainlm_engine.tasks.future import HISTORY, HORIZON, Past, model_future, notes_on, past_of
from brainlm_engine.tasks.input_scaling import InputScaling
from brainlm_engine.tasks.reconstruct import model_id
from brainlm_engine.tasks.scoring import Clock

Floats = NDArray[np.float32]
#: what is drawn and scored beside the forecast, in this order
TITLES = {
    "forecast": "Forecast", "model": "Model alone", "shared": "Linear, shared by all parcels", "var": "VAR(1), ridge",
    "ar": "AR, each parcel alone", "lstm": "Small LSTM", "persistence": "Persistence", "mean": "Mean of the past",
}  # fmt: skip
_NORMAL = (0.6745, 1.6449)  # of the bands, where nothing better is known
_EVEN = 0.003  # of the MSE


@dataclass(frozen=True)
class Forecast:
    """One forecast, or many of one recording; the arrays are described at :class:`ForecastInfo`."""

    info: ForecastInfo
    arrays: dict[str, NDArray[Any]]

    @property
    def forecast(self) -> Floats:
        """(parcels, horizon) SD of the past."""
        return np.asarray(self.arrays["forecast"][0], np.float32)

    @property
    def verdict(self) -> str:
        """One plain sentence."""
        return self.info.verdict


def forecast(
    model: MaskedModel,
    recording: Recording,
    origin: int | None = None,
    *,
    horizon: int = HORIZON,
    history: int = HISTORY,
    recording_id: str = "",
    scaling: InputScaling | None = None,
) -> Forecast:
    """Forecast ``horizon`` frames from frame ``origin`` on, from at most ``history`` frames before it.

    Parameters
    ----------
    origin : first frame to be forecast; None = ``horizon`` frames before the end, so that all can be compared
    scaling : the statistics that the model's own input is scaled with; None = it gets z-scores of the past

    Raises
    ------
    BadInput
        When there is less than one time patch of history, or the model fills in nothing.
    """
    clock = Clock()
    origin = _checked(model, recording, origin, horizon, history)
    calibration = calibration_of(model)
    past = past_of(model, recording, origin, history)
    guesses, bands, bands_from = _all(model, past, horizon, calibration, scaling)
    truth = past.truth(recording.series, origin, horizon)
    known = np.isfinite(truth)
    error = np.stack([_by_lead(guess, truth) for guess in guesses.values()])
    covered = tuple(_covered(truth, guesses["forecast"], width) for width in bands) if known.any() else ()
    scores = _scores(guesses, error, known.sum(0)) if known.any() else ()
    info = ForecastInfo(
        recording_id=recording_id, model_id=model_id(model), origin=origin, history=past.shown.shape[1],
        horizon=horizon, tr_s=recording.tr_s, methods=scores or _named(guesses), levels=LEVELS, coverage=covered,
        bands_from=bands_from, beats_mean_s=None if calibration is None else calibration.beats_mean_s,
        verdict=_verdict(scores), notes=notes_on(model, past, history), seconds=clock.seconds,
    )  # fmt: skip
    arrays: dict[str, NDArray[Any]] = {
        "history": past.shown, "truth": truth, "forecast": np.stack(list(guesses.values())), "half_width": bands,
        "mse": error, "centre": past.centre, "scale": past.scale,
    }  # fmt: skip
    return Forecast(info, arrays)


def rolling_forecast(
    model: MaskedModel,
    recording: Recording,
    *,
    step: int | None = None,
    horizon: int = HORIZON,
    history: int = HISTORY,
    recording_id: str = "",
    scaling: InputScaling | None = None,
    progress: Progress = SILENT,
) -> Forecast:
    """Forecast again and again along the recording, every ``step`` frames (default: ``horizon``), and score all of it.

    Every origin has all its history; where the recording is short for that, half of it is history.
    """
    clock = Clock()
    enough = recording.n_frames >= history + horizon
    first = history if enough else max(1, recording.n_frames // 2)
    _checked(model, recording, first, horizon, history)
    origins = list(range(first, recording.n_frames - horizon + 1, step or horizon)) or [first]
    calibration = calibration_of(model)
    squared: dict[str, list[Floats]] = {}
    inside: list[list[NDArray[np.float64]]] = []
    truths, bands, bands_from = [], np.zeros((2, horizon)), ""
    notes: tuple[str, ...] = ()
    for done, origin in enumerate(origins):
        progress(done / len(origins), f"Forecasting {done + 1} of {len(origins)}")
        past = past_of(model, recording, origin, history)
        guesses, bands, bands_from = _all(model, past, horizon, calibration, scaling)
        truth = past.truth(recording.series, origin, horizon)
        for name, guess in guesses.items():
            squared.setdefault(name, []).append((guess - truth) ** 2)
        distance = np.abs(guesses["forecast"] - truth)
        inside.append([np.where(np.isfinite(distance), distance <= width, np.nan) for width in bands])
        truths.append(truth)
        notes = notes_on(model, past, history)
    known = np.isfinite(np.stack(truths))
    error = np.stack([_mean(np.stack(each), (0, 1)) for each in squared.values()])
    guesses_named = dict.fromkeys(squared)
    scores = _scores(guesses_named, error, known.sum((0, 1))) if known.any() else ()
    coverage = _mean(np.stack(inside), (0, 2))
    left, spread = (_mean(np.stack(squared[name]), (0, 2)) for name in ("forecast", "mean"))
    info = ForecastInfo(
        recording_id=recording_id, model_id=model_id(model), origin=origins[0], origins=len(origins),
        history=min(first, history), horizon=horizon, tr_s=recording.tr_s, methods=scores, levels=LEVELS,
        coverage=tuple(float(np.nanmean(row)) for row in coverage) if known.any() else (), bands_from=bands_from,
        beats_mean_s=None if calibration is None else calibration.beats_mean_s, verdict=_verdict(scores), notes=notes,
        seconds=clock.seconds,
    )  # fmt: skip
    arrays: dict[str, NDArray[Any]] = {
        "mse": error.astype(np.float32), "half_width": bands, "coverage": coverage.astype(np.float32),
        "skill_parcel": np.asarray(1 - left / np.maximum(spread, 1e-9), np.float32),
    }  # fmt: skip
    return Forecast(info, arrays)


def _checked(model: MaskedModel, recording: Recording, origin: int | None, horizon: int, history: int) -> int:
    if model.card is not None and "reconstruct" not in model.card.capabilities:
        raise BadInput(f"The model {model.card.title} fills in nothing.", "Choose a model that reconstructs.")
    if horizon < 1 or history < 1:
        raise BadInput(f"{horizon} frames cannot be forecast from {history}.", "Ask for at least one of each.")
    chosen = max(recording.n_frames - horizon, 0) if origin is None else origin
    if not 0 < chosen <= recording.n_frames:
        raise BadInput(
            f"Frame {chosen} is no origin in a recording of {recording.n_frames} frames.",
            f"Choose one from 1 to {recording.n_frames}.",
        )
    return chosen


def _all(
    model: MaskedModel, past: Past, horizon: int, calibration: Calibration | None, scaling: InputScaling | None
) -> tuple[dict[str, Floats], NDArray[np.float64], str]:
    """Return every method's answer, the half widths of the bands and where they are from."""
    tr_s = past.recording.tr_s
    answer = model_future(model, past, horizon, scaling)
    with threadpool_limits(1):
        fits = calibration is not None and calibration.same_tr(tr_s) and horizon <= len(calibration.weights)
        learned = calibration if fits else None
        shared = (
            SharedLags.of_past(past.filled, horizon)
            if learned is None
            else SharedLags(learned.shared.weights[:, :horizon])
        )
        simple = {
            "var": vector_ridge(past.filled, horizon), "ar": autoregression(past.filled, horizon),
            "persistence": persistence(past.filled, horizon), "mean": np.zeros((len(past.known), horizon), np.float32),
        }  # fmt: skip
        linear = None if shared is None else shared.forecast(past.filled)
    if calibration is None:
        weights, half = np.tile([1.0, 0.0], (horizon, 1)), np.outer(_NORMAL, np.ones(horizon))
        bands_from = "normal distribution of the past: nobody has calibrated this model's forecasts"
    else:
        weights, half = calibration.at(tr_s, horizon)
        bands_from = f"what was left over for {calibration.people} {calibration.data}"
        if not calibration.same_tr(tr_s):
            bands_from += f", at a TR of {calibration.tr_s:g} s"
    second = linear
    if calibration is not None and learned is None:  # what holds frame by frame must be learned here
        weights, second = own_weights(model, past, horizon, scaling), simple["ar"]
        weights *= calibration.fading(tr_s, horizon)[:, None]
    joined = weights[:, 0] * answer + (0 if second is None else weights[:, 1] * second)
    guesses = {"forecast": joined, "model": answer}
    if linear is not None:
        guesses["shared"] = linear
    guesses |= {name: simple[name] for name in ("var", "ar")}
    if learned is not None:
        guesses["lstm"] = learned.lstm.forecast(past.filled)[:, :horizon]
    guesses |= {name: simple[name] for name in ("persistence", "mean")}
    scored = past.known & np.isfinite(answer).all(1)  # the same parcels for every method
    told = {name: np.where(scored[:, None], guess, np.nan).astype(np.float32) for name, guess in guesses.items()}
    return told, half, bands_from


def _mean(values: NDArray[Any], axis: tuple[int, ...]) -> NDArray[np.float64]:
    """Return the mean of what is finite, NaN where nothing is."""
    finite = np.isfinite(values)
    count = np.asarray(finite.sum(axis))
    total = np.where(finite, values, 0.0).sum(axis, dtype=np.float64)
    return np.asarray(np.where(count > 0, total / np.maximum(count, 1), np.nan))


def _by_lead(guess: Floats, truth: Floats) -> Floats:
    return _mean((guess - truth) ** 2, (0,)).astype(np.float32)


def _covered(truth: Floats, guess: Floats, width: NDArray[np.float64]) -> float:
    distance = np.abs(guess - truth)
    return float((distance <= width)[np.isfinite(distance)].mean())


def _named(guesses: dict[str, Floats]) -> tuple[ForecastScore, ...]:
    """Return the methods without figures, where no truth is known."""
    nan = float("nan")
    return tuple(ForecastScore(method=name, title=TITLES[name], mse=nan, skill=nan) for name in guesses)


def _scores(
    guesses: dict[str, Floats] | dict[str, None], error: NDArray[np.floating], count: NDArray[np.int_]
) -> tuple[ForecastScore, ...]:
    total = np.nansum(error * count, 1) / count.sum()
    mean = float(total[list(guesses).index("mean")])
    return tuple(
        ForecastScore(method=name, title=TITLES[name], mse=float(mse), skill=1 - float(mse) / max(mean, 1e-12))
        for name, mse in zip(guesses, total, strict=True)
    )


def _verdict(scores: tuple[ForecastScore, ...]) -> str:
    """Say who won, in one plain sentence."""
    if not scores or not np.isfinite(scores[0].mse):
        return "Nothing that followed is known here, so there is nothing to compare."
    ours = scores[0]
    best = min((score for score in scores if score.method not in ("forecast", "model")), key=lambda score: score.mse)
    if best.method == "mean" and ours.mse >= best.mse * (1 - _EVEN):
        return "Nothing beats the mean of the past here."
    title = f"{best.title[0].lower()}{best.title[1:]}" if not best.title.startswith(("AR", "VAR")) else best.title
    told = f"The forecast is {100 * ours.skill:.1f} % closer to what followed than the mean of the past"
    if ours.skill < 0:
        told = f"The forecast is {-100 * ours.skill:.1f} % further from what followed than the mean of the past"
    if abs(ours.mse - best.mse) <= _EVEN * best.mse:
        return f"{told}, about as good as the best simple method ({title}, {100 * best.skill:.1f} %)."
    word = "better" if ours.mse < best.mse else "worse"
    return f"{told}, {word} than the best simple method ({title}, {100 * best.skill:.1f} %)."
