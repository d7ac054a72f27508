"""A model's answer to one window of a recording, from a model held warm."""

from __future__ import annotations

from typing import Any

from brainlm_engine.api.messages import MaskSpec, ReconstructionInfo, Reply
from brainlm_engine.server.operations.recordings import held_recording
from brainlm_engine.server.warm import Warm


def reconstruct(
    warm: Warm, recording_id: str, model_id: str, start: int, *, mask: dict[str, Any], scaling: str = ""
) -> Reply[ReconstructionInfo]:
    """Hide patches of a window and fill them in; see :class:`ReconstructionInfo` for the arrays."""
    from brainlm_engine.tasks import reconstruct as run
    from brainlm_engine.tasks.input_scaling import chosen_scaling

    recording, model = held_recording(warm, recording_id), held_model(warm, model_id)
    chosen = chosen_scaling(scaling, model)
    made = run(model, recording, start, MaskSpec.model_validate(mask), recording_id=recording_id, scaling=chosen)
    return Reply(made.info, made.arrays())


def recording_reconstruction(warm: Warm, job_id: str) -> Reply[ReconstructionInfo]:
    """Return the result of a finished ``reconstruct_recording`` job."""
    from brainlm_engine.jobs.reconstructions import load_reconstruction

    return load_reconstruction(job_id)


def held_model(warm: Warm, model_id: str) -> Any:
    """Return a model held warm, loaded again when its files changed."""
    from brainlm_engine.models import load_model
    from brainlm_engine.models.registry import find_model

    folder = find_model(model_id)
    key = (str(folder), (folder / "config.json").stat().st_mtime_ns)
    return warm.models.get_or_make(key, lambda: load_model(folder))
