"""The other normalised columns of the published toolkit's data sets, orientation quirks included.

The toolkit's loops were written for arrays of frames x parcels and run on parcels x frames. So where its column names
say "voxel", it works on one *frame*: "per voxel" extrema are those of a frame over all parcels, and "subtract mean"
removes the mean over the brain from every frame. All of it in single precision. Its robust-scaled column is
``toolkit_compat`` of ``population_scaling``.

Here every series is (parcels, frames); :func:`as_stored` turns a column the way the toolkit stores it. A parcel that
is missing is 0 in the toolkit's files and takes part as 0 in its statistics; here its values stay NaN.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from brainlm_engine.api.errors import BadInput
from brainlm_engine.preprocess.scaling import (
    as_list,
    as_numbers,
    no_statistics,
    read_statistics,
    write_statistics,
)
from brainlm_engine.recording import Recording

Column = Literal[
    "All_Patient_All_Voxel_Normalized_Recording",
    "Per_Patient_All_Voxel_Normalized_Recording",
    "Per_Patient_Per_Voxel_Normalized_Recording",
    "Per_Voxel_All_Patient_Normalized_Recording",
    "Subtract_Mean_Normalized_Recording",
    "Subtract_Mean_Divide_Global_STD_Normalized_Recording",
    "Subtract_Mean_Divide_Global_99thPercent_Normalized_Recording",
]
ROBUST_COLUMN = "Voxelwise_RobustScaler_Normalized_Recording"
#: constants of the toolkit, from a large study of its authors: standard deviation and 99th percentile
GLOBAL_STD = 41.44047
GLOBAL_99TH_PERCENT = 111.13143061224855

_DIVISORS: dict[str, float] = {
    "Subtract_Mean_Normalized_Recording": 1.0,
    "Subtract_Mean_Divide_Global_STD_Normalized_Recording": GLOBAL_STD,
    "Subtract_Mean_Divide_Global_99thPercent_Normalized_Recording": GLOBAL_99TH_PERCENT,
}


@dataclass(frozen=True)
class Extrema:
    """Lowest and highest values over many recordings, for the two "all patient" columns.

    Attributes
    ----------
    lowest, highest : over everything, in the recordings' unit
    frame_lowest, frame_highest : (frames,) float32, of each frame over all parcels and recordings; None when the
        recordings differ in length (the toolkit stops with an error then)
    recordings : how many
    """

    lowest: float
    highest: float
    frame_lowest: NDArray[np.float32] | None
    frame_highest: NDArray[np.float32] | None
    recordings: int

    def describe(self) -> str:
        """Return what the extrema are, as lines for a person."""
        frames = "of different lengths" if self.frame_lowest is None else f"of {len(self.frame_lowest)} frames"
        return (
            f"lowest {self.lowest:.6g}, highest {self.highest:.6g}\nover {self.recordings:,} recordings {frames} each"
        )

    def save(self, path: Path) -> None:
        """Write the extrema to a JSON file, whole or not at all."""
        content: dict[str, Any] = {
            "method": "toolkit_columns", "recordings": self.recordings, "lowest": self.lowest, "highest": self.highest,
        }  # fmt: skip
        if self.frame_lowest is not None and self.frame_highest is not None:
            content |= {"frame_lowest": as_list(self.frame_lowest), "frame_highest": as_list(self.frame_highest)}
        write_statistics(path, content)

    @classmethod
    def load(cls, path: Path) -> Extrema:
        """Read what :meth:`save` wrote."""
        content = read_statistics(path)
        try:
            low, high = (
                as_numbers(content[key]).astype(np.float32) if key in content else None
                for key in ("frame_lowest", "frame_highest")
            )
            return cls(float(content["lowest"]), float(content["highest"]), low, high, int(content["recordings"]))
        except (ValueError, KeyError, TypeError) as error:
            raise no_statistics(path, error) from error


@dataclass(frozen=True)
class ColumnScaling:
    """One column of one recording: scaled = (value - subtract) / divide, in single precision.

    Attributes
    ----------
    column : the toolkit's name
    subtract, divide : float32, one number or one per frame
    """

    column: str
    subtract: NDArray[np.float32]
    divide: NDArray[np.float32]

    def apply(self, series: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return the column of ``series (parcels, frames)``."""
        scaled: NDArray[np.float32] = (series.astype(np.float32) - self.subtract) / self.divide
        return scaled

    def undo(self, scaled: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return ``scaled (parcels, frames)`` to the original unit."""
        values = scaled.astype(np.float64) * self.divide + self.subtract
        return values.astype(np.float32)


def fit_extrema(recordings: Iterable[Recording]) -> Extrema:
    """Return the extrema over ``recordings``, each looked at once and let go.

    Raises
    ------
    BadInput
        When there are no recordings.
    """
    lowest, highest, count = np.float32(np.inf), np.float32(-np.inf), 0
    per_frame: tuple[NDArray[np.float32], NDArray[np.float32]] | None = None
    same_length = True
    for count, recording in enumerate(recordings, start=1):  # noqa: B007 – the number of recordings is what is wanted
        values = _as_in_file(recording.series)
        low, high = values.min(axis=0), values.max(axis=0)
        lowest, highest = min(lowest, low.min()), max(highest, high.max())
        if per_frame is None:
            per_frame = low, high
        elif len(low) != len(per_frame[0]):
            same_length = False
        elif same_length:
            per_frame = np.minimum(low, per_frame[0]), np.maximum(high, per_frame[1])
    if per_frame is None:
        raise BadInput("There are no recordings to take the statistics from.", "Choose at least one recording.")
    low_kept, high_kept = per_frame if same_length else (None, None)
    return Extrema(float(lowest), float(highest), low_kept, high_kept, count)


def column_scaling(column: Column, series: NDArray[np.float32], extrema: Extrema | None = None) -> ColumnScaling:
    """Return how ``column`` is made of ``series (parcels, frames)``.

    Raises
    ------
    BadInput
        When the column needs extrema of every frame and the recordings differ in length.
    ValueError
        For another column, or when extrema over the recordings are needed and not given.
    """
    values = _as_in_file(series)
    if column in _DIVISORS:
        # one contiguous row per frame, so that the mean is added up as the toolkit does
        return _column(column, np.ascontiguousarray(values.T).mean(axis=1), np.float32(_DIVISORS[column]))
    if column == "Per_Patient_All_Voxel_Normalized_Recording":
        return _min_max(column, values.min(), values.max())
    if column == "Per_Patient_Per_Voxel_Normalized_Recording":
        return _min_max(column, values.min(axis=0), values.max(axis=0))
    if extrema is None:
        raise ValueError(f"{column} needs the extrema over all recordings")
    if column == "All_Patient_All_Voxel_Normalized_Recording":
        return _min_max(column, np.float32(extrema.lowest), np.float32(extrema.highest))
    if column == "Per_Voxel_All_Patient_Normalized_Recording":
        low, high = extrema.frame_lowest, extrema.frame_highest
        if low is None or high is None or len(low) != values.shape[1]:
            raise BadInput(
                f"The column {column} exists only for recordings that all have the same number of frames.",
                "Cut the recordings to one length, or choose another column.",
            )
        return _min_max(column, low, high)
    raise ValueError(f"unknown column {column!r}")


def as_stored(column: str, values: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return ``values (parcels, frames)`` as the toolkit stores the column: only the robust one is frames first."""
    return values.T if column == ROBUST_COLUMN else values


def _as_in_file(series: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the series as the toolkit's files hold it: single precision, missing parcels 0."""
    return np.where(np.isfinite(series), series, 0).astype(np.float32)


def _column(column: str, subtract: Any, divide: Any) -> ColumnScaling:
    return ColumnScaling(column, np.asarray(subtract, np.float32), np.asarray(divide, np.float32))


def _min_max(column: str, low: Any, high: Any) -> ColumnScaling:
    """Return the scaling to 0..1; where there is no range the toolkit leaves the values as they are."""
    ranges = np.asarray(high, np.float32) - np.asarray(low, np.float32)
    moves = ranges > 0
    return _column(column, np.where(moves, low, 0), np.where(moves, ranges, 1))
