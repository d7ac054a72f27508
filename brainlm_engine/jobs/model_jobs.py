"""Jobs with models: pretraining one, reconstructing a whole recording."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from brainlm_engine.api.messages import MaskSpec
from brainlm_engine.jobs.context import JobContext
from brainlm_engine.progress import Progress
from brainlm_engine.recording import Recording

if TYPE_CHECKING:
    from brainlm_engine.train import TrainSettings

_NO_SETTINGS = ("cohort", "out", "model_id", "title")


def pretrain(params: dict[str, Any], progress: Progress, job: JobContext) -> dict[str, Any]:
    """Train a model on a cohort; a folder with a checkpoint of the same training is continued.

    Parameters
    ----------
    params
        ``cohort`` (folder), ``out`` (folder) or ``model_id`` (its name among the person's own models), ``title``,
        and any of :class:`brainlm_engine.train.TrainSettings` (``steps`` or ``minutes`` at least). With ``devices``
        above 1 the job starts that many processes on the worker's computer; they end with the worker. ``launch``
        ``slurm`` or ``dask`` with an address in ``cluster`` hands it on; the job follows, and a SLURM job outlives it.
    """
    from brainlm_engine.jobs.trainings import model_folder
    from brainlm_engine.train import pretrain as train

    settings = chosen_settings(params)
    told, title = _Learning(progress), str(params.get("title", ""))
    made = train(Path(params["cohort"]), model_folder(params), settings, told, title=title, joins=False)
    return {
        "out": str(made.folder), "steps": made.steps, "windows": made.windows, "seconds": round(made.seconds, 1),
        "validation_r2": made.validation_r2,
    }  # fmt: skip


def chosen_settings(params: dict[str, Any]) -> TrainSettings:
    """Return the settings among the parameters of a ``pretrain`` job."""
    from brainlm_engine.train import settings_from

    return settings_from({name: value for name, value in params.items() if name not in _NO_SETTINGS})


class _Learning:
    """The bar is about learning: reading the recordings before it is told as a stage and moves nothing."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self.log = progress.log

    def __call__(self, fraction: float, stage: str = "") -> None:
        """Report the stage, and the fraction unless recordings are being read."""
        self._progress(0.0 if stage.startswith("Reading") else fraction, stage)


def reconstruct_recording(params: dict[str, Any], progress: Progress, job: JobContext) -> dict[str, Any]:
    """Predict every frame of a recording once, while it is hidden, and keep the arrays.

    Parameters
    ----------
    params
        ``recording_id``, ``model_id``, ``ratio`` (default 0.75), ``seed`` (default 0), ``combine`` (``first``, the
        default, or ``mean``), ``scaling`` (default: what suits the model, of what is known).

    Returns
    -------
    dict
        ``path`` of the file (see :mod:`brainlm_engine.jobs.reconstructions`), ``scores``, ``verdict``, ``notes``.
    """
    from brainlm_engine.jobs.reconstructions import save_reconstruction
    from brainlm_engine.models import DEFAULT_MODEL, load_model
    from brainlm_engine.server.operations.recordings import recording_path
    from brainlm_engine.tasks import reconstruct_recording as reconstruct
    from brainlm_engine.tasks.input_scaling import chosen_scaling

    progress(0.0, "Loading the model")
    began = time.monotonic()
    recording = Recording.load(recording_path(params["recording_id"]))
    model_id = params.get("model_id") or DEFAULT_MODEL
    mask = MaskSpec(ratio=float(params.get("ratio", 0.75)), seed=int(params.get("seed", 0)))
    model = load_model(model_id)
    scaling = chosen_scaling(str(params.get("scaling", "")), model)
    combine: Literal["first", "mean"] = "mean" if params.get("combine") == "mean" else "first"
    made = reconstruct(model, recording, mask.ratio, mask.seed, progress, combine=combine, scaling=scaling)
    path = save_reconstruction(
        job.job_id, made, recording_id=params["recording_id"], model_id=model_id, mask=mask,
        seconds=time.monotonic() - began,
    )  # fmt: skip
    scores = [score.model_dump(mode="json") for score in made.scores]
    return {"path": str(path), "scores": scores, "verdict": made.verdict, "notes": list(made.notes)}


def scaling_statistics(params: dict[str, Any], progress: Progress, job: JobContext) -> dict[str, Any]:
    """Compute median and interquartile range per parcel over the 'train' recordings of a cohort, or find them kept.

    Parameters
    ----------
    params
        ``cohort``: its folder.

    Returns
    -------
    dict
        ``scaling_id``, to be given with a reconstruction.
    """
    from brainlm_engine.tasks.input_scaling import keep_cohort_statistics

    progress(0.0, "Looking at the cohort")
    return {"scaling_id": keep_cohort_statistics(Path(params["cohort"]), progress)}
