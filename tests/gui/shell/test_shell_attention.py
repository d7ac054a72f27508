"""The Attention tab: its maps are the engine's, choices change what is drawn, people are contrasted by a job."""

from __future__ import annotations

import csv
from collections.abc import Awaitable, Callable
from pathlib import Path

import numpy as np
from PySide6.QtCore import Qt
from PySide6.QtGui import QImage
from PySide6.QtTest import QTest

from app.controllers.attention_view import view_of
from app.controllers.studio import Studio
from app.views.main_window import MainWindow
from brainlm_engine.recording import Recording
from brainlm_engine.simulate import simulate_cohort
from tests.gui.shell.test_shell_model import ANSWERS, unexpected, write_table

Live = Callable[..., None]
Until = Callable[..., Awaitable[None]]


def test_attention_of_a_table(window: MainWindow, live: Live, until: Until, tmp_path: Path) -> None:
    path = write_table(tmp_path / "a.tsv", 120, 1)

    async def story(studio: Studio) -> None:
        state, shown = studio.state, studio.state.attention
        assert await studio.open_path(path, ANSWERS)
        assert await studio.prepared()
        assert studio.attending is None, "not built before it is shown"
        window.board["tab_attention"].trigger()
        await until(lambda: shown.result is not None)
        await studio.settled()
        assert studio.attending is not None
        page, read = studio.attending._page, shown.result
        assert read is not None
        assert state.case.recording is not None
        reply = await studio.engine.client.attention(state.case.recording.info.recording_id, state.model.model_id)
        assert np.array_equal(reply.arrays["maps"], read.arrays["maps"], equal_nan=True)
        assert "Summary token" in page.brain_box.title, "until a parcel is chosen"
        summary = reply.arrays["summary"].astype(np.float32).mean((0, 1))
        assert np.allclose(page.brain._values, np.log2(summary * 424), atol=1e-3)

        page.parcels.chosen.emit((7,))
        await studio.settled()
        takes = reply.arrays["maps"].astype(np.float32).mean((0, 1))[7]
        drawn = page.brain._values
        assert np.isnan(drawn[7]), "what it takes from itself would hide all else"
        others = np.delete(np.arange(424), 7)
        assert np.allclose(drawn[others], np.log2(takes[others] * 424), atol=1e-3)
        best = int(others[takes[others].argmax()])
        assert page.top.model.rows[0].parcel == best
        assert state.case.atlas is not None
        assert page.top.model.rows[0].name == state.case.atlas.name(best)
        shown.put(layer=2, head=3, direction="gives", scale="raw")
        await studio.settled()
        gives = reply.arrays["maps"][1, 2].astype(np.float32)[:, 7]
        assert np.allclose(page.brain._values[others], 100 * gives[others], atol=1e-3)
        assert page.brain.bar._unit == "% of attention"
        page.top.chosen.emit(best)
        assert state.view.selected == (best,)
        page.matrix.plot.setFocus()
        page.matrix.plot.set_chosen(int(page.matrix.plot.order[3]), column=False)
        QTest.keyClick(page.matrix.plot, Qt.Key.Key_Down)
        assert state.view.selected == (int(page.matrix.plot.order[4]),)
        shown.put(source="rollout", whose="summary")
        await studio.settled()
        assert "between parcels" in view_of(state).why

        shown.put(source="occlusion", whose="parcel", scale="raw")
        await until(lambda: shown.occluded is not None)
        await studio.settled()
        assert shown.occluded is not None
        parcel = state.view.selected[0]
        asked = await studio.engine.client.occlusion(
            state.case.recording.info.recording_id, state.model.model_id, parcel
        )
        assert np.allclose(page.brain._values, asked.arrays["change"][:, 0], equal_nan=True, rtol=1e-3, atol=1e-7)
        shown.put(direction="takes")
        await studio.settled()
        assert "Occlude Every Parcel" in view_of(state).why

        shown.put(source="attention", direction="takes", layer=0, head=0)
        out = tmp_path / "map.csv"
        assert await studio.attending.export(str(out))
        with out.open(encoding="utf-8") as file:
            assert len(list(csv.DictReader(file))) == 424
        with (tmp_path / "map-matrix.csv").open(encoding="utf-8") as file:
            assert len(next(csv.reader(file))) == 425
        assert await studio.save_picture(str(tmp_path / "seen.png"))
        assert not QImage(str(tmp_path / "seen.png")).isNull()
        assert unexpected(studio) == []

        short = write_table(tmp_path / "b.tsv", 5, 2)
        assert await studio.open_path(short, ANSWERS)
        assert await studio.prepared()
        await until(lambda: bool(shown.problem))
        assert "fewer than one time patch" in shown.problem
        assert shown.result is None
        await studio.settled()

    live(story, window)


