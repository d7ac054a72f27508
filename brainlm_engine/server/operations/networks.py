"""Functional networks of a recording, from a model held warm; what was made once is held for the next question."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, TypeVar

import numpy as np

from brainlm_engine.api.errors import BadInput
from brainlm_engine.api.messages import Reply
from brainlm_engine.api.networks import NetworksFile, NetworksInfo
from brainlm_engine.server.operations.reconstruct import held_model
from brainlm_engine.server.operations.recordings import held_recording
from brainlm_engine.server.warm import Warm

if TYPE_CHECKING:
    from brainlm_engine.recording import Recording
    from brainlm_engine.tasks.networks import Networks

T = TypeVar("T")


def networks(
    warm: Warm, recording_id: str, model_id: str, source: str, *, count: int = 0, scaling: str = "",
    controls: bool = False,
) -> Reply[NetworksInfo]:  # fmt: skip
    """Find networks; see :class:`NetworksInfo` for the arrays. ``count`` 0 = by silhouette."""
    from brainlm_engine.tasks.input_scaling import chosen_scaling
    from brainlm_engine.tasks.networks import networks as run

    recording, model = held_recording(warm, recording_id), held_model(warm, model_id)
    held = (id(recording), id(model), scaling)

    def keep(name: str, make: Callable[[], T]) -> T:
        return warm.maps.get_or_make((*held, name), lambda: (recording, model, make()))[2]  # type: ignore[no-any-return]

    made = run(
        model, recording, source=source, count=count or None, recording_id=recording_id,
        scaling=chosen_scaling(scaling, model), controls=controls, keep=keep,
    )  # fmt: skip
    warm.networks.put((recording_id, model_id, source, count, scaling), (made, recording))
    return Reply(made.info, made.arrays)


def network_controls(
    warm: Warm, recording_id: str, model_id: str, source: str, *, count: int = 0, scaling: str = ""
) -> Reply[NetworksInfo]:
    """Find networks and ask the controls too. In a lane of its own, so that the next source need not wait for it."""
    return networks(warm, recording_id, model_id, source, count=count, scaling=scaling, controls=True)


def networks_of_job(warm: Warm, job_id: str) -> Reply[NetworksInfo]:
    """Return the result of a finished ``networks`` job."""
    from brainlm_engine.jobs.network_jobs import load_networks

    made, asked, recording = load_networks(job_id)
    warm.networks.put(asked, (made, recording))
    return Reply(made.info, made.arrays)


def networks_file(
    warm: Warm, recording_id: str, model_id: str, source: str, *, count: int, scaling: str, name: str, which: str
) -> Reply[NetworksFile]:
    """Return what a file called ``name`` holds of networks that were found."""
    from brainlm_engine.tasks.network_files import networks_content

    held: tuple[Networks, Recording] | None = warm.networks.get((recording_id, model_id, source, count, scaling))
    if held is None:
        raise BadInput("These networks are no longer held.", "Find them again, then export.")
    content = networks_content(*held, name, which=which)
    return Reply(NetworksFile(name=name, which=which), {"content": np.frombuffer(content, np.uint8)})
