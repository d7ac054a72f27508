"""Training on values that are scaled as all training people are, so that how much a parcel moves is seen too.

Z-scores per recording make everybody's parcels move alike. Here each recording is centred on its own mean per parcel,
as scanners' units have no common zero, and divided by the parcel's interquartile range over all training people.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import overload

import numpy as np
from numpy.typing import NDArray

from brainlm_engine.api.errors import BadInput
from brainlm_engine.cohort import Series
from brainlm_engine.preprocess.population_scaling import PopulationScaling, fit_population
from brainlm_engine.recording import Recording
from brainlm_engine.train.settings import TrainSettings


class _Centred(Sequence[Recording]):
    """Recordings in their own unit, each parcel about its own mean."""

    def __init__(self, series: Series) -> None:
        self.series = series

    def __len__(self) -> int:
        return len(self.series)

    @overload
    def __getitem__(self, index: int) -> Recording: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[Recording]: ...
    def __getitem__(self, index: int | slice) -> Recording | Sequence[Recording]:
        if isinstance(index, slice):
            return [self[number] for number in range(len(self))[index]]
        if not 0 <= index < len(self):
            raise IndexError(index)
        values = self.series.values[index].astype(np.float32) * self.series.spreads[index][:, None]
        missing = ~np.isfinite(values).all(1)
        return Recording(
            series=values, tr_s=self.series.tr_s, xyz=self.series.xyz, missing=missing,
            coverage=(~missing).astype(np.float32),
        )  # fmt: skip


def fit_scaling_of(train: Series, settings: TrainSettings) -> PopulationScaling | None:
    """Return the statistics over the training people, None where each recording is scaled by itself.

    Raises
    ------
    BadInput
        When the recordings are kept as z-scores, which do not say how much a parcel moves.
    """
    if settings.scaling != "population":
        return None
    if not train.spreads:
        raise BadInput(
            "The recordings of this cohort are packed as z-scores, which do not say how much a parcel moves.",
            "Train on the cohort that it was packed from, or leave --scaling at recording.",
        )
    return fit_population(_Centred(train), "robust")


def scaled(series: Series, scaling: PopulationScaling | None) -> Series:
    """Return ``series`` as the model is to see it; parcels without statistics are missing."""
    if scaling is None:
        return series
    values: list[NDArray[np.float16]] = []
    for own, spread in zip(series.values, series.spreads, strict=True):
        values.append(scaling.of_zscores(own.astype(np.float32), spread).astype(np.float16))
    return replace(series, values=tuple(values))
