"""When a command can be used, and the sentence that says why not."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from app.actions.refusal import refusal
from app.text import tr

if TYPE_CHECKING:
    from app.state import AppState
    from brainlm_engine.api.training import TrainingInfo

_HOLDS: dict[str, Callable[[AppState], bool]] = {
    "engine": lambda s: s.engine.status == "ready",
    "lost_engine": lambda s: s.engine.status in ("lost", "failed"),
    "scan": lambda s: s.case.scan is not None,
    "volume": lambda s: s.case.scan is not None and s.case.scan.is_volume,
    "questions": lambda s: s.case.scan is not None and bool(s.case.scan.info.questions),
    "unprepared": lambda s: s.case.scan is not None and s.case.recording is None and s.case.phase == "failed",
    "comparison": lambda s: s.compare.wished,
    "recording": lambda s: s.case.recording is not None,
    "model": lambda s: s.model.model is not None,
    "idle": lambda s: not s.model.running,
    "result": lambda s: s.model.result is not None,
    "mask": lambda s: s.model.mask.kind == "painted" or (s.model.result is not None and not s.model.result.info.whole),
    "painted": lambda s: s.model.mask.kind == "painted" and bool(s.model.mask.patches),
    "forecast": lambda s: s.forecast.result is not None and not s.forecast.outdated,
    "forecast_idle": lambda s: not s.forecast.running,
    "report": lambda s: s.report.card is not None,
    "not_reporting": lambda s: not s.report.evaluating,
    "states": lambda s: s.states.result is not None and not s.states.outdated,
    "states_idle": lambda s: not s.states.running,
    "networks": lambda s: s.networks.result is not None and not s.networks.outdated,
    "networks_idle": lambda s: not s.networks.running,
    "targets": lambda s: bool(s.perturb.targets),
    "target": lambda s: s.perturb.target is not None,
    "perturbed": lambda s: s.perturb.result is not None and not s.perturb.outdated,
    "perturb_idle": lambda s: not s.perturb.running,
    "steer_ready": lambda s: s.steer.ready and (s.steer.aim != "activity" or bool(s.perturb.targets)),
    "steer_idle": lambda s: not s.steer.running,
    "steer_running": lambda s: s.steer.running,
    "steered": lambda s: s.steer.result is not None,
    "reportable": lambda s: _reportable(s),  # noqa: PLW0108  (it is defined below)
    "kept": lambda s: bool(s.perturb.kept),
    "room": lambda s: s.perturb.room,
    "sweepable": lambda s: s.sweepable,
    "sweep_idle": lambda s: not s.sweep.job_id,
    "swept": lambda s: s.sweep.result is not None,
    "effective_idle": lambda s: not s.effective.job_id,
    "effective": lambda s: s.effective.result is not None,
    "attention": lambda s: s.attention.result is not None and not s.attention.outdated,
    "attention_idle": lambda s: not s.attention.running,
    "occlusion_idle": lambda s: not s.attention.occluding,
    "contrast_form": lambda s: bool(s.contrast.column and s.contrast.first and s.contrast.second),
    "contrast_idle": lambda s: not s.contrast.job_id,
    "contrast": lambda s: s.contrast.result is not None,
    "undo_asks": lambda s: not s.edits.undo_asks or s.engine.status == "ready",
    "redo_asks": lambda s: not s.edits.redo_asks or s.engine.status == "ready",
    "job": lambda s: s.work.job is not None,
    "job_open": lambda s: s.work.job is not None and not s.work.job.state.ended,
    "job_ended": lambda s: s.work.job is not None and s.work.job.state.ended,
    "log": lambda s: bool(s.work.log),
    "messages": lambda s: len(s.notices.waiting) > 1,
    "undo": lambda s: bool(s.edits.undo_label),
    "redo": lambda s: bool(s.edits.redo_label),
    "selection": lambda s: bool(s.view.selected),
    "session": lambda s: bool(s.shell.last_session),
    "recent": lambda s: bool(s.shell.recent),
    "brain3d": lambda s: s.shell.brain3d,
    "cohort": lambda s: s.train.chosen is not None,
    "training_fits": lambda s: not refusal(s.train),
    "no_training": lambda s: not s.train.active,
    "no_cohort_job": lambda s: not s.train.making,
    "training_shown": lambda s: s.train.on_show is not None,
    "training_running": lambda s: s.train.on_show is not None and not s.train.on_show.state.ended,
    "training_resumable": lambda s: s.train.on_show is not None and s.train.on_show.resumable,
    "training_spoiled": lambda s: s.train.on_show is not None and s.train.on_show.spoiled and s.train.on_show.resumable,
    "training_stoppable": lambda s: s.train.on_show is not None and _stoppable(s.train.on_show),
    "training_usable": lambda s: s.train.on_show is not None and s.train.on_show.usable,
    "training_calm": lambda s: not s.train.busy,
    "not_evaluating": lambda s: not s.train.evaluating,
}


def _reportable(state: AppState) -> bool:
    """True when the question on show has an answer that can be reported."""
    if state.steer.question == "take":
        return state.steer.result is not None
    if state.steer.question == "compare":
        return bool(state.perturb.kept)
    return state.perturb.result is not None and not state.perturb.outdated


def _stoppable(training: TrainingInfo) -> bool:
    """True when a model can be made of what was learned so far."""
    return training.step > 0 and (training.resumable or not training.state.ended)


def reason(needs: tuple[str, ...], state: AppState | None) -> str:
    """Return '' when every condition holds, else the sentence about the first that does not.

    ``state`` is None in the first instants of the program, before there is one.
    """
    for name in needs:
        if state is None or not _HOLDS[name](state):
            if name == "training_fits" and state is not None:
                return refusal(state.train)
            failed = name == "recording" and state is not None and state.case.phase == "failed"
            return tr("reason.recording_failed" if failed else f"reason.{name}")
    return ""
