"""What follows if regions are set, from a model held warm."""

from __future__ import annotations

from typing import Any

import numpy as np

from brainlm_engine.api.effective import EffectiveInfo
from brainlm_engine.api.errors import BadInput, Cancelled
from brainlm_engine.api.messages import Reply
from brainlm_engine.api.perturb import EffectFile, PerturbInfo, PreviewInfo, Scenario
from brainlm_engine.api.sweep import SweepInfo
from brainlm_engine.progress import SILENT, Progress
from brainlm_engine.server.operations.reconstruct import held_model
from brainlm_engine.server.operations.recordings import held_recording
from brainlm_engine.server.warm import Warm

_HELD, _WHOLE = "dragged", "whole"


def perturb(
    warm: Warm, recording_id: str, model_id: str, scenario: dict[str, Any], *, scaling: str = ""
) -> Reply[PerturbInfo]:
    """Set the targets, without null draws; see :class:`PerturbInfo` for the arrays."""
    warm.perturbed += 1
    return _made(warm, recording_id, model_id, {**scenario, "nulls": 0}, scaling=scaling, progress=SILENT)


def perturb_judged(
    warm: Warm, recording_id: str, model_id: str, scenario: dict[str, Any], *, scaling: str = ""
) -> Reply[PerturbInfo]:
    """Set the targets and random regions too, in a lane of its own; given up when anything else is perturbed."""
    return _made(warm, recording_id, model_id, scenario, scaling=scaling, progress=_Meanwhile(warm))


def _made(
    warm: Warm, recording_id: str, model_id: str, scenario: dict[str, Any], *, scaling: str, progress: Progress
) -> Reply[PerturbInfo]:
    from brainlm_engine.tasks.input_scaling import chosen_scaling
    from brainlm_engine.tasks.perturb import intervene

    recording, model = held_recording(warm, recording_id), held_model(warm, model_id)
    made = intervene(
        model, recording, Scenario.model_validate(scenario), recording_id=recording_id,
        scaling=chosen_scaling(scaling, model), progress=progress,
    )  # fmt: skip
    warm.previews.put(_WHOLE, (made, recording, scaling))
    return Reply(made.info, made.arrays)


class _Meanwhile:
    """Ends work that was overtaken: a person who drags on should not wait for what was dragged before."""

    def __init__(self, warm: Warm) -> None:
        self._warm, self._then = warm, warm.perturbed

    def __call__(self, fraction: float, stage: str = "") -> None:
        """Raise when anything was perturbed since."""
        if self._warm.perturbed != self._then:
            raise Cancelled("Another perturbation was asked for meanwhile.")

    def log(self, line: str) -> None:
        """Nobody reads it."""


def perturb_file(warm: Warm, name: str) -> Reply[EffectFile]:
    """Return what a file called ``name`` holds of the last whole answer."""
    from brainlm_engine.tasks.perturb.files import effect_content

    held = warm.previews.get(_WHOLE)
    if held is None:
        raise BadInput("This perturbation is no longer held.", "Run it again, then export.")
    made, recording, _ = held
    content = effect_content(made.info, made.arrays, recording, name)
    return Reply(EffectFile(name=name), {"content": np.frombuffer(content, np.uint8)})


def sweep_result(warm: Warm, job_id: str) -> Reply[SweepInfo]:
    """Return what a finished ``perturb_sweep`` job found; see :class:`SweepInfo` for the arrays."""
    from brainlm_engine.jobs.interpretation_jobs import SWEEPS
    from brainlm_engine.jobs.kept import kept

    return kept(SWEEPS, job_id, SweepInfo)


def sweep_file(warm: Warm, job_id: str, name: str) -> Reply[EffectFile]:
    """Return what a file called ``name`` holds of a finished ``perturb_sweep`` job."""
    from brainlm_engine.tasks.perturb.sweep_files import sweep_content

    reply = sweep_result(warm, job_id)
    content = sweep_content(reply.message, reply.arrays, name)
    return Reply(EffectFile(name=name), {"content": np.frombuffer(content, np.uint8)})


def effective_result(warm: Warm, job_id: str) -> Reply[EffectiveInfo]:
    """Return what a finished ``perturb_effective`` job found; see :class:`EffectiveInfo` for the arrays."""
    from brainlm_engine.jobs.interpretation_jobs import MAPS
    from brainlm_engine.jobs.kept import kept

    return kept(MAPS, job_id, EffectiveInfo)


def effective_file(warm: Warm, job_id: str, name: str) -> Reply[EffectFile]:
    """Return the maps of a finished ``perturb_effective`` job as a file called ``name``."""
    from brainlm_engine.tasks.perturb.files import maps_content

    if not name.lower().endswith(".safetensors"):
        raise BadInput(f"{name} is no name for maps.", "Let it end with .safetensors.")
    reply = effective_result(warm, job_id)
    content = maps_content(reply.message, reply.arrays)
    return Reply(EffectFile(name=name), {"content": np.frombuffer(content, np.uint8)})


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
        whole = warm.previews.get(_WHOLE)
        if whole is not None and whole[1] is recording and whole[2] == scaling and whole[0].info.model_id == model_id:
            made = whole[0]
            held.learn(made.info.scenario, made.arrays["unperturbed"], made.arrays["perturbed"])
    info, arrays = held.answer(asked)
    return Reply(info, dict(arrays))
