"""Simulated people, their parcellated BOLD recordings, and 4D scans painted from them. Always labelled simulated."""

from brainlm_engine.simulate.cohort import SimulatedCohort, simulate_cohort
from brainlm_engine.simulate.parameters import NETWORKS, SimulationParameters
from brainlm_engine.simulate.people import Person
from brainlm_engine.simulate.recording import TASKS, Simulator

__all__ = ["NETWORKS", "TASKS", "Person", "SimulatedCohort", "SimulationParameters", "Simulator", "simulate_cohort"]
