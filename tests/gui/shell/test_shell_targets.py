"""Targets copied from a recording or drawn round on the brain, and the difference alone in the trace."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest

from app.controllers.perturb_copy import copied
from app.controllers.studio import Options, Studio
from app.state.data import Recording
from app.views.brain_lasso import enclosed, in_front, touched, within
from app.views.main_window import MainWindow
from brainlm_engine.api.errors import BadInput
from brainlm_engine.api.messages import RecordingInfo
from brainlm_engine.api.perturb import Target
from tests.gui.shell.test_shell_model import unexpected, write_table
from tests.gui.shell.test_shell_perturb import prepared

Live = Callable[..., None]
Until = Callable[..., Awaitable[None]]


async def answered(studio: Studio, until: Until) -> None:
    perturb = studio.state.perturb
    await until(lambda: perturb.result is not None and not (perturb.judging or perturb.running or perturb.outdated))
    await studio.settled()


def test_the_trace_shows_the_difference_only(window: MainWindow, live: Live, until: Until, tmp_path: Path) -> None:
    first = write_table(tmp_path / "a.tsv", 260, 1)

    async def story(studio: Studio) -> None:
        perturb, board = studio.state.perturb, window.board
        controller = await prepared(studio, window, until, first)
        page = controller.page
        studio.pointing.pick(4)
        board["perturb_add"].trigger()
        await answered(studio, until)
        board["perturb_apart"].trigger()
        await studio.settled()
        watched = controller.drawing.watched()
        result = perturb.result
        assert result is not None
        apart = result.arrays["perturbed"][watched] - result.arrays["unperturbed"][watched]
        assert np.allclose(page.watched.perturbed.getData()[1][-10:], apart[-10:], atol=1e-5)
        assert page.watched.measured.getData()[1] is None or len(page.watched.measured.getData()[1]) == 0
        assert page.watched.reach() < 3.0, "on a scale of its own"
        board["perturb_apart"].trigger()
        await studio.settled()
        assert page.watched.reach() >= 3.5
        assert unexpected(studio) == []

    live(story, window)


def test_a_target_follows_another_recording(window: MainWindow, live: Live, until: Until, tmp_path: Path) -> None:
    first, second = write_table(tmp_path / "a.tsv", 260, 1), write_table(tmp_path / "b.tsv", 200, 2)

    async def story(studio: Studio) -> None:
        perturb = studio.state.perturb
        controller = await prepared(studio, window, until, first)
        assert studio.perturb_room is not None
        extras = studio.perturb_room.parts.extras
        assert extras is not None
        studio.pointing.pick(4)
        window.board["perturb_add"].trigger()
        await answered(studio, until)
        box = controller.page.panel.shape
        box.setCurrentIndex(box.findData("copy"))
        asked = []
        studio.commands.perturb_copy = lambda: asked.append(True)  # type: ignore[method-assign]
        box.activated.emit(0)
        await studio.settled()
        assert asked == [True]
        assert box.currentData() == "step", "nothing has been chosen yet"
        target = perturb.targets[0]
        assert await extras.copier.copy(second)
        made = perturb.targets[0]
        assert made.shape == "draw"
        assert len(made.values) == target.stop - target.start
        series = np.loadtxt(second)
        there = series[:, 4]
        wanted = ((there - there.mean()) / there.std())[target.start : target.stop]
        assert np.corrcoef(wanted, made.values)[0, 1] > 0.999
        await answered(studio, until)
        controller.editor.change(start=230, stop=250)
        assert not await extras.copier.copy(second)
        assert any("no values" in notice.text for notice in studio.state.notices.waiting)
        studio.state.notices.drop("perturb:target")
        await answered(studio, until)
        assert unexpected(studio) == []

    live(story, window)


def test_what_is_copied_is_the_mean_in_the_same_seconds() -> None:
    sd = np.array([[0.0, 1.0, 2.0, 3.0], [2.0, 3.0, np.nan, 99.0], [np.nan] * 4], np.float32)
    info = RecordingInfo(recording_id="r", name="n", atlas_id="a", n_parcels=3, n_frames=4, tr_s=2.0, unit="x")
    other = Recording.of(info, {"series": sd})
    object.__setattr__(other, "sd", sd)
    target = Target(regions=(0, 1, 2), start=2, stop=8)  # at 1 s a frame: 2 s to 8 s
    assert copied(other, target, 1.0, 3, "n") == (2.0, 2.0, 8.0), "the mean of what is known, not beyond 8 SD"
    with pytest.raises(BadInput, match="no values"):
        copied(other, Target(regions=(2,), start=0, stop=4), 1.0, 3, "n")
    with pytest.raises(BadInput, match="no values"):
        copied(other, Target(regions=(0,), start=6, stop=10), 1.0, 3, "n")
    with pytest.raises(BadInput, match="3 regions, this recording has 5"):
        copied(other, target, 1.0, 5, "n")


def test_inside_a_line_and_behind_another_part() -> None:
    hook = np.array([(0, 0), (10, 0), (10, 10), (6, 10), (6, 4), (4, 4), (4, 10), (0, 10)], float)
    points = np.array([(2, 8), (5, 8), (8, 8), (5, 2), (12, 5)], float)
    assert within(hook, points).tolist() == [True, False, True, True, False]
    seen = np.array([(5.0, 5.0, 50.0), (6.0, 6.0, 10.0), (40.0, 5.0, 10.0)])
    assert in_front(seen).tolist() == [True, False, True]


@pytest.mark.parametrize("no_3d", [True, False])
def test_regions_are_drawn_round(window: MainWindow, live: Live, until: Until, no_3d: bool) -> None:
    async def story(studio: Studio) -> None:
        state, perturb = studio.state, studio.state.perturb
        perturb.nulls = 0
        assert await studio.open_demo(240)
        assert await studio.prepared()
        window.board["go_perturb"].trigger()
        assert studio.perturb_room is not None
        controller = await studio.perturb_room.ready()
        brain = controller.page.brain
        if not no_3d and not brain.available:
            return
        if brain.available:
            await until(lambda: brain.canvas.parts.ready and brain.canvas.frames > 0)
        await studio.settled()
        window.board["perturb_lasso"].trigger()
        await until(lambda: state.perturb.lasso)
        lasso = studio.perturb_room.parts.extras.lasso
        sheet = lasso.sheet
        assert sheet is not None
        QTest.keyClick(sheet, Qt.Key.Key_Escape)
        assert not state.perturb.lasso
        assert lasso.sheet is None
        window.board["perturb_lasso"].trigger()
        await until(lambda: lasso.sheet is not None)
        sheet = lasso.sheet
        assert sheet is not None
        width, height = sheet.width(), sheet.height()
        corners = [(0.3, 0.3), (0.6, 0.3), (0.6, 0.6), (0.3, 0.6)]
        line = [QPoint(round(x * width), round(y * height)) for x, y in corners]
        expected = enclosed(brain, np.array([(each.x(), each.y()) for each in line], float))
        assert 2 < len(expected) < 250
        QTest.mousePress(sheet, Qt.MouseButton.LeftButton, pos=line[0])
        for each in line[1:]:
            QTest.mouseMove(sheet, each)
        QTest.mouseRelease(sheet, Qt.MouseButton.LeftButton, pos=line[-1])
        recording = state.case.recording
        assert recording is not None
        there = tuple(parcel for parcel in expected if not recording.missing[parcel])
        assert perturb.targets[0].regions == there
        assert state.view.selected == there
        assert lasso.sheet is None
        if brain.available:  # every one can be clicked inside the line
            seen = {
                found.parcel
                for x in range(line[0].x(), line[1].x(), 5)
                for y in range(line[0].y(), line[2].y(), 5)
                if (found := brain.canvas._picked(QPoint(x, y).toPointF())) is not None
            }
            assert len(set(there) - seen) <= 0.1 * len(there)
        window.board["perturb_lasso"].trigger()
        await until(lambda: lasso.sheet is not None)
        assert lasso.sheet is not None
        QTest.mouseClick(lasso.sheet, Qt.MouseButton.LeftButton, pos=QPoint(3, 3))
        assert len(perturb.targets) == 1
        assert any("No region was met" in notice.text for notice in state.notices.waiting)
        state.notices.drop("perturb:target")
        window.board["perturb_lasso"].trigger()
        await until(lambda: lasso.sheet is not None)
        window.board["perturb_brush"].trigger()
        await until(lambda: state.perturb.brush and not state.perturb.lasso)
        sheet = lasso.sheet
        assert sheet is not None
        stroke = np.array([(0.35 * width, 0.4 * height), (0.55 * width, 0.45 * height)])
        expected = touched(brain, stroke)
        assert 1 < len(expected) < 80
        QTest.mousePress(sheet, Qt.MouseButton.LeftButton, pos=QPoint(*map(int, stroke[0])))
        QTest.mouseMove(sheet, QPoint(*map(int, stroke[1])))
        QTest.mouseRelease(sheet, Qt.MouseButton.LeftButton, pos=QPoint(*map(int, stroke[1])))
        assert len(perturb.targets) == 2
        painted = set(perturb.targets[1].regions)
        assert len(painted & set(expected)) >= 0.8 * len(expected)
        assert lasso.sheet is None
        assert not state.perturb.brush
        await studio.settled()
        assert unexpected(studio) == []

    live(story, window, Options(no_3d=no_3d))
