"""Regions without usable signal become missing (NaN), never zero; single bad values are bridged and told."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

#: a region with a larger share of unusable values is missing
MOST_UNUSABLE = 0.2
#: a value this many robust standard deviations from its region's median is no signal of a brain (real motion: up to 35)
SPIKE = 100.0


@dataclass(frozen=True)
class CheckedSeries:
    """``series (parcels, frames)`` float32 with NaN rows where ``missing (parcels,)``, and what was found."""

    series: NDArray[np.float32]
    missing: NDArray[np.bool_]
    notes: tuple[str, ...]


def checked(series: NDArray[np.float64], names: tuple[str, ...] = ()) -> CheckedSeries:
    """Find missing, constant and duplicate regions and impossible values in ``series (parcels, frames)``."""
    values = series.astype(np.float64, copy=True)
    notes: list[str] = []
    values[~(np.abs(values) < np.finfo(np.float32).max)] = np.nan
    spikes = _spikes(values)
    bad = np.isnan(values)
    missing = (bad | spikes).mean(1) > MOST_UNUSABLE
    if spikes[~missing].any():
        frames = np.unique(np.nonzero(spikes[~missing])[1])
        notes.append(
            f"Values over {SPIKE:.0f} times their usual spread in {_frames(frames)} were replaced by interpolation."
        )
    if (single := bad & ~missing[:, None]).any():
        notes.append(
            f"Empty or infinite values were interpolated: {int(single.sum())} in {_regions(single.any(1), names)}."
        )
    if missing.any():
        notes.append(f"Missing because without numbers: {_regions(missing, names)}.")
    values[spikes] = np.nan
    _bridge(values, ~missing)
    constant = ~missing & (values.max(1) == values.min(1))
    if constant.any():
        notes.append(f"Missing because constant: {_regions(constant, names)}.")
    missing |= constant
    copies = _duplicates(values, ~missing)
    if copies.any():
        notes.append(f"Missing because an exact copy of another region: {_regions(copies, names)}.")
    missing |= copies
    values[missing] = np.nan
    return CheckedSeries(values.astype(np.float32), missing, tuple(notes))


def _spikes(values: NDArray[np.float64]) -> NDArray[np.bool_]:
    if values.shape[1] < 5:
        return np.zeros(values.shape, bool)
    usable = np.isfinite(values).sum(1) > 2
    spikes = np.zeros(values.shape, bool)
    part = values[usable]
    distance = np.abs(part - np.nanmedian(part, 1, keepdims=True))
    spread = 1.4826 * np.nanmedian(distance, 1, keepdims=True)
    with np.errstate(invalid="ignore"):
        spikes[usable] = (distance > SPIKE * spread) & (spread > 0)
    return spikes


def _bridge(values: NDArray[np.float64], usable: NDArray[np.bool_]) -> None:
    """Fill the gaps of usable regions by linear interpolation over time."""
    frames = np.arange(values.shape[1])
    for row in np.flatnonzero(usable & np.isnan(values).any(1)):
        good = ~np.isnan(values[row])
        values[row] = np.interp(frames, frames[good], values[row][good])


def _duplicates(values: NDArray[np.float64], usable: NDArray[np.bool_]) -> NDArray[np.bool_]:
    copies = np.zeros(len(values), bool)
    seen: set[bytes] = set()
    for row in np.flatnonzero(usable):
        key = values[row].tobytes()
        copies[row] = key in seen
        seen.add(key)
    return copies


def _regions(which: NDArray[np.bool_], names: tuple[str, ...]) -> str:
    rows = np.flatnonzero(which)
    # names hold commas ("Left cuneus, superior")
    labels = [names[row] if names else str(row + 1) for row in rows[:5]]
    more = f" and {len(rows) - 5} more" if len(rows) > 5 else ""
    return f"{'region' if len(rows) == 1 else 'regions'} {'; '.join(labels)}{more}"


def _frames(frames: NDArray[np.intp]) -> str:
    listed = ", ".join(str(int(frame) + 1) for frame in frames[:5])
    more = f" and {len(frames) - 5} more" if len(frames) > 5 else ""
    return f"frame{'' if len(frames) == 1 else 's'} {listed}{more}"
