"""Loaded data: a message of the engine with its arrays. Compared by identity, never element by element."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from brainlm_engine.api.forecasting import ForecastInfo
from brainlm_engine.api.messages import AtlasInfo, MotionInfo, ReconstructionInfo, RecordingInfo, ScanInfo
from brainlm_engine.api.networks import NetworksInfo
from brainlm_engine.api.repair import filled_in
from brainlm_engine.api.states import StatesInfo

Array = NDArray[Any]
FD_LIMIT_MM = 0.5
"""framewise displacement from which a frame is usually called moved (Power 2012)"""


@dataclass(frozen=True, eq=False)
class OpenScan:
    """A scan as opened.

    Attributes
    ----------
    info : what the file says
    first : (x, y, z) float32, the first volume; or (parcels, frames) float32 for a table
    answers : what the person answered about it
    """

    info: ScanInfo
    first: Array
    answers: dict[str, str] = field(default_factory=dict)

    @property
    def is_volume(self) -> bool:
        """True for a 4D image, False for a table of series."""
        return self.info.kind == "volume"

    @property
    def affine(self) -> Array:
        """Voxel to mm, (4, 4) float64; identity when unknown."""
        return np.array(self.info.affine, dtype=np.float64) if self.info.affine else np.eye(4)

    @property
    def unanswered(self) -> bool:
        """True while a required question is open."""
        return any(q.required and q.question_id not in self.answers for q in self.info.questions)

    @property
    def assumed(self) -> tuple[str, ...]:
        """Questions nobody has answered and nothing in the file decides: their default is only assumed."""
        return tuple(
            q.question_id for q in self.info.questions if not (q.required or q.found or q.question_id in self.answers)
        )

    def read_with(self, answers: dict[str, str]) -> dict[str, str]:
        """Return what the file is read with under ``answers``: each question's answer, else its default."""
        defaults = {q.question_id: q.default for q in self.info.questions if not q.required}
        return {**defaults, **answers}


@dataclass(frozen=True, eq=False)
class Atlas:
    """An atlas: its table and :data:`brainlm_engine.api.messages.ATLAS_ARRAYS`.

    Attributes
    ----------
    info : the table
    xyz : (parcels, 3) float32, MNI mm
    labels : (x, y, z) int16, 0 = none, value - 1 = parcel
    labels_affine : (4, 4) float64
    surface_left, surface_right : (10242,) int16 parcel per fsaverage5 vertex, -1 = none
    """

    info: AtlasInfo
    xyz: Array
    labels: Array
    labels_affine: Array
    surface_left: Array
    surface_right: Array

    def name(self, parcel: int) -> str:
        """Return the parcel's name, or its number when it has none."""
        if 0 <= parcel < len(self.info.names):
            return self.info.names[parcel]
        return f"Parcel {parcel + 1}"

    def network(self, parcel: int) -> str:
        """Return the name of the parcel's reference network, '' when it has none."""
        return self.info.networks[parcel] if 0 <= parcel < len(self.info.networks) else ""


@dataclass(frozen=True, eq=False)
class LabelGrid:
    """The atlas on the grid that the slices show.

    Attributes
    ----------
    labels : (x, y, z) int16, 0 = none, value - 1 = parcel
    affine : (4, 4) float64, voxel to mm
    """

    labels: Array
    affine: Array


@dataclass(frozen=True, eq=False)
class Recording:
    """Parcel time series of the open scan.

    Attributes
    ----------
    info : what it was made from, unit, TR
    series : (parcels, frames) float32 in ``info.unit``; NaN where missing
    coverage : (parcels,) 0..1
    missing : (parcels,) bool
    xyz : (parcels, 3) MNI mm
    dvars : (frames,), NaN at the first frame, which has none before it
    tsnr : (parcels,)
    sd : (parcels, frames) float32, each parcel's series about its mean in its standard deviations
    filled : (parcels, frames) bool, samples that a repair filled in; None for a recording that was never repaired
    """

    info: RecordingInfo
    series: Array
    coverage: Array
    missing: Array
    xyz: Array
    dvars: Array
    tsnr: Array
    sd: Array
    filled: Array | None = None

    @classmethod
    def of(cls, info: RecordingInfo, arrays: dict[str, Array]) -> Recording:
        """Build from a reply; what the engine could not compute becomes NaN."""
        series = np.asarray(arrays["series"], np.float32)
        parcels, frames = series.shape
        nothing = np.full(parcels, np.nan, np.float32)
        missing = np.asarray(arrays.get("missing", np.isnan(series).all(axis=1)), bool)
        return cls(
            info=info,
            series=series,
            coverage=arrays.get("coverage", np.ones(parcels, np.float32)),
            missing=missing,
            xyz=arrays.get("xyz", np.full((parcels, 3), np.nan, np.float32)),
            dvars=_from_second(arrays.get("dvars", np.full(frames, np.nan, np.float32))),
            tsnr=arrays.get("tsnr", nothing),
            sd=_standardised(series),
            filled=filled_in(info.provenance, parcels, frames),
        )

    def scaled(self, scale: str) -> tuple[Array, str]:
        """Return ``(series, unit)`` as 'sd', 'percent' (signal change about the mean) or 'raw'."""
        if scale == "sd":
            return self.sd, "SD"
        if scale == "percent" and self.info.unit == "raw":
            mean = self.series.mean(axis=1, keepdims=True)
            safe = np.where(np.abs(mean) > 1e-6, mean, np.nan)
            return (100.0 * (self.series - mean) / safe).astype(np.float32), "% signal change"
        return self.series, self.info.unit


