"""How good a recording is: frame-to-frame change, signal to noise, coverage, regions without signal, head motion."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from brainlm_engine.recording import Recording


@dataclass(frozen=True)
class Quality:
    """Measures of one recording.

    Attributes
    ----------
    dvars : (frames,) float32, root mean square over parcels of the change from the frame before, as a multiple of its
        median; the first frame, which has none before it, is NaN
    tsnr : (parcels,) float32, mean over standard deviation in time; NaN for missing parcels and for series whose mean
        was taken out already
    coverage : (parcels,) float32, 0..1
    missing : (parcels,) bool
    spiky_frames : frames whose DVARS stands out (more than 1.5 interquartile ranges above the third quartile)
    fd_mm : (frames,) framewise displacement in mm when confounds give it, else None
    notes : plain sentences
    """

    dvars: NDArray[np.float32]
    tsnr: NDArray[np.float32]
    coverage: NDArray[np.float32]
    missing: NDArray[np.bool_]
    spiky_frames: tuple[int, ...] = ()
    fd_mm: NDArray[np.float32] | None = None
    notes: tuple[str, ...] = ()


def quality(recording: Recording, fd_mm: NDArray[np.float32] | None = None) -> Quality:
    """Measure the quality of a recording.

    Parameters
    ----------
    recording : parcel series
    fd_mm : (frames,) framewise displacement from a confounds file, when there is one
    """
    usable = recording.series[~recording.missing].astype(np.float64)
    dvars = _dvars(usable)
    spiky = _outliers(dvars)
    tsnr = np.full(recording.n_parcels, np.nan)
    if len(usable):
        mean, spread = usable.mean(1), usable.std(1)
        centred = np.abs(mean) < 0.1 * spread
        with np.errstate(divide="ignore", invalid="ignore"):
            tsnr[~recording.missing] = np.where(centred | (spread == 0), np.nan, np.abs(mean) / spread)
    notes = []
    if len(spiky) > 0.05 * recording.n_frames:
        notes.append(f"{len(spiky)} of {recording.n_frames} frames change abruptly, probably head motion.")
    if recording.missing.any():
        notes.append(f"{int(recording.missing.sum())} of {recording.n_parcels} parcels are missing.")
    if fd_mm is not None and len(fd_mm):
        notes.append(f"Mean framewise displacement {float(np.nanmean(fd_mm)):.2f} mm.")
    return Quality(
        dvars.astype(np.float32),
        tsnr.astype(np.float32),
        recording.coverage,
        recording.missing,
        spiky,
        fd_mm,
        tuple(notes),
    )


def _dvars(series: NDArray[np.float64]) -> NDArray[np.float64]:
    out = np.full(series.shape[1] if series.ndim == 2 else 0, np.nan)
    if len(series) == 0 or series.shape[1] < 2:
        return out
    spread = series.std(1, keepdims=True)
    scaled = series / np.where(spread > 0, spread, np.inf)
    out[1:] = np.sqrt((np.diff(scaled, axis=1) ** 2).mean(0))
    middle = float(np.median(out[1:]))
    return out / middle if middle > 0 else out


def _outliers(dvars: NDArray[np.float64]) -> tuple[int, ...]:
    if len(dvars) < 8:
        return ()
    low, high = np.percentile(dvars[1:], [25, 75])
    limit = high + 1.5 * (high - low)
    return tuple(int(i) for i in np.flatnonzero(dvars > limit))
