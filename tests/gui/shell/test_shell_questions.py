"""Questions of a file: a wrong answer is told and asked again, a scan elsewhere waits, a lost engine is told once."""

from __future__ import annotations

import os
import signal
from collections.abc import Awaitable, Callable
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
from PySide6.QtWidgets import QApplication, QComboBox, QPushButton

from app.controllers.studio import Studio
from app.state.notices import Notice
from app.views.main_window import MainWindow
from brainlm_engine.api.messages import Choice, JobState, Question
from brainlm_engine.recording import Recording

Live = Callable[..., None]
Until = Callable[..., Awaitable[None]]


def asked(studio: Studio, question_id: str) -> list[Notice]:
    """The messages that ask this question."""
    waiting = studio.state.notices.waiting
    return [n for n in waiting if n.question is not None and n.question.question_id == question_id]


def test_a_wrong_answer_is_told_and_asked_again(window: MainWindow, live: Live, tmp_path: Path) -> None:
    rng = np.random.default_rng(1)
    table = tmp_path / "forty regions.tsv"
    np.savetxt(table, rng.standard_normal((90, 40)).cumsum(0), delimiter="\t", fmt="%.4f")
    wrong, right = tmp_path / "wrong.csv", tmp_path / "right.csv"
    places = rng.uniform(-60, 60, (40, 3))
    np.savetxt(wrong, places[:7], delimiter=",", header="x,y,z", comments="", fmt="%.2f")
    np.savetxt(right, places, delimiter=",", header="x,y,z", comments="", fmt="%.2f")

    async def story(studio: Studio) -> None:
        case = studio.state.case
        assert await studio.open_path(table)
        await studio.opening.answer("tr", "banana")
        (told,) = asked(studio, "tr")
        assert told.tone == "warning"
        assert "banana" in told.text
        assert case.phase == "asking"
        assert studio.viewing is not None
        assert "Answer" in studio.viewing._page.trace_box._waiting.text()
        await studio.opening.answer("tr", "2.0")
        assert not asked(studio, "tr")
        await studio.opening.answer("positions", str(wrong))
        assert not await studio.prepared()
        (told,) = asked(studio, "positions")
        assert told.tone == "warning"
        assert case.phase == "asking"
        assert case.scan is not None
        assert case.scan.answers["tr"] == "2.0"
        await studio.opening.answer("positions", str(right))
        assert await studio.prepared(), studio.state.notices.waiting
        assert case.tr_s == 2.0
        assert not [n for n in studio.state.notices.waiting if n.key.startswith("scan:")]
        assert np.isnan(case.recording.dvars[0]) if case.recording is not None else False
        studio.commands.ask_questions()
        assert asked(studio, "positions")

    live(story, window)


def test_a_scan_without_position_waits_for_its_answer(window: MainWindow, live: Live, tmp_path: Path) -> None:
    path = tmp_path / "nowhere.nii"
    image = nib.Nifti1Image(np.random.default_rng(0).uniform(0, 9, (20, 24, 20, 30)).astype(np.float32), None)
    image.header.set_zooms((4, 4, 4, 2.0))
    image.header.set_xyzt_units("mm", "sec")
    image.header["sform_code"] = image.header["qform_code"] = 0
    nib.save(image, path)

    async def story(studio: Studio) -> None:
        chosen: list[object] = []
        assert await studio.open_path(path)
        (told,) = asked(studio, "space")
        assert told.question is not None
        if not told.question.required:
            return
        assert studio.state.case.phase == "asking"
        assert not studio.state.work.jobs
        studio.boxes.choose_atlas = chosen.append  # type: ignore[assignment,method-assign]
        studio._answered(told.key, "atlas")
        assert chosen == [studio.opening.choose_atlas_for_space]
        assert asked(studio, "space")
        studio.opening.choose_atlas_for_space("mni424")
        assert not asked(studio, "space")
        assert studio.state.case.phase == "preparing"

    live(story, window)


