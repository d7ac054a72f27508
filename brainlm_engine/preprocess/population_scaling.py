"""Scaling statistics over many recordings: the published model's robust scaling, meant and as its toolkit does it.

``robust`` is what the paper describes: scaled = (value - median) / interquartile range, per parcel, over all frames of
all recordings.

``toolkit_compat`` gives what the published toolkit really writes, mistakes included, for weights that were trained on
its output: each recording is centred on its own mean; median and interquartile range come from the first 200 frames of
each, exact zeros left out of the range only; and because a division binds tighter than a subtraction,
scaled = centred value - (median / range), which is almost the centred signal in its own unit. Two differences on
purpose: recordings of fewer than 200 frames are refused (the toolkit takes whatever lies in memory for the missing
frames), and parcels that do not move become NaN where the toolkit divides by zero.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal, overload

import numpy as np
from numpy.typing import NDArray

from brainlm_engine.api.errors import BadInput
from brainlm_engine.preprocess.scaling import (
    ScaledSeries,
    Scaling,
    as_list,
    as_numbers,
    checked_gain,
    no_statistics,
    read_statistics,
    without_flat,
    write_statistics,
)
from brainlm_engine.recording import Recording

PopulationMethod = Literal["robust", "toolkit_compat"]
POPULATION_METHODS: tuple[PopulationMethod, ...] = ("robust", "toolkit_compat")
#: how many frames of each recording the toolkit looks at
TOOLKIT_FRAMES = 200


@dataclass(frozen=True)
class PopulationScaling:
    """Median and interquartile range per parcel over many recordings.

    Attributes
    ----------
    method : 'robust' or 'toolkit_compat', see the top of this file
    median, iqr : (parcels,) float64 in the recordings' unit (for 'toolkit_compat': of the centred signal); NaN for
        parcels that no recording has or that do not move
    recordings, frames : over how many the statistics were taken
    gain : what the scaled values are multiplied by
    """

    method: PopulationMethod
    median: NDArray[np.float64]
    iqr: NDArray[np.float64]
    recordings: int
    frames: int
    gain: float = 1.0

    def for_recording(self, series: NDArray[np.float32]) -> Scaling:
        """Return the scaling of one recording ``series (parcels, frames)``: it applies, and undoes, these statistics.

        Only 'toolkit_compat' looks at the series: it centres each recording on its own mean.
        """
        if series.ndim != 2 or len(series) != len(self.median):
            raise ValueError(f"series {series.shape} does not fit statistics of {len(self.median)} parcels")
        if self.method == "robust":
            return Scaling(self.method, self.median, self.iqr, self.gain)
        # frame by frame in single precision, as the toolkit adds up: the same mean to the last bit
        mean = np.ascontiguousarray(series.T, np.float32).mean(axis=0)
        return Scaling(self.method, mean, np.ones(len(mean)), self.gain, self.median / self.iqr)

    def scale(self, series: NDArray[np.float32]) -> ScaledSeries:
        """Scale ``series (parcels, frames)``; missing parcels stay NaN."""
        scaling = self.for_recording(series)
        return ScaledSeries(scaling.apply(series), scaling)

    def of_zscores(self, own: NDArray[np.float32], spread: NDArray[np.float32]) -> NDArray[np.float32]:
        """Scale a recording that was z-scored by itself, for statistics of centred recordings.

        Parameters
        ----------
        own : (..., parcels, frames) z-scores
        spread : (parcels,) the SD they were divided by, in the recording's unit
        """
        values = (own * spread[:, None] - self.median[:, None]) / self.iqr[:, None] * self.gain
        return np.asarray(values, np.float32)

    def as_zscores(self, values: NDArray[np.float32], spread: NDArray[np.float32]) -> NDArray[np.float32]:
        """Undo :meth:`of_zscores`."""
        own = (values / self.gain * self.iqr[:, None] + self.median[:, None]) / spread[:, None]
        return np.asarray(own, np.float32)

    def with_gain(self, gain: float) -> PopulationScaling:
        """Return the same statistics with another gain."""
        return replace(self, gain=checked_gain(gain))

    def describe(self) -> str:
        """Return what the statistics are, as lines for a person."""
        known = np.isfinite(self.iqr)
        rule = "(value - median) / interquartile range"
        if self.method == "toolkit_compat":
            rule = "value - mean of the recording - median / interquartile range, as the published toolkit does it"
        lines = [
            f"{self.method}: {rule}" + (f", times {self.gain:g}" if self.gain != 1 else ""),
            f"fitted over {self.frames:,} frames of {self.recordings:,} recordings",
            f"{int(known.sum())} of {len(known)} parcels have statistics",
        ]
        if known.any():
            for name, values in (("median", self.median[known]), ("interquartile range", self.iqr[known])):
                low, middle, high = np.percentile(values, [0, 50, 100])
                lines.append(f"{name} over the parcels: {low:.4g} to {high:.4g}, typically {middle:.4g}")
        return "\n".join(lines)

    def save(self, path: Path, origin: Mapping[str, str] | None = None) -> None:
        """Write the statistics to a JSON file, whole or not at all, with what is known of the recordings behind it."""
        write_statistics(path, {**self.content(), **({"origin": dict(origin)} if origin else {})})

    def content(self) -> dict[str, Any]:
        """Return the statistics for JSON."""
        return {
            "method": self.method, "over": "recordings", "recordings": self.recordings, "frames": self.frames,
            "gain": self.gain, "median": as_list(self.median), "iqr": as_list(self.iqr),
        }  # fmt: skip

    @classmethod
    def load(cls, path: Path) -> PopulationScaling:
        """Read what :meth:`save` wrote."""
        return cls.load_with_origin(path)[0]

    @classmethod
    def load_with_origin(cls, path: Path) -> tuple[PopulationScaling, dict[str, str]]:
        """Read what :meth:`save` wrote, and what is known of the recordings behind it."""
        content = read_statistics(path)
        origin = content.get("origin", {})
        known = {str(key): str(value) for key, value in origin.items()} if isinstance(origin, dict) else {}
        try:
            return cls.of_content(content), known
        except (ValueError, KeyError, TypeError, StopIteration) as error:
            raise no_statistics(path, error) from error

    @classmethod
    def of_content(cls, content: Mapping[str, Any]) -> PopulationScaling:
        """Return what :meth:`content` was made of; raises the errors of a mapping that is something else."""
        method = next(m for m in POPULATION_METHODS if m == content["method"])
        median, iqr = as_numbers(content["median"]), as_numbers(content["iqr"])
        if median.shape != iqr.shape:
            raise ValueError("median and range differ")
        counts = int(content["recordings"]), int(content["frames"])
        return cls(method, median, iqr, *counts, checked_gain(content.get("gain", 1.0)))


class RecordingFiles(Sequence[Recording]):
    """Saved recordings that are read when they are asked for and never held: a study larger than memory."""

    def __init__(self, paths: Sequence[Path]) -> None:
        self.paths = tuple(paths)

    def __len__(self) -> int:
        return len(self.paths)

    @overload
    def __getitem__(self, index: int) -> Recording: ...
    @overload
    def __getitem__(self, index: slice) -> RecordingFiles: ...
    def __getitem__(self, index: int | slice) -> Recording | RecordingFiles:
        if isinstance(index, slice):
            return RecordingFiles(self.paths[index])
        return Recording.load(self.paths[index])

    def __iter__(self) -> Iterator[Recording]:
        return map(Recording.load, self.paths)


def fit_population(
    recordings: Sequence[Recording], method: str = "robust", gain: float = 1.0, memory_mb: float = 512
) -> PopulationScaling:
    """Fit median and interquartile range per parcel over ``recordings``.

    Exact quantiles need all values of a parcel at once, so the recordings are gone through several times, each time
    for as many parcels as fit into ``memory_mb``; a parcel that a recording lacks is fitted over the others.

    Raises
    ------
    BadInput
        When there are no recordings, they have different numbers of parcels, or one is too short for the toolkit.
    ValueError
        For a method that is not in ``POPULATION_METHODS``.
    """
    chosen = next((m for m in POPULATION_METHODS if m == method), None)
    if chosen is None:
        raise ValueError(f"unknown scaling {method!r}, choose from {POPULATION_METHODS}")
    values_of = _measured if chosen == "robust" else _centred_start
    parcels, lengths = _shapes(recordings, TOOLKIT_FRAMES if chosen == "toolkit_compat" else None)
    frames = sum(lengths)
    at_once = int(max(1, memory_mb * 1e6 // (8 * frames)))
    median, iqr = np.full(parcels, np.nan), np.full(parcels, np.nan)
    for first in range(0, parcels, at_once):
        some = slice(first, min(first + at_once, parcels))
        stacked = _stacked(recordings, values_of, some, frames)
        for parcel, values in zip(range(some.start, some.stop), stacked, strict=True):
            median[parcel], iqr[parcel] = _robust(values) if chosen == "robust" else _toolkit(values)
    return PopulationScaling(chosen, median, without_flat(median, iqr), len(lengths), frames, checked_gain(gain))


def _shapes(recordings: Sequence[Recording], only_first: int | None) -> tuple[int, list[int]]:
    """Return the number of parcels and the frames that count of each recording."""
    parcels = 0
    lengths: list[int] = []
    for recording in recordings:
        name = recording.name or f"Recording {len(lengths) + 1}"
        if lengths and recording.n_parcels != parcels:
            raise BadInput(
                f"{name} has {recording.n_parcels} parcels, the recordings before it have {parcels}.",
                "Use recordings of one atlas.",
            )
        if only_first and recording.n_frames < only_first:
            raise BadInput(
                f"{name} has {recording.n_frames} frames; the toolkit's scaling takes the first {only_first} of each.",
                "Leave the recording out, or use robust scaling.",
            )
        parcels = recording.n_parcels
        lengths.append(only_first or recording.n_frames)
    if not sum(lengths):
        raise BadInput("There are no recordings to take the statistics from.", "Choose at least one recording.")
    return parcels, lengths


def _stacked(
    recordings: Sequence[Recording], values_of: Callable[[Recording], NDArray[np.float64]], some: slice, frames: int
) -> NDArray[np.float64]:
    """Return the values of ``some`` parcels over all recordings, (some, frames)."""
    stacked = np.empty((some.stop - some.start, frames))
    at = 0
    for recording in recordings:
        values = values_of(recording)[some]
        stacked[:, at : at + values.shape[1]] = values
        at += values.shape[1]
    return stacked


def _measured(recording: Recording) -> NDArray[np.float64]:
    """Return the series, (parcels, frames); a parcel that is not there in every frame counts as not there."""
    whole = np.isfinite(recording.series).all(1, keepdims=True)
    return np.where(whole, recording.series, np.nan).astype(np.float64)


def _centred_start(recording: Recording) -> NDArray[np.float64]:
    """Return the first frames after the recording's own mean was subtracted; what is missing is 0 in the toolkit."""
    in_file = np.where(np.isfinite(recording.series), recording.series, 0).astype(np.float64)
    by_frame = np.ascontiguousarray(in_file.T)  # added up in the toolkit's order
    centred: NDArray[np.float64] = by_frame - by_frame.mean(axis=0)
    return centred[:TOOLKIT_FRAMES].T


def _robust(values: NDArray[np.float64]) -> tuple[float, float]:
    measured = values[~np.isnan(values)]
    if not len(measured):
        return np.nan, np.nan
    low, middle, high = np.percentile(measured, [25, 50, 75])
    return float(middle), float(high - low)


def _toolkit(values: NDArray[np.float64]) -> tuple[float, float]:
    other_than_zero = values[values != 0]
    if not len(other_than_zero):
        return float(np.median(values)), np.nan
    low, high = np.percentile(other_than_zero, [25, 75])
    return float(np.median(values)), float(high - low)
