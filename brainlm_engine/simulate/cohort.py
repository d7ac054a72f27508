"""A folder of simulated recordings: people, their scores, train / val / test, one file per run.

Layout::

    dataset_description.json          "simulated": true, seed, parameters, version, complete
    participants.tsv, participants.json
    recordings/sub-00000_task-rest_run-1.safetensors

Every file is whole or absent, so a run that was stopped goes on where it was: only what is missing is made.
"""

from __future__ import annotations

import csv
import hashlib
import json
import shutil
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from brainlm_engine import __version__
from brainlm_engine.api.errors import BadInput, OutOfSpace
from brainlm_engine.files import written_whole
from brainlm_engine.progress import SILENT, Progress
from brainlm_engine.simulate.parameters import SimulationParameters
from brainlm_engine.simulate.people import DATA_DICTIONARY, Person
from brainlm_engine.simulate.recording import DEFAULT_SEED, TASKS, Simulator, Task, checked_timing

if TYPE_CHECKING:
    from brainlm_engine.atlas import Atlas

DESCRIPTION = "dataset_description.json"
#: People above this number are never in a cohort: the demo person is one of them.
MOST_PEOPLE = 90_000
_ABANDONED_S = 600.0


@dataclass(frozen=True)
class SimulatedCohort:
    """What :func:`simulate_cohort` left on disk.

    Attributes
    ----------
    folder : the cohort's folder
    n_people, n_recordings : size of the whole cohort
    made : recordings made by this call; the others were there already
    """

    folder: Path
    n_people: int
    n_recordings: int
    made: int


@dataclass(frozen=True)
class _Run:
    """One recording to be made."""

    person: Person
    task: Task
    run: int
    path: Path


def simulate_cohort(
    out_dir: Path,
    n_people: int,
    *,
    n_frames: int = 490,
    tr_s: float = 0.72,
    tasks: Sequence[str] = ("rest",),
    seed: int = DEFAULT_SEED,
    progress: Progress = SILENT,
    runs: int = 1,
    atlas: Atlas | None = None,
    parameters: SimulationParameters | None = None,
) -> SimulatedCohort:
    """Write a cohort of simulated people, or finish one that was interrupted, or add people to one.

    Parameters
    ----------
    out_dir
        Folder of the cohort; made if absent. A folder that holds something else is refused.
    n_people
        People, numbered from 0.
    n_frames, tr_s
        Frames per recording and seconds per frame.
    tasks
        'rest' and / or 'visual'; everybody does all of them.
    seed
        Same seed and settings, same cohort.
    runs
        Recordings per person and task.
    atlas
        Default: MNI-424.

    Raises
    ------
    BadInput
        When the settings make no sense or the folder holds another cohort.
    OutOfSpace
        When the disk cannot hold the cohort.
    """
    chosen = _checked(n_people, n_frames, tr_s, tasks, runs)
    folder = Path(out_dir)
    progress(0.0, "Preparing people")
    simulator = Simulator(atlas or _default_atlas(), seed, parameters)
    description = _description(simulator, n_frames, tr_s, chosen, runs)
    n_people = max(n_people, _people_already_there(folder, description))
    _sweep(folder / "recordings")
    people = [simulator.person(index) for index in range(n_people)]
    plan = _plan(folder, people, chosen, runs)
    shape = (simulator.population.n_parcels, int(n_frames))
    missing = [item for item in plan if not _is_whole(item.path, shape)]
    _check_space(folder, len(missing), simulator.population.n_parcels * n_frames * 4 + 40_000)
    _write_tables(folder, people)
    _write_json(folder / DESCRIPTION, {**description, "n_people": n_people, "complete": not missing})

    from threadpoolctl import threadpool_limits

    with threadpool_limits(1):  # small matrices: more threads only get in the way
        for done, item in enumerate(missing):
            progress(done / len(missing), f"Simulating {item.person.person_id}, {item.task}")
            simulator.recording(item.person, n_frames, tr_s, item.task, item.run).save(item.path)
    _write_json(folder / DESCRIPTION, {**description, "n_people": n_people, "complete": True})
    progress(1.0, "Cohort written")
    progress.log(f"{len(plan)} simulated recordings of {n_people} people in {folder}, {len(missing)} of them new")
    return SimulatedCohort(folder, n_people, len(plan), len(missing))


def recording_name(person: Person, task: str, run: int) -> str:
    """Return the file name of one recording."""
    return f"{person.person_id}_task-{task}_run-{run}.safetensors"


def _default_atlas() -> Atlas:
    from brainlm_engine.atlas import load_atlas

    return load_atlas("mni424")


