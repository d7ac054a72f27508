"""Looking into a model: hiding one parcel, what can be contrasted in a cohort, and what jobs of both left."""

from __future__ import annotations

from pathlib import Path

from brainlm_engine.api.contrast import ContrastChoices, ContrastInfo
from brainlm_engine.api.messages import Reply
from brainlm_engine.api.occlusion import OcclusionInfo
from brainlm_engine.server.operations.reconstruct import held_model
from brainlm_engine.server.operations.recordings import held_recording
from brainlm_engine.server.warm import Warm


def occlusion(warm: Warm, recording_id: str, model_id: str, parcel: int, scaling: str = "") -> Reply[OcclusionInfo]:
    """Hide one parcel in one window; see :class:`OcclusionInfo` for the arrays."""
    from brainlm_engine.tasks.input_scaling import chosen_scaling
    from brainlm_engine.tasks.occlusion import occlude

    recording, model = held_recording(warm, recording_id), held_model(warm, model_id)
    made = occlude(model, recording, [parcel], recording_id=recording_id, scaling=chosen_scaling(scaling, model))
    return Reply(made.info, made.arrays)


def occlusion_all(warm: Warm, job_id: str) -> Reply[OcclusionInfo]:
    """Return the result of a finished ``occlude`` job."""
    from brainlm_engine.jobs.interpretation_jobs import OCCLUSIONS
    from brainlm_engine.jobs.kept import kept

    return kept(OCCLUSIONS, job_id, OcclusionInfo)


def contrast_choices(warm: Warm, path: str) -> ContrastChoices:
    """Say what can be contrasted in a cohort folder; what is no cohort carries ``problem``."""
    from brainlm_engine.tasks.contrast_people import contrast_choices as look

    return look(Path(path))


def contrast_result(warm: Warm, job_id: str) -> Reply[ContrastInfo]:
    """Return the result of a finished ``contrast`` job."""
    from brainlm_engine.jobs.interpretation_jobs import CONTRASTS
    from brainlm_engine.jobs.kept import kept

    return kept(CONTRASTS, job_id, ContrastInfo)
