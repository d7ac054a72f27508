"""How well hidden frames were filled in: the model beside the simple methods, and one sentence on who won."""

from __future__ import annotations

import time
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from brainlm_engine import baselines
from brainlm_engine.api.messages import Score

Floats = NDArray[np.float32]
Bools = NDArray[np.bool_]
_EVEN = 0.005  # a difference of R2 that decides nothing

TITLES = {
    "model": "Model",
    "ridge_people": "Ridge from visible parcels, learned from other people",
    "ridge": "Ridge from visible parcels, learned from this window",
    "pca": "Principal components of visible parcels, learned from this window",
    "interpolation": "Straight lines in time",
    "kriging": "Best linear guess in time",
    "mean": "Mean of the recording",
}


@dataclass(frozen=True)
class Sums:
    """What pooled scores are made of; sums of several windows add up.

    Attributes
    ----------
    error : sum of squared errors
    total : sum of squares of the truth about each parcel's window mean
    n : number of frames scored
    moments : sums of truth, guess, truth**2, guess**2, truth * guess
    """

    error: float
    total: float
    n: int
    moments: tuple[float, float, float, float, float]

    def __add__(self, other: Sums) -> Sums:
        moments = tuple(a + b for a, b in zip(self.moments, other.moments, strict=True))
        return Sums(self.error + other.error, self.total + other.total, self.n + other.n, moments)  # type: ignore[arg-type]

    def score(self, method: str) -> Score:
        """Return R2, r and MSE; NaN where they mean nothing."""
        truth, guess, truth2, guess2, product = self.moments
        n = max(self.n, 1)
        spread = np.sqrt(max(truth2 - truth**2 / n, 0.0) * max(guess2 - guess**2 / n, 0.0))
        return Score(
            method=method,
            title=TITLES.get(method, method),
            r2=1 - self.error / self.total if self.total > 0 else float("nan"),
            r=(product - truth * guess / n) / float(spread) if spread > 1e-12 else float("nan"),
            mse=self.error / n if self.n else float("nan"),
        )


def sums(truth: Floats, guess: Floats, scored: Bools, centre: Floats) -> Sums:
    """Return the sums over ``scored`` frames.

    Parameters
    ----------
    truth, guess, scored : (parcels, frames)
    centre : (parcels, 1), each parcel's mean over the measured frames of the window
    """
    wanted, given = truth[scored].astype(np.float64), guess[scored].astype(np.float64)
    total = (truth - centre)[scored].astype(np.float64)
    moments = (wanted.sum(), given.sum(), (wanted**2).sum(), (given**2).sum(), (wanted * given).sum())
    return Sums(
        float(((given - wanted) ** 2).sum()), float((total**2).sum()), len(wanted), tuple(map(float, moments))  # type: ignore[arg-type]
    )  # fmt: skip


def window_mean(truth: Floats) -> Floats:
    """Return (parcels, 1): the mean over measured frames, 0 where nothing was measured."""
    measured = np.isfinite(truth)
    mean = np.where(measured, truth, 0).sum(1, keepdims=True) / np.maximum(measured.sum(1, keepdims=True), 1)
    return np.asarray(mean, np.float32)


def r2_along(truth: Floats, guess: Floats, scored: Bools, axis: int) -> Floats:
    """Return R2 per parcel (axis 1) or per frame (axis 0); NaN where nothing was scored."""
    error = np.where(scored, guess - truth, 0).astype(np.float64)
    total = np.where(scored, truth - window_mean(truth), 0).astype(np.float64)
    below = (total**2).sum(axis)
    return np.where(below > 0, 1 - (error**2).sum(axis) / np.where(below > 0, below, 1), np.nan).astype(np.float32)


def baseline_guesses(shown: Floats, people: Floats | None, *, thorough: bool = False) -> dict[str, Floats]:
    """Fill ``shown (parcels, frames)``, NaN = hidden or missing, by every simple method.

    Parameters
    ----------
    people : (parcels, parcels) covariance of training people of the same atlas, when there is one
    thorough : also the slower methods
    """
    with threadpool_limits(1):  # small matrices: more threads only wait for each other
        guesses = {} if people is None else {"ridge_people": baselines.ridge(shown, people).filled}
        guesses |= {"ridge": baselines.ridge(shown).filled, "pca": baselines.pca(shown).filled}
        guesses["interpolation"] = baselines.interpolate(shown)
        if thorough:
            guesses["kriging"] = baselines.krige(shown)
        return guesses | {"mean": baselines.mean(shown)}


def verdict(scores: tuple[Score, ...]) -> str:
    """Say who won, in one plain sentence."""
    if not scores or not np.isfinite(scores[0].r2):
        return "Nothing measured was hidden, so there is nothing to compare."
    model, best = scores[0], max(scores[1:], key=lambda score: score.r2)
    even = abs(model.r2 - best.r2) < _EVEN
    ours, others = (f"{model.r2:.2f}", f"{best.r2:.2f}") if even else _told_apart(model.r2, best.r2)
    explained = f"{max(model.r2, 0):.0%} of the hidden activity (R² {ours})"
    method = f"{best.title[0].lower()}{best.title[1:]} (R² {others})"
    if best.r2 <= 0 and model.r2 <= 0:
        return f"Nothing beats the mean of the recording here; the model's R² is {model.r2:.2f}."
    if even:
        return f"The model explains {explained}, about as much as the best simple method: {method}."
    if model.r2 > best.r2 and all(score.method != "ridge_people" for score in scores):
        return (
            f"The model explains {explained}, more than the simple methods that could be run here, the best being "
            f"{method}. The strongest one, ridge learned from other people, needs people of the "
            "same atlas and was not run."
        )
    if model.r2 > best.r2:
        return f"The model explains {explained}, more than the best simple method: {method}."
    return f"The model explains {explained}, less than a simple method: {method}."


def _told_apart(first: float, second: float) -> tuple[str, str]:
    """Return two different R2 with as many digits as tell them apart, at least two."""
    digits = next((n for n in range(2, 6) if f"{first:.{n}f}" != f"{second:.{n}f}"), 6)
    return f"{first:.{digits}f}", f"{second:.{digits}f}"


class Clock:
    """Seconds since it was made."""

    def __init__(self) -> None:
        self.began = time.perf_counter()

    @property
    def seconds(self) -> float:
        """Seconds so far."""
        return time.perf_counter() - self.began
