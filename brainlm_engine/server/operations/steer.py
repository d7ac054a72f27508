"""What it would take, from a model held warm: a search that can be watched, and ended."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from brainlm_engine.api.errors import BadInput, Cancelled
from brainlm_engine.api.messages import Reply
from brainlm_engine.api.perturb import EffectFile
from brainlm_engine.api.steer import SteerInfo, SteerSoFar, SteerSpec
from brainlm_engine.recording import Recording
from brainlm_engine.server.operations.reconstruct import held_model
from brainlm_engine.server.operations.recordings import held_recording, recording_path
from brainlm_engine.server.warm import Warm


class Search:
    """A search that is going on: where it is, and whether it is to end; until it is done, what was found before."""

    def __init__(self, found: tuple[Any, Recording] | None) -> None:
        self.so_far = SteerSoFar(running=True)
        self.magnitude: NDArray[np.float32] = np.zeros(0, np.float32)
        self.enough = self.given_up = False
        self.found = found

    def __call__(self, fraction: float, stage: str = "") -> None:
        """Tell what it is doing; raises when it was given up."""
        if self.given_up:
            raise Cancelled("The search was given up.")
        if self.enough:
            return
        self.so_far = self.so_far.model_copy(update={"stage": stage})

    def log(self, line: str) -> None:
        """Nobody reads it."""

    def watch(self, told: SteerSoFar, magnitude: NDArray[np.float32]) -> bool:
        """Keep what is told; False when a person has seen enough."""
        self.so_far = told.model_copy(update={"curve": told.curve or self.so_far.curve})
        if magnitude.size:
            self.magnitude = magnitude
        return not self.enough


def steer(warm: Warm, recording_id: str, model_id: str, spec: dict[str, Any], *, scaling: str = "") -> Reply[SteerInfo]:
    """Search a change; see :class:`SteerInfo` for the arrays."""
    from brainlm_engine.tasks.input_scaling import chosen_scaling
    from brainlm_engine.tasks.perturb.aims import Reading, goal_of
    from brainlm_engine.tasks.perturb.steer import steer as run

    asked = SteerSpec.model_validate(spec)
    search = warm.search = Search(warm.search.found if warm.search is not None else None)

    def opened(name: str) -> Recording | None:
        try:
            recording_path(name)
        except BadInput:
            return None
        return held_recording(warm, name)

    goal = None
    try:
        recording, model = held_recording(warm, recording_id), held_model(warm, model_id)
        chosen = chosen_scaling(scaling, model)
        source = str(recording.provenance.get("source", ""))
        mine = Path(source) if source else None
        if asked.aim.kind != "activity":
            key = (recording_id, model_id, scaling, asked.state, asked.aim.model_dump_json())
            reading = Reading(asked.state, model, recording, chosen, opened)
            goal = warm.goals.get(key)
            if goal is None:
                goal = warm.goals.put(key, goal_of(asked.aim, reading, leave_out=mine, progress=search))
        made = run(
            model, recording, asked, goal=goal, recording_id=recording_id, scaling=chosen, opened=opened,
            leave_out=mine, progress=search, watch=search.watch,
        )  # fmt: skip
    finally:
        search.so_far = search.so_far.model_copy(update={"running": False})
    search.found = (made, recording)
    return Reply(made.info, made.arrays)


def steer_so_far(warm: Warm) -> Reply[SteerSoFar]:
    """Return where the search is."""
    search: Search | None = warm.search
    if search is None:
        return Reply(SteerSoFar(), {"magnitude": np.zeros(0, np.float32)})
    return Reply(search.so_far, {"magnitude": search.magnitude})


def steer_end(warm: Warm, *, keep: bool) -> Reply[SteerSoFar]:
    """End the search, with the best so far as its answer or without any."""
    search: Search | None = warm.search
    if search is not None:
        search.enough, search.given_up = True, not keep
    return steer_so_far(warm)


def steer_file(warm: Warm, name: str) -> Reply[EffectFile]:
    """Return what a file called ``name`` holds of the last change that was found."""
    from brainlm_engine.tasks.perturb.steer_files import change_content

    search: Search | None = warm.search
    if search is None or search.found is None:
        raise BadInput("This change is no longer held.", "Search it again, then export.")
    made, recording = search.found
    content = change_content(made.info, made.arrays, recording, name)
    return Reply(EffectFile(name=name), {"content": np.frombuffer(content, np.uint8)})
