"""What of a recording is bad: parcels without signal, frames that jump, values that stick out, and what a person names.

Everything bad becomes a hole (NaN) before anything is scaled, so that means and spreads come from good samples.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from brainlm_engine.api.errors import BadInput
from brainlm_engine.api.repair import RepairSpec
from brainlm_engine.preprocess.quality import quality
from brainlm_engine.recording import Recording

Floats = NDArray[np.float32]
Doubles = NDArray[np.float64]
Bools = NDArray[np.bool_]
_LEAST_GOOD = 0.1  # a parcel with a smaller share of good frames is filled in as a whole
_LEAST_LEFT = 0.2  # of all samples; below, there is nothing to repair from
_MOST_OF_FRAME = 0.5  # a frame in which more parcels stick out is bad for all
_NEIGHBOURS = 6
NONE, PARCELS, FRAMES, VALUES = 0, 1, 2, 3


@dataclass(frozen=True)
class Holes:
    """What is to be filled in.

    Attributes
    ----------
    kind : (parcels, frames) int8, 0 = good, then PARCELS, FRAMES, VALUES
    found : sentences, which sign found what
    """

    kind: NDArray[np.int8]
    found: tuple[str, ...] = ()

    @property
    def open(self) -> Bools:
        """(parcels, frames) True where a sample is filled in."""
        return np.asarray(self.kind > NONE, bool)

    @property
    def whole(self) -> Bools:
        """(parcels,) True for parcels that are filled in as a whole."""
        return np.asarray((self.kind == PARCELS).all(1), bool)


def find_holes(recording: Recording, spec: RepairSpec, fd_mm: Floats | None = None) -> Holes:
    """Look for what ``spec`` calls bad.

    Parameters
    ----------
    fd_mm : (frames,) framewise displacement, None when head motion is not known

    Raises
    ------
    BadInput
        When parcels or frames are named that are not there, when nothing is bad, or nearly everything.
    """
    series, name = recording.series, recording.name or "The recording"
    empty = recording.missing | ~np.isfinite(series).any(1) | _constant(series)
    bad, found = ~np.isfinite(series) & ~empty[:, None], []
    if bad.any():
        found.append(f"{_count(int(bad.any(1).sum()), 'parcel')} with values that are not numbers.")
    lost = empty.copy() if spec.empty else np.zeros(len(series), bool)
    if lost.any():
        found.append(f"{_count(int(lost.sum()), 'parcel')} without signal.")
    named = _named_parcels(spec, recording, name)
    if named.any():
        found.append(f"{_count(int(named.sum()), 'parcel')} named by you.")
    lost |= named
    frames = np.zeros(recording.n_frames, bool)
    usable = ~(empty | lost)
    for flags, text in _bad_frames(recording, usable, spec, fd_mm, name):
        if flags.any():
            found.append(f"{_count(int(flags.sum()), 'frame')} {text}.")
        frames |= flags
    if spec.spikes and usable.any():
        out = _sticking_out(series, spec.spikes) & usable[:, None] & ~frames
        most = out[usable].mean(0) > _MOST_OF_FRAME
        frames |= most
        out &= ~most
        bad |= out
        if most.any():
            found.append(f"{_count(int(most.sum()), 'frame')} in which most parcels stick out.")
        if out.any():
            found.append(
                f"{_count(int(out.sum()), 'value')} more than {spec.spikes:g} robust standard deviations from the "
                "parcel’s median."
            )
    bad[:, frames] = True
    few = ~empty & ~lost & ((~bad).mean(1) < _LEAST_GOOD)
    if few.any():
        found.append(f"{_count(int(few.sum()), 'parcel')} with hardly a good frame: filled in as a whole.")
    lost |= few
    kind = np.where(bad, VALUES, NONE).astype(np.int8)
    kind[:, frames] = FRAMES
    kind[lost] = PARCELS
    kind[empty & ~lost] = NONE  # left as they are
    return _checked(Holes(kind, tuple(found)), empty, name)


def _checked(holes: Holes, empty: Bools, name: str) -> Holes:
    if not holes.open.any():
        raise BadInput(
            f"Nothing to repair was found in {name}.",
            "Name parcels or frames yourself, or lower the number of standard deviations from which a value is bad.",
        )
    left = float((~holes.open & ~empty[:, None]).mean())
    if left < _LEAST_LEFT:
        raise BadInput(
            f"Only {left:.0%} of {name} would be left as measured, too little to repair the rest from.",
            "Name less, or leave this recording out.",
        )
    return holes


def _named_parcels(spec: RepairSpec, recording: Recording, name: str) -> Bools:
    outside = [parcel for parcel in spec.parcels if not 0 <= parcel < recording.n_parcels]
    if outside:
        raise BadInput(
            f"There is no parcel {outside[0]}: {name} has the parcels 0 to {recording.n_parcels - 1}.",
            "Name other parcels to fill in.",
        )
    named = np.zeros(recording.n_parcels, bool)
    named[list(spec.parcels)] = True
    return named


def _bad_frames(
    recording: Recording, usable: Bools, spec: RepairSpec, fd_mm: Floats | None, name: str
) -> list[tuple[Bools, str]]:
    """Return (frames,) flags and what they are, for every sign that is looked for."""
    n = recording.n_frames
    signs = []
    if spec.spans:
        flags = np.zeros(n, bool)
        for first, stop in spec.spans:
            if not 0 <= first < stop <= n:
                raise BadInput(
                    f"The frames {first} to {stop} do not lie in {name}, which has {n}.",
                    f"Name frames from 0 to {n}, the first before the last.",
                )
            flags[first:stop] = True
        signs.append((flags, "named by you"))
    if spec.fd_mm and fd_mm is not None:
        signs.append((np.nan_to_num(fd_mm) > spec.fd_mm, f"with more than {spec.fd_mm:g} mm of head motion"))
    if spec.dvars:
        flags = np.zeros(n, bool)
        jumps = np.zeros(n, bool)
        series = _bridged(recording.series, usable)  # where there is no number nothing jumps
        bridged = Recording(series, recording.tr_s, recording.xyz, ~usable, recording.coverage)
        jumps[list(quality(bridged).spiky_frames)] = True
        edges = np.flatnonzero(np.diff(np.concatenate([[0], jumps.astype(np.int8), [0]]))).reshape(-1, 2)
        for first, stop in edges:  # the last jump of a run is the way back to a good frame
            flags[first : max(stop - 1, first + 1)] = True
        signs.append((flags, "that change abruptly (DVARS)"))
    return signs


def _bridged(series: Floats, usable: Bools) -> Floats:
    """Return ``series`` with straight lines where a usable parcel holds no number."""
    out, frames = series.copy(), np.arange(series.shape[1])
    for row in np.flatnonzero(usable & ~np.isfinite(series).all(1)):
        known = np.isfinite(series[row])
        out[row] = np.interp(frames, frames[known], series[row, known])
    return out


def _sticking_out(series: Floats, limit: float) -> Bools:
    """Return (parcels, frames): more than ``limit`` robust standard deviations from the parcel's median."""
    out = np.zeros(series.shape, bool)
    rows = np.isfinite(series).any(1)
    values = series[rows].astype(np.float64)
    values -= np.nanmedian(values, axis=1, keepdims=True)
    size = 1.4826 * np.nanmedian(np.abs(values), axis=1, keepdims=True)
    with np.errstate(invalid="ignore"):
        out[rows] = (np.abs(values) > limit * size) & (size > 0)
    return out


