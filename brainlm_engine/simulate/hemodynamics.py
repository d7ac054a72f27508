"""From neural activity to blood oxygenation: the haemodynamic response, the time grid, the visual blocks."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from math import ceil, gamma

import numpy as np
import scipy.fft
from numpy.typing import NDArray

#: Seconds of darkness, then seconds of pictures, repeated.
VISUAL_BLOCK_S = 16.0


@dataclass(frozen=True)
class Timing:
    """The time grid of one recording.

    Attributes
    ----------
    n_frames : frames of the recording
    tr_s : seconds per frame
    """

    n_frames: int
    tr_s: float

    @cached_property
    def seconds(self) -> NDArray[np.float64]:
        """Time of each frame, (frames,)."""
        return np.arange(self.n_frames, dtype=np.float64) * float(self.tr_s)

    @cached_property
    def padded(self) -> int:
        """Frames of the synthesis: a minute longer, so that the end does not run into the beginning."""
        return int(scipy.fft.next_fast_len(self.n_frames + ceil(60.0 / self.tr_s), real=True))

    @cached_property
    def omega(self) -> NDArray[np.float32]:
        """Angular frequencies of the synthesis, (padded // 2 + 1,), rad/s."""
        return (2 * np.pi * scipy.fft.rfftfreq(self.padded, self.tr_s)).astype(np.float32)

    def spectrum(self, rng: np.random.Generator, *rows: int) -> NDArray[np.complex64]:
        """White complex noise, (*rows, frequencies), without a constant part."""
        shape = (*rows, len(self.omega))
        noise = np.empty(shape, np.complex64)
        noise.real = rng.standard_normal(shape, dtype=np.float32)
        noise.imag = rng.standard_normal(shape, dtype=np.float32)
        noise[..., 0] = 0
        return noise

    def to_time(self, spectrum: NDArray[np.complex64]) -> NDArray[np.float32]:
        """Return the frames of ``spectrum``, (..., n_frames)."""
        series: NDArray[np.float32] = scipy.fft.irfft(spectrum, self.padded, axis=-1)[..., : self.n_frames]
        return series

    def unit(self, spectrum: NDArray[np.complex64], *, rows: bool = False) -> NDArray[np.complex64]:
        """Scale ``spectrum`` to standard deviation 1 in time, over everything or per row."""
        power = np.abs(spectrum) ** 2
        mean = power.mean(axis=-1 if rows else None, keepdims=True)
        # Parseval: each frequency but the constant counts twice, and the constant is zero
        sd = np.sqrt(2 * mean * len(self.omega)) / self.padded
        scaled: NDArray[np.complex64] = (spectrum / np.maximum(sd, 1e-12)).astype(np.complex64)
        return scaled


def response(tr_s: float, peak_s: float = 5.5, undershoot_s: float = 14.0, ratio: float = 0.17) -> NDArray[np.float32]:
    """Double-gamma haemodynamic response sampled at ``tr_s``, 30 s long, absolute values summing to 1."""
    t = np.arange(0.0, 30.0, tr_s)

    def bump(shape: float) -> NDArray[np.float64]:
        values: NDArray[np.float64] = t ** (shape - 1) * np.exp(-t) / gamma(shape)
        return values

    h = bump(peak_s + 0.5) - ratio * bump(undershoot_s + 1)
    normalised: NDArray[np.float32] = (h / np.abs(h).sum()).astype(np.float32)
    return normalised


def response_spectrum(timing: Timing, peak_s: float) -> NDArray[np.complex64]:
    """Haemodynamic response on the frequencies of ``timing``."""
    spectrum: NDArray[np.complex64] = scipy.fft.rfft(response(timing.tr_s, peak_s), timing.padded)
    return spectrum


def visual_blocks(timing: Timing) -> NDArray[np.float64]:
    """1 while pictures are shown, else 0, (frames,)."""
    shown: NDArray[np.float64] = ((timing.seconds // VISUAL_BLOCK_S) % 2 == 1).astype(np.float64)
    return shown


def visual_regressor(timing: Timing) -> NDArray[np.float64]:
    """Expected response to the visual blocks, standard deviation 1 (all zero for less than one block)."""
    course = np.convolve(visual_blocks(timing), response(timing.tr_s))[: timing.n_frames]
    course = course - course.mean()
    sd = course.std()
    return course / sd if sd > 1e-9 else np.zeros_like(course)
