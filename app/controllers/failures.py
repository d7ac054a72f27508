"""Failures of the engine as messages. That it is gone is told once, with the button that brings it back."""

from __future__ import annotations

from dataclasses import replace

from app.state import AppState
from app.state.notices import Notice
from app.text import tr
from brainlm_engine.api.errors import EngineError, EngineLost

LOST = "engine:lost"


def tell_error(state: AppState, error: EngineError, key: str = "", buttons: tuple[tuple[str, str], ...] = ()) -> None:
    """Tell of a failed request. What failed only because the engine is gone is no message of its own."""
    if isinstance(error, EngineLost):
        if not any(notice.key == LOST for notice in state.notices.waiting):
            restart = (("restart", tr("notice.restart")),)
            state.notices.tell(Notice(LOST, "danger", error.message, tr("lost.next"), error.details, restart))
        state.work.note(str(error))
        return
    notice = replace(Notice.of_error(error, key), buttons=buttons)
    state.notices.tell(notice)
    state.work.note(f"{notice.text} {notice.next_step}".strip())
