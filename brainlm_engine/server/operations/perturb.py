"""What follows if regions are set, from a model held warm."""

from __future__ import annotations

from typing import Any

from brainlm_engine.api.errors import BadInput
from brainlm_engine.api.messages import Reply
from brainlm_engine.api.perturb import PerturbInfo, PreviewInfo, Scenario
from brainlm_engine.server.operations.reconstruct import held_model
from brainlm_engine.server.operations.recordings import held_recording
from brainlm_engine.server.warm import Warm

_HELD = "dragged"


def perturb(
    warm: Warm, recording_id: str, model_id: str, scenario: dict[str, Any], *, scaling: str = ""
) -> Reply[PerturbInfo]:
    """Set the targets; see :class:`PerturbInfo` for the arrays."""
    from brainlm_engine.tasks.input_scaling import chosen_scaling
    from brainlm_engine.tasks.perturb import intervene

    recording, model = held_recording(warm, recording_id), held_model(warm, model_id)
    made = intervene(
        model, recording, Scenario.model_validate(scenario), recording_id=recording_id,
        scaling=chosen_scaling(scaling, model),
    )  # fmt: skip
    return Reply(made.info, made.arrays)


def perturb_preview(
    warm: Warm, recording_id: str, model_id: str, scenario: dict[str, Any], *, moving: int, scaling: str = ""
) -> Reply[PreviewInfo]:
    """Answer while the target ``moving`` is dragged; see :class:`PreviewInfo` for the arrays."""
    from brainlm_engine.tasks.input_scaling import chosen_scaling
    from brainlm_engine.tasks.perturb import Preview

    recording, model, asked = (
        held_recording(warm, recording_id),
        held_model(warm, model_id),
        Scenario.model_validate(scenario),
    )
    if not 0 <= moving < len(asked.targets):
        raise BadInput(f"There is no target {moving + 1} to move.", f"The scenario has {len(asked.targets)}.")
    held = warm.previews.get(_HELD)
    if held is None or held.recording is not recording or held.model is not model or not held.fits(asked, moving):
        held = warm.previews.put(_HELD, Preview(model, recording, asked, moving, chosen_scaling(scaling, model)))
    info, arrays = held.answer(asked)
    return Reply(info, dict(arrays))
