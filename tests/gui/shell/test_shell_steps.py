"""Undo of what the engine does: another atlas, an answer; a default that stays in question; series made again."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
from PySide6.QtWidgets import QApplication, QInputDialog

from app.controllers.studio import Studio
from app.state import AppState
from app.state.edits import Request
from app.views.main_window import MainWindow
from brainlm_engine.api.messages import JobState
from brainlm_engine.atlas import add_atlas, load_atlas

Live = Callable[..., None]
Until = Callable[..., Awaitable[None]]


def write_scan(path: Path, tr_s: float = 2.0, zoom: float = 8.0, frames: int = 12) -> Path:
    """A scan whose bright ball lies where the MNI brain lies, and does not fill it: its space must be assumed."""
    shape = (24, 28, 24)
    affine = np.diag([zoom, zoom, zoom, 1.0])
    affine[:3, 3] = [-zoom * (n - 1) / 2 for n in shape]
    affine[1, 3] -= 15
    rng = np.random.default_rng(5)
    mm = [affine[a, a] * np.arange(shape[a]) + affine[a, 3] for a in range(3)]
    x, y, z = np.meshgrid(*mm, indexing="ij")
    brain = (x / 70) ** 2 + ((y + 18) / 88) ** 2 + ((z - 8) / 70) ** 2 < 1
    values = np.where(brain[..., None], 500 + rng.standard_normal((*shape, frames)).cumsum(-1), 0)
    image = nib.Nifti1Image(values.astype(np.float32), affine)
    image.header.set_zooms((zoom, zoom, zoom, tr_s))
    image.header.set_xyzt_units("mm", "sec")
    nib.save(image, path)
    return path


def add_small_atlas(folder: Path) -> str:
    """An atlas of five parcels in the home of this test, as the command line would add it."""
    own = load_atlas()
    labels = np.where(np.isin(own.labels, (3, 40, 200, 380, 399)), own.labels, 0).astype(np.int16)
    nib.save(nib.Nifti1Image(labels, own.affine), folder / "five.nii.gz")
    return add_atlas(folder / "five.nii.gz", None, "five", "Five parcels").atlas_id


def failures(studio: Studio) -> list[str]:
    """What went wrong unexpectedly."""
    return [n.details for n in studio.state.notices.waiting if n.tone == "danger"]


def parcels(studio: Studio) -> int:
    """Parcels of the recording on screen."""
    recording = studio.state.case.recording
    return recording.info.n_parcels if recording is not None else 0


def questions(studio: Studio) -> list[str]:
    """Ids of the questions that wait."""
    return [n.question.question_id for n in studio.state.notices.waiting if n.question is not None]


def caption(studio: Studio) -> str:
    """The line above the pages."""
    return studio.window.strip._caption._text.text()


def test_another_atlas_can_be_undone(window: MainWindow, live: Live, until: Until, tmp_path: Path) -> None:
    scan = write_scan(tmp_path / "scan.nii")

    async def story(studio: Studio) -> None:
        state, edits = studio.state, studio.state.edits
        assert await studio.open_path(scan)
        assert await studio.prepared(), state.notices.waiting
        studio.pointing.pick(400)
        studio.commands.toggle_radiological()  # between two selections, so that they are two steps
        studio.pointing.pick(7)
        add_small_atlas(tmp_path)
        await choose(studio, until, "Five parcels")
        assert await studio.prepared()
        assert (parcels(studio), state.view.selected, edits.undo_label) == (5, (), "Choose Atlas")
        studio.commands.undo()
        assert await studio.prepared()
        assert (parcels(studio), state.view.selected, state.case.atlas_id) == (424, (7,), "mni424")
        studio.commands.undo()
        studio.commands.undo()
        assert state.view.selected == (400,)
        for _ in range(3):
            studio.commands.redo()
        assert state.view.selected == ()
        assert await studio.prepared()
        assert (parcels(studio), state.view.selected, edits.redo_label) == (5, (), "")
        assert failures(studio) == []

    live(story, window)


async def choose(studio: Studio, until: Until, title: str) -> None:
    """Choose an atlas in the dialog; its list follows what the engine has meanwhile."""
    studio.window.board["choose_atlas"].trigger()
    dialog = next(w for w in QApplication.topLevelWidgets() if isinstance(w, QInputDialog) and w.isVisible())
    await until(lambda: title in dialog.comboBoxItems())
    dialog.setTextValue(title)
    dialog.accept()
    await until(lambda: studio.state.case.atlas_id == "five")


def test_a_selection_is_cut_to_the_parcels_on_show(window: MainWindow, live: Live, tmp_path: Path) -> None:
    add_small_atlas(tmp_path)
    scan = write_scan(tmp_path / "scan.nii")

    async def story(studio: Studio) -> None:
        assert await studio.opening.open_path(str(scan), atlas_id="five")
        studio.state.view.selected = (400, 3)
        assert await studio.prepared()
        assert studio.state.view.selected == (3,)
        assert failures(studio) == []
        studio.boxes._preference("atlas_id", "mni424")
        assert studio.state.case.atlas_id == "five"
        studio.commands.close_case()
        assert await studio.open_path(scan)
        assert studio.state.case.atlas_id == "mni424"

    live(story, window)


def test_a_default_stays_in_question_until_it_is_answered(window: MainWindow, live: Live, tmp_path: Path) -> None:
    scan = write_scan(tmp_path / "two thousand.nii", tr_s=2000.0)

    async def story(studio: Studio) -> None:
        case, edits = studio.state.case, studio.state.edits
        assert await studio.open_path(scan)
        assert await studio.prepared()
        assert "tr" in questions(studio)
        assert "2 s (assumed)" in caption(studio)
        shown = case.recording
        await studio.opening.answer("tr", "2.0")
        assert "tr" not in questions(studio)
        assert "12 × 2 s ·" in caption(studio)
        assert case.recording is shown, "to confirm what was assumed computes nothing"
        edits.undo()
        await asyncio.sleep(0.05)
        assert "tr" in questions(studio)
        assert "2 s (assumed)" in caption(studio)
        await studio.opening.answer("tr", "3")
        assert await studio.prepared()
        assert (case.tr_s, "tr" in questions(studio)) == (3.0, False)
        assert "12 × 3 s ·" in caption(studio)
        edits.undo()
        await asyncio.sleep(0.05)
        while case.wanted:
            await asyncio.sleep(0.02)
        assert await studio.prepared()
        assert case.tr_s == 2.0
        assert edits.redo_label == "Answer"

    live(story, window)


def test_a_dismissed_question_is_not_asked_again_by_itself(window: MainWindow, live: Live, tmp_path: Path) -> None:
    scan = write_scan(tmp_path / "two thousand.nii", tr_s=2000.0, zoom=3.0)

    async def story(studio: Studio) -> None:
        assert await studio.open_path(scan)
        assert {"tr", "space"} == set(questions(studio))
        studio.window.strip.pressed.emit("scan:question:tr", "dismiss")
        assert questions(studio) == ["space"]
        await studio.opening.answer("space", "affine")
        await studio.prepared()
        assert questions(studio) == []
        assert "(assumed)" in caption(studio)
        studio.commands.ask_questions()
        assert "tr" in questions(studio)

    live(story, window)


def test_several_questions_leave_the_name_readable(window: MainWindow, live: Live, tmp_path: Path) -> None:
    scan = write_scan(tmp_path / "two thousand.nii", tr_s=2000.0, zoom=3.0)

    async def story(studio: Studio) -> None:
        strip = window.strip
        window.resize(1280, 800)
        assert await studio.open_path(scan)
        await studio.prepared()
        for _ in studio.state.notices.waiting:
            await asyncio.sleep(0.05)
            assert window.width() == 1280
            assert strip._what.isVisible()
            assert "two thousand.nii" in strip._what.text()
            assert strip._what.width() >= strip.fontMetrics().horizontalAdvance("two thousand.nii")
            assert not strip._text.text().endswith("…")
            assert strip._page.minimumSizeHint().width() <= strip.width()
            window.board["message_next"].trigger()

    live(story, window)


def test_stopped_series_are_made_again(window: MainWindow, live: Live, until: Until, tmp_path: Path) -> None:
    scan = write_scan(tmp_path / "long.nii", zoom=6.0, frames=400)

    async def story(studio: Studio) -> None:
        state, board = studio.state, window.board
        assert await studio.open_path(scan)
        await until(lambda: any(j.kind == "parcellate" for j in state.work.jobs))
        await studio.engine_life.cancel(next(j.job_id for j in state.work.jobs if j.kind == "parcellate"))
        if await studio.prepared():
            pytest.fail("the job was too short to be stopped")
        assert state.case.phase == "failed"
        (told,) = [n for n in state.notices.waiting if n.key == "scan:prepare"]
        assert told.buttons[0] == ("prepare", "Make Parcel Series Again")
        assert studio.viewing is not None
        assert "make them again" in studio.viewing._page.trace_box._waiting.text().lower()
        assert studio.modelling is not None
        assert "make them again" in studio.modelling._page._nothing.text().lower()
        await until(board["prepare"].isEnabled)
        assert "File menu" in board["overlay_tsnr"].statusTip()
        window.strip.pressed.emit("scan:prepare", "prepare")
        assert await studio.prepared()
        await until(lambda: not board["prepare"].isEnabled())
        assert not [n for n in state.notices.waiting if n.key == "scan:prepare"]
        assert sum(j.state is JobState.CANCELLED for j in state.work.jobs) == 1

    live(story, window)


def test_a_step_that_fails_leaves_stack_and_state_as_before() -> None:
    state = AppState()
    state.edits.set("Select Parcels", state.view, selected=(480,))
    state.edits.set("Change Display", state.view, radiological=True, surface="pial")

    def refuse(flag: bool) -> None:
        if not flag:
            raise IndexError("no such thing")

    state.view.on("radiological").connect(refuse)
    with pytest.raises(Exception, match="no such thing"):
        state.edits.undo()
    assert (state.view.radiological, state.view.surface) == (True, "pial")
    assert (state.edits.undo_label, state.edits.redo_label) == ("Change Display", "")
    state.view.on("radiological").disconnect(refuse)
    state.edits.undo()
    state.edits.undo()
    assert (state.view.radiological, state.view.selected) == (False, ())


def test_a_request_that_came_to_nothing_is_forgotten() -> None:
    state, asked = AppState(), []
    step = Request("Answer", "answer:tr", lambda: asked.append("new"), lambda: asked.append("former"))
    state.edits.took(step)
    assert state.edits.undo_asks
    state.edits.undo()
    assert state.edits.redo_asks
    state.edits.redo()
    assert asked == ["former", "new"]
    state.edits.forget("answer:space")
    assert state.edits.undo_label == "Answer"
    state.edits.forget("answer:tr")
    assert state.edits.undo_label == ""