def _checked(n_people: int, n_frames: int, tr_s: float, tasks: Sequence[str], runs: int) -> tuple[Task, ...]:
    checked_timing(n_frames, tr_s)
    if not 1 <= n_people <= MOST_PEOPLE:
        raise BadInput(f"A cohort of {n_people} people cannot be simulated.", f"Ask for 1 to {MOST_PEOPLE:,} people.")
    if not 1 <= runs <= 99:
        raise BadInput(f"{runs} runs per person cannot be simulated.", "Ask for 1 to 99 runs.")
    unknown = [task for task in tasks if task not in TASKS]
    if unknown or not tasks:
        named = f"There is no task called {unknown[0]!r} in the simulator." if unknown else "No task was named."
        raise BadInput(named, f"Choose one or more of: {', '.join(TASKS)}.")
    return tuple(task for task in TASKS if task in tasks)


def _description(
    simulator: Simulator, n_frames: int, tr_s: float, tasks: tuple[Task, ...], runs: int
) -> dict[str, Any]:
    """Everything that decides what is in the recordings."""
    return {
        "Name": "Simulated cohort of BrainLM Studio",
        "BIDSVersion": "1.10.0",
        "DatasetType": "derivative",
        "GeneratedBy": [{"Name": "brainlm-studio simulate cohort", "Version": __version__}],
        "simulated": True,
        "version": __version__,
        "seed": simulator.seed,
        "atlas_id": simulator.atlas.atlas_id,
        "atlas_positions": hashlib.sha256(np.ascontiguousarray(simulator.atlas.xyz, "<f4").tobytes()).hexdigest()[:16],
        "n_parcels": simulator.population.n_parcels,
        "n_frames": int(n_frames),
        "tr_s": float(tr_s),
        "tasks": list(tasks),
        "runs": int(runs),
        "parameters": simulator.parameters.as_dict(),
    }


def _people_already_there(folder: Path, description: dict[str, Any]) -> int:
    """Return how many people the folder holds; refuse a folder with other contents."""
    file = folder / DESCRIPTION
    if folder.exists() and not folder.is_dir():
        raise BadInput(f"{folder.name} is a file, not a folder.", "Choose a folder for the cohort.")
    if not file.exists():
        if folder.exists() and any(folder.iterdir()):
            raise BadInput(f"The folder {folder.name} is not empty.", "Choose an empty or a new folder for the cohort.")
        return 0
    try:
        there = json.loads(file.read_text("utf-8"))
        differing = [key for key, value in description.items() if there.get(key) != value]
        n_people = int(there.get("n_people", 0))
    except (OSError, ValueError, AttributeError) as error:
        raise BadInput(
            f"{file.name} in {folder.name} is damaged.", "Choose another folder for the cohort.", str(error)
        ) from error
    if differing:
        raise BadInput(
            f"The folder {folder.name} holds a cohort made with other settings ({', '.join(differing)}).",
            "Choose another folder, or the settings of that cohort.",
        )
    return n_people


def _plan(folder: Path, people: list[Person], tasks: tuple[Task, ...], runs: int) -> list[_Run]:
    recordings = folder / "recordings"
    return [
        _Run(person, task, run, recordings / recording_name(person, task, run))
        for person in people
        for task in tasks
        for run in range(1, runs + 1)
    ]


def _sweep(recordings: Path) -> None:
    """Remove what a killed run was writing; nothing younger, another run may be at work."""
    for unfinished in recordings.glob(".sub-*.safetensors"):
        if time.time() - unfinished.stat().st_mtime > _ABANDONED_S:
            unfinished.unlink(missing_ok=True)


def _is_whole(path: Path, shape: tuple[int, int]) -> bool:
    """True when the file can be read and holds a recording of this shape (the header says; the numbers stay unread)."""
    from safetensors import SafetensorError, safe_open

    if not path.exists():
        return False
    try:
        with safe_open(path, framework="np") as file:
            return tuple(file.get_slice("series").get_shape()) == shape
    except (OSError, SafetensorError):
        return False


def _check_space(folder: Path, n_files: int, bytes_each: int) -> None:
    from brainlm_engine.io.faults import human_size

    existing = next(parent for parent in (folder, *folder.absolute().parents) if parent.exists())
    needed, free = n_files * bytes_each, shutil.disk_usage(existing).free
    if needed > free:
        raise OutOfSpace(
            f"The cohort needs {human_size(needed)}, and the disk of {folder.name} has {human_size(free)} left.",
            "Ask for fewer people or frames, or choose another disk; nothing was written.",
        )


def _write_tables(folder: Path, people: list[Person]) -> None:
    rows = [person.row() for person in people]
    with (
        written_whole(folder / "participants.tsv") as temporary,
        temporary.open("w", newline="", encoding="utf-8") as file,
    ):
        writer = csv.DictWriter(file, list(rows[0]), delimiter="\t", lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
    _write_json(folder / "participants.json", DATA_DICTIONARY)


def _write_json(path: Path, content: dict[str, Any]) -> None:
    with written_whole(path) as temporary:
        temporary.write_text(json.dumps(content, indent=2) + "\n", "utf-8")