def _constant(series: Floats) -> Bools:
    """Return (parcels,): one value most of the time."""
    some = np.asarray(np.isfinite(series).any(1))
    constant = np.zeros(len(series), bool)
    values = series[some].astype(np.float64)
    middle = np.nanmedian(values, axis=1, keepdims=True)
    constant[some] = np.nanmedian(np.abs(values - middle), axis=1) == 0
    return constant


@dataclass(frozen=True)
class Level:
    """Mean and spread of each parcel over its good frames.

    Attributes
    ----------
    mean, sd : (parcels,) float64 in the recording's unit; where there are no good frames, the median of the nearest
        parcels' (of all where no position is known)
    """

    mean: Doubles
    sd: Doubles

    def scaled(self, series: Floats, holes: Bools) -> Floats:
        """Return z-scores (parcels, frames) with NaN in the holes."""
        z = (series - self.mean[:, None]) / self.sd[:, None]
        return np.where(holes, np.nan, z).astype(np.float32)

    def undone(self, z: Floats) -> Floats:
        """Return z-scores (parcels, frames) in the recording's unit."""
        return (z.astype(np.float64) * self.sd[:, None] + self.mean[:, None]).astype(np.float32)


def level_of(series: Floats, holes: Bools, xyz: Floats) -> Level:
    """Return mean and spread of the good samples of ``series (parcels, frames)``."""
    good = ~holes & np.isfinite(series)
    count = np.maximum(good.sum(1), 1)
    values = np.where(good, series, 0).astype(np.float64)
    mean = values.sum(1) / count
    sd = np.sqrt((np.where(good, values - mean[:, None], 0) ** 2).sum(1) / count)
    known: Bools = np.asarray(good.any(1) & (sd > 1e-12 * np.maximum(np.abs(mean), 1e-30)))
    near = nearest(xyz, known)
    for parcel in map(int, np.flatnonzero(~known)):
        mean[parcel], sd[parcel] = np.median(mean[near[parcel]]), np.median(sd[near[parcel]])
    return Level(mean, sd)


def nearest(xyz: Floats, known: Bools) -> dict[int, NDArray[np.intp]]:
    """Return, for every parcel that is not ``known``, the nearest that are; all of them where its place is unknown."""
    placed: Bools = np.asarray(np.isfinite(xyz).all(1))
    those = np.flatnonzero(known & placed)
    found = {}
    for parcel in np.flatnonzero(~known):
        if not placed[parcel] or not len(those):
            found[int(parcel)] = np.flatnonzero(known)
            continue
        away = ((xyz[those] - xyz[parcel]) ** 2).sum(1)
        found[int(parcel)] = those[np.argsort(away, kind="stable")[:_NEIGHBOURS]]
    return found


def _count(number: int, what: str) -> str:
    return f"{number} {what}{'s' * (number != 1)}"
