"""A vector autoregression learned from many people of one atlas: the strongest linear forecast there is room for."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
Doubles = NDArray[np.float64]
ORDER = 3
_PENALTY = 0.03  # of a variance of 1


class PeopleVAR:
    """``x(t) = sum over lags of weights[lag] x(t - lag)``, for parcels in SD of their past."""

    def __init__(self, weights: Doubles) -> None:
        self.weights = weights  # (order * parcels, parcels)

    @classmethod
    def of_people(cls, series: Iterable[Floats]) -> PeopleVAR:
        """Learn from ``series (parcels, frames)`` of people, z-scored, NaN = not measured (counts as the mean)."""
        gram, right, count = np.zeros(0), np.zeros(0), 0
        for values in series:
            clean = np.nan_to_num(values)
            frames = clean.shape[1]
            before = np.concatenate([clean[:, ORDER - lag : frames - lag] for lag in range(1, ORDER + 1)])
            after = clean[:, ORDER:]
            if gram.size == 0:
                gram, right = np.zeros((len(before),) * 2), np.zeros((len(before), len(after)))
            gram += before @ before.T
            right += before @ after.T
            count += after.shape[1]
        weights = np.linalg.solve(gram / count + _PENALTY * np.eye(len(gram)), right / count)
        return cls(np.asarray(weights, np.float64))

    def forecast(self, past: Floats, horizon: int) -> Floats:
        """Return (parcels, horizon)."""
        state = [past[:, -lag].astype(np.float64) for lag in range(1, ORDER + 1)]
        made = []
        for _ in range(horizon):
            made.append(np.concatenate(state) @ self.weights)
            state = [made[-1], *state[:-1]]
        return np.stack(made, 1).astype(np.float32)
