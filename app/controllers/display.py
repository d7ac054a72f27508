"""What is painted for given settings: pure functions from state to arrays and words."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from app.state.data import Array, LabelGrid, OpenScan, Recording
from app.state.parts import CaseState, Mm, ViewState
from app.text import tr
from app.widgets import ticks

Voxel = tuple[int, int, int]
HOME_MM: Mm = (-8.0, -56.0, 28.0)


@dataclass(frozen=True, eq=False)
class Painted:
    """Values per parcel with their colours. ``values`` (parcels,) float32, None = nothing is painted."""

    values: Array | None
    low: float
    high: float
    cmap: str
    threshold: float
    unit: str


NOTHING = Painted(None, -1.0, 1.0, "vik", 0.0, "")


def overlay_series(recording: Recording, view: ViewState) -> tuple[Array, str]:
    """Return ``(parcels, frames)`` values that move in time, and their unit."""
    return recording.scaled(view.scale)


def painted(case: CaseState, view: ViewState) -> Painted:
    """Return what the overlay shows at the present frame."""
    recording = case.recording
    if recording is None or view.overlay == "none":
        return NOTHING
    if view.overlay == "tsnr":
        values, unit = recording.tsnr, tr("unit.tsnr")
    elif view.overlay == "coverage":
        values, unit = 100.0 * recording.coverage, tr("unit.coverage")
    else:
        series, unit = overlay_series(recording, view)
        values = series[:, min(view.frame, series.shape[1] - 1)]
    return Painted(np.asarray(values, np.float32), view.low, view.high, view.cmap, view.threshold, unit)


def default_look(recording: Recording | None, overlay: str, scale: str) -> dict[str, Any]:
    """Return colours, range and threshold that suit an overlay: diverging about zero, or sequential from the data."""
    if recording is None or overlay == "none":
        return {}
    if overlay == "coverage":
        return {"cmap": "cividis", "low": 0.0, "high": 100.0, "threshold": 0.0}
    if overlay == "tsnr":
        return {"cmap": "cividis", "low": 0.0, "high": _nice(_percentile(recording.tsnr, 98)), "threshold": 0.0}
    series, unit = recording.scaled(scale)
    if unit == "SD" and scale == "sd":
        return {"cmap": "vik", "low": -2.5, "high": 2.5, "threshold": 0.5}
    some = series[:, :: max(1, series.shape[1] // 100)]
    low, high = _percentile(some, 2), _percentile(some, 98)
    if low < 0 < high:
        limit = _nice(max(-low, high))
        return {"cmap": "vik", "low": -limit, "high": limit, "threshold": 0.0}
    return {"cmap": "batlow", "low": round(low, 2), "high": round(high, 2), "threshold": 0.0}


def _percentile(values: Array, q: float) -> float:
    known = values[np.isfinite(values)]
    return float(np.percentile(known, q)) if known.size else 0.0


def _nice(value: float) -> float:
    """Round up to 1, 2, 2.5, 5 or 10 times a power of ten."""
    if not np.isfinite(value) or value <= 0:
        return 1.0
    power = 10.0 ** np.floor(np.log10(value))
    return float(next(step * power for step in (1, 2, 2.5, 5, 10) if value <= step * power * 1.0001))


def grey_limits(volume: Array) -> tuple[float, float]:
    """Return the values shown black and white: the 2nd and 99.5th percentile of what is not empty."""
    some = volume[::2, ::2, ::2]
    filled = some[np.isfinite(some) & (some != 0)]
    if not filled.size:
        return 0.0, 1.0
    low, high = np.percentile(filled, (2, 99.5))
    return (float(min(low, 0.0)) if low < 0 else 0.0), float(high if high > low else low + 1.0)


def to_voxel(mm: Mm, affine: Array, shape: tuple[int, ...]) -> Voxel:
    """Return the voxel at ``mm``, kept inside ``shape``."""
    ijk = np.linalg.solve(affine, np.array([*mm, 1.0]))[:3]
    i, j, k = (int(np.clip(round(float(v)), 0, n - 1)) for v, n in zip(ijk, shape, strict=False))
    return i, j, k


def to_mm(ijk: tuple[float, ...], affine: Array) -> Mm:
    """Return the position of voxel ``ijk`` in mm."""
    x, y, z = (float(v) for v in (affine @ np.array([*ijk, 1.0]))[:3])
    return x, y, z


def parcel_at(grid: LabelGrid, mm: Mm) -> int:
    """Return the parcel at ``mm``, -1 when there is none."""
    return int(grid.labels[to_voxel(mm, grid.affine, grid.labels.shape)]) - 1


def home_of(scan: OpenScan) -> Mm:
    """Return where the crosshair starts: the left precuneus in MNI space, the middle of an image that is elsewhere."""
    if not scan.is_volume:
        return HOME_MM
    shape = scan.info.shape[:3]
    ijk = np.linalg.solve(scan.affine, np.array([*HOME_MM, 1.0]))[:3]
    elsewhere = scan.info.space is not None and scan.info.space.verdict == "not_mni"
    if not elsewhere and all(0.1 * n < v < 0.9 * n for v, n in zip(ijk, shape, strict=True)):
        return HOME_MM
    return to_mm(tuple((n - 1) / 2 for n in shape), scan.affine)


def number(value: float) -> str:
    """Write a value as a person would: few digits, the typographic minus, never 'nan'."""
    if not np.isfinite(value):
        return ""
    size = abs(value)
    if size >= 1000:
        return f"{value:,.0f}".replace(",", " ").replace("-", "−")
    decimals = 0 if size >= 100 else 1 if size >= 10 else 2
    return ticks.number(value, 10.0**-decimals)
