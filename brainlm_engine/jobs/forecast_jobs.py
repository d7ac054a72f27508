"""Forecasts along a whole recording: a job, and what it leaves in the study."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from brainlm_engine.api.errors import BadInput
from brainlm_engine.api.forecasting import ForecastInfo
from brainlm_engine.api.messages import Reply
from brainlm_engine.files import written_whole
from brainlm_engine.jobs.context import JobContext
from brainlm_engine.paths import data_dir
from brainlm_engine.progress import Progress
from brainlm_engine.recording import Recording

if TYPE_CHECKING:
    from brainlm_engine.tasks.forecast import Forecast

_INFO = "forecast"


def rolling(params: dict[str, Any], progress: Progress, job: JobContext) -> dict[str, Any]:
    """Forecast again and again along a recording and keep how well that went.

    Parameters
    ----------
    params
        ``recording_id``, ``model_id``, ``horizon`` and ``history`` in frames, ``scaling``.
    """
    from brainlm_engine.models import DEFAULT_MODEL, load_model
    from brainlm_engine.server.operations.recordings import recording_path
    from brainlm_engine.tasks import rolling_forecast
    from brainlm_engine.tasks.future import HISTORY, HORIZON
    from brainlm_engine.tasks.input_scaling import chosen_scaling

    progress(0.0, "Loading the model")
    recording = Recording.load(recording_path(params["recording_id"]))
    model = load_model(params.get("model_id") or DEFAULT_MODEL)
    made = rolling_forecast(
        model, recording, horizon=int(params.get("horizon", HORIZON)), history=int(params.get("history", HISTORY)),
        recording_id=params["recording_id"], scaling=chosen_scaling(str(params.get("scaling", "")), model),
        progress=progress,
    )  # fmt: skip
    path = save_rolling(job.job_id, made)
    methods = [score.model_dump(mode="json") for score in made.info.methods]
    return {"path": str(path), "methods": methods, "verdict": made.info.verdict, "notes": list(made.info.notes)}


def save_rolling(job_id: str, made: Forecast) -> Path:
    """Write the arrays and what they are of."""
    from safetensors.numpy import save_file

    path = _path(job_id)
    with written_whole(path) as temporary:
        save_file(
            {name: np.ascontiguousarray(array, np.float32) for name, array in made.arrays.items()}, temporary,
            metadata={_INFO: made.info.model_dump_json()},
        )  # fmt: skip
    return path


def load_rolling(job_id: str) -> Reply[ForecastInfo]:
    """Return what :func:`save_rolling` kept.

    Raises
    ------
    BadInput
        When the job made no forecasts, or its file is gone or damaged.
    """
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(_path(job_id), "numpy") as file:
            arrays = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118  (not a dict)
            info = ForecastInfo.model_validate_json((file.metadata() or {})[_INFO])
    except (OSError, SafetensorError, KeyError, ValueError) as error:
        raise BadInput(
            f"The forecasts of job {job_id} are not there or cannot be read.", "Run it again.", details=str(error)
        ) from None
    return Reply(info, arrays)


def _path(job_id: str) -> Path:
    folder = data_dir() / "forecasts"
    path = folder / f"{job_id}.safetensors"
    if path.parent != folder:
        raise BadInput(f"{job_id} is not the id of a job.", "Choose a job from the list.")
    return path
