"""Filling hidden parcels from a few components of the visible data of the same window: probabilistic PCA.

Every frame is a mix of a few patterns over the parcels plus noise that is alike everywhere. Patterns, mixes and noise
are found by variational expectation maximization from visible entries alone; what is hidden takes no part. How sure a
pattern is where counts too, so that patterns the data do not support shrink to nothing. The number of patterns is
chosen by hiding visible entries and filling them.

Source: Tipping & Bishop (1999), Probabilistic principal component analysis; Ilin & Raiko (2010), Practical approaches
to PCA in the presence of missing values.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from brainlm_engine.baselines.held_out import alike_runs, held_out

Floats = NDArray[np.float32]
Doubles = NDArray[np.float64]

_RANKS = (2, 4, 8, 16)
_TRIED_STEPS, _STEPS = 8, 20
_LEAST_NOISE = 1e-3  # of a variance of 1


@dataclass(frozen=True)
class PCAFit:
    """The result, and what was chosen.

    Attributes
    ----------
    filled : (parcels, frames) float32, the visible frames unchanged
    rank : number of components, 0 when nothing fills hidden entries better than the mean
    """

    filled: Floats
    rank: int


def pca(shown: Floats, seed: int = 0) -> PCAFit:
    """Fill each hidden frame from the components that the visible parcels of that frame show.

    Parameters
    ----------
    shown : (parcels, frames) float32, z-scored; NaN where hidden or not measured
    seed : which visible entries are hidden while choosing the rank
    """
    seen = np.isfinite(shown)
    values = np.where(seen, shown, 0).astype(np.float64)
    rank = _best_rank(values, seen, held_out(shown, list(alike_runs(seen)), np.random.default_rng(seed)))
    guess = _components(values, seen, rank, _STEPS) if rank else np.zeros_like(values)
    return PCAFit(np.where(seen, shown, guess).astype(np.float32), rank)


def _best_rank(values: Doubles, seen: NDArray[np.bool_], held: NDArray[np.bool_]) -> int:
    """Return the rank of least squared error on ``held``, 0 when the mean does as well."""
    kept = seen & ~held
    best, least = 0, float((values[held] ** 2).sum())  # the mean, which is 0
    for rank in _RANKS:
        if rank >= min(values.shape) or not held.any():
            break
        error = float(((_components(np.where(kept, values, 0), kept, rank, _TRIED_STEPS) - values)[held] ** 2).sum())
        if error < least:
            best, least = rank, error
    return best


def _components(values: Doubles, seen: NDArray[np.bool_], rank: int, steps: int) -> Doubles:
    """Return what ``rank`` components say of every entry, (parcels, frames); ``values`` hold 0 where not ``seen``."""
    weight = seen.astype(np.float64)
    count = max(weight.sum(), 1.0)
    total = float((values**2).sum())
    left, size, _ = np.linalg.svd(values, full_matrices=False)
    patterns = left[:, :rank] * size[:rank] / np.sqrt(max(weight.mean() * values.shape[1], 1.0))
    noise = max(total / count / 2, _LEAST_NOISE)
    shows, kind_of = np.unique(seen, axis=1, return_inverse=True)  # frames that show the same parcels share a matrix
    kinds = shows.astype(np.float64), kind_of.ravel()
    eye = np.eye(rank)
    doubt = np.zeros((len(values), rank, rank))  # covariance of a parcel's weights in the patterns
    for _ in range(steps):
        mixes, spread = _mixes(values, patterns, doubt, noise, kinds)
        second = mixes[:, :, None] * mixes[:, None, :] + spread  # (frames, rank, rank)
        support = (weight @ second.reshape(len(second), -1)).reshape(-1, rank, rank)  # (parcels, rank, rank)
        right = values @ mixes
        size_of = (patterns**2).mean(0) + doubt.diagonal(axis1=1, axis2=2).mean(0)
        inverse = np.linalg.inv(support + eye * (noise / np.maximum(size_of, 1e-9)))
        patterns, doubt = (inverse @ right[:, :, None])[:, :, 0], noise * inverse
        squares = patterns[:, :, None] * patterns[:, None, :] + doubt
        rest = total - 2 * (patterns * right).sum() + (support * squares).sum()
        noise = max(float(rest) / count, _LEAST_NOISE)
    mixes, _ = _mixes(values, patterns, doubt, noise, kinds)
    return np.asarray(patterns @ mixes.T)


def _mixes(
    values: Doubles, patterns: Doubles, doubt: Doubles, noise: float, kinds: tuple[Doubles, NDArray[np.intp]]
) -> tuple[Doubles, Doubles]:
    """Return the mean (frames, rank) and covariance (frames, rank, rank) of each frame's mix.

    ``kinds`` holds what the kinds of frames show (parcels, kinds), 0 or 1, and of which kind each frame is (frames,).
    """
    shows, kind_of = kinds
    rank = patterns.shape[1]
    squares = (patterns[:, :, None] * patterns[:, None, :] + doubt).reshape(len(patterns), -1)
    inverse = np.linalg.inv((shows.T @ squares).reshape(-1, rank, rank) + noise * np.eye(rank))[kind_of]
    return (inverse @ (values.T @ patterns)[:, :, None])[:, :, 0], np.asarray(noise * inverse, np.float64)
