"""Jobs with models: pretraining one, reconstructing a whole recording."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from brainlm_engine.files import written_whole
from brainlm_engine.jobs.context import JobContext
from brainlm_engine.paths import data_dir
from brainlm_engine.progress import Progress
from brainlm_engine.recording import Recording


def pretrain(params: dict[str, Any], progress: Progress, job: JobContext) -> dict[str, Any]:
    """Train a model on a cohort; a folder with a checkpoint of the same training is continued.

    Parameters
    ----------
    params
        ``cohort`` and ``out`` (folders), ``title``, and any of
        :class:`brainlm_engine.train.TrainSettings` (``steps`` or ``minutes`` at least).
    """
    from brainlm_engine.train import pretrain as train
    from brainlm_engine.train import settings_from

    chosen = {name: value for name, value in params.items() if name not in ("cohort", "out", "title")}
    settings = settings_from(chosen)
    made = train(Path(params["cohort"]), Path(params["out"]), settings, progress, title=str(params.get("title", "")))
    return {
        "out": str(made.folder), "steps": made.steps, "windows": made.windows, "seconds": round(made.seconds, 1),
        "validation_r2": made.validation_r2,
    }  # fmt: skip


def reconstruct_recording(params: dict[str, Any], progress: Progress, job: JobContext) -> dict[str, Any]:
    """Predict every frame of a recording once, while it is hidden, and keep the arrays.

    Parameters
    ----------
    params
        ``recording_id``, ``model_id``, ``ratio`` (default 0.75), ``seed`` (default 0).

    Returns
    -------
    dict
        ``path`` of a safetensors file with ``measured``, ``predicted`` (parcels, frames), ``r2_parcel``, ``r2_frame``,
        and ``scores``, ``verdict``, ``notes``.
    """
    from safetensors.numpy import save_file

    from brainlm_engine.models import DEFAULT_MODEL, load_model
    from brainlm_engine.server.operations.recordings import recording_path
    from brainlm_engine.tasks import reconstruct_recording as reconstruct

    progress(0.0, "Loading the model")
    recording = Recording.load(recording_path(params["recording_id"]))
    model = load_model(params.get("model_id") or DEFAULT_MODEL)
    made = reconstruct(model, recording, float(params.get("ratio", 0.75)), int(params.get("seed", 0)), progress)
    path = data_dir() / "reconstructions" / f"{job.job_id}.safetensors"
    arrays = {
        "measured": made.measured, "predicted": made.predicted, "r2_parcel": made.r2_parcel, "r2_frame": made.r2_frame,
    }  # fmt: skip
    with written_whole(path) as temporary:
        save_file({name: np.ascontiguousarray(array) for name, array in arrays.items()}, temporary)
    scores = [score.model_dump(mode="json") for score in made.scores]
    return {"path": str(path), "scores": scores, "verdict": made.verdict, "notes": list(made.notes)}
