"""The Perturb workspace: targets are added, dragged, typed, nudged, undone; the answers are the engine's."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from pathlib import Path

import numpy as np
from PySide6.QtCore import QPointF, Qt
from PySide6.QtTest import QTest

from app.controllers.perturbing import PerturbController
from app.controllers.studio import Options, Studio
from app.state.session import Session, restore_settings, snapshot
from app.views.main_window import MainWindow
from brainlm_engine.api.perturb import Target
from tests.gui.shell.test_shell_model import ANSWERS, unexpected, write_table

Live = Callable[..., None]
Until = Callable[..., Awaitable[None]]


async def prepared(studio: Studio, window: MainWindow, until: Until, path: str) -> PerturbController:
    """Open a table and show the workspace; few random draws, so that it takes no longer than it must."""
    studio.state.perturb.nulls = 2
    assert await studio.open_path(path, ANSWERS)
    assert await studio.prepared()
    window.board["go_perturb"].trigger()
    assert studio.perturb_room is not None
    controller = await studio.perturb_room.ready()
    await studio.settled()
    return controller


def test_a_target_from_first_click_to_export(window: MainWindow, live: Live, until: Until, tmp_path: Path) -> None:
    first = write_table(tmp_path / "a.tsv", 260, 1)

    async def story(studio: Studio) -> None:
        state, perturb = studio.state, studio.state.perturb
        controller = await prepared(studio, window, until, first)
        page = controller.page
        assert not window.board["perturb"].isEnabled()
        window.board["perturb_add"].trigger()
        await studio.settled()
        assert perturb.targets == ()
        assert any("No region is selected" in notice.text for notice in state.notices.waiting)

        studio.pointing.pick(4)
        state.steer.put(question="compare")
        window.board["perturb_add"].trigger()
        assert state.steer.question == "follows", "what a command changes is shown, whatever was asked before"
        await until(lambda: perturb.result is not None and not perturb.judging and not perturb.running)
        await studio.settled()
        start = min(round(72 / state.case.tr_s), 260 // 3)
        stop = start + round(40 / state.case.tr_s)
        assert perturb.targets == (Target(regions=(4,), start=start, stop=stop, value=1.5),)
        result = perturb.result
        assert result is not None
        assert result.info.nulls == 2
        recording, model = state.case.recording, state.model.model_id
        assert recording is not None
        asked = await studio.engine.client.perturb(recording.info.recording_id, model, perturb.scenario())
        assert np.allclose(asked.arrays["effect"], result.arrays["effect"], atol=1e-5, equal_nan=True)
        span = f"{start * state.case.tr_s:.0f}–{stop * state.case.tr_s:.0f} s"
        assert page.panel.list.item(0).text().endswith(f"+1.5 SD, {span}")
        said = page.panel.list.item(0).data(Qt.ItemDataRole.AccessibleTextRole)
        assert "target +1.5 SD, step, from" in said
        assert "SD on average" in page.follows.verdict.text()
        watched = controller.drawing.watched()
        assert watched not in {-1, 4}
        shown = page.watched.perturbed.getData()[1]
        assert np.allclose(shown[-10:], result.arrays["perturbed"][watched, -10:], atol=1e-5)

        page.target.setFocus()
        QTest.keyClick(page.target, Qt.Key.Key_Up)
        assert perturb.targets[0].value == 1.6
        QTest.keyClick(page.target, Qt.Key.Key_Down, Qt.KeyboardModifier.ShiftModifier)
        assert perturb.targets[0].value == 1.59
        QTest.keyClick(page.target, Qt.Key.Key_Right)
        assert (perturb.targets[0].start, perturb.targets[0].stop) == (start + 1, stop + 1)
        QTest.keyClick(page.target, Qt.Key.Key_Left, Qt.KeyboardModifier.ShiftModifier)
        assert (perturb.targets[0].start, perturb.targets[0].stop) == (start + 1, stop)
        page.panel.value.setValue(-2.0)
        assert perturb.targets[0].value == -2
        state.edits.undo()
        assert perturb.targets[0].value != -2, "quick changes are one step, adding the target is another"
        assert len(perturb.targets) == 1
        page.panel.shape.setCurrentIndex(page.panel.shape.findData("draw"))
        page.panel.shape.activated.emit(0)
        drawn = perturb.targets[0]
        assert len(drawn.values) == drawn.stop - drawn.start
        page.panel.shape.setCurrentIndex(page.panel.shape.findData("pulse"))
        page.panel.shape.activated.emit(0)
        await until(lambda: not perturb.running and not perturb.judging and not perturb.outdated)
        await studio.settled()
        assert perturb.result is not None
        assert perturb.result.info.scenario.targets == perturb.targets

        effect, scenario = tmp_path / "effect.csv", tmp_path / "mine.scenario.json"
        assert await controller.export(str(effect))
        assert effect.read_text(encoding="utf-8").startswith("# Simulation of a statistical model")
        assert await controller.save(str(scenario))
        saved = json.loads(scenario.read_text(encoding="utf-8"))
        assert saved["scenario"]["targets"][0]["shape"] == "pulse"
        window.board["perturb_remove"].trigger()
        await studio.settled()
        assert perturb.targets == ()
        assert perturb.result is None
        assert await controller.open(str(scenario))
        assert perturb.targets[0].shape == "pulse"
        state.notices.drop("perturb:file")
        scenario.write_text(json.dumps({**saved, "parcels": 7}), encoding="utf-8")
        assert not await controller.open(str(scenario))
        assert any("made with 7 regions" in notice.text for notice in state.notices.waiting)
        (tmp_path / "broken.scenario.json").write_text("{", encoding="utf-8")
        assert not await controller.open(str(tmp_path / "broken.scenario.json"))
        assert any("is no scenario" in notice.text for notice in state.notices.waiting)
        state.notices.drop("perturb:file")
        state.notices.drop("perturb:target")
        await studio.settled()
        assert unexpected(studio) == []

        session = Session.model_validate_json(snapshot(state, saved=0.0, pid=1, closed=False).model_dump_json())
        kept = perturb.targets
        window.board["perturb_remove"].trigger()
        await studio.settled()
        assert await studio.open_path(first, ANSWERS)
        restore_settings(session, state)
        assert await studio.prepared()
        await studio.settled()
        assert perturb.targets == kept, "they come back with the session, also when the series come later"
        assert perturb.result is not None

        assert await studio.open_path(write_table(tmp_path / "b.tsv", 120, 2), ANSWERS)
        assert snapshot(state, saved=0.0, pid=1, closed=False).targets == ()
        assert await studio.prepared()
        await studio.settled()
        assert perturb.targets == ()

    live(story, window)


def test_drags_preview_and_the_release_commits(window: MainWindow, live: Live, until: Until, tmp_path: Path) -> None:
    path = write_table(tmp_path / "a.tsv", 260, 1)

    async def story(studio: Studio) -> None:
        perturb = studio.state.perturb
        controller = await prepared(studio, window, until, path)
        page = controller.page
        studio.pointing.pick(4)
        window.board["perturb_add"].trigger()
        await until(lambda: perturb.result is not None and not perturb.judging and not perturb.running)
        await studio.settled()
        before = perturb.result
        plot = page.target
        held = perturb.targets[0]
        for value in (1.3, 1.1, 0.97):
            plot.grip.setPos(plot.grip.pos().x(), value)
            await controller.previews.settled()
        assert perturb.targets == (held,), "dragging previews only"
        assert perturb.dragged is not None
        assert perturb.dragged.value == 1.0, "it clings to a round value"
        preview = perturb.preview
        assert preview is not None
        await until(lambda: page.brain_box.title.startswith("Preview"))
        assert page.panel.value.value() == 1.0
        plot.grip.sigPositionChangeFinished.emit(plot.grip)
        await until(lambda: perturb.result is not before and not perturb.judging and not perturb.running)
        assert perturb.dragged is None
        assert perturb.targets[0].value == 1.0
        exact = perturb.result
        assert exact is not None
        close = np.nanmax(np.abs(exact.arrays["effect"] - preview.arrays["effect"]))
        assert close < 0.2 * np.nanmax(np.abs(exact.arrays["effect"]))
        await studio.settled()
        assert not page.brain_box.title.startswith("Preview")
        studio.state.edits.undo()
        assert perturb.targets == (held,)
        studio.state.edits.redo()
        assert perturb.targets[0].value == 1.0

        tr_s = studio.state.case.tr_s
        plot.span.setRegion((80 * tr_s, 120 * tr_s))
        assert (perturb.targets[0].start, perturb.targets[0].stop) == (80, 120)
        plot.span.setRegion((-50 * tr_s, 400 * tr_s))
        assert (perturb.targets[0].start, perturb.targets[0].stop) == (0, 260), "not out of the recording"
        await studio.settled()
        assert unexpected(studio) == []

    live(story, window)


def test_a_region_on_the_brain_is_a_grip(window: MainWindow, live: Live, until: Until) -> None:
    async def story(studio: Studio) -> None:
        state, perturb = studio.state, studio.state.perturb
        perturb.nulls = 0
        assert await studio.open_demo(240)
        assert await studio.prepared()
        window.board["go_perturb"].trigger()
        assert studio.perturb_room is not None
        controller = await studio.perturb_room.ready()
        atlas = state.case.atlas
        assert atlas is not None
        network = atlas.info.networks[0]
        studio.pointing.pick(0)
        window.board["perturb_add"].trigger()
        await studio.settled()
        window.board["perturb_network"].trigger()
        await studio.settled()
        assert len(perturb.targets[0].regions) == list(atlas.info.networks).count(network)
        canvas = controller.page.brain.canvas
        if not controller.page.brain.available:
            return
        await until(lambda: canvas.parts.ready and canvas.frames > 0)
        await studio.settled()
        assert canvas.grips == set(perturb.targets[0].regions)
        spot = next(
            QPointF(x, y)
            for x in range(4, canvas.width(), 6)
            for y in range(4, canvas.height(), 6)
            if (found := canvas._picked(QPointF(x, y))) is not None and found.parcel in canvas.grips
        ).toPoint()
        turn = list(canvas._turn)
        QTest.mousePress(canvas, Qt.MouseButton.LeftButton, pos=spot)
        for step in range(1, 6):
            QTest.mouseMove(canvas, spot - QPointF(0, 10 * step).toPoint())
            await asyncio.sleep(0.02)
        assert perturb.dragged is not None
        assert perturb.dragged.value == 2.5
        QTest.mouseRelease(canvas, Qt.MouseButton.LeftButton, pos=spot - QPointF(0, 50).toPoint())
        assert perturb.targets[0].value == 2.5
        assert canvas._turn == turn, "the brain stays as it is"
        await studio.settled()
        assert unexpected(studio) == []

    live(story, window, Options(no_3d=False))
