"""Filling hidden frames of a parcel from the parcel's own visible frames, without looking at any other parcel.

All take z-scored series, whose mean is known to be 0: that is a better guess than the mean of a few visible frames.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import LinAlgError, cho_factor, cho_solve, toeplitz

Floats = NDArray[np.float32]

_RUN_OUT = 10  # frames after which an edge has gone back to the mean
_LONGEST_LAG = 60  # frames; beyond, an autocorrelation from a window this short is noise


def mean(shown: Floats) -> Floats:
    """Fill with 0, the mean of each parcel over its recording.

    Parameters
    ----------
    shown : (parcels, frames) float32, z-scored, NaN where hidden or not measured

    Returns
    -------
    filled : (parcels, frames) float32, the visible frames unchanged
    """
    return np.nan_to_num(shown).astype(np.float32)


def interpolate(shown: Floats) -> Floats:
    """Draw straight lines across hidden frames; before the first and after the last visible frame, go back to the mean.

    Parameters and result as in :func:`mean`.
    """
    frames = np.arange(shown.shape[1])
    filled = np.zeros_like(shown)
    for row, values in enumerate(shown):
        seen = np.flatnonzero(np.isfinite(values))
        if not len(seen):
            continue
        line = np.interp(frames, seen, values[seen])
        outside = np.maximum(np.maximum(seen[0] - frames, frames - seen[-1]), 0)
        filled[row] = line * np.clip(1 - outside / _RUN_OUT, 0, 1)
    return _with_visible(shown, filled)


def krige(shown: Floats) -> Floats:
    """Fill with the best linear guess in time, given the autocorrelation that the visible frames have on average.

    This is what interpolation can do at its best: noise at the gap's edges is averaged out, and far from any visible
    frame the guess is the mean. Parameters and result as in :func:`mean`.
    """
    parcels, frames = shown.shape
    covariance = _autocovariance(shown)
    filled = np.zeros((parcels, frames), np.float32)
    for row in range(parcels):
        seen = np.isfinite(shown[row])
        if seen.any() and not seen.all():
            weights = _solve(covariance[np.ix_(seen, seen)], shown[row, seen])
            filled[row, ~seen] = covariance[np.ix_(~seen, seen)] @ weights
    return _with_visible(shown, filled)


def _autocovariance(values: Floats) -> NDArray[np.float64]:
    """Return the (frames, frames) covariance in time, pooled over parcels, tapered and positive definite."""
    frames = values.shape[1]
    seen = np.isfinite(values)
    size = 2 * frames
    products = np.abs(np.fft.rfft(np.where(seen, values, 0.0), size, axis=1)) ** 2
    pairs = np.abs(np.fft.rfft(seen.astype(np.float64), size, axis=1)) ** 2
    summed = np.fft.irfft(products.sum(0), size)[:frames]
    counted = np.fft.irfft(pairs.sum(0), size)[:frames]
    lags = np.where(counted > 0.5, summed / np.maximum(counted, 1), 0.0)
    taper = np.clip(1 - np.arange(frames) / _LONGEST_LAG, 0, 1)  # triangular: keeps it positive definite
    matrix = toeplitz(lags * taper)
    strength, vectors = np.linalg.eigh(matrix)
    floor = 1e-3 * max(lags[0], 1e-12)
    return np.asarray((vectors * np.maximum(strength, floor)) @ vectors.T)


def _solve(matrix: NDArray[np.float64], right: Floats) -> NDArray[np.float64]:
    try:
        return np.asarray(cho_solve(cho_factor(matrix, check_finite=False), right, check_finite=False))
    except LinAlgError:
        return np.asarray(np.linalg.lstsq(matrix, right, rcond=None)[0])


def _with_visible(shown: Floats, filled: Floats) -> Floats:
    return np.where(np.isfinite(shown), shown, filled).astype(np.float32)
