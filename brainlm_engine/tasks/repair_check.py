"""How far off a repair probably is: the same pattern of holes, laid over good data of the same recording."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from brainlm_engine.api.messages import Score
from brainlm_engine.api.repair import Kind
from brainlm_engine.tasks.repair_holes import FRAMES, NONE, PARCELS, VALUES, Holes, Level, nearest
from brainlm_engine.tasks.scoring import TITLES, Sums, sums

Floats = NDArray[np.float32]
Bools = NDArray[np.bool_]
_TRIED = 40  # places in time of which the one that meets the fewest holes is taken
KIND_NAMES: dict[int, Kind] = {PARCELS: "parcels", FRAMES: "frames", VALUES: "values"}
NAMES = {
    "ridge": "Ridge from visible parcels", "interpolation": TITLES["interpolation"], "kriging": TITLES["kriging"],
    "model": TITLES["model"],
}  # fmt: skip
_WHAT = {PARCELS: "whole parcels", FRAMES: "whole frames", VALUES: "single values"}


@dataclass(frozen=True)
class Trial:
    """Holes made in good data.

    Attributes
    ----------
    kind : (parcels, frames) int8 as in :class:`Holes`, of the holes that were made only
    open : (parcels, frames) bool, these and the true holes
    """

    kind: NDArray[np.int8]
    open: Bools


def lay_over(holes: Holes, usable: Bools, rng: np.random.Generator) -> Trial:
    """Move the holes in time to where the data are good; for whole parcels, take others that are good.

    Parameters
    ----------
    usable : (parcels,) with signal and position
    """
    frames = holes.kind.shape[1]
    timed = np.where(holes.kind == PARCELS, NONE, holes.kind)
    taken = holes.open
    made = np.zeros_like(holes.kind)
    if timed.any() and frames > 2:
        shifts = rng.integers(1, frames, _TRIED)
        met = [int((np.roll(timed, shift, 1).astype(bool) & taken).sum()) for shift in shifts]
        made = np.roll(timed, int(shifts[int(np.argmin(met))]), 1)
    good = np.flatnonzero(usable & ~holes.whole)
    stand_ins = rng.permutation(good)[: min(int(holes.whole.sum()), len(good) // 4)]
    made[stand_ins] = PARCELS
    made[taken | ~usable[:, None]] = NONE
    return Trial(made, taken | (made > NONE))


class Tally:
    """Truth and guesses of every method on every kind of hole, one list entry a trial."""

    def __init__(self) -> None:
        self._held: dict[int, list[dict[str, Floats]]] = {}

    def add(self, truth: Floats, guesses: dict[str, Floats], kind: NDArray[np.int8]) -> None:
        """Keep one trial; all arrays are (parcels, frames), z-scores about a mean of 0."""
        for number in KIND_NAMES:
            scored = (kind == number) & np.isfinite(truth)
            if scored.any():
                values = {method: guess[scored] for method, guess in guesses.items()}
                self._held.setdefault(number, []).append({"truth": truth[scored], **values})

    def tested(self, kind: int) -> int:
        """Return how many good samples of this kind of hole were filled in."""
        return sum(len(trial["truth"]) for trial in self._held.get(kind, ()))

    def weight(self, kind: int) -> float:
        """Return how much of the model's answer is taken for this kind of hole, 0..1, see :func:`mixed`."""
        return _weight(self._held.get(kind, []))

    def scores(self, kind: int) -> tuple[Score, ...]:
        """Return the scores on one kind of hole, the model first; empty when it was not tested.

        The model's answer in a trial is mixed with the weight that the other trials say, as they know nothing of it.
        """
        pooled: dict[str, Sums] = {}
        trials = self._held.get(kind, [])
        for at, trial in enumerate(trials):
            weight = _weight(trials[:at] + trials[at + 1 :] or trials)
            for method, guess in trial.items():
                if method == "truth":
                    continue
                told = mixed(trial["kriging"], guess, weight) if method == "model" else guess
                truth = trial["truth"][None]
                part = sums(truth, told[None], np.isfinite(told[None]), np.zeros((1, 1), np.float32))
                pooled[method] = pooled[method] + part if method in pooled else part
        return tuple(part.score(method).model_copy(update={"title": NAMES[method]}) for method, part in pooled.items())


def mixed(in_time: Floats, model: Floats, weight: float) -> Floats:
    """Return the best guess in time, moved towards the model's answer by ``weight``."""
    return np.asarray(in_time + np.float32(weight) * (model - in_time), np.float32)


def _weight(trials: list[dict[str, Floats]]) -> float:
    """Return the weight of least squared error over ``trials``, 1 when there are none."""
    product = square = 0.0
    for trial in trials:
        towards = (trial["model"] - trial["kriging"]).astype(np.float64)
        product += float(((trial["truth"] - trial["kriging"]) * towards).sum())
        square += float((towards**2).sum())
    return min(max(product / square, 0.0), 1.0) if square > 0 else 1.0


def level_error(level: Level, good: Bools, xyz: Floats, stand_ins: Bools) -> float | None:
    """Return how far the mean of a parcel lies from what its neighbours say, in its SD: the median over parcels."""
    if not stand_ins.any():
        return None
    near = nearest(xyz, good & ~stand_ins)
    off = [
        abs(float(np.median(level.mean[near[int(p)]]) - level.mean[p])) / float(level.sd[p])
        for p in np.flatnonzero(stand_ins & good)
    ]
    return float(np.median(off)) if off else None


def verdict(kinds: list[tuple[int, str, tuple[Score, ...]]]) -> str:
    """Say per kind of hole how far off the filled-in values probably are, and which method errs least.

    ``kinds`` holds number, method that was used, and scores.
    """
    told = []
    for number, method, scores in kinds:
        what = _WHAT[number]
        own = next((score for score in scores if score.method == method), None)
        if own is None:
            told.append(f"How well {what} are filled in could not be tried on good data of this recording.")
            continue
        best = min(scores, key=lambda score: score.mse)
        sentence = (
            f"On good data of this recording, {what} filled in by “{own.title}” are off by {own.mse**0.5:.2f} SD "
            f"(R² {own.r2:.2f})"
        )
        if best.mse < own.mse * 0.99:
            sentence += f"; “{best.title}” is better here: {best.mse**0.5:.2f} SD (R² {best.r2:.2f})."
        else:
            others = [score for score in scores if score.method != method]
            second = min(others, key=lambda score: score.mse, default=None)
            sentence += (
                f"; no other method does clearly better, the next is “{second.title}” ({second.mse**0.5:.2f} SD)."
                if (second is not None)
                else "."
            )
        told.append(sentence)
    return " ".join(told)
