"""Scaling with statistics that are kept: fitted on one recording, applied to it or to others, undone, saved."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from brainlm_engine.api.errors import BadInput
from brainlm_engine.files import written_whole

Method = Literal["zscore", "robust"]
METHODS: tuple[Method, ...] = ("zscore", "robust")


@dataclass(frozen=True)
class Scaling:
    """Fitted statistics: scaled = (value - centre) / spread.

    Attributes
    ----------
    method : 'zscore' (mean, standard deviation) or 'robust' (median, interquartile range)
    centre, spread : (parcels,) float32; NaN for missing parcels
    """

    method: str
    centre: NDArray[np.float32]
    spread: NDArray[np.float32]

    def apply(self, series: NDArray[np.float32]) -> NDArray[np.float32]:
        """Scale ``series (parcels, frames)``; missing and constant parcels become NaN."""
        self._check(series)
        scaled = (series.astype(np.float64) - self.centre[:, None]) / self.spread[:, None]
        return scaled.astype(np.float32)

    def undo(self, scaled: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return ``scaled (parcels, frames)`` to the original unit."""
        self._check(scaled)
        return (scaled.astype(np.float64) * self.spread[:, None] + self.centre[:, None]).astype(np.float32)

    def _check(self, series: NDArray[np.float32]) -> None:
        if series.ndim != 2 or len(series) != len(self.centre):
            raise ValueError(f"series {series.shape} does not fit statistics of {len(self.centre)} parcels")

    def save(self, path: Path) -> None:
        """Write the statistics to a JSON file, whole or not at all."""
        content = {
            "method": self.method,
            "centre": [None if np.isnan(v) else float(v) for v in self.centre],
            "spread": [None if np.isnan(v) else float(v) for v in self.spread],
        }
        with written_whole(path) as temporary:
            temporary.write_text(json.dumps(content), "utf-8")

    @classmethod
    def load(cls, path: Path) -> Scaling:
        """Read what :meth:`save` wrote."""
        try:
            content = json.loads(path.read_text("utf-8"))
            centre, spread = (np.array(content[key], np.float32) for key in ("centre", "spread"))
            if centre.shape != spread.shape or centre.ndim != 1:
                raise ValueError("centre and spread differ")
            return cls(str(content["method"]), centre, spread)
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise BadInput(
                f"{path.name} holds no scaling statistics.", "Choose the file written with the model.", str(error)
            ) from error


@dataclass(frozen=True)
class ScaledSeries:
    """``series (parcels, frames)`` float32 in standard deviations (or interquartile ranges), and how it was made."""

    series: NDArray[np.float32]
    scaling: Scaling

    @property
    def centre(self) -> NDArray[np.float32]:
        """(parcels,) what was subtracted, in the original unit."""
        return self.scaling.centre

    @property
    def scale(self) -> NDArray[np.float32]:
        """(parcels,) what was divided by, in the original unit."""
        return self.scaling.spread


def fit_scaling(series: NDArray[np.float32], method: str = "zscore") -> Scaling:
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
    flat = ~(spread > 1e-12 * np.maximum(np.abs(centre), 1e-30))
    spread[flat] = np.nan
    return Scaling(method, centre.astype(np.float32), spread.astype(np.float32))


def scale(series: NDArray[np.float32], method: str = "zscore") -> ScaledSeries:
    """Scale each parcel of ``series (parcels, frames)`` over its own frames; missing parcels stay NaN."""
    scaling = fit_scaling(series, method)
    return ScaledSeries(scaling.apply(series), scaling)
