"""States along a recording, from a model held warm."""

from __future__ import annotations

from brainlm_engine.api.messages import Reply
from brainlm_engine.api.states import StatesInfo
from brainlm_engine.server.operations.reconstruct import held_model
from brainlm_engine.server.operations.recordings import held_recording
from brainlm_engine.server.warm import Warm


def states(warm: Warm, recording_id: str, model_id: str, k: int = 0, scaling: str = "") -> Reply[StatesInfo]:
    """Look for ``k`` states, 0 = as many as the silhouette says; see :class:`StatesInfo` for the arrays."""
    from brainlm_engine.tasks.input_scaling import chosen_scaling
    from brainlm_engine.tasks.states import brain_states

    recording, model = held_recording(warm, recording_id), held_model(warm, model_id)
    chosen = chosen_scaling(scaling, model)
    made = brain_states(model, recording, k or None, recording_id=recording_id, scaling=chosen)
    return Reply(made.info, made.arrays)
