"""One simulated recording: coupled neural activity, network latents, task, blood response, noise."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any, Literal, get_args

import numpy as np
from numpy.typing import NDArray

from brainlm_engine import __version__
from brainlm_engine.api.errors import BadInput
from brainlm_engine.recording import Recording
from brainlm_engine.simulate import noise
from brainlm_engine.simulate import parameters as numbers
from brainlm_engine.simulate.brain import PersonBrain, build_brain
from brainlm_engine.simulate.head_motion import realignment
from brainlm_engine.simulate.hemodynamics import VISUAL_BLOCK_S, Timing, response_spectrum, visual_regressor
from brainlm_engine.simulate.noise import Part
from brainlm_engine.simulate.parameters import SimulationParameters
from brainlm_engine.simulate.people import Person, draw_person
from brainlm_engine.simulate.population import Population
from brainlm_engine.simulate.stimulation import Stimulus, response_to

if TYPE_CHECKING:
    from brainlm_engine.atlas import Atlas

Task = Literal["rest", "visual"]
TASKS: tuple[Task, ...] = get_args(Task)
DEFAULT_SEED = 2024

Floats = NDArray[np.float64]


class Simulator:
    """Simulated people and their recordings on one atlas.

    Parameters
    ----------
    atlas
        Any atlas with positions; networks and structures are used where known.
    seed
        Draws the people. All seeds share one population (``parameters.population``), so people of different seeds are
        different people with the same group brain.
    parameters
        Strengths of the parts.
    """

    def __init__(self, atlas: Atlas, seed: int = DEFAULT_SEED, parameters: SimulationParameters | None = None) -> None:
        self.atlas = atlas
        self.seed = int(seed)
        self.parameters = parameters or SimulationParameters()
        self.population = Population(atlas, self.parameters)
        self._brain: tuple[Person, PersonBrain] | None = None

    def person(self, index: int) -> Person:
        """Return person number ``index`` (0, 1, 2, ...)."""
        return draw_person(self.seed, index)

    def brain(self, person: Person) -> PersonBrain:
        """Return the person's brain; the last one is kept, because runs of one person follow each other."""
        if self._brain is None or self._brain[0] != person:
            self._brain = (person, build_brain(self.population, person, self.seed))
        return self._brain[1]

    def recording(
        self,
        person: Person,
        n_frames: int = 490,
        tr_s: float = 0.72,
        task: Task = "rest",
        run: int = 1,
        *,
        stimulus: Stimulus | None = None,
    ) -> Recording:
        """Simulate one recording.

        Parameters
        ----------
        person
            From :meth:`person`.
        n_frames
            Frames, at least 8.
        tr_s
            Seconds per frame, 0.3..5.
        task
            'rest', or 'visual': 16 s of darkness and 16 s of pictures in turn.
        run
            Number of the run; another run of the same person has other noise and the same brain.
        stimulus
            An input at some parcels; all else, noise too, is as without it.

        Returns
        -------
        Recording
            Series (parcels, frames) in scanner units around 10,000.
        """
        return self.recording_with_motion(person, n_frames, tr_s, task, run, stimulus=stimulus)[0]

    def recording_with_motion(
        self,
        person: Person,
        n_frames: int = 490,
        tr_s: float = 0.72,
        task: Task = "rest",
        run: int = 1,
        *,
        stimulus: Stimulus | None = None,
    ) -> tuple[Recording, Floats]:
        """Return :meth:`recording` and the head motion behind it: (frames, 6), mm and radians."""
        timing = checked_timing(n_frames, tr_s)
        if task not in TASKS:
            raise BadInput(f"There is no task called {task!r} in the simulator.", f"Choose one of: {', '.join(TASKS)}.")
        rng = np.random.default_rng([self.seed, 79, person.index, run, TASKS.index(task)])
        brain = self.brain(person)
        fractions, jerks = self._signal(brain, person, timing, task, rng)
        if stimulus is not None:
            fractions += self.response(person, stimulus, n_frames, tr_s)
        series = brain.baseline[:, None] * (1 + self._scale(rng) * fractions)
        n = self.population.n_parcels
        moves = np.random.default_rng([self.seed, 80, person.index, run, TASKS.index(task)])
        made = Recording(
            series=series.astype(np.float32),
            tr_s=float(tr_s),
            xyz=np.asarray(self.atlas.xyz, np.float32),
            missing=np.zeros(n, bool),
            coverage=np.ones(n, np.float32),
            atlas_id=self.atlas.atlas_id,
            names=tuple(self.atlas.names),
            networks=tuple(self.atlas.networks),
            unit="raw",
            name=f"{person.person_id} {task} run {run} (simulated)",
            provenance=self._provenance(person, task, run) | ({"stimulus": asdict(stimulus)} if stimulus else {}),
        )
        return made, realignment(person, jerks, moves)

    def response(
        self, person: Person, stimulus: Stimulus, n_frames: int = 490, tr_s: float = 0.72
    ) -> NDArray[np.float32]:
        """Return what ``stimulus`` truly does to the person's brain, (parcels, frames), as it adds to a recording.

        In units of the coupled neural signal; a recording holds it times the parcel's baseline and the run's scale.

        Raises
        ------
        BadInput
            When the stimulus is outside the brain or the recording.
        """
        timing = checked_timing(n_frames, tr_s)
        neural_size, peak_s = _size_and_peak(person, self.parameters)
        blood = response_spectrum(timing, peak_s)
        made = response_to(stimulus, self.brain(person).dynamics, timing, blood, self.population.delay_s)
        return np.float32(neural_size * self.parameters.coupled) * made

    def _scale(self, rng: np.random.Generator) -> float:
        return float(self.parameters.signal_scale * (0.9 + 0.2 * rng.random()))

    def _provenance(self, person: Person, task: Task, run: int) -> dict[str, Any]:
        provenance: dict[str, Any] = {
            "simulated": True, "source": "simulated", "software": f"brainlm-studio {__version__}", "seed": self.seed,
            "population": self.parameters.population, "person": person.person_id, "task": task, "run": run,
        }  # fmt: skip
        if task == "visual":
            provenance["block_s"] = VISUAL_BLOCK_S
        return provenance

    def _signal(
        self, brain: PersonBrain, person: Person, timing: Timing, task: Task, rng: np.random.Generator
    ) -> tuple[NDArray[np.float32], Floats]:
        """All parts together, (parcels, frames), in units of the coupled neural signal; and the course of motion."""
        p, population = self.parameters, self.population
        neural_size, peak_s = _size_and_peak(person, p)
        blood = response_spectrum(timing, peak_s)

        parts = [*self._latents(brain, person, timing, blood, rng), self._global(brain, timing, rng)]
        if task == "visual":
            parts.append(self._visual(person, timing, rng))
        parts = [Part(part.map * neural_size, part.course) for part in parts]
        parts += noise.physiology(population, person, timing, rng)
        moved = noise.motion(population, person, timing, rng)
        parts += moved
        parts += noise.drift(population, timing, rng)
        maps = np.stack([part.map for part in parts], axis=1).astype(np.float32)
        courses = np.stack([part.course for part in parts]).astype(np.float32)

        total: NDArray[np.float32] = maps @ courses
        total += np.float32(neural_size) * self._neural(brain, timing, blood, rng)
        total += noise.thermal(population, person, timing, rng)
        return total, moved[0].course if moved else np.zeros(timing.n_frames)

    def _neural(
        self, brain: PersonBrain, timing: Timing, blood: NDArray[np.complex64], rng: np.random.Generator
    ) -> NDArray[np.float32]:
        """Coupled activity and slow activity of bilateral patches, seen through the blood response."""
        p, n, omega = self.parameters, self.population.n_parcels, timing.omega
        delay = np.exp(-1j * omega[None] * self.population.delay_s[:, None]).astype(np.complex64)
        coupled = brain.dynamics.respond(timing.spectrum(rng, n), omega) * blood * delay
        patches = self.population.smooth_patches(timing.spectrum(rng, n)) * (blood / (1 + 1j * p.patch_tau_s * omega))
        spectrum = p.coupled * timing.unit(coupled) + p.local * timing.unit(patches)
        return timing.to_time(spectrum.astype(np.complex64))

    def _latents(
        self, brain: PersonBrain, person: Person, timing: Timing, blood: NDArray[np.complex64], rng: np.random.Generator
    ) -> list[Part]:
        """Networks that wax and wane, and attention against default."""
        p, omega, k = self.parameters, timing.omega, len(numbers.NETWORKS)
        slow = timing.spectrum(rng, k) * (blood / (1 + 1j * p.latent_tau_s * omega))
        courses = timing.to_time(timing.unit(slow, rows=True))
        envelope = timing.to_time(timing.unit(timing.spectrum(rng, k) * (1 / (1 + 20j * omega)), rows=True))
        waxing = np.exp(p.envelope_sd * envelope)
        ageing = 1 + p.effect_age * person.age_z * numbers.AGE_LATENT
        size = p.latent * numbers.LATENT_AMPLITUDE * ageing
        parts = [Part(size[c] * brain.topography[:, c], courses[c] * waxing[c]) for c in range(k)]
        opposed = p.latent * p.anticorrelation * (brain.topography @ numbers.OPPOSED)
        parts.append(Part(opposed, courses[numbers.DORSAL] * waxing[numbers.DEFAULT]))
        return parts

    def _global(self, brain: PersonBrain, timing: Timing, rng: np.random.Generator) -> Part:
        """Arousal and slow breathing changes that reach the whole brain."""
        p, omega = self.parameters, timing.omega
        shape = np.exp(-(((omega / (2 * np.pi) - 0.03) / 0.02) ** 2)) + 0.6 / (1 + 2.5j * omega)
        course = timing.to_time(timing.unit((timing.spectrum(rng) * shape).astype(np.complex64)))
        return Part(p.global_signal * brain.global_loading, course.astype(np.float64))

    def _visual(self, person: Person, timing: Timing, rng: np.random.Generator) -> Part:
        """Response to the pictures: strongest at the occipital pole, negative in the default network."""
        p, population = self.parameters, self.population
        size = numbers.VISUAL_TASK_AMPLITUDE * (1 - 0.10 * person.age_z * p.effect_age)
        posterior = 1 + 0.25 * np.clip((-population.xyz[:, 1] - 80) / 15, -1, 1)
        visual = np.where(population.codes == numbers.VISUAL, posterior, 1.0)
        alertness = np.exp(0.15 * rng.standard_normal())
        return Part(size[population.codes] * visual * alertness, visual_regressor(timing))


def _size_and_peak(person: Person, parameters: SimulationParameters) -> tuple[float, float]:
    """Return how large neural activity is at the person's age, and seconds to the peak of the blood response."""
    return 1 - 0.06 * (person.age_z * parameters.effect_age), 5.5 + 0.125 * person.age_z


def checked_timing(n_frames: int, tr_s: float) -> Timing:
    """Return the time grid, or say why it cannot be simulated."""
    if not 8 <= int(n_frames) <= 100_000:
        raise BadInput(f"A recording of {n_frames} frames cannot be simulated.", "Ask for 8 to 100,000 frames.")
    if not 0.3 <= float(tr_s) <= 5.0:
        raise BadInput(f"A TR of {tr_s} s cannot be simulated.", "Ask for 0.3 to 5 seconds per frame.")
    return Timing(int(n_frames), float(tr_s))
