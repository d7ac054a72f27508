"""Ways to fill the holes of a z-scored recording: the model, ridge from visible parcels, and guesses in time."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from brainlm_engine import baselines
from brainlm_engine.baselines.gaps import krige_gaps
from brainlm_engine.baselines.people import people_covariance
from brainlm_engine.models.base import MaskedModel
from brainlm_engine.progress import Progress
from brainlm_engine.recording import Recording
from brainlm_engine.tasks.input_scaling import InputScaling
from brainlm_engine.tasks.reconstruct import USUAL_FRAMES, predict
from brainlm_engine.tasks.recording import window_starts
from brainlm_engine.tasks.repair_holes import Level

Floats = NDArray[np.float32]
Bools = NDArray[np.bool_]
_MANY = 0.5  # with a larger share of a time patch in holes, it is hidden half by half


@dataclass(frozen=True)
class Filler:
    """Fills holes of one recording by every method.

    Attributes
    ----------
    recording : whose places, TR and atlas hold; its series are not looked at
    scaling : the statistics that the model's own input is scaled with; None = z-scores
    """

    model: MaskedModel
    recording: Recording
    scaling: InputScaling | None
    progress: Progress

    def fill(self, shown: Floats, level: Level, seed: int, span: tuple[float, float]) -> dict[str, Floats]:
        """Fill what is NaN in ``shown``.

        Parameters
        ----------
        shown : (parcels, frames) float32, z-scored over good samples
        level : what ``shown`` was scaled with
        seed : which patches are hidden together
        span : fractions of the progress that this takes

        Returns
        -------
        dict
            (parcels, frames) float32 z-scores by method, the good samples unchanged.
        """
        holes = ~np.isfinite(shown)
        self.progress(span[0], "Filling in by simple methods")
        with threadpool_limits(1):  # small matrices: more threads only wait for each other
            lines = baselines.interpolate(shown)
            kriged = _laid_in(shown, holes, krige_gaps(shown, holes))
            ridge = baselines.ridge(shown, people_covariance(self.model.folder, self.recording)).filled
        blind = holes.all(0)  # nothing visible in these frames: only time is left
        ridge[:, blind] = lines[:, blind]
        guess = self._of_model(shown, lines, level, seed, span)
        lost = holes & ~np.isfinite(guess)  # parcels without a position
        guess[lost] = ridge[lost]
        return {"model": guess, "ridge": ridge, "kriging": kriged, "interpolation": lines}

    def _of_model(self, shown: Floats, lines: Floats, level: Level, seed: int, span: tuple[float, float]) -> Floats:
        """Hide every patch that has a hole, and correct the answer by how it errs on the patch's good frames."""
        holes, rng = ~np.isfinite(shown), np.random.default_rng(seed)
        patch = self.model.frames_per_patch(self.recording.tr_s)
        length = min(USUAL_FRAMES, shown.shape[1]) // patch * patch
        stand_in = _at_level(self.recording, level)
        units = self.scaling.units(stand_in) if self.scaling is not None else None
        total, count = np.zeros(shown.shape, np.float32), np.zeros(shown.shape, np.int32)
        starts = [start for start in window_starts(shown.shape[1], length) if holes[:, start : start + length].any()]
        for done, start in enumerate(starts):
            share = 1 / 3 + 2 / 3 * done / len(starts)
            here = slice(start, start + length)
            window, gaps = shown[:, here], holes[:, here]
            half = (~gaps).reshape(len(gaps), -1, patch).mean(2) < 0.5
            given = np.where(gaps & ~np.repeat(half, patch, 1), lines[:, here], window).astype(np.float32)
            for hidden in plan_hiding(np.asarray(gaps.reshape(len(gaps), -1, patch).any(2)), half, rng):
                self.progress(span[0] + (span[1] - span[0]) * share, f"Model: window {done + 1} of {len(starts)}")
                if (hidden | half).all():
                    continue  # nothing visible: the mean is all that can be said
                answer = predict(self.model, given[None], stand_in, hidden[None], units)[0]
                taken = np.repeat(hidden, patch, 1)
                total[:, here][taken] += answer[taken]
                count[:, here][taken] += 1
        guess = (total / np.maximum(count, 1)).astype(np.float32)
        rest = np.where(count > 0, shown - guess, np.nan).astype(np.float32)
        with threadpool_limits(1):
            guess += krige_gaps(rest, holes)
        return _laid_in(shown, holes, guess)


def plan_hiding(touched: Bools, lost: Bools, rng: np.random.Generator) -> list[Bools]:
    """Return masks (parcels, patches) that together hide every ``touched`` patch.

    Parameters
    ----------
    touched : patches with a hole
    lost : patches of which less than half was measured: hidden in every mask

    Where most parcels of a time patch are touched (a frame that is bad for all), each of two masks hides half of them,
    so that the model still sees the patch in the other half.
    """
    many = (touched & ~lost).mean(0) > _MANY
    if not many.any():
        return [touched]
    first = rng.random(touched.shape) < 0.5
    split = touched & ~lost & many
    return [(touched & ~split) | (split & half) for half in (first, ~first)]


def _at_level(recording: Recording, level: Level) -> Recording:
    """Return a recording whose means and spreads are those of the good samples, whatever it holds otherwise.

    All that scaling a model's input asks of a recording are these; two frames have any mean and SD one likes.
    """
    series = np.stack([level.mean - level.sd, level.mean + level.sd], 1).astype(np.float32)
    return replace(recording, series=series, missing=np.zeros(recording.n_parcels, bool))


def _laid_in(shown: Floats, holes: Bools, guess: Floats) -> Floats:
    return np.where(holes, guess, shown).astype(np.float32)
