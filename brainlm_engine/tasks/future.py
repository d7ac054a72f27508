"""The future of a recording as a model and the simple methods see it: nothing of them ever looks past the origin."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from brainlm_engine.api.errors import BadInput
from brainlm_engine.cohort import scaled_alone
from brainlm_engine.models.base import MaskedModel
from brainlm_engine.recording import Recording
from brainlm_engine.tasks.input_scaling import InputScaling
from brainlm_engine.tasks.reconstruct import TR_RANGE, predict

Floats = NDArray[np.float32]
HISTORY, HORIZON = 180, 20  # frames, as published
#: of the frequencies up to Nyquist, the share at the top that a scan's noise fills and a band-pass empties
_TOP, _LITTLE = 0.4, 0.03


@dataclass(frozen=True)
class Past:
    """What is known at an origin.

    Attributes
    ----------
    recording : the frames before the origin only
    shown : (parcels, frames) float32, SD of these frames; NaN where not measured
    filled : the same with 0, the mean, where nothing was measured
    centre, scale : (parcels,) float32, so that ``series = shown * scale + centre``
    """

    recording: Recording
    shown: Floats
    filled: Floats
    centre: Floats
    scale: Floats

    @property
    def known(self) -> NDArray[np.bool_]:
        """(parcels,) True where anything was measured."""
        return np.asarray(np.isfinite(self.shown).any(1))

    def truth(self, series: Floats, origin: int, horizon: int) -> Floats:
        """Return what followed, (parcels, horizon) in SD of the past; NaN where nothing was measured (yet)."""
        followed = series[:, origin : origin + horizon]
        inside = (followed - self.centre[:, None]) / self.scale[:, None]
        known = self.known[:, None] & np.isfinite(inside)
        told = np.where(known, inside, np.nan).astype(np.float32)
        return np.pad(told, ((0, 0), (0, horizon - told.shape[1])), constant_values=np.nan)


def past_of(model: MaskedModel, recording: Recording, origin: int, history: int) -> Past:
    """Return the past that ends before frame ``origin``, whole time patches of the model, at most ``history`` frames.

    Raises
    ------
    BadInput
        When there is less than one time patch of it, or no parcel has signal and position.
    """
    patch = model.frames_per_patch(recording.tr_s)
    length = min(history, origin) // patch * patch
    name = recording.name or "The recording"
    if length < patch:
        raise BadInput(
            f"{name} has {max(origin, 0)} frames before the origin, fewer than one time patch of {patch}.",
            f"Forecast from frame {patch} on, or choose a longer recording.",
        )
    cut = replace(recording, series=recording.series[:, origin - length : origin])
    known = np.isfinite(cut.xyz).all(1) & np.isfinite(cut.series).any(1) & ~cut.missing
    if not known.any():
        raise BadInput(
            f"No region of {name} has both a signal and a position.",
            "Give the positions of the regions: an atlas, or a coordinates file.",
        )
    scaled = scaled_alone(cut)
    shown = scaled.series
    return Past(
        cut, shown, np.nan_to_num(shown), scaled.centre.astype(np.float32), scaled.scale.astype(np.float32)
    )  # fmt: skip


def model_future(model: MaskedModel, past: Past, horizon: int, scaling: InputScaling | None = None) -> Floats:
    """Return the model's answer (parcels, horizon) to the hidden frames after the past; NaN without a position."""
    patch = model.frames_per_patch(past.recording.tr_s)
    ahead = -(-horizon // patch)
    window = np.pad(past.shown, ((0, 0), (0, ahead * patch)))
    hidden = np.zeros((len(window), window.shape[1] // patch), bool)
    hidden[:, -ahead:] = True
    units = scaling.units(past.recording) if scaling is not None else None
    length = past.shown.shape[1]
    made: Floats = predict(model, window[None], past.recording, hidden[None], units)[0][:, length : length + horizon]
    return made


def band_passed(past: Past) -> bool:
    """Tell whether the recording was band-pass filtered: nearly nothing is left near the Nyquist frequency."""
    series = past.filled[past.known]
    if series.shape[1] < 20:
        return False
    power = np.abs(np.fft.rfft(series * np.hanning(series.shape[1]))) ** 2
    frequency = np.linspace(0, 1, power.shape[1])
    share = power[:, frequency > 1 - _TOP].sum(1) / np.maximum(power[:, 1:].sum(1), 1e-12)
    return bool(np.median(share) < _LITTLE)


def notes_on(model: MaskedModel, past: Past, history: int) -> tuple[str, ...]:
    """Return what a person must know about the input."""
    notes, recording = [], past.recording
    if band_passed(past):
        notes.append(
            "This recording was band-pass filtered: a filter carries the future into the past, so forecasting it is "
            "easy for every method and says little about the brain."
        )
    if past.shown.shape[1] < history - model.frames_per_patch(recording.tr_s):
        notes.append(f"Only {past.shown.shape[1]} frames of history, fewer than the usual {history}.")
    if not TR_RANGE[0] <= recording.tr_s <= TR_RANGE[1]:
        notes.append(
            f"The model is made for a TR of {TR_RANGE[0]} to {TR_RANGE[1]} s; here it is {recording.tr_s:g} s."
        )
    left_out = int((~(np.isfinite(recording.xyz).all(1) & past.known)).sum())
    if left_out:
        notes.append(f"{left_out} of {recording.n_parcels} parcels have no signal or no position: left out.")
    return tuple(notes)
