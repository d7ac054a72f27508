"""Simulated people, their parcellated BOLD recordings, and 4D scans painted from them. Always labelled simulated."""

from brainlm_engine.simulate.cohort import SimulatedCohort, simulate_cohort
from brainlm_engine.simulate.demo import demo_case, demo_recording, scan_sidecar
from brainlm_engine.simulate.painter import paint_nifti
from brainlm_engine.simulate.parameters import NETWORKS, SimulationParameters
from brainlm_engine.simulate.people import Person
from brainlm_engine.simulate.recording import DEFAULT_SEED, TASKS, Simulator
from brainlm_engine.simulate.stimulation import Stimulus

__all__ = [
    "DEFAULT_SEED", "NETWORKS", "TASKS", "Person", "SimulatedCohort", "SimulationParameters", "Simulator", "Stimulus",
    "demo_case", "demo_recording", "paint_nifti", "scan_sidecar", "simulate_cohort",
]  # fmt: skip
