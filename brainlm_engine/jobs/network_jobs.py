"""Networks that take long to find, as a job, and what it leaves in the study."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from brainlm_engine.api.errors import BadInput
from brainlm_engine.api.networks import NetworksInfo
from brainlm_engine.files import written_whole
from brainlm_engine.jobs.context import JobContext
from brainlm_engine.paths import data_dir
from brainlm_engine.progress import Progress
from brainlm_engine.recording import Recording

if TYPE_CHECKING:
    from brainlm_engine.tasks.networks import Networks

#: recording, model, source, number of networks (0 = by silhouette), scaling
Asked = tuple[str, str, str, int, str]


def networks(params: dict[str, Any], progress: Progress, job: JobContext) -> dict[str, Any]:
    """Find the networks of a recording and keep them.

    Parameters
    ----------
    params
        ``recording_id``, ``model_id``, ``source``, ``count`` (0 = by silhouette), ``scaling``.
    """
    from brainlm_engine.models import DEFAULT_MODEL, load_model
    from brainlm_engine.server.operations.recordings import recording_path
    from brainlm_engine.tasks.input_scaling import chosen_scaling
    from brainlm_engine.tasks.networks import networks as run

    progress(0.0, "Loading the model")
    recording = Recording.load(recording_path(params["recording_id"]))
    model_id, scaling = params.get("model_id") or DEFAULT_MODEL, str(params.get("scaling", ""))
    source, count = str(params.get("source", "responses")), int(params.get("count", 0))
    model = load_model(model_id)
    made = run(
        model, recording, source=source, count=count or None, recording_id=params["recording_id"],
        scaling=chosen_scaling(scaling, model), progress=progress,
    )  # fmt: skip
    path = save_networks(job.job_id, made, (params["recording_id"], model_id, source, count, scaling), recording)
    return _told(path, made)


def group_networks(params: dict[str, Any], progress: Progress, job: JobContext) -> dict[str, Any]:
    """Find the networks of a group and keep them.

    Parameters
    ----------
    params
        ``cohort`` (folder or ABIDE file), ``people``, ``model_id``, ``source``, ``count`` (0 = by silhouette),
        ``scaling``.
    """
    from brainlm_engine.models import DEFAULT_MODEL, load_model
    from brainlm_engine.tasks.group_networks import PEOPLE
    from brainlm_engine.tasks.group_networks import group_networks as run
    from brainlm_engine.tasks.input_scaling import chosen_scaling

    progress(0.0, "Loading the model")
    model_id, scaling = params.get("model_id") or DEFAULT_MODEL, str(params.get("scaling", ""))
    source, count = str(params.get("source", "attention")), int(params.get("count", 0))
    model = load_model(model_id)
    made, first = run(
        model, Path(params["cohort"]), people=int(params.get("people", PEOPLE)), source=source, count=count or None,
        scaling=chosen_scaling(scaling, model), progress=progress,
    )  # fmt: skip
    asked = (f"group {job.job_id}", model_id, source, count, scaling)
    return _told(save_networks(job.job_id, made, asked, first), made)


def _told(path: Path, made: Networks) -> dict[str, Any]:
    scores = [score.model_dump(mode="json") for score in made.info.scores]
    return {"path": str(path), "scores": scores, "verdict": made.info.verdict, "notes": list(made.info.notes)}


def save_networks(job_id: str, made: Networks, asked: Asked, recording: Recording) -> Path:
    """Write the arrays, what they are of, what was asked, and a recording whose parcels they are of."""
    from safetensors.numpy import save_file

    path = _path(job_id)
    recording.save(path.with_suffix(".recording"))
    with written_whole(path) as temporary:
        save_file(
            {name: np.ascontiguousarray(array) for name, array in made.arrays.items()}, temporary,
            metadata={"networks": made.info.model_dump_json(), "asked": json.dumps(asked)},
        )  # fmt: skip
    return path


def load_networks(job_id: str) -> tuple[Networks, Asked, Recording]:
    """Return what :func:`save_networks` kept.

    Raises
    ------
    BadInput
        When the job found no networks, or its file is gone or damaged.
    """
    from safetensors import SafetensorError, safe_open

    from brainlm_engine.tasks.networks import Networks

    try:
        with safe_open(_path(job_id), "numpy") as file:
            arrays = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118  (not a dict)
            told = file.metadata() or {}
            recording_id, model_id, source, count, scaling = json.loads(told["asked"])
            info = NetworksInfo.model_validate_json(told["networks"])
        recording = Recording.load(_path(job_id).with_suffix(".recording"))
    except (OSError, SafetensorError, KeyError, ValueError) as error:
        raise BadInput(
            f"The networks of job {job_id} are not there or cannot be read.", "Run it again.", details=str(error)
        ) from None
    return Networks(info, arrays), (recording_id, model_id, source, count, scaling), recording


def _path(job_id: str) -> Path:
    folder = data_dir() / "networks"
    path = folder / f"{job_id}.safetensors"
    if path.parent != folder:
        raise BadInput(f"{job_id} is not the id of a job.", "Choose a job from the list.")
    return path
