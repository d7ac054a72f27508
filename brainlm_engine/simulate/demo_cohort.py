"""The demo cohorts: simulated people that a newcomer trains a first model on."""

from __future__ import annotations

from pathlib import Path

from brainlm_engine.api.errors import BadInput
from brainlm_engine.progress import SILENT, Progress
from brainlm_engine.simulate.cohort import SimulatedCohort, simulate_cohort
from brainlm_engine.simulate.recording import Task

#: Size -> people, of whom 70 % are trained on, 15 % looked at and 15 % kept for the report.
PEOPLE = {"small": 120, "large": 600, "tasks": 24}
#: "tasks" is no cohort to train on: a few people at rest and in a visual task, who say what the task does
_TASKS: dict[str, tuple[Task, ...]] = {"tasks": ("rest", "visual")}


def demo_cohort(root: Path, size: str, progress: Progress = SILENT) -> SimulatedCohort:
    """Make ``root/demo-cohort-<size>``, or finish it, or find it made.

    Raises
    ------
    BadInput
        When there is no such size.
    """
    if size not in PEOPLE:
        raise BadInput(f"There is no demo cohort of the size “{size}”.", f"Choose one of: {', '.join(PEOPLE)}.")
    return simulate_cohort(
        root / f"demo-cohort-{size}", PEOPLE[size], tasks=_TASKS.get(size, ("rest",)), progress=progress
    )
