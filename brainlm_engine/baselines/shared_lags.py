"""A linear forecast whose coefficients are the same for every parcel: it holds in any atlas.

A parcel's next frames are a weighted sum of its own last frames, of the last frames of the parcels it is connected with
(functional connectivity of the past, to two powers) and of the mean of all. The weights are learned from other people
at the same TR, or, at another TR, from the recording's own past, where hundreds of parcels share them.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
Doubles = NDArray[np.float64]
#: frames looked back at: own, close neighbours, wider neighbours, everybody
LAGS = (12, 6, 6, 6)
_POWERS = (5, 2)  # of the connectivity: few strong neighbours, many weak ones
_SHRINK = 1e-3
_SHRINK_ALONE = 10.0  # frames, when learned from one recording


class SharedLags:
    """The forecast; ``weights (features, horizon)``, features as in :data:`LAGS`, latest frame first."""

    def __init__(self, weights: Doubles) -> None:
        self.weights = weights

    @classmethod
    def of_people(cls, windows: Iterable[tuple[Floats, Floats]]) -> SharedLags:
        """Learn from ``(past, future)`` of people, both in SD of the past; every past ends where its future begins."""
        grams, products = [], []
        for past, future in windows:
            features = _features(_channels(past), past.shape[1])
            grams.append(features.T @ features)
            products.append(features.T @ future.astype(np.float64))
        gram = np.sum(grams, 0)
        return cls(_solved(gram, np.sum(products, 0), _SHRINK * float(np.trace(gram)) / len(gram)))

    @classmethod
    def of_past(cls, past: Floats, horizon: int) -> SharedLags | None:
        """Learn from one recording's own past; None when it is too short for that."""
        ends = range(max(LAGS), past.shape[1] - horizon + 1)
        if len(ends) < 2 * max(LAGS):
            return None
        channels, grams, products = _channels(past), [], []
        for end in ends:
            features = _features(channels, end)
            grams.append(features.T @ features)
            products.append(features.T @ past[:, end : end + horizon].astype(np.float64))
        return cls(_solved(np.sum(grams, 0), np.sum(products, 0), _SHRINK_ALONE * len(past)))

    def forecast(self, past: Floats) -> Floats:
        """Return (parcels, horizon)."""
        short = max(0, max(LAGS) - past.shape[1])
        channels = _channels(np.pad(past, ((0, 0), (short, 0))).astype(np.float32))
        return (_features(channels, channels[0].shape[1]) @ self.weights).astype(np.float32)


def _solved(gram: Doubles, right: Doubles, penalty: float) -> Doubles:
    return np.asarray(np.linalg.solve(gram + penalty * np.eye(len(gram)), right), np.float64)


def _channels(past: Floats) -> list[Doubles]:
    series = past.astype(np.float64)
    connected = series @ series.T / series.shape[1]
    np.fill_diagonal(connected, 0)
    channels = [series]
    for power in _POWERS:
        weight = np.sign(connected) * np.abs(connected) ** power
        channels.append(weight @ series / np.maximum(np.abs(weight).sum(1, keepdims=True), 1e-12))
    channels.append(np.broadcast_to(series.mean(0), series.shape))
    return channels


def _features(channels: list[Doubles], end: int) -> Doubles:
    parts = [channel[:, end - lag : end][:, ::-1] for channel, lag in zip(channels, LAGS, strict=True)]
    return np.concatenate(parts, 1)
