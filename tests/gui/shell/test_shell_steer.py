"""What would it take: the form, a search that is watched and ended, its answer, by mouse and by keyboard."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest

from app.controllers.steering import SteerController
from app.controllers.studio import Studio
from app.views.main_window import MainWindow
from brainlm_engine.api.perturb import Target
from tests.gui.shell.test_shell_model import ANSWERS, unexpected, write_table

Live = Callable[..., None]
Until = Callable[..., Awaitable[None]]


async def prepared(studio: Studio, window: MainWindow, path: str) -> SteerController:
    """Open a table and ask the question."""
    assert await studio.open_path(path, ANSWERS)
    assert await studio.prepared()
    window.board["perturb_take"].trigger()
    assert studio.perturb_room is not None
    await studio.perturb_room.ready()
    await studio.settled()
    return studio.perturb_room.parts.steering


def test_toward_another_recording(window: MainWindow, live: Live, until: Until, tmp_path: Path) -> None:
    first, second = write_table(tmp_path / "a.tsv", 260, 1), write_table(tmp_path / "b.tsv", 260, 2)

    async def story(studio: Studio) -> None:
        state, steer = studio.state, studio.state.steer
        controller = await prepared(studio, window, first)
        assert studio.perturb_room is not None
        assert studio.perturb_room.controller is not None
        page = studio.perturb_room.controller.page
        assert page.question.box.currentData() == "take"
        assert page.take.isVisibleTo(page)
        assert not page.follows.isVisibleTo(page)
        assert not window.board["steer"].isEnabled()
        steer.put(state="connectivity")  # the quickest
        assert not await controller.choose_file(str(tmp_path / "nowhere.tsv"))
        assert any("nowhere.tsv" in notice.text for notice in state.notices.waiting)
        assert await controller.choose_file(str(second))
        assert page.aim._named.text() == "b.tsv"
        assert page.aim.aim.currentData() == "recordings"
        await until(window.board["steer"].isEnabled)
        window.board["steer"].trigger()
        await until(lambda: steer.running)
        await until(lambda: not steer.running and steer.result is not None)
        await studio.settled()
        result = steer.result
        assert result is not None
        assert result.info.left < 1
        assert "nearer to the state of" in page.take.verdict.text()
        assert not steer.outdated
        most = steer.changed_most
        assert most == int(np.nanargmax(result.arrays["magnitude"]))
        shown = page.watched.perturbed.getData()[1]
        wanted = result.arrays["measured"][most] + result.arrays["change"][most]
        assert np.allclose(shown, wanted, atol=1e-5)
        drawn = page.search._lines[0][2]
        assert drawn.tolist() == pytest.approx([100 * left for left in result.info.curves[0]])
        assert [name for name, _, _ in page.search._lines] == ["Search 1", "Same change, random regions"]
        assert await controller.export(str(tmp_path / "change.csv"))
        assert (tmp_path / "change.csv").read_text(encoding="utf-8").startswith("# Simulation")

        page.aim.form.setFocus()
        QTest.keyClick(page.aim.form, Qt.Key.Key_Down)
        assert steer.form == "gain"
        assert steer.outdated
        QTest.keyClick(page.aim.form, Qt.Key.Key_Up)
        assert not steer.outdated

        steer.put(shuffles=999)
        window.board["steer"].trigger()
        await until(lambda: steer.running and "Shuffled" in steer.stage)
        window.board["steer_stop"].trigger()
        await until(lambda: not steer.running)
        assert steer.result is not result
        assert unexpected(studio) == []
        state.steer.put(question="follows")
        await studio.settled()
        assert page.follows.isVisibleTo(page)
        assert not page.search_box.isVisibleTo(page)

    live(story, window)


def test_the_demo_group_and_the_targets(window: MainWindow, live: Live, until: Until, tmp_path: Path) -> None:
    first = write_table(tmp_path / "a.tsv", 260, 1)

    async def story(studio: Studio) -> None:
        steer = studio.state.steer
        controller = await prepared(studio, window, first)
        assert await controller.make_demo()
        await studio.settled()
        assert steer.choices is not None
        assert (steer.column, steer.first, steer.second) == ("task", "rest", "visual")
        assert studio.perturb_room is not None
        assert studio.perturb_room.controller is not None
        page = studio.perturb_room.controller.page
        assert [page.aim.second.itemText(place) for place in range(2)] == ["rest", "visual"]
        steer.put(state="connectivity")
        await controller.search()
        await studio.settled()
        assert steer.result is not None
        assert "what takes 20 people of demo-cohort-tasks from rest to visual" in page.take.verdict.text()
        assert "Visual" in page.take.table.text()
        assert page.brain_box.title.startswith("Size of the change")
        state = studio.state
        state.view.put(names_hidden=True)
        await studio.settled()
        assert "demo-cohort-tasks" not in page.take.verdict.text()
        assert "demo-cohort-tasks" not in page.aim.cohort.currentText()
        assert await studio.perturb_room.parts.report.write(str(tmp_path / "report.html"))
        text = (tmp_path / "report.html").read_text(encoding="utf-8")
        assert "Visual" in text
        assert "demo-cohort-tasks" not in text
        state.view.put(names_hidden=False)
        assert await studio.perturb_room.parts.report.write(str(tmp_path / "report.html"))
        assert "demo-cohort-tasks" in (tmp_path / "report.html").read_text(encoding="utf-8")
        steer.put(shown="change")
        await studio.settled()
        assert page.brain_box.title.startswith("Change at 0")
        studio.state.perturb.put(targets=(Target(regions=(4,), start=100, stop=140, value=1.5),), chosen=0)
        steer.put(aim="activity", where="selected")
        studio.pointing.pick(7)
        await controller.search()
        await studio.settled()
        assert steer.result is not None
        before, after, wanted = steer.result.arrays["aimed"]
        there = np.isfinite(wanted)
        assert np.abs(after - wanted)[there].mean() < np.abs(before - wanted)[there].mean()
        assert np.flatnonzero(np.isfinite(steer.result.arrays["magnitude"])).tolist() == [7]

    live(story, window, timeout=240)
