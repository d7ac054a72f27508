"""Training windows, drawn anew for every step: resuming needs no other state, and any share can be drawn alone.

What the windows of a step have in common (TR, length, parcels, kind of mask) comes from a generator seeded by (seed,
step); each window's start and mask from one seeded by (seed, step, its number). So several processes draw their shares
of one batch, and together learn from exactly what one process would.

With ``variety`` about six in ten steps see the cohort as another study would have recorded it: another TR (frames
picked, not averaged: a scanner does not average either), another length, other parcels (neighbours merged around random
seeds, or some left out) and slightly other positions.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from brainlm_engine.atlas.nearest_network import nearest_networks
from brainlm_engine.cohort import Series
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

    def to(self, device: torch.device | str, *, wait: bool = True) -> Batch:
        """Return the batch on ``device``; without ``wait`` the copy may still be under way."""
        return self._each(lambda x: x.to(device, non_blocking=not wait))

    def pinned(self) -> Batch:
        """Return the batch in memory that is locked in its place, for fast copies to a graphics processor."""
        return self._each(Tensor.pin_memory)

    def used_by(self, stream: torch.cuda.Stream) -> None:
        """Keep the memory of the batch until what ``stream`` now has to do is done."""
        for tensor in (self.signal, self.xyz, self.hidden, self.queries):
            tensor.record_stream(stream)

    def _each(self, change: Callable[[Tensor], Tensor]) -> Batch:
        signal, xyz, hidden, queries = map(change, (self.signal, self.xyz, self.hidden, self.queries))
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
    xyz, tr_s = series.xyz, series.tr_s
    merge: Merge | None = None
    patches = max(1, settings.window_frames // recipe.frames_per_patch(settings.model, tr_s))
    variety = settings.variety and recipe.any_recording
    if variety and rng.random() < 0.35:
        tr_s = float(rng.choice(_TRS))
        patches = int(
            rng.integers(4, max(5, min(25, int(min(lengths) * series.tr_s / recipe.patch_s(settings.model, tr_s)) + 1)))
        )
    if variety and recipe.any_parcels(settings.model) and rng.random() < 0.35:
        merge = _other_parcels(series.xyz, rng)
        xyz = merge.xyz
    if variety:
        xyz = (xyz + rng.normal(0, _JITTER_MM, xyz.shape)).astype(np.float32)
    placed = None if recipe.any_recording else np.isfinite(xyz).all(1)
    if placed is not None:
        xyz = xyz[placed]
    length = patches * recipe.frames_per_patch(settings.model, tr_s)
    common = torch.Generator().manual_seed(int(rng.integers(2**62)))
    plan = recipe.plan(settings.masks, patches, common, settings.mask_ratios, settings.model)
    networks = nearest_networks(xyz) if plan.kind == "networks" else None
    windows, generators = [], []
    mine = range(*share(settings.batch, rank, world))
    for number in mine:
        own = np.random.default_rng([settings.seed, 1, step, 1 + number])
        values = series.values[picked[number]]
        if merge is not None:
            values = merge.of(values)
        window = _window(values, series.tr_s, tr_s, length, own)
        windows.append(window if placed is None else window[placed])
        generators.append(torch.Generator().manual_seed(int(own.integers(2**62))))
    together = plan.draw_each((len(xyz), patches), generators, networks)
    queries = recipe.queries(together, settings.queries, common)
    names = tuple(series.names[picked[number]] for number in mine) if series.names else ()
    place = torch.from_numpy(xyz).expand(len(mine), -1, -1)
    return Batch(torch.from_numpy(np.stack(windows)), place, together, queries, tr_s, names)


@dataclass(frozen=True)
class Merge:
    """Other parcels made of those of the cohort: groups of neighbours, or some left out.

    Attributes
    ----------
    order : (K,) the old parcels that take part, group by group
    begins : (M,) where in ``order`` each new parcel begins
    xyz : (M, 3) centres of the new parcels
    """

    order: NDArray[np.intp]
    begins: NDArray[np.intp]
    xyz: Floats

    def mean(self, values: Floats) -> Floats:
        """Average the rows of ``values (V, C)`` over each group: (M, C)."""
        if len(self.begins) == len(self.order):
            return values[self.order]
        sizes = np.diff(self.begins, append=len(self.order)).astype(np.float32)
        return np.asarray(np.add.reduceat(values[self.order], self.begins, axis=0) / sizes[:, None], np.float32)

    def of(self, values: NDArray[np.float16]) -> Floats:
        """Average parcels, (V, T) to (M, T), back to SD 1 over the recording; NaN where one is missing."""
        merged = self.mean(values.astype(np.float32))
        return np.asarray(merged / (merged.std(1, keepdims=True) + 1e-6), np.float32)


def _other_parcels(xyz: Floats, rng: np.random.Generator) -> Merge:
    parcels = len(xyz)
    if rng.random() < 0.3:  # some parcels left out
        kept = np.sort(rng.permutation(parcels)[: int(parcels * rng.uniform(0.5, 0.95))])
        return Merge(kept, np.arange(len(kept)), xyz[kept])
    seeds = np.sort(rng.permutation(parcels)[: int(parcels * rng.uniform(0.3, 0.9))])
    place = np.nan_to_num(xyz)
    nearest = np.linalg.norm(place[:, None] - place[None, seeds], axis=2).argmin(1)
    order = nearest.argsort(kind="stable")
    begins = np.searchsorted(nearest[order], np.arange(len(seeds)))
    merge = Merge(order, begins, place)
    return Merge(order, begins, merge.mean(place))


def _window(
    values: NDArray[np.floating[Any]], from_tr: float, tr_s: float, length: int, rng: np.random.Generator
) -> Floats:
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
            early, late = (values[:, at].astype(np.float32) for at in (before, before + 1))
            window = early * (1 - share) + late * share
    out = np.empty((len(values), length), np.float32)
    out[:, : window.shape[1]] = window  # only now, and only these frames, in single precision
    out[:, window.shape[1] :] = np.nan
    return out
