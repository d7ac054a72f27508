"""Filling hidden parcels from the parcels visible at the same time, by ridge regression.

Two variants. *Own*: the relations between parcels are learned from what the window itself shows. *People*: they come
from training people and are adapted to the window. In both, relations are covariances, shrunk towards a prior the more
the fewer frames two parcels are visible together, and the ridge is added to the predictors' covariance; the amount of
both is chosen by hiding visible parcels from the fit and predicting them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import LinAlgError, cho_factor, cho_solve

from brainlm_engine.baselines.held_out import Run, alike_runs, held_out

Floats = NDArray[np.float32]

_PRIOR_FRAMES = (30.0, 120.0, 500.0, 1e6)
_RIDGES = (0.03, 0.1, 0.3, 1.0, 3.0)
_MOST_TRIED = 150  # predictors used while choosing; all are used in the fit
_TRIED_BLOCKS = 4


@dataclass(frozen=True)
class RidgeFit:
    """The result, and what was chosen.

    Attributes
    ----------
    filled : (parcels, frames) float32, the visible frames unchanged
    prior_frames : frames of evidence the prior counted for
    ridge : added to the predictors' variance (1 in z-scored data)
    """

    filled: Floats
    prior_frames: float
    ridge: float


def covariance_of_people(series: Iterable[Floats]) -> Floats:
    """Return the mean (parcels, parcels) covariance of z-scored recordings; NaN frames do not count.

    Raises
    ------
    ValueError
        When there are no recordings.
    """
    products: NDArray[np.float64] | None = None
    counts: NDArray[np.float64] | None = None
    for values in series:
        product, count = _products(np.asarray(values, np.float32))
        products = product if products is None else products + product
        counts = count if counts is None else counts + count
    if products is None or counts is None:
        raise ValueError("no recordings")
    return np.asarray(products / np.maximum(counts, 1), np.float32)


def ridge(shown: Floats, people: Floats | None = None, seed: int = 0) -> RidgeFit:
    """Fill each hidden frame from the parcels visible in that frame.

    Parameters
    ----------
    shown : (parcels, frames) float32, z-scored; NaN where hidden or not measured
    people : (parcels, parcels) covariance of training people, see :func:`covariance_of_people`; None for *own*
    seed : which visible parcels are hidden while choosing
    """
    blocks = list(alike_runs(np.isfinite(shown)))
    rng = np.random.default_rng(seed)
    held = held_out(shown, blocks, rng)
    tried = np.where(held, np.nan, shown).astype(np.float32)
    products, counts = _products(tried)
    best = (np.inf, _PRIOR_FRAMES[-1], _RIDGES[-1])
    wide = [block for block in blocks if (held[:, block[1][0]]).any()]
    wide = [wide[index] for index in np.linspace(0, len(wide) - 1, min(_TRIED_BLOCKS, len(wide))).astype(int)]
    for prior_frames in _PRIOR_FRAMES if wide else ():
        covariance = _shrunk(products, counts, people, prior_frames)
        for amount, error in _errors(covariance, shown, held, wide, rng):
            best = min(best, (error, prior_frames, amount))
    _, prior_frames, amount = best
    products, counts = _products(shown)
    covariance = _shrunk(products, counts, people, prior_frames)
    filled = np.where(np.isfinite(shown), shown, 0).astype(np.float32)
    for visible, frames in blocks:
        if visible.any() and not visible.all():
            values = shown[np.ix_(visible, frames)]
            weights = _solved(covariance[np.ix_(visible, visible)], amount, values)
            filled[np.ix_(~visible, frames)] = covariance[np.ix_(~visible, visible)] @ weights
    return RidgeFit(filled, prior_frames, amount)


def _products(values: Floats) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    seen = np.isfinite(values).astype(np.float32)
    filled = np.where(seen > 0, values, 0).astype(np.float32)
    return (filled @ filled.T).astype(np.float64), (seen @ seen.T).astype(np.float64)


def _shrunk(
    products: NDArray[np.float64], counts: NDArray[np.float64], people: Floats | None, prior_frames: float
) -> NDArray[np.float64]:
    """Return the covariance, each entry between what was seen together and the prior."""
    if people is not None:
        prior = people.astype(np.float64)
    else:  # every pair alike, as on average over the pairs that were seen
        off = ~np.eye(len(products), dtype=bool)
        common = products[off].sum() / max(counts[off].sum(), 1)
        prior = np.where(off, common, 1.0)
    return np.asarray((products + prior_frames * prior) / (counts + prior_frames))


def _errors(
    covariance: NDArray[np.float64],
    shown: Floats,
    held: NDArray[np.bool_],
    blocks: list[Run],
    rng: np.random.Generator,
) -> Iterator[tuple[float, float]]:
    """Yield (ridge, squared error on the held-out parcels); one decomposition serves every ridge."""
    errors = dict.fromkeys(_RIDGES, 0.0)
    for visible, frames in blocks:
        target = np.flatnonzero(held[:, frames[0]])
        source = np.flatnonzero(visible & ~held[:, frames[0]])
        source = np.sort(rng.permutation(source)[:_MOST_TRIED])
        strength, vectors = np.linalg.eigh(covariance[np.ix_(source, source)])
        projected = vectors.T @ shown[np.ix_(source, frames)]
        outward = covariance[np.ix_(target, source)] @ vectors
        truth = shown[np.ix_(target, frames)]
        for amount in _RIDGES:
            guess = outward @ (projected / (np.maximum(strength, 0) + amount)[:, None])
            errors[amount] += float(((guess - truth) ** 2).sum())
    yield from errors.items()


def _solved(matrix: NDArray[np.float64], amount: float, values: Floats) -> NDArray[np.float64]:
    """Solve (matrix + amount I) w = values; pairs seen in different frames may leave ``matrix`` slightly indefinite."""
    diagonal = np.eye(len(matrix))
    try:
        factor = cho_factor(matrix + amount * diagonal, check_finite=False)
        return np.asarray(cho_solve(factor, values, check_finite=False))
    except LinAlgError:
        strength, vectors = np.linalg.eigh(matrix)
        return np.asarray(vectors @ ((vectors.T @ values) / (np.maximum(strength, 0) + amount)[:, None]))
