"""State without Qt: undo, session, notices, stamps."""

from __future__ import annotations

import subprocess
import sys

import pytest

from app.state import AppState
from app.state.notices import Notice
from app.state.session import Session, restore_settings, snapshot
from app.state.stamps import Stamp
from brainlm_engine.api.errors import BadInput, EngineLost
from brainlm_engine.api.messages import MaskSpec, Question


def test_undo_takes_back_and_redo_takes_again() -> None:
    state = AppState()
    state.edits.set("Change Overlay", state.view, overlay="tsnr", low=0.0)
    state.edits.set("Change Mask", state.model, mask=MaskSpec(ratio=0.5))
    state.edits.undo()
    assert state.model.mask.ratio == 0.75
    state.edits.undo()
    assert (state.view.overlay, state.view.low) == ("activity", -2.5)
    assert state.edits.redo_label == "Change Overlay"
    state.edits.redo()
    assert state.view.overlay == "tsnr"
    state.edits.set("Change Display", state.view, surface="pial")
    assert state.edits.redo_label == ""


def test_a_dragged_slider_is_one_step() -> None:
    state = AppState()
    for value in (0.1, 0.2, 0.3):
        state.edits.set("Change Overlay", state.view, opacity=value)
    state.edits.undo()
    assert state.view.opacity == 0.7
    assert state.edits.undo_label == ""


def test_nothing_changed_is_no_step() -> None:
    state = AppState()
    state.edits.set("Change Overlay", state.view, opacity=0.7)
    assert state.edits.undo_label == ""


def test_unsaved_follows_the_last_step() -> None:
    state = AppState()
    state.edits.set("Change Display", state.view, surface="pial")
    assert state.edits.unsaved
    state.edits.mark_saved()
    assert not state.edits.unsaved
    state.edits.undo()
    assert state.edits.unsaved


def test_a_session_comes_back() -> None:
    state = AppState()
    state.view.put(crosshair_mm=(1.0, 2.0, 3.0), frame=7, overlay="coverage", selected=(3, 4))
    state.model.put(mask=MaskSpec(kind="span", span=(1, 4)), start=20, model_id="studio-tiny")
    text = snapshot(state, saved=1.0, pid=1, closed=False).model_dump_json()
    other = AppState()
    restore_settings(Session.model_validate_json(text), other)
    assert other.view.crosshair_mm == (1.0, 2.0, 3.0)
    assert (other.view.frame, other.view.overlay, other.view.selected) == (7, "coverage", (3, 4))
    assert (other.model.mask.span, other.model.start) == ((1, 4), 20)


def test_a_session_from_the_future_keeps_what_is_known() -> None:
    session = Session.model_validate({"path": "a.nii", "invented": 3, "view": {"frame": 2, "unknown": 1}})
    state = AppState()
    restore_settings(session, state)
    assert state.view.frame == 2


def test_errors_come_before_questions_before_news() -> None:
    notices = AppState().notices
    notices.tell(Notice("a", "info", "News."))
    notices.tell(Notice("q1", "question", "First?", question=Question(question_id="q1", text="First?", required=True)))
    notices.tell(
        Notice("q2", "question", "Second?", question=Question(question_id="q2", text="Second?", required=True))
    )
    notices.tell(Notice.of_error(EngineLost("Gone."), "lost"))
    notices.tell(Notice.of_error(BadInput("Bad."), "bad"))
    assert [n.key for n in notices.waiting] == ["lost", "q1", "q2", "bad", "a"]
    notices.tell(Notice("a", "info", "Newer."))
    assert [n.text for n in notices.waiting if n.key == "a"] == ["Newer."]
    notices.drop("q1")
    assert "q1" not in [n.key for n in notices.waiting]


def test_a_prefix_drops_a_family() -> None:
    notices = AppState().notices
    for key in ("scan:a", "scan:b", "engine:lost"):
        notices.tell(Notice(key, "info", key))
    notices.drop("scan:")
    assert [n.key for n in notices.waiting] == ["engine:lost"]


def test_stamps() -> None:
    first, second = Stamp.of(1), Stamp.of(1)
    assert first.request < second.request
    assert first.fits(1)
    assert not first.fits(2)


def test_unknown_fields_are_refused() -> None:
    with pytest.raises(ValueError, match="extra"):
        AppState(invented=1)


def test_state_needs_no_qt() -> None:
    code = "import app.state.app_state, app.state.session, sys; print([m for m in sys.modules if 'PySide' in m])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
