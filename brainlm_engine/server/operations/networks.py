"""Functional networks of a recording, from a model held warm."""

from __future__ import annotations

from pathlib import Path

from brainlm_engine.api.messages import Reply
from brainlm_engine.api.networks import NetworksInfo, NetworksWritten
from brainlm_engine.server.operations.reconstruct import held_model
from brainlm_engine.server.operations.recordings import held_recording
from brainlm_engine.server.warm import Warm


def networks(
    warm: Warm, recording_id: str, model_id: str, source: str = "attention", *, count: int = 0, scaling: str = ""
) -> Reply[NetworksInfo]:
    """Find networks; ``count`` of those nobody named, 0 = by silhouette; see :class:`NetworksInfo` for the arrays."""
    from brainlm_engine.tasks.input_scaling import chosen_scaling
    from brainlm_engine.tasks.networks import networks as find

    recording, model = held_recording(warm, recording_id), held_model(warm, model_id)
    made = find(
        model, recording, source=source, count=count or None, recording_id=recording_id,
        scaling=chosen_scaling(scaling, model),
    )  # fmt: skip
    warm.networks.put(recording_id, made)
    return Reply(made.info, made.arrays)


def write_networks(warm: Warm, recording_id: str, path: str, which: str = "labels") -> Reply[NetworksWritten]:
    """Write the networks found last for this recording, by the ending of ``path``."""
    from brainlm_engine.api.errors import BadInput
    from brainlm_engine.tasks.network_files import write_networks as write

    made = warm.networks.get(recording_id)
    if made is None:
        raise BadInput("The networks on show are not known to the engine any more.", "Find them again, then export.")
    write(made, held_recording(warm, recording_id), Path(path), which=which)
    return Reply(NetworksWritten(path=path))
