"""Training windows, drawn anew for every step from a generator seeded by (seed, step): resuming needs no other state.

With ``variety`` about six in ten steps see the cohort as another study would have recorded it: another TR (frames
picked, not averaged: a scanner does not average either), another length, other parcels (neighbours merged around random
seeds, or some left out) and slightly other positions.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from brainlm_engine.cohort import Series
from brainlm_engine.models.masks import training_mask
from brainlm_engine.models.patches import PATCH_S, frames_per_patch
from brainlm_engine.train.settings import TrainSettings

Floats = NDArray[np.float32]
_TRS = tuple(round(0.5 + 0.1 * step, 1) for step in range(26))  # 0.5 .. 3.0 s
_JITTER_MM = 1.5


@dataclass(frozen=True)
class Batch:
    """What one step learns from.

    Attributes
    ----------
    signal : (B, V, T) float32, z-scored per parcel over the recording
    xyz : (B, V, 3) float32, MNI mm
    hidden : (B, V, N) bool
    queries : (Q,) int64, parcels to decode
    tr_s : seconds per frame
    """

    signal: Tensor
    xyz: Tensor
    hidden: Tensor
    queries: Tensor
    tr_s: float


def draw_batch(series: Series, settings: TrainSettings, step: int) -> Batch:
    """Return the windows of ``step``; the same for the same seed and step."""
    rng = np.random.default_rng([settings.seed, 1, step])
    picked = [series.values[index] for index in rng.integers(len(series), size=settings.batch)]
    xyz, tr_s, merge = series.xyz, series.tr_s, None
    patches = max(1, settings.window_frames // frames_per_patch(tr_s))
    if settings.variety and rng.random() < 0.35:
        tr_s = float(rng.choice(_TRS))
        longest = min(values.shape[1] for values in picked) * series.tr_s
        patches = int(rng.integers(4, max(5, min(25, int(longest / PATCH_S) + 1))))
    if settings.variety and rng.random() < 0.35:
        merge, xyz = _other_parcels(series.xyz, rng)
    if settings.variety:
        xyz = (xyz + rng.normal(0, _JITTER_MM, xyz.shape)).astype(np.float32)
    length = patches * frames_per_patch(tr_s)
    windows = [_window(_merged(values, merge), series.tr_s, tr_s, length, rng) for values in picked]
    signal = torch.from_numpy(np.stack(windows))
    generator = torch.Generator().manual_seed(int(rng.integers(2**62)))
    shape = (settings.batch, signal.shape[1], patches)
    hidden = training_mask(shape, settings.masks, generator)
    queries = torch.randperm(signal.shape[1], generator=generator)[: settings.queries].sort().values
    return Batch(signal, torch.from_numpy(xyz).expand(settings.batch, -1, -1), hidden, queries, tr_s)


def _other_parcels(xyz: Floats, rng: np.random.Generator) -> tuple[Floats, Floats]:
    """Return weights (M, V) of new parcels over the old, and the new centres (M, 3)."""
    parcels = len(xyz)
    if rng.random() < 0.3:  # some parcels left out
        kept = np.sort(rng.permutation(parcels)[: int(parcels * rng.uniform(0.5, 0.95))])
        return np.eye(parcels, dtype=np.float32)[kept], xyz[kept]
    seeds = np.sort(rng.permutation(parcels)[: int(parcels * rng.uniform(0.3, 0.9))])
    place = np.nan_to_num(xyz)
    distance = np.linalg.norm(place[:, None] - place[None, seeds], axis=2)
    weights = np.zeros((len(seeds), parcels), np.float32)
    weights[distance.argmin(1), np.arange(parcels)] = 1
    weights /= weights.sum(1, keepdims=True)
    return weights, weights @ place


def _merged(values: NDArray[np.float16], merge: Floats | None) -> Floats:
    """Average parcels and bring them back to SD 1 over the recording; NaN where a part is missing."""
    if merge is None:
        return values.astype(np.float32)
    merged = merge @ np.nan_to_num(values.astype(np.float32))
    merged[(merge @ np.isnan(values[:, 0]).astype(np.float32)) > 0] = np.nan
    return np.asarray(merged / (merged.std(1, keepdims=True) + 1e-6), np.float32)


def _window(values: Floats, from_tr: float, tr_s: float, length: int, rng: np.random.Generator) -> Floats:
    """Cut ``length`` frames of ``tr_s`` at a random start; NaN after the end of a short recording."""
    if tr_s == from_tr:
        start = int(rng.integers(max(1, values.shape[1] - length + 1)))
        window = values[:, start : start + length]
    else:
        spare = values.shape[1] * from_tr - length * tr_s
        times = max(0.0, rng.uniform(0, max(spare, 1e-9))) + np.arange(length) * tr_s
        times = times[times <= (values.shape[1] - 1) * from_tr]
        if tr_s > from_tr:
            window = values[:, np.rint(times / from_tr).astype(int)]
        else:
            before = np.minimum((times / from_tr).astype(int), values.shape[1] - 2)
            share = (times / from_tr - before).astype(np.float32)
            window = values[:, before] * (1 - share) + values[:, before + 1] * share
    out = np.full((len(values), length), np.nan, np.float32)
    out[:, : window.shape[1]] = window
    return out
