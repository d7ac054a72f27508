"""Best linear guess in time for gaps of a long recording, each from the frames around it.

What :func:`brainlm_engine.baselines.temporal.krige` does for one window, at the cost of the gaps and not of the whole
recording; parcels with the same gap are solved together.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import LinAlgError, cho_factor, cho_solve, toeplitz

Floats = NDArray[np.float32]
_REACH = 60  # frames on either side; beyond, an autocorrelation is noise
_FLOOR = 1e-3  # least eigenvalue of the covariance, of a variance of 1


def krige_gaps(shown: Floats, gaps: NDArray[np.bool_]) -> Floats:
    """Guess ``gaps`` of ``shown (parcels, frames)`` from each parcel's own frames near them.

    Parameters
    ----------
    shown : float32 about a mean of 0; NaN where not known
    gaps : bool, what is guessed; other unknown entries are neither used nor guessed

    Returns
    -------
    guess : (parcels, frames) float32, 0 outside the gaps and where nothing near is known
    """
    guess = np.zeros(shown.shape, np.float32)
    some = np.asarray(np.isfinite(shown).any(1))
    gaps = gaps & some[:, None]
    if not gaps.any():
        return guess
    groups = _alike(shown, gaps)
    longest = max(stop - first for first, stop, *_ in groups)
    covariance = _covariance(shown, longest)
    for first, stop, at, seen in groups:
        rows = np.array(groups[first, stop, at, seen])
        known = np.flatnonzero(np.frombuffer(seen, bool))
        wanted = np.frombuffer(at, np.int64)
        if len(known):
            weights = _weights(covariance, known, wanted)
            guess[np.ix_(rows, first + wanted)] = shown[np.ix_(rows, first + known)] @ weights
    return guess


def _alike(shown: Floats, gaps: NDArray[np.bool_]) -> dict[tuple[int, int, bytes, bytes], list[int]]:
    """Return the parcels of every gap: (first and stop frame of its surroundings, gap frames, known frames)."""
    found: dict[tuple[int, int, bytes, bytes], list[int]] = {}
    known, frames = np.isfinite(shown), shown.shape[1]
    for row in np.flatnonzero(gaps.any(1)):
        edges = np.flatnonzero(np.diff(np.concatenate([[0], gaps[row].astype(np.int8), [0]]))).reshape(-1, 2)
        for start, end in edges:
            first, stop = max(0, int(start) - _REACH), min(frames, int(end) + _REACH)
            at = np.arange(start - first, end - first, dtype=np.int64).tobytes()
            found.setdefault((first, stop, at, known[row, first:stop].tobytes()), []).append(int(row))
    return found


def _covariance(values: Floats, size: int) -> NDArray[np.float64]:
    """Return the (size, size) covariance in time, pooled over parcels, tapered and positive definite."""
    seen = np.isfinite(values)
    padded = 2 * values.shape[1]
    products = np.abs(np.fft.rfft(np.where(seen, values, 0.0), padded, axis=1)) ** 2
    pairs = np.abs(np.fft.rfft(seen.astype(np.float64), padded, axis=1)) ** 2
    summed = np.fft.irfft(products.sum(0), padded)[:size]
    counted = np.fft.irfft(pairs.sum(0), padded)[:size]
    lags = np.where(counted > 0.5, summed / np.maximum(counted, 1), 0.0)
    matrix = toeplitz(lags * np.clip(1 - np.arange(len(lags)) / _REACH, 0, 1))
    strength, vectors = np.linalg.eigh(matrix)
    return np.asarray((vectors * np.maximum(strength, _FLOOR * max(lags[0], 1e-12))) @ vectors.T)


def _weights(covariance: NDArray[np.float64], known: NDArray[np.intp], wanted: NDArray[np.int64]) -> Floats:
    """Return (known, wanted): what is multiplied with the known frames."""
    inner, outer = covariance[np.ix_(known, known)], covariance[np.ix_(known, wanted)]
    try:
        return np.asarray(cho_solve(cho_factor(inner, check_finite=False), outer, check_finite=False), np.float32)
    except LinAlgError:
        return np.asarray(np.linalg.lstsq(inner, outer, rcond=None)[0], np.float32)
