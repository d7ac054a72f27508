"""Functional connectivity (FC) and its relatives, measured the same way on simulated and on real recordings."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

#: Upper edges of the distance bins, mm.
DISTANCE_EDGES_MM = (20.0, 30.0, 45.0, 60.0, 75.0, 90.0, 110.0, 180.0)
CORTICAL = 7


@dataclass(frozen=True)
class Layout:
    """Where the parcels are.

    Attributes
    ----------
    xyz : (parcels, 3) MNI mm
    codes : (parcels,) network codes, 0..6 cortex
    """

    xyz: Floats
    codes: NDArray[np.intp]


@dataclass(frozen=True)
class CohortStatistics:
    """One number per recording for each statistic, and what needs the whole cohort.

    Attributes
    ----------
    per_recording : name -> (recordings,)
    by_distance : (recordings, bins) mean FC
    network_blocks : (7, 7) group mean FC of cortical networks
    histogram : (recordings, bins) share of parcel pairs per FC bin of :data:`FC_BINS`
    within_person, between_people : similarity (r) of FC of two halves, of the same person and of two people
    """

    per_recording: dict[str, Floats]
    by_distance: Floats
    network_blocks: Floats
    histogram: Floats
    within_person: Floats
    between_people: Floats


FC_BINS = np.linspace(-1, 1, 41)


def detrended(series: NDArray[np.floating]) -> Floats:
    """Remove mean, line and parabola from each parcel; constant parcels become NaN."""
    t = np.linspace(-1, 1, series.shape[1])
    basis, _ = np.linalg.qr(np.stack([np.ones_like(t), t, t**2], axis=1))
    values: Floats = series.astype(np.float64)
    constant = ~(values.std(axis=1) > 1e-9 * np.maximum(np.abs(values).mean(axis=1), 1e-12))
    values -= (values @ basis) @ basis.T
    values[constant] = np.nan
    return values


def connectivity(series: Floats) -> Floats:
    """Pearson correlation of every pair of parcels, (parcels, parcels); NaN where a parcel is missing."""
    with np.errstate(invalid="ignore", divide="ignore"):
        z = (series - series.mean(axis=1, keepdims=True)) / series.std(axis=1, keepdims=True)
    fc: Floats = z @ z.T / series.shape[1]
    np.fill_diagonal(fc, np.nan)
    return fc


def cohort_statistics(recordings: Sequence[NDArray[np.floating]], layout: Layout) -> CohortStatistics:
    """Measure recordings (parcels, frames) of one TR and length, one per person; NaN where a group has no pair."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Mean of empty slice|Degrees of freedom", RuntimeWarning)
        return _measured(recordings, layout)


def _measured(recordings: Sequence[NDArray[np.floating]], layout: Layout) -> CohortStatistics:
    pairs = _Pairs(layout)
    rows: list[dict[str, float]] = []
    distances, histograms, matrices, first, second = [], [], [], [], []
    for recording in recordings:
        series = detrended(recording)
        fc = connectivity(series)
        rows.append({**pairs.summary(fc), **_temporal(series)})
        distances.append([np.nanmean(fc[mask]) for mask in pairs.bins])
        values = fc[pairs.upper]
        counts = np.histogram(values[np.isfinite(values)], FC_BINS)[0]
        histograms.append(counts / max(counts.sum(), 1))
        matrices.append(fc)
        half = series.shape[1] // 2
        first.append(connectivity(detrended(series[:, :half]))[pairs.upper])
        second.append(connectivity(detrended(series[:, half : 2 * half]))[pairs.upper])
    within, between = _similarity(np.array(first), np.array(second))
    return CohortStatistics(
        per_recording={name: np.array([row[name] for row in rows]) for name in rows[0]},
        by_distance=np.array(distances),
        network_blocks=pairs.blocks(np.nanmean(np.stack(matrices), axis=0)),
        histogram=np.array(histograms),
        within_person=within,
        between_people=between,
    )


def lag_one(series: NDArray[np.floating]) -> float:
    """Mean over parcels of the correlation of each frame with the next."""
    return _lag_one(detrended(series))


class _Pairs:
    """Which pairs of parcels are of one network, of mirror places, of some distance."""

    def __init__(self, layout: Layout) -> None:
        xyz, codes = layout.xyz, layout.codes
        n = len(xyz)
        self.upper = np.triu_indices(n, 1)
        triangle = np.zeros((n, n), bool)
        triangle[self.upper] = True
        distance = np.linalg.norm(xyz[:, None] - xyz[None], axis=2)
        cortex = codes < CORTICAL
        both = cortex[:, None] & cortex[None] & triangle
        same = codes[:, None] == codes[None]
        mirror = np.linalg.norm(xyz[:, None] - (xyz * [-1, 1, 1])[None], axis=2)
        crossing = (xyz[:, None, 0] * xyz[None, :, 0] < 0) & triangle
        lateral = (np.abs(xyz[:, 0]) > 8)[:, None] & (np.abs(xyz[:, 0]) > 8)[None]
        nearest = (mirror == mirror.min(axis=1, keepdims=True)) | (mirror == mirror.min(axis=0, keepdims=True))
        homotopic = crossing & lateral & nearest & (mirror < 12)
        self.masks = {
            "mean FC": triangle,
            "within-network FC": both & same,
            "between-network FC": both & ~same,
            "homotopic FC": homotopic,
            "heterotopic FC": crossing & lateral & ~homotopic,
        }
        edges = (0.0, *DISTANCE_EDGES_MM)
        self.bins = [triangle & (distance > a) & (distance <= b) for a, b in pairwise(edges)]
        self._codes = codes

    def summary(self, fc: Floats) -> dict[str, float]:
        """Return the means over groups of pairs."""
        found = {name: float(np.nanmean(fc[mask])) for name, mask in self.masks.items()}
        found["sd of FC over pairs"] = float(np.nanstd(fc[self.masks["mean FC"]]))
        found["within minus between"] = found["within-network FC"] - found["between-network FC"]
        return found

    def blocks(self, fc: Floats) -> Floats:
        """Return the mean FC within and between the seven cortical networks, NaN where a network has no pair."""
        result = np.full((CORTICAL, CORTICAL), np.nan)
        for a in range(CORTICAL):
            for b in range(CORTICAL):
                values = fc[np.ix_(self._codes == a, self._codes == b)]
                if np.isfinite(values).any():
                    result[a, b] = np.nanmean(values)
        return result


def _temporal(series: Floats) -> dict[str, float]:
    """Lag-1 autocorrelation, and the share of variance that follows the global signal."""
    present = series[np.isfinite(series).all(axis=1)]
    z = present / present.std(axis=1, keepdims=True)
    everywhere = z.mean(axis=0)
    r = z @ everywhere / (len(everywhere) * everywhere.std())
    return {"lag-1 autocorrelation": _lag_one(series), "global signal's share of variance": float((r**2).mean())}


def _lag_one(series: Floats) -> float:
    present = series[np.isfinite(series).all(axis=1)]
    return float(((present[:, 1:] * present[:, :-1]).mean(axis=1) / (present**2).mean(axis=1)).mean())


def _similarity(first: Floats, second: Floats) -> tuple[Floats, Floats]:
    """Correlate first halves with second halves over the pairs that everybody has."""
    whole = np.isfinite(first).all(axis=0) & np.isfinite(second).all(axis=0)
    n = len(first)
    r = np.corrcoef(first[:, whole], second[:, whole])[:n, n:]
    return np.diag(r).copy(), r[~np.eye(n, dtype=bool)]