def test_every_parcel_hidden_without_an_atlas(window: MainWindow, live: Live, until: Until, tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    series, xyz = np.cumsum(rng.standard_normal((20, 60)), 1), rng.uniform(-50, 50, (20, 3))
    none, whole = np.zeros(20, bool), np.ones(20, np.float32)
    path = tmp_path / "small.safetensors"
    Recording(series.astype(np.float32), 0.72, xyz.astype(np.float32), none, whole, name="small").save(path)

    async def story(studio: Studio) -> None:
        state, shown = studio.state, studio.state.attention
        assert await studio.open_path(path)
        assert await studio.prepared()
        shown.put(source="occlusion", direction="takes", scale="raw")
        studio.show_workspace("model")
        state.shell.put(model_tab="attention")
        await until(lambda: shown.result is not None)
        studio.pointing.choose((5,))
        assert await studio.occlude_all()
        await studio.settled()
        assert shown.occluded is not None
        assert studio.attending is not None
        page, change = studio.attending._page, shown.occluded.arrays["change"]
        assert shown.occluded.whole
        assert page.top.model.rows[0].parcel == int(np.nanargmax(change[5]))
        assert np.array_equal(page.matrix.plot._values, change, equal_nan=True)
        assert any("Every parcel was hidden" in notice.text for notice in state.notices.waiting)
        shown.put(direction="gives")
        await studio.settled()
        assert not studio.attending.hiding.busy, "what is known is not asked for again"
        assert page.top.model.rows[0].parcel == int(np.nanargmax(change[:, 5]))
        assert unexpected(studio) == []

    live(story, window, timeout=240)


def test_people_are_contrasted(window: MainWindow, live: Live, until: Until, tmp_path: Path) -> None:
    people = simulate_cohort(tmp_path / "four people", 4, n_frames=40, tasks=("rest", "visual")).folder
    path = write_table(tmp_path / "a.tsv", 60, 1)

    async def story(studio: Studio) -> None:
        state, shown = studio.state, studio.state.contrast
        assert await studio.open_path(path, ANSWERS)
        assert await studio.prepared()
        studio.show_workspace("model")
        state.shell.put(model_tab="attention")
        studio.contrast_folder(str(people))
        await until(lambda: shown.choices is not None)
        await until(lambda: bool(shown.first))
        assert (shown.column, shown.first, shown.second) == ("task", "rest", "visual")
        assert window.board["contrast"].isEnabled() or state.attention.result is None
        assert await studio.contrast()
        await studio.settled()
        assert shown.result is not None
        assert studio.attending is not None
        info, page = shown.result.info, studio.attending._page
        assert info.people == (4, 4)
        assert shown.shown == "model"
        assert info.verdict in page.contrast.verdict.text()
        shown.put(masked=False)
        await studio.settled()
        assert np.array_equal(page.brain._values, shown.result.arrays["attention_t"], equal_nan=True)
        assert page.brain.bar._unit == "t(3)"
        assert page.matrix_box.isHidden(), "nothing goes from one parcel to another"
        t = shown.result.arrays["attention_t"]
        assert page.top.model.rows[0].parcel == int(np.nanargmax(np.abs(t)))
        shown.put(shown="simple")
        await studio.settled()
        assert np.array_equal(page.brain._values, shown.result.arrays["strength_t"], equal_nan=True)
        assert await studio.attending.contrast.export(str(tmp_path / "t.csv"))
        with (tmp_path / "t.csv").open(encoding="utf-8") as file:
            assert len(list(csv.DictReader(file))) == 2 * 424
        shown.put(shown="recording")
        await until(lambda: state.attention.result is not None)
        await studio.settled()
        assert page.brain.bar._unit == "log2, × uniform"
        assert page.matrix_box.isVisible()
        assert unexpected(studio) == []

        (tmp_path / "nothing").mkdir()
        studio.contrast_folder(str(tmp_path / "nothing"))
        await until(lambda: shown.choices is not None and bool(shown.choices.problem))
        assert "participants.tsv" in page.contrast._told.text()
        assert not window.board["contrast"].isEnabled() or not shown.first

    live(story, window, timeout=240)
