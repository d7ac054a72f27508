"""Training windows, drawn anew for every step: resuming needs no other state, and any share can be drawn alone.

What the windows of a step have in common (TR, length, parcels, kind of mask) comes from a generator seeded by (seed,
step); each window's start and mask from one seeded by (seed, step, its number). So several processes draw their shares
of one batch, and together learn from exactly what one process would.

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
from brainlm_engine.models.patches import PATCH_S
from brainlm_engine.train.settings import TrainSettings
from brainlm_engine.train.trainable import trainable

Floats = NDArray[np.float32]
_TRS = tuple(round(0.5 + 0.1 * step, 1) for step in range(26))  # 0.5 .. 3.0 s
_JITTER_MM = 1.5


@dataclass(frozen=True)
class Batch:
    """What one step learns from, or a part of it.

    Attributes
    ----------
    signal : (B, V, T) float32, z-scored per parcel over the recording
    xyz : (B, V, 3) float32, MNI mm
    hidden : (B, V, N) bool; (B, S) for models that see a picture of S patches
    queries : (Q,) or (B, Q) int64, what the model decodes
    tr_s : seconds per frame
    names : the recordings that the windows are from
    """

    signal: Tensor
    xyz: Tensor
    hidden: Tensor
    queries: Tensor
    tr_s: float
    names: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.signal)

    def rows(self, start: int, stop: int) -> Batch:
        """Return windows ``start`` to ``stop``."""
        part, queries = slice(start, stop), self.queries
        return Batch(
            self.signal[part], self.xyz[part], self.hidden[part], queries if queries.ndim == 1 else queries[part],
            self.tr_s, self.names[part],
        )  # fmt: skip

    def to(self, device: torch.device | str) -> Batch:
        """Return the batch on ``device``."""
        signal, xyz, hidden, queries = (x.to(device) for x in (self.signal, self.xyz, self.hidden, self.queries))
        return Batch(signal, xyz, hidden, queries, self.tr_s, self.names)


def share(count: int, rank: int, world: int) -> tuple[int, int]:
    """Return where the share of ``rank`` of ``count`` things begins and ends; shares differ by one at most."""
    return rank * count // world, (rank + 1) * count // world


def draw_batch(series: Series, settings: TrainSettings, step: int, rank: int = 0, world: int = 1) -> Batch:
    """Return the windows of ``step`` that are the share of ``rank``; the same for the same seed and step."""
    recipe = trainable(settings.architecture)
    rng = np.random.default_rng([settings.seed, 1, step])
    picked = rng.integers(len(series), size=settings.batch)
    lengths = [series.values[index].shape[1] for index in picked]
    xyz, tr_s, merge = series.xyz, series.tr_s, None
    patches = max(1, settings.window_frames // recipe.frames_per_patch(settings.model, tr_s))
    variety = settings.variety and recipe.any_recording
    if variety and rng.random() < 0.35:
        tr_s = float(rng.choice(_TRS))
        patches = int(rng.integers(4, max(5, min(25, int(min(lengths) * series.tr_s / PATCH_S) + 1))))
    if variety and rng.random() < 0.35:
        merge, xyz = _other_parcels(series.xyz, rng)
    if variety:
        xyz = (xyz + rng.normal(0, _JITTER_MM, xyz.shape)).astype(np.float32)
    placed = slice(None) if recipe.any_recording else np.isfinite(xyz).all(1)
    xyz = xyz[placed]
    length = patches * recipe.frames_per_patch(settings.model, tr_s)
    common = torch.Generator().manual_seed(int(rng.integers(2**62)))
    plan = recipe.plan(settings.masks, patches, common, settings.mask_ratios, settings.model)
    windows, hidden = [], []
    mine = range(*share(settings.batch, rank, world))
    for number in mine:
        own = np.random.default_rng([settings.seed, 1, step, 1 + number])
        values = _merged(series.values[picked[number]], merge)[placed]
        windows.append(_window(values, series.tr_s, tr_s, length, own))
        generator = torch.Generator().manual_seed(int(own.integers(2**62)))
        hidden.append(plan.draw((1, len(xyz), patches), generator))
    together = torch.cat(hidden)
    queries = recipe.queries(together, settings.queries, common)
    names = tuple(series.names[picked[number]] for number in mine) if series.names else ()
    place = torch.from_numpy(xyz).expand(len(mine), -1, -1)
    return Batch(torch.from_numpy(np.stack(windows)), place, together, queries, tr_s, names)


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
