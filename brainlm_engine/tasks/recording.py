"""Reconstruction of a whole recording: every frame of every parcel is predicted exactly once, while it was hidden."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from brainlm_engine.api.errors import BadInput
from brainlm_engine.api.messages import NetworkScores, Score
from brainlm_engine.baselines.people import people_covariance
from brainlm_engine.cohort import zscored
from brainlm_engine.models.base import MaskedModel
from brainlm_engine.progress import SILENT, Progress
from brainlm_engine.recording import Recording
from brainlm_engine.tasks.input_scaling import OF_RECORDING, InputScaling
from brainlm_engine.tasks.part_scores import PartSums
from brainlm_engine.tasks.reconstruct import USUAL_FRAMES, plan_window, predict
from brainlm_engine.tasks.scoring import Sums, baseline_guesses, r2_along, sums, verdict, window_mean

Floats = NDArray[np.float32]
Combine = Literal["first", "mean"]


@dataclass(frozen=True)
class RecordingReconstruction:
    """A whole recording, measured and reconstructed.

    Attributes
    ----------
    measured, predicted : (parcels, frames) float32, SD; NaN where not measured / no position
    r2_parcel : (parcels,) float32
    r2_frame : (frames,) float32
    scores : the model first, then the simple methods on the same hidden patches
    verdict : one sentence
    passes : model runs per window; in each, the same share of every time patch is hidden
    patch_frames : frames per time patch
    notes : plain sentences
    networks : the scores of every network
    by_parcel, by_frame : (methods, 3, parcels) and (methods, 3, frames) float32: R2, r and MSE
    combine : which of several predictions of a patch was taken
    scaling : how the model's input was scaled
    """

    measured: Floats
    predicted: Floats
    r2_parcel: Floats
    r2_frame: Floats
    scores: tuple[Score, ...]
    verdict: str
    passes: int
    patch_frames: int
    notes: tuple[str, ...]
    networks: tuple[NetworkScores, ...]
    by_parcel: Floats
    by_frame: Floats
    combine: Combine = "first"
    scaling: str = OF_RECORDING


def reconstruct_recording(
    model: MaskedModel,
    recording: Recording,
    ratio: float = 0.75,
    seed: int = 0,
    progress: Progress = SILENT,
    *,
    frames: int | None = None,
    baselines: bool = True,
    combine: Combine = "first",
    scaling: InputScaling | None = None,
) -> RecordingReconstruction:
    """Reconstruct all of ``recording``, window by window.

    Parameters
    ----------
    ratio : share of parcels hidden in every time patch and pass, 0 < ratio < 1
    seed : which are hidden together
    frames : length of a window, None = 200; the last window is laid over the end and only its new frames are kept
    baselines : also fill the same hidden patches by the simple methods
    combine : a patch that is hidden in more than one pass has several predictions: the 'first' or their 'mean' is
        taken, of every method alike
    scaling : the statistics that the model's own input is scaled with; None = it gets the z-scores

    Raises
    ------
    BadInput
        When the ratio hides nothing or everything, or the recording cannot be used.
    """
    hidden_each = recording.n_parcels - int(recording.n_parcels * (1 - ratio) + 1e-9)
    if not 0 < hidden_each < recording.n_parcels:
        raise BadInput(f"A mask ratio of {ratio:g} hides nothing or everything.", "Choose a ratio such as 0.75.")
    units = scaling.units(recording) if scaling is not None else None
    window_frames = min(frames or USUAL_FRAMES, recording.n_frames)  # all are covered
    patch, length, notes = plan_window(model, recording, window_frames, scaling=scaling)
    measured = zscored(recording)
    people = people_covariance(model.folder, recording) if baselines else None
    rng = np.random.default_rng(seed)
    predicted = np.full(measured.shape, np.nan, np.float32)
    pooled: dict[str, Sums] = {}
    parts = PartSums(*measured.shape)
    covered = 0
    passes = -(-recording.n_parcels // hidden_each)
    starts = window_starts(recording.n_frames, length)
    for done, start in enumerate(starts):
        progress(done / len(starts), f"Reconstructing window {done + 1} of {len(starts)}")
        window = measured[:, start : start + length]
        hidden, first = hide_each_once(recording.n_parcels, length // patch, hidden_each, rng)
        guessed = predict(model, np.broadcast_to(window, (passes, *window.shape)), recording, hidden, units)
        fresh = np.zeros(length, bool)
        fresh[covered - start :] = True
        chosen = first if combine == "first" else hidden
        summed: dict[str, Floats] = {}
        for index in range(passes):
            progress((done + index / passes) / len(starts), f"Reconstructing window {done + 1} of {len(starts)}")
            kept = np.repeat(chosen[index], patch, axis=1)
            guesses = {"model": guessed[index]}
            if baselines:
                shown = np.where(np.repeat(hidden[index], patch, axis=1), np.nan, window).astype(np.float32)
                guesses |= baseline_guesses(shown, people)
            for method, guess in guesses.items():
                summed.setdefault(method, np.zeros(window.shape, np.float32))[kept] += guess[kept]
        times = np.repeat(chosen.sum(0), patch, axis=1)  # each patch was hidden at least once
        means = {method: total / times for method, total in summed.items()}
        predicted[:, start : start + length][:, fresh] = means["model"][:, fresh]
        scored = fresh & np.isfinite(window) & np.isfinite(means["model"])
        centre = window_mean(window)
        for method, guess in means.items():
            part = sums(window, guess, scored, centre)
            pooled[method] = pooled[method] + part if method in pooled else part
            parts.add(method, window, guess, scored, centre=centre, start=start)
        covered = start + length
    scores = tuple(part.score(method) for method, part in pooled.items())
    scored = np.isfinite(measured) & np.isfinite(predicted)
    progress(1.0, "Reconstructed")
    return RecordingReconstruction(
        measured, predicted, r2_along(measured, predicted, scored, 1), r2_along(measured, predicted, scored, 0),
        scores, verdict(scores) if baselines else "", passes, patch, notes, parts.networks(recording.networks),
        **parts.arrays(), combine=combine, scaling=scaling.describe() if scaling is not None else OF_RECORDING,
    )  # fmt: skip


def window_starts(n_frames: int, length: int) -> list[int]:
    """Return where windows of ``length`` begin so that they cover all frames; the last one ends with the recording."""
    starts = list(range(0, n_frames - length + 1, length))
    if starts[-1] + length < n_frames:
        starts.append(n_frames - length)
    return starts


def hide_each_once(
    n_parcels: int, n_patches: int, hidden_each: int, rng: np.random.Generator
) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Plan passes that all hide ``hidden_each`` parcels per patch and together hide everything.

    Returns
    -------
    hidden : (passes, parcels, patches) bool
    first : (passes, parcels, patches) bool, hidden for the first time: exactly one pass for every patch
    """
    passes = -(-n_parcels // hidden_each)
    hidden = np.zeros((passes, n_parcels, n_patches), bool)
    for patch in range(n_patches):
        order = rng.permutation(n_parcels)
        for index in range(passes):
            start = min(index * hidden_each, n_parcels - hidden_each)
            hidden[index, order[start : start + hidden_each], patch] = True
    first = hidden & (np.cumsum(hidden, axis=0) == 1)
    return hidden, first
