"""Scaling with statistics that are kept: fitted on one recording, applied to it or to others, undone, saved.

Statistics over many recordings are in ``population_scaling``, the other columns of the published toolkit in
``toolkit_columns``.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from brainlm_engine.api.errors import BadInput
from brainlm_engine.files import written_whole

Method = Literal["zscore", "robust"]
METHODS: tuple[Method, ...] = ("zscore", "robust")
#: a number per parcel (or per frame)
Numbers = NDArray[np.float32] | NDArray[np.float64]


@dataclass(frozen=True)
class Scaling:
    """Fitted statistics: scaled = ((value - centre) / spread - offset) * gain.

    Attributes
    ----------
    method : 'zscore' (mean, standard deviation), 'robust' (median, interquartile range) or 'toolkit_compat' (mean of
        the recording, spread 1, and the toolkit's offset)
    centre, spread : (parcels,) float; NaN for missing parcels
    gain : what the scaled values are multiplied by; some models were trained on other magnitudes than 1
    offset : (parcels,) what the published toolkit subtracts after centring, without unit; None everywhere else
    """

    method: str
    centre: Numbers
    spread: Numbers
    gain: float = 1.0
    offset: Numbers | None = None

    def apply(self, series: NDArray[np.float32]) -> NDArray[np.float32]:
        """Scale ``series (parcels, frames)``; missing and constant parcels become NaN."""
        self._check(series)
        scaled = series.astype(np.float64) - self.centre[:, None]
        if self.offset is not None:  # the toolkit centres in single precision: the same values to the last bit
            scaled = scaled.astype(np.float32).astype(np.float64)
        scaled /= self.spread[:, None]
        if self.offset is not None:
            scaled -= self.offset[:, None]
        return (scaled * self.gain).astype(np.float32)

    def undo(self, scaled: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return ``scaled (parcels, frames)`` to the original unit."""
        self._check(scaled)
        values = scaled.astype(np.float64) / self.gain
        if self.offset is not None:
            values += self.offset[:, None]
        return (values * self.spread[:, None] + self.centre[:, None]).astype(np.float32)

    def with_gain(self, gain: float) -> Scaling:
        """Return the same statistics with another gain."""
        return replace(self, gain=checked_gain(gain))

    def _check(self, series: NDArray[np.float32]) -> None:
        if series.ndim != 2 or len(series) != len(self.centre):
            raise ValueError(f"series {series.shape} does not fit statistics of {len(self.centre)} parcels")

    def save(self, path: Path) -> None:
        """Write the statistics to a JSON file, whole or not at all."""
        content: dict[str, Any] = {"method": self.method, "gain": self.gain}
        content |= {"centre": as_list(self.centre), "spread": as_list(self.spread)}
        if self.offset is not None:
            content["offset"] = as_list(self.offset)
        write_statistics(path, content)

    @classmethod
    def load(cls, path: Path) -> Scaling:
        """Read what :meth:`save` wrote."""
        content = read_statistics(path)
        try:
            centre, spread = as_numbers(content["centre"]), as_numbers(content["spread"])
            offset = as_numbers(content["offset"]) if "offset" in content else None
            if centre.shape != spread.shape or (offset is not None and offset.shape != centre.shape):
                raise ValueError("centre, spread and offset differ")
            return cls(str(content["method"]), centre, spread, checked_gain(content.get("gain", 1.0)), offset)
        except (ValueError, KeyError, TypeError) as error:
            raise no_statistics(path, error) from error


@dataclass(frozen=True)
class ScaledSeries:
    """``series (parcels, frames)`` float32 in standard deviations (or interquartile ranges), and how it was made."""

    series: NDArray[np.float32]
    scaling: Scaling

    @property
    def centre(self) -> Numbers:
        """(parcels,) what was subtracted, in the original unit."""
        return self.scaling.centre

    @property
    def scale(self) -> Numbers:
        """(parcels,) what was divided by, in the original unit."""
        return self.scaling.spread


def fit_scaling(series: NDArray[np.float32], method: str = "zscore", gain: float = 1.0) -> Scaling:
    """Fit the statistics of ``series (parcels, frames)``, each parcel over its frames.

    Raises
    ------
    ValueError
        For a method that is not in ``METHODS``.
    """
    values = series.astype(np.float64)
    usable = np.isfinite(values).all(1)
    centre = np.full(len(values), np.nan)
    spread = np.full(len(values), np.nan)
    if method == "zscore":
        centre[usable], spread[usable] = values[usable].mean(1), values[usable].std(1)
    elif method == "robust":
        low, middle, high = np.percentile(values[usable], [25, 50, 75], axis=1)
        centre[usable], spread[usable] = middle, high - low
    else:
        raise ValueError(f"unknown scaling {method!r}, choose from {METHODS}")
    return Scaling(method, centre, without_flat(centre, spread), checked_gain(gain))


def scale(series: NDArray[np.float32], method: str = "zscore", gain: float = 1.0) -> ScaledSeries:
    """Scale each parcel of ``series (parcels, frames)`` over its own frames; missing parcels stay NaN."""
    scaling = fit_scaling(series, method, gain)
    return ScaledSeries(scaling.apply(series), scaling)


def without_flat(centre: NDArray[np.float64], spread: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return ``spread`` with NaN where a parcel does not move (up to rounding)."""
    moves = spread > 1e-12 * np.maximum(np.abs(centre), 1e-30)
    return np.where(moves, spread, np.nan)


def checked_gain(gain: float) -> float:
    """Return ``gain``; zero, negative and endless ones cannot be undone and are refused."""
    if not (np.isfinite(gain) and gain > 0):
        raise ValueError(f"the gain must be a number above 0, not {gain}")
    return float(gain)


def as_list(values: Numbers) -> list[float | None]:
    """Return ``values`` for JSON, which knows no NaN; the numbers survive to the last bit."""
    return [float(v) if np.isfinite(v) else None for v in values]


def as_numbers(values: list[float | None]) -> NDArray[np.float64]:
    """Return what :func:`as_list` made a list of. Raises ``ValueError`` or ``TypeError`` for anything else."""
    numbers = np.array(values, np.float64)
    if numbers.ndim != 1:
        raise ValueError("not a list of numbers")
    return numbers


def write_statistics(path: Path, content: Mapping[str, Any]) -> None:
    """Write statistics as JSON, whole or not at all."""
    with written_whole(path) as temporary:
        temporary.write_text(json.dumps(content), "utf-8")


def read_statistics(path: Path) -> dict[str, Any]:
    """Read what :func:`write_statistics` wrote. Raises ``BadInput`` for a file that is something else."""
    try:
        content = json.loads(path.read_text("utf-8"))
        if not isinstance(content, dict):
            raise TypeError("not an object")
    except (OSError, ValueError, TypeError) as error:
        raise no_statistics(path, error) from error
    return content


def no_statistics(path: Path, error: Exception) -> BadInput:
    """Return the sentence for a file that holds no statistics."""
    return BadInput(f"{path.name} holds no scaling statistics.", "Choose the file written with the model.", repr(error))
