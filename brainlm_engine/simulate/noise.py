"""What a scanner and a body add to the signal: heartbeat and breathing, motion, drift, thermal noise."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from brainlm_engine.simulate.hemodynamics import Timing
from brainlm_engine.simulate.parameters import REFERENCE_TR_S
from brainlm_engine.simulate.people import Person
from brainlm_engine.simulate.population import Population

Floats = NDArray[np.float64]

_SITE_NOISE = {"A": 1.0, "B": 1.12, "C": 0.92}
#: Longitudinal relaxation of grey matter at 3 T, seconds: at a long TR a frame has more signal for the same noise.
_T1_S = 1.3


class Part(NamedTuple):
    """One rank of the signal: the same time course everywhere, scaled by a map."""

    map: Floats  # (parcels,)
    course: Floats  # (frames,)


def physiology(population: Population, person: Person, timing: Timing, rng: np.random.Generator) -> list[Part]:
    """Breathing and heartbeat, aliased by the TR; the heartbeat is largest near the big vessels."""
    p = population.parameters
    breathing, heart = 0.27 + 0.04 * rng.standard_normal(), 1.05 + 0.13 * rng.standard_normal()
    size = p.physiology * np.exp(0.25 * rng.standard_normal() + 0.12 * person.age_z * p.effect_age)

    def wave(frequency: float) -> Floats:
        wandering = frequency + 0.012 * rng.standard_normal(timing.n_frames)
        wave: Floats = np.sin(2 * np.pi * np.cumsum(wandering) * timing.tr_s + 2 * np.pi * rng.random())
        return wave

    return [
        Part(0.5 * size * population.vascular, wave(breathing)),
        Part(0.45 * size * population.vascular**1.5, wave(heart)),
    ]


def motion(population: Population, person: Person, timing: Timing, rng: np.random.Generator) -> list[Part]:
    """Heavy-tailed spikes that outlast their frame, more often in people who move more; none in a quiet recording."""
    per_frame = min(0.004 + 0.10 * max(person.mean_fd - 0.10, 0.0), 0.10) * timing.tr_s / REFERENCE_TR_S
    events = rng.random(timing.n_frames) < min(per_frame, 0.25)
    if not events.any():
        return []
    spikes = np.zeros(timing.n_frames)
    spikes[events] = rng.standard_exponential(int(events.sum())) * (1.2 + 4 * person.mean_fd)
    course = np.convolve(spikes, [1, 0.5, 0.25, 0.12])[: timing.n_frames]
    direction = rng.standard_normal(3) @ population.axes[2:5] * 0.25
    return [Part(population.motion * (1 + direction) * rng.choice([-1, 1]), course)]


def drift(population: Population, timing: Timing, rng: np.random.Generator) -> list[Part]:
    """A line and a half cosine over the recording, each with a smooth map."""
    p, t = population.parameters, timing.seconds
    maps = population.smooth(rng, 2)
    line = (t - t.mean()) / max(float(t.std()), 1e-9)
    half_cosine = np.cos(np.pi * t / max(float(t[-1]), 1e-9))
    return [Part(p.drift * maps[0], line), Part(0.6 * p.drift * maps[1], half_cosine)]


def thermal_sd(population: Population, person: Person, timing: Timing) -> Floats:
    """Standard deviation of the noise of one frame, (parcels,), in units of signal."""
    p = population.parameters
    signal = np.sqrt(np.tanh(timing.tr_s / (2 * _T1_S)) / np.tanh(REFERENCE_TR_S / (2 * _T1_S)))
    ageing = 1 + 0.05 * person.age_z * p.effect_age
    sd: Floats = p.thermal * _SITE_NOISE[person.site] * ageing * population.noise / signal
    return sd


def thermal(population: Population, person: Person, timing: Timing, rng: np.random.Generator) -> NDArray[np.float32]:
    """Noise without memory, (parcels, frames), partly shared by neighbours."""
    shared = population.parameters.noise_smooth
    shape = (population.n_parcels, timing.n_frames)
    noise = rng.standard_normal(shape, dtype=np.float32) * np.float32(np.sqrt(1 - shared))
    if shared > 0:
        noise += np.float32(np.sqrt(shared)) * population.smooth_frames(rng.standard_normal(shape, dtype=np.float32))
    noise *= thermal_sd(population, person, timing).astype(np.float32)[:, None]
    return noise
