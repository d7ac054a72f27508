"""What takes minutes of looking into a model: occlusion of every parcel, contrasts over a cohort."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from brainlm_engine.jobs.context import JobContext
from brainlm_engine.jobs.kept import keep
from brainlm_engine.progress import Progress
from brainlm_engine.recording import Recording

if TYPE_CHECKING:
    from brainlm_engine.models.base import MaskedModel

OCCLUSIONS, CONTRASTS, SWEEPS, MAPS = "occlusions", "contrasts", "sweeps", "effective_maps"


@dataclass(frozen=True)
class _Asked:
    """A model and a recording that a person has open; ``options`` go to what is run with them."""

    model: MaskedModel
    recording: Recording
    options: dict[str, Any]


def _asked(params: dict[str, Any], progress: Progress) -> _Asked:
    """Load what ``recording_id``, ``model_id`` and ``scaling`` name."""
    from brainlm_engine.models import DEFAULT_MODEL, load_model
    from brainlm_engine.server.operations.recordings import recording_path
    from brainlm_engine.tasks.input_scaling import chosen_scaling

    progress(0.0, "Loading the model")
    recording_id = str(params["recording_id"])
    recording = Recording.load(recording_path(recording_id))
    model = load_model(params.get("model_id") or DEFAULT_MODEL)
    scaling = chosen_scaling(str(params.get("scaling", "")), model)
    return _Asked(model, recording, {"recording_id": recording_id, "scaling": scaling})


def occlude(params: dict[str, Any], progress: Progress, job: JobContext) -> dict[str, Any]:
    """Hide every parcel of a recording, one after the other.

    Parameters
    ----------
    params
        ``recording_id``, ``model_id``, and optionally ``windows`` and ``scaling``.
    """
    from brainlm_engine.tasks.occlusion import occlude as run

    asked = _asked(params, progress)
    made = run(
        asked.model, asked.recording, windows=int(params.get("windows", 1)), **asked.options, progress=progress,
    )  # fmt: skip
    path = keep(OCCLUSIONS, job.job_id, made.info, made.arrays)
    return {"path": str(path), "runs": made.info.runs, "notes": list(made.info.notes)}


def perturb_sweep(params: dict[str, Any], progress: Progress, job: JobContext) -> dict[str, Any]:
    """Ask one scenario over a grid.

    Parameters
    ----------
    params
        ``recording_id``, ``model_id``, ``spec`` (:class:`brainlm_engine.api.sweep.SweepSpec`), optionally ``scaling``.
    """
    from brainlm_engine.api.sweep import SweepSpec
    from brainlm_engine.tasks.perturb.sweep import sweep

    asked = _asked(params, progress)
    made = sweep(
        asked.model, asked.recording, SweepSpec.model_validate(params["spec"]), **asked.options, progress=progress,
    )  # fmt: skip
    path = keep(SWEEPS, job.job_id, made.info, made.arrays)
    return {"path": str(path), "verdict": made.info.verdict, "notes": list(made.info.notes)}


def perturb_effective(params: dict[str, Any], progress: Progress, job: JobContext) -> dict[str, Any]:
    """Move every region of a recording in turn.

    Parameters
    ----------
    params
        ``recording_id``, ``model_id``, and optionally ``control`` (also with noise for history) and ``scaling``.
    """
    from brainlm_engine.tasks.perturb import effective_connectivity

    asked = _asked(params, progress)
    made = effective_connectivity(
        asked.model, asked.recording, control=bool(params.get("control", True)), **asked.options, progress=progress,
    )  # fmt: skip
    path = keep(MAPS, job.job_id, made.info, made.arrays)
    return {"path": str(path), "with_connectivity": made.info.with_connectivity, "notes": list(made.info.notes)}


def contrast(params: dict[str, Any], progress: Progress, job: JobContext) -> dict[str, Any]:
    """Contrast two groups or two conditions of a cohort.

    Parameters
    ----------
    params
        ``model``, ``cohort`` (a folder), ``column``, ``first``, ``second``, and optionally ``what``, ``layer``,
        ``covariates`` (a list of columns), ``task``, ``split``, ``people``, ``windows``, ``permutations``, ``seed``.
    """
    from brainlm_engine.models import load_model
    from brainlm_engine.tasks.contrast import contrast as run
    from brainlm_engine.tasks.contrast_people import Asked

    progress(0.0, "Loading the model")
    asked = Asked(
        str(params["column"]), str(params["first"]), str(params["second"]), tuple(params.get("covariates", ())),
        str(params.get("task", "")), str(params.get("split", "")),
    )  # fmt: skip
    names = ("what", "layer", "windows", "people", "permutations", "seed")
    options = {name: params[name] for name in names if params.get(name) is not None}
    made = run(load_model(params["model"]), Path(params["cohort"]), asked, progress=progress, **options)
    path = keep(CONTRASTS, job.job_id, made.info, made.arrays)
    return {"path": str(path), "verdict": made.info.verdict, "notes": list(made.info.notes)}
