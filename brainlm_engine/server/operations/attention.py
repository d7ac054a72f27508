"""Attention between the parcels of a recording, from a model held warm."""

from __future__ import annotations

from brainlm_engine.api.attention import AttentionInfo
from brainlm_engine.api.messages import Reply
from brainlm_engine.server.operations.reconstruct import held_model
from brainlm_engine.server.operations.recordings import held_recording
from brainlm_engine.server.warm import Warm


def attention(warm: Warm, recording_id: str, model_id: str, scaling: str = "") -> Reply[AttentionInfo]:
    """Read all maps of a recording; see :class:`AttentionInfo` for the arrays."""
    from brainlm_engine.tasks.input_scaling import chosen_scaling
    from brainlm_engine.tasks.parcel_maps import parcel_maps

    recording, model = held_recording(warm, recording_id), held_model(warm, model_id)
    made = parcel_maps(model, recording, recording_id=recording_id, scaling=chosen_scaling(scaling, model))
    return Reply(made.info, made.arrays)