def _from_second(dvars: Array) -> Array:
    known = np.array(dvars, np.float32)
    known[:1] = np.nan
    return known


def _standardised(series: Array) -> Array:
    with np.errstate(invalid="ignore", divide="ignore"):
        centred = series - series.mean(axis=1, keepdims=True)
        spread = centred.std(axis=1, keepdims=True)
        return np.asarray(np.where(spread > 0, centred / spread, np.nan), np.float32)


@dataclass(frozen=True, eq=False)
class HeadMotion:
    """Head motion of the open scan.

    Attributes
    ----------
    info : which table it comes from
    fd_mm : (frames,) framewise displacement, NaN at the first frame; None when it is not known
    """

    info: MotionInfo
    fd_mm: Array | None = None

    @cached_property
    def mean_mm(self) -> float:
        """Mean framewise displacement; NaN when it is not known."""
        return float(np.nanmean(self.fd_mm)) if self.fd_mm is not None and self.fd_mm.size > 1 else float("nan")

    @cached_property
    def n_over(self) -> int:
        """Frames that moved more than :data:`FD_LIMIT_MM`."""
        return int((self.fd_mm > FD_LIMIT_MM).sum()) if self.fd_mm is not None else 0


@dataclass(frozen=True, eq=False)
class Reconstruction:
    """A window as the model fills it in.

    Attributes
    ----------
    info : window, mask, scores
    measured, predicted : (parcels, frames) float32 in ``info.unit``
    mask : (parcels, patches) bool, True = hidden from the model
    r2_parcel : (parcels,) float32, NaN where nothing was hidden
    r2_frame : (frames,) float32
    by_parcel, by_frame : (methods, 3, parcels) and (methods, 3, frames) float32: R2, r, MSE of ``info.scores``
    """

    info: ReconstructionInfo
    measured: Array
    predicted: Array
    mask: Array
    r2_parcel: Array
    r2_frame: Array
    by_parcel: Array
    by_frame: Array


@dataclass(frozen=True, eq=False)
class Forecast:
    """What follows a moment of the open recording, or how well many such forecasts went.

    Attributes
    ----------
    info : origin, methods with their scores, what to bear in mind
    arrays : see :class:`brainlm_engine.api.forecasting.ForecastInfo`
    """

    info: ForecastInfo
    arrays: dict[str, Array]

    @property
    def methods(self) -> tuple[str, ...]:
        """The methods in the order of the arrays; the forecast is the first."""
        return tuple(score.method for score in self.info.methods)

    def of(self, method: str) -> Array:
        """(parcels, horizon) SD of the history, of one method."""
        return np.asarray(self.arrays["forecast"][self.methods.index(method)])

    def error_by_lead(self, method: str) -> Array:
        """(horizon,) MSE of a method as a share of that of the mean of the history; NaN where no truth is known."""
        mse = np.asarray(self.arrays["mse"], np.float64)
        mean = mse[self.methods.index("mean")]
        share: Array = mse[self.methods.index(method)] / np.where(mean > 0, mean, np.nan)
        return share


@dataclass(frozen=True, eq=False)
class StatesFound:
    """States along the open recording.

    Attributes
    ----------
    info : states of the model's embedding and of the parcel series
    arrays : see :class:`brainlm_engine.api.states.StatesInfo`
    """

    info: StatesInfo
    arrays: dict[str, Array]


@dataclass(frozen=True, eq=False)
class NetworksFound:
    """Networks of the open recording.

    Attributes
    ----------
    info : scores beside the controls, and what they mean
    arrays : see :class:`brainlm_engine.api.networks.NetworksInfo`
    """

    info: NetworksInfo
    arrays: dict[str, Array]
