"""What parcels are compared by: maps of the model, of the recording, and of the controls that tell them apart."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import torch
from numpy.typing import NDArray

from brainlm_engine.api.errors import BadInput
from brainlm_engine.cohort import zscored
from brainlm_engine.models.base import MaskedModel
from brainlm_engine.models.studio import Studio
from brainlm_engine.progress import SILENT, Progress
from brainlm_engine.recording import Recording
from brainlm_engine.tasks.input_scaling import InputScaling
from brainlm_engine.tasks.reconstruct import plan_window

Floats = NDArray[np.float32]
_AT_ONCE = 8  # nudged copies of a window
_NUDGE_SD = 1.0


def untrained(model: MaskedModel, seed: int = 0) -> MaskedModel:
    """Return the same architecture with fresh weights: what it knows without having seen anybody."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        fresh = type(model).from_config(model.config_dict())
    fresh.scaling, fresh.card = model.scaling, model.card  # so that it is read as the model is
    return fresh.eval().to(next(model.parameters()).device)


def noise_like(recording: Recording, seed: int = 0) -> Recording:
    """Return noise with each parcel's own spectrum and no relation between parcels (phases drawn at random)."""
    series = zscored(recording)
    spectrum = np.abs(np.fft.rfft(np.nan_to_num(series), axis=1))
    phases = np.random.default_rng(seed).uniform(0, 2 * np.pi, spectrum.shape)
    made = np.fft.irfft(spectrum * np.exp(1j * phases), recording.n_frames, axis=1)
    return replace(recording, series=np.where(np.isfinite(series), made, np.nan).astype(np.float32))


def halves(recording: Recording) -> tuple[Recording, Recording]:
    """Cut a recording in the middle."""
    middle = recording.n_frames // 2
    first, second = recording.series[:, :middle], recording.series[:, middle : 2 * middle]
    return replace(recording, series=first), replace(recording, series=second)


def connectivity(recording: Recording) -> Floats:
    """Return the correlation (P, P) between parcels; NaN for missing ones."""
    series = zscored(recording).astype(np.float64)
    known = np.isfinite(series).all(1)
    inside = series[known] - series[known].mean(1, keepdims=True)
    inside /= np.maximum(np.linalg.norm(inside, axis=1, keepdims=True), 1e-12)
    out = np.full((len(series),) * 2, np.nan, np.float32)
    out[np.ix_(known, known)] = inside @ inside.T
    return out


def responses(
    model: MaskedModel, recording: Recording, *, scaling: InputScaling | None = None, progress: Progress = SILENT
) -> Floats:
    """Nudge one parcel after the other by 1 SD over a window and see by how much every parcel's embedding moves.

    Returns
    -------
    moved : (P, P), row = nudged, column = moved; NaN for parcels that are left out

    Raises
    ------
    BadInput
        When the model's embeddings do not belong to single parcels.
    """
    if not isinstance(model, Studio):
        raise BadInput("Responses to nudges can be read from models of our own only.", "Choose another source.")
    _, length, _ = plan_window(model, recording, None, scaling=scaling)
    series = zscored(recording)[:, :length]
    if scaling is not None:
        series = scaling.units(recording).into(series[None])[0]
    device = next(model.parameters()).device
    signal = torch.from_numpy(np.ascontiguousarray(series))[None].to(device)
    xyz = torch.from_numpy(np.array(recording.xyz, np.float32))[None].to(device)
    patches = length // model.frames_per_patch(recording.tr_s)
    parcels = len(series)

    def tokens(batch: torch.Tensor) -> torch.Tensor:
        with torch.inference_mode():
            latent, _ = model.embed(batch, xyz.expand(len(batch), -1, -1), recording.tr_s)
        return latent[:, 1:].float()

    with torch.inference_mode():
        ids = model.embed(signal, xyz, recording.tr_s)[1][0]
    real = ids >= 0
    owner = (ids[real] // patches).cpu().numpy()
    still, count = tokens(signal)[:, real], np.bincount(owner, minlength=parcels)
    moved = np.full((parcels, parcels), np.nan, np.float32)
    present = np.flatnonzero(count > 0)
    for first in range(0, len(present), _AT_ONCE):
        progress(first / len(present), f"Nudging parcel {first + 1} of {len(present)}")
        chosen = present[first : first + _AT_ONCE]
        batch = signal.repeat(len(chosen), 1, 1)
        batch[torch.arange(len(chosen)), torch.from_numpy(chosen)] += _NUDGE_SD
        change = (tokens(batch)[:, real] - still).norm(dim=2).cpu().numpy()
        for row, each in zip(chosen, change, strict=True):
            moved[row] = np.bincount(owner, each, parcels) / np.where(count > 0, count, np.nan)
    return moved