def test_a_recording_of_our_own_is_asked_nothing(window: MainWindow, live: Live, tmp_path: Path) -> None:
    rng = np.random.default_rng(3)
    written = Recording(
        series=rng.standard_normal((40, 90)).cumsum(1).astype(np.float32), tr_s=1.0, missing=np.zeros(40, bool),
        xyz=rng.uniform(-60, 60, (40, 3)).astype(np.float32), coverage=np.ones(40, np.float32), unit="SD",
    )  # fmt: skip
    written.save(tmp_path / "own.safetensors")

    async def story(studio: Studio) -> None:
        assert await studio.open_path(tmp_path / "own.safetensors")
        assert await studio.prepared(), studio.state.notices.waiting
        assert not [n for n in studio.state.notices.waiting if n.question is not None]
        recording = studio.state.case.recording
        assert recording is not None
        assert (recording.info.unit, recording.info.tr_s, recording.info.atlas_id) == ("SD", 1.0, "")
        np.testing.assert_array_equal(recording.xyz, written.xyz)

    live(story, window)


def test_a_lost_engine_is_told_once(window: MainWindow, live: Live, until: Until) -> None:
    async def story(studio: Studio) -> None:
        state = studio.state
        opening = studio.start(studio.open_demo(400), "demo")
        await until(lambda: any(job.state is JobState.RUNNING for job in state.work.jobs))
        assert state.engine.info is not None
        os.kill(state.engine.info.pid, signal.SIGKILL)
        await until(lambda: state.engine.status == "lost")
        await until(opening.done)
        assert [n.key for n in state.notices.waiting if n.tone == "danger"] == ["engine:lost"]
        assert state.notices.waiting[0].key == "engine:lost"
        assert state.notices.waiting[0].buttons[0][0] == "restart"
        assert "interrupted" in state.notices.waiting[0].text
        assert not await studio.open_path("anything.nii")
        assert len([n for n in state.notices.waiting if n.tone == "danger"]) == 1
        assert await studio.engine_life.restart()
        assert not [n for n in state.notices.waiting if n.tone == "danger"]

    live(story, window, timeout=90)


LONG = "nowhere.nii does not say where its voxels lie, so it cannot be compared with MNI space. How shall it be found?"
LAY = "Lay the atlas over its voxels as they come; left and right may be wrong"


@pytest.mark.parametrize(
    "choices", [(), ("By the header", "By its voxels"), (LAY, "Choose another atlas, made for it"), tuple("abcdefgh")]
)
@pytest.mark.parametrize("question_id", ["positions", "space"])
def test_a_question_fits_a_small_window(window: MainWindow, choices: tuple[str, ...], question_id: str) -> None:
    offered = tuple(Choice(value=text, label=text) for text in choices)
    free = question_id == "positions"
    question = Question(question_id=question_id, text=LONG, choices=offered, required=True, free=free)
    first = Notice(f"scan:question:{question_id}", "warning", LONG, LONG, "details", question=question)
    window.resize(1000, 700)
    window.strip.set_notices((first, Notice("other", "info", "Another.")))
    QApplication.processEvents()
    strip = window.strip
    assert window.width() == 1000
    assert strip._page.minimumSizeHint().width() <= strip.width()
    assert strip._text.width() >= 240
    assert strip._text.text().endswith("…")
    assert strip._text.toolTip() == f"{LONG} {LONG}"
    for button in strip._page.findChildren(QPushButton):
        if button.isVisible():
            assert button.width() >= button.minimumSizeHint().width()


def test_the_keyboard_stays_in_the_page(window: MainWindow) -> None:
    question = Question(question_id="space", text="Where?", choices=(Choice(value="a", label="Here"),), required=True)
    window.show_page("cases")
    window.activateWindow()
    window.strip.set_notices((Notice("scan:question:space", "question", "Where?", question=question),))
    QApplication.processEvents()
    button = next(b for b in window.strip.findChildren(QPushButton) if b.text() == "Here")
    button.setFocus()
    assert QApplication.focusWidget() is button
    window.strip.set_notices(())
    focus = QApplication.focusWidget()
    assert focus is not None
    assert focus is window.cases or window.cases.isAncestorOf(focus)


def test_a_typed_answer_survives_other_messages(window: MainWindow) -> None:
    question = Question(question_id="tr", text="How long?", free=True, required=True)
    asking = Notice("scan:question:tr", "question", "How long?", question=question)
    window.strip.set_notices((asking,))
    (box,) = window.strip.findChildren(QComboBox)
    box.setEditText("2.")
    window.strip.set_notices((asking, Notice("other", "info", "Another.")))
    assert window.strip.findChildren(QComboBox) == [box]
    assert box.currentText() == "2."
