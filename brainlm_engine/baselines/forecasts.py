"""Simple forecasts of parcel series from their own past: what every model of the future is compared with.

All take ``past (parcels, frames)``, each parcel z-scored over these very frames, without NaN, and return
``(parcels, horizon)`` in the same unit. The mean of the past is 0 everywhere and needs no function.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
Doubles = NDArray[np.float64]
#: candidates for the penalty of :func:`vector_ridge`, in units of one frame
_PENALTIES = (10.0, 30.0, 100.0, 300.0, 1000.0, 3000.0)


def persistence(past: Floats, horizon: int) -> Floats:
    """Everything stays as it is now."""
    return np.repeat(past[:, -1:], horizon, axis=1).astype(np.float32)


def autoregression(past: Floats, horizon: int, most: int = 8) -> Floats:
    """Forecast each parcel from itself: Yule-Walker, the order up to ``most`` chosen by BIC per parcel.

    Source: Levinson (1947), Durbin (1960); Schwarz (1978) for the order.
    """
    frames = past.shape[1]
    most = max(1, min(most, frames // 4))
    series = past.astype(np.float64)
    lagged = np.stack([(series[:, : frames - lag] * series[:, lag:]).sum(1) / frames for lag in range(most + 1)], 1)
    weights, found = np.zeros((len(series), most)), np.zeros((len(series), most))
    error = np.maximum(lagged[:, 0], 1e-12)
    best = frames * np.log(error)
    for order in range(1, most + 1):
        known = weights[:, : order - 1]
        reflection = (lagged[:, order] - (known * lagged[:, order - 1 : 0 : -1]).sum(1)) / error
        weights[:, : order - 1] = known - reflection[:, None] * known[:, ::-1]
        weights[:, order - 1] = reflection
        error = np.maximum(error * (1 - reflection**2), 1e-12)
        score = frames * np.log(error) + order * np.log(frames)
        better = score < best
        best = np.where(better, score, best)
        found[better] = 0
        found[better, :order] = weights[better, :order]
    state = series[:, : -most - 1 : -1].copy()  # latest first
    made = np.empty((len(series), horizon))
    for lead in range(horizon):
        made[:, lead] = (found * state).sum(1)
        state = np.concatenate([made[:, lead : lead + 1], state[:, :-1]], 1)
    return made.astype(np.float32)


def vector_ridge(past: Floats, horizon: int) -> Floats:
    """Forecast all parcels from all parcels one frame before (VAR(1)), by ridge with the penalty of least GCV error."""
    series = past.astype(np.float64)
    before, after = series[:, :-1].T, series[:, 1:].T
    left, size, right = np.linalg.svd(before, full_matrices=False)
    seen, n = left.T @ after, len(before)
    rest = float((after**2).sum() - (seen**2).sum())

    def error(penalty: float) -> float:
        kept = size**2 / (size**2 + penalty)
        left = rest + float((((1 - kept)[:, None] * seen) ** 2).sum())
        return left / float(1 - kept.sum() / n) ** 2

    penalty = min(_PENALTIES, key=error)
    factor = (size / (size**2 + penalty))[:, None] * seen
    state, made = series[:, -1], []
    for _ in range(horizon):
        state = (right @ state) @ factor
        made.append(state)
    return np.stack(made, 1).astype(np.float32)
