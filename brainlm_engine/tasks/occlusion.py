"""Occlusion: hide one parcel more and see how the reconstruction of every other parcel changes.

Unlike attention this is an experiment on the model: what changes when a parcel is taken away did depend on it. Half of
all patches are hidden to begin with, in two complementary ways, so that every patch of every parcel is filled in and
scored exactly once; a parcel is then hidden in the other half too.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from brainlm_engine.api.errors import BadInput
from brainlm_engine.api.occlusion import OcclusionInfo
from brainlm_engine.cohort import zscored
from brainlm_engine.models.base import MaskedModel
from brainlm_engine.progress import SILENT, Progress
from brainlm_engine.recording import Recording
from brainlm_engine.tasks.input_scaling import InputScaling
from brainlm_engine.tasks.reconstruct import model_id, plan_window, predict
from brainlm_engine.tasks.recording import hide_each_once, window_starts
from brainlm_engine.tasks.scoring import Clock

Floats = NDArray[np.float32]
Bools = NDArray[np.bool_]
HIDDEN = 0.5
_AT_ONCE = 4  # windows in one batch: more is no faster on a CPU


@dataclass(frozen=True)
class Occlusion:
    """What hiding parcels changed; the arrays are described at :class:`OcclusionInfo`."""

    info: OcclusionInfo
    arrays: dict[str, NDArray[np.generic]]


def occlude(
    model: MaskedModel,
    recording: Recording,
    parcels: Sequence[int] | None = None,
    *,
    windows: int = 1,
    frames: int | None = None,
    seed: int = 0,
    recording_id: str = "",
    scaling: InputScaling | None = None,
    progress: Progress = SILENT,
) -> Occlusion:
    """Hide each of ``parcels`` in turn, in every patch of the window.

    Parameters
    ----------
    parcels : None = all, one after the other: two windows are filled in for each
    windows : of the recording, evenly spread
    frames : length of a window, None = 200
    seed : which half is hidden to begin with

    Raises
    ------
    BadInput
        When a parcel does not exist or has no signal, or the recording cannot be used.
    """
    clock = Clock()
    units = scaling.units(recording) if scaling is not None else None
    patch, length, notes = plan_window(model, recording, frames, scaling=scaling)
    usable = np.isfinite(recording.xyz).all(1) & ~recording.missing
    if usable.sum() < 2:
        raise BadInput("With fewer than two parcels there is nothing to hide one from.", "Choose another recording.")
    chosen = list(range(recording.n_parcels)) if parcels is None else list(parcels)
    _check(chosen, recording, usable, whole=parcels is None)
    series = zscored(recording)
    starts = window_starts(recording.n_frames, length)
    if len(starts) > windows:
        spread = np.linspace(0, len(starts) - 1, windows) if windows > 1 else [(len(starts) - 1) / 2]
        starts = [starts[round(place)] for place in spread]
    change, error = np.zeros((2, recording.n_parcels, len(chosen)))
    rng, runs = np.random.default_rng(seed), 0
    for number, start in enumerate(starts):
        window = series[:, start : start + length]
        hidden, first = hide_each_once(recording.n_parcels, length // patch, -(-recording.n_parcels // 2), rng)
        scored = np.repeat(first, patch, axis=2) & np.isfinite(window)
        many = np.broadcast_to(window, (len(hidden), *window.shape))
        plain = predict(model, many, recording, hidden, units)
        frames_of = np.maximum(scored.sum((0, 2)), 1)
        before = np.where(scored, plain - window, 0.0)
        at_once = max(1, _AT_ONCE // len(hidden))
        for begin in range(0, len(chosen), at_once):
            group = chosen[begin : begin + at_once]
            progress(
                (number + begin / len(chosen)) / len(starts), f"Hiding parcel {begin + 1} of {len(chosen)}"
            )  # fmt: skip
            masks = np.repeat(hidden[None], len(group), 0)
            for place, parcel in enumerate(group):
                masks[place, :, parcel] = True
            batch = np.broadcast_to(window, (masks.shape[0] * masks.shape[1], *window.shape))
            made = predict(model, batch, recording, masks.reshape(-1, *masks.shape[2:]), units)
            for place, after in enumerate(made.reshape(len(group), *plain.shape)):
                apart = np.where(scored, after - plain, 0.0)
                change[:, begin + place] += (apart**2).sum((0, 2)) / frames_of
                error[:, begin + place] += (apart * (apart + 2 * before)).sum((0, 2)) / frames_of
            runs += len(batch)
        runs += len(hidden)
    unknown = ~usable[:, None] | ~usable[None, chosen] | (np.arange(recording.n_parcels)[:, None] == np.array(chosen))
    arrays: dict[str, NDArray[np.generic]] = {
        name: np.where(unknown, np.nan, table / len(starts)).astype(np.float32)
        for name, table in (("change", change), ("error", error))
    }
    info = OcclusionInfo(
        recording_id=recording_id, model_id=model_id(model), parcels=tuple(chosen), windows=len(starts),
        window_frames=length, hidden=HIDDEN, runs=runs, seconds=clock.seconds, notes=notes,
    )  # fmt: skip
    return Occlusion(info, arrays)


def _check(chosen: list[int], recording: Recording, usable: Bools, *, whole: bool) -> None:
    for parcel in chosen:
        if not 0 <= parcel < recording.n_parcels:
            raise BadInput(
                f"There is no parcel {parcel}: the recording has {recording.n_parcels}.",
                f"Give one from 0 to {recording.n_parcels - 1}.",
            )
        if not whole and not usable[parcel]:
            raise BadInput(
                f"Parcel {parcel} holds no signal or has no position: hiding it changes nothing.",
                "Choose another parcel.",
            )
