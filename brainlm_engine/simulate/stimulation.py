"""Stimulation of a simulated brain: an input at chosen parcels, and its true consequences everywhere.

The simulator's dynamics are linear, and their constants are known: what a stimulus adds to a recording is computed, not
estimated, and a recording with it differs from the same recording without it by exactly that.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import scipy.fft
from numpy.typing import NDArray

from brainlm_engine.api.errors import BadInput
from brainlm_engine.simulate.brain import Dynamics
from brainlm_engine.simulate.hemodynamics import Timing


@dataclass(frozen=True)
class Stimulus:
    """A constant input to some parcels for some time.

    Attributes
    ----------
    regions : parcels, counted from 0; the input of each is the same
    start_s, stop_s : seconds from the recording's begin
    strength : SD of the noise that drives every parcel anyway; negative = less activity
    """

    regions: tuple[int, ...]
    start_s: float
    stop_s: float
    strength: float = 1.0

    def course(self, timing: Timing) -> NDArray[np.float64]:
        """Return the input, (frames,), 0 outside the span."""
        inside = (timing.seconds >= self.start_s) & (timing.seconds < self.stop_s)
        return np.where(inside, float(self.strength), 0.0)

    def check(self, n_parcels: int, timing: Timing) -> None:
        """Refuse what cannot be done; BadInput."""
        length = timing.n_frames * timing.tr_s
        if not self.regions:
            raise BadInput("The stimulus reaches no region.", "Name at least one.")
        wrong = [region for region in self.regions if not 0 <= region < n_parcels]
        if wrong:
            raise BadInput(
                f"There is no region {wrong[0]}: the simulated brain has {n_parcels}.",
                f"Choose from 0 to {n_parcels - 1}.",
            )
        if not np.isfinite(self.strength):
            raise BadInput("The strength of the stimulus is no number.", "Give one, such as 1.")
        if not 0 <= self.start_s < self.stop_s <= length or (not self.course(timing).any() and self.strength):
            raise BadInput(
                f"From {self.start_s:g} s to {self.stop_s:g} s holds no frame of a recording of {length:g} s.",
                "Choose a span inside the recording.",
            )


def response_to(
    stimulus: Stimulus, dynamics: Dynamics, timing: Timing, blood: NDArray[np.complex64], delay_s: NDArray[np.floating]
) -> NDArray[np.float32]:
    """Return what ``stimulus`` adds to the signal, (parcels, frames), in SD of the coupled activity.

    Parameters
    ----------
    blood : (frequencies,) blood response
    delay_s : (parcels,) seconds that each parcel's blood lags

    Raises
    ------
    BadInput
        When the stimulus is outside the brain or the recording.
    """
    n = len(dynamics.modes)
    stimulus.check(n, timing)
    noise_sd = 2 * np.sqrt(len(timing.omega)) / timing.padded  # in time, of Timing.spectrum
    drive = np.zeros((n, len(timing.omega)), np.complex64)
    regions = np.unique(stimulus.regions)
    drive[regions] = scipy.fft.rfft(noise_sd * stimulus.course(timing), timing.padded)
    delay = np.exp(-1j * timing.omega[None] * delay_s[:, None]).astype(np.complex64)
    spectrum = dynamics.respond(drive, timing.omega) * blood * delay
    response: NDArray[np.float32] = timing.to_time(spectrum) / np.float32(usual_sd(dynamics, timing, blood))
    return response.astype(np.float32)


def usual_sd(dynamics: Dynamics, timing: Timing, blood: NDArray[np.complex64]) -> float:
    """Return the SD over time and parcels that noise alone is expected to give, before it is scaled to 1."""
    leak = 1 - dynamics.gain * np.clip(dynamics.rates, -1, 1)
    power = 2 / ((timing.omega[None] * dynamics.tau_s) ** 2 + leak[:, None] ** 2) * np.abs(blood)[None] ** 2
    power[:, 0] = 0  # the noise has no constant part
    return float(np.sqrt(2 * power.mean() * len(timing.omega)) / timing.padded)
