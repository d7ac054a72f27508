"""Repairs of recordings as jobs: look for what is bad and try the methods, or write the new recording as well."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from brainlm_engine.api.repair import RepairSpec
from brainlm_engine.jobs.context import JobContext
from brainlm_engine.progress import Progress
from brainlm_engine.recording import Recording


def repair(params: dict[str, Any], progress: Progress, job: JobContext) -> dict[str, Any]:
    """Fill in what is bad in a recording.

    Parameters
    ----------
    params
        ``recording_id``, ``model_id``, ``spec`` (a :class:`RepairSpec`), ``scaling``, ``motion_path`` (a table of head
        motion, '' = none), and ``out``, the new recording; without it nothing is written.

    Returns
    -------
    dict
        ``info``: a :class:`brainlm_engine.api.repair.RepairInfo`.
    """
    from brainlm_engine.models import DEFAULT_MODEL, load_model
    from brainlm_engine.preprocess.motion import read_motion
    from brainlm_engine.server.operations.recordings import recording_path
    from brainlm_engine.tasks.input_scaling import chosen_scaling
    from brainlm_engine.tasks.repair import check_repaired, write_repaired
    from brainlm_engine.tasks.repair import repair as run

    progress(0.0, "Loading the model")
    recording = Recording.load(recording_path(params["recording_id"]))
    out, motion = str(params.get("out") or ""), str(params.get("motion_path") or "")
    if out:
        source = str(recording.provenance.get("source", ""))
        check_repaired(Path(out), (Path(source),) if source else ())
    model = load_model(params.get("model_id") or DEFAULT_MODEL)
    made = run(
        model, recording, RepairSpec.model_validate(params.get("spec") or {}),
        fd_mm=read_motion(Path(motion), recording.n_frames, recording.name).fd_mm if motion else None,
        scaling=chosen_scaling(str(params.get("scaling", "")), model), recording_id=params["recording_id"],
        progress=progress,
    )  # fmt: skip
    info = write_repaired(made, Path(out)) if out else made.info
    return {"info": info.model_dump(mode="json")}
