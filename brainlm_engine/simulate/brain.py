"""One person's brain: own network layout, own coupling, and the linear dynamics that follow from it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from brainlm_engine.simulate import parameters as numbers
from brainlm_engine.simulate.people import Person
from brainlm_engine.simulate.population import Population, real_times_complex

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Dynamics:
    """Noise-driven linear dynamics on a symmetric graph: ``tau dx/dt = -x + g W x + drive``.

    Attributes
    ----------
    rates : (modes,) float32, eigenvalues of the normalised coupling, at most 1
    modes : (parcels, modes) float32, eigenvectors
    gain : g, below 1
    tau_s : time constant, seconds
    """

    rates: NDArray[np.float32]
    modes: NDArray[np.float32]
    gain: float
    tau_s: float

    def respond(self, drive: NDArray[np.complex64], omega: NDArray[np.float32]) -> NDArray[np.complex64]:
        """Return the neural answer to ``drive``, both (parcels, frequencies).

        This is the only way activity enters the coupled brain: noise is given here now, and a stimulus of known time
        course and place would be added to the same ``drive``, which makes its true consequences known.
        """
        leak = 1 - self.gain * np.clip(self.rates, -1, 1)
        transfer = (1 / (1j * omega[None] * self.tau_s + leak[:, None])).astype(np.complex64)
        in_modes = real_times_complex(self.modes.T, drive)
        return real_times_complex(self.modes, transfer * in_modes)


@dataclass(frozen=True)
class PersonBrain:
    """What stays the same between the recordings of one person.

    Attributes
    ----------
    dynamics : the coupled dynamics
    topography : (parcels, 9) float64, how much of each network a parcel is, rows sum to 1
    global_loading : (parcels,) float64, the person's map of the global signal
    baseline : (parcels,) float64, mean signal in scanner units
    """

    dynamics: Dynamics
    topography: Floats
    global_loading: Floats
    baseline: Floats


def build_brain(population: Population, person: Person, seed: int) -> PersonBrain:
    """Build the brain of ``person``."""
    p = population.parameters
    topography = _topography(population, np.random.default_rng([seed, 81, person.index]))
    coupling = _coupling(population, person, topography, np.random.default_rng([seed, 78, person.index]))
    rates, modes = np.linalg.eigh(coupling.astype(np.float32))
    gain = p.coupling * (1 - 0.010 * person.age_z * p.effect_age)
    own_map = population.smooth(np.random.default_rng([seed, 82, person.index]), 1)[0]
    own_baseline = population.smooth(np.random.default_rng([seed, 80, person.index]), 1)[0]
    return PersonBrain(
        dynamics=Dynamics(rates / np.abs(rates).max(), modes, min(gain, 0.995), p.tau_s),
        topography=topography,
        global_loading=population.global_loading
        * np.exp(p.global_map * own_map)
        * np.exp(p.global_person * person.global_z),
        baseline=10000 * (1 + 0.06 * own_baseline),
    )


def _topography(population: Population, rng: np.random.Generator) -> Floats:
    """Each parcel's mixture of networks: the group's map, sharpened, plus smooth deviations of this person."""
    p, codes = population.parameters, population.codes
    n_networks = len(numbers.NETWORKS)
    own = population.smooth(rng, n_networks).T * p.topography
    logits = 0.7 * np.log(0.02 + population.neighbourhood) + own - own.mean(axis=1, keepdims=True)
    logits += p.topography_sharpness * np.eye(n_networks)[codes]
    below = codes >= numbers.SUBCORTEX
    logits[~below, numbers.SUBCORTEX :] = -9
    logits[below, : numbers.SUBCORTEX] -= 2.5
    mixture = np.exp(logits - logits.max(axis=1, keepdims=True))
    shares: Floats = mixture / mixture.sum(axis=1, keepdims=True)
    return shares


def _coupling(population: Population, person: Person, topography: Floats, rng: np.random.Generator) -> Floats:
    """Coupling of one person, symmetric and degree-normalised."""
    p = population.parameters
    change = p.person_sd * population.smooth_pairs(rng, 8) + _trait_effects(population, person)
    networks = topography @ population.blocks @ topography.T
    weights = (population.weights + networks) * population.heterogeneity * np.exp(np.clip(change, -2, 2))
    np.fill_diagonal(weights, 0)
    degree = np.maximum(np.abs(weights).sum(axis=1), 1e-9)
    normalised: Floats = weights / np.sqrt(degree[:, None] * degree[None])
    return normalised


def _trait_effects(population: Population, person: Person) -> Floats:
    """Log change of the coupling through age, sex and distress, (parcels, parcels)."""
    p, codes = population.parameters, population.codes
    ageing = numbers.AGE_COUPLING[codes] * person.age_z * p.effect_age
    both = ageing[:, None] + ageing[None]
    change = both * (0.35 + 0.9 * (codes[:, None] == codes[None]))

    sex = p.effect_sex * (person.is_male - 0.47)
    first, second = population.axes[0], population.axes[1]
    change = change + sex * (0.28 * (first[:, None] + first[None]) + 0.20 * np.outer(second, second))

    distress = p.effect_clinical * person.distress * numbers.DISTRESS_COUPLING[codes]
    total: Floats = change + distress[:, None] + distress[None]
    return total
