"""Scenarios kept, compared, reported, animated and swept."""

from __future__ import annotations

import base64
import csv
import re
from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from PySide6.QtCore import Qt
from safetensors.numpy import load_file

from app.controllers.studio import Studio
from app.views.main_window import MainWindow
from brainlm_engine.api.perturb import Target
from tests.engine.test_interpretation import PARCELS, small
from tests.gui.shell.test_shell_model import unexpected, write_table
from tests.gui.shell.test_shell_perturb import prepared

Live = Callable[..., None]
Until = Callable[..., Awaitable[None]]
ONE = Target(regions=(4,), start=100, stop=140, value=1.5)


def test_scenarios_side_by_side(window: MainWindow, live: Live, until: Until, tmp_path: Path) -> None:
    first = write_table(tmp_path / "a.tsv", 260, 1)

    async def story(studio: Studio) -> None:
        state, perturb = studio.state, studio.state.perturb
        controller = await prepared(studio, window, until, first)
        page, room = controller.page, studio.perturb_room
        assert room is not None
        assert not window.board["perturb_keep"].isEnabled()
        for value in (1.5, -1.5, 3.0, 0.5):
            perturb.put(targets=(ONE.model_copy(update={"value": value}),), chosen=0)
            await until(lambda: perturb.result is not None and not perturb.running and not perturb.judging)
            await until(window.board["perturb_keep"].isEnabled)
            window.board["perturb_keep"].trigger()
            await studio.settled()
        assert [each.name for each in perturb.kept] == [f"Scenario {number}" for number in (1, 2, 3, 4)]
        await until(lambda: not window.board["perturb_keep"].isEnabled())
        assert "Four scenarios" in window.board["perturb_keep"].toolTip()
        assert not room.parts.comparison.keep()
        last = perturb.kept[3].result
        early = replace(last, info=last.info.model_copy(update={"nulls": 0}))
        perturb.put(kept=(*perturb.kept[:3], replace(perturb.kept[3], result=early)), result=early)
        perturb.put(result=last)
        assert perturb.kept[3].result is last, "kept before its random regions were drawn, it is filled in"
        assert perturb.kept[2].result is not last
        window.board["perturb_compare"].trigger()
        await studio.settled()
        assert page.compare.isVisibleTo(page)
        assert not page.follows.isVisibleTo(page)
        page.compare.list.setCurrentRow(1)
        await studio.settled()
        assert perturb.compared == 1
        item = page.compare.list.item(1)
        item.setText("Down")
        await studio.settled()
        assert perturb.kept[1].name == "Down"
        assert page.brain_box.title == "Effect of Down"
        said = item.data(Qt.ItemDataRole.AccessibleTextRole) or page.compare.list.item(1).toolTip()
        assert "-1.5 SD" in said.replace("−", "-")
        bars = {each.name: np.array(each.heights) for each in page.bars._bars}
        wanted = [row.specific for row in perturb.kept[1].result.info.networks]
        assert bars["Down"] == pytest.approx(wanted)
        assert [name for name, _, _ in page.difference._lines] == ["Scenario 1", "Down", "Scenario 3", "Scenario 4"]
        assert "Scenario 3" in page.compare.table.text()

        assert await room.parts.report.write(str(tmp_path / "report.html"))
        text = (tmp_path / "report.html").read_text(encoding="utf-8")
        assert "Down" in text
        assert "Simulation of a statistical model. Not a treatment recommendation." in text
        picture = re.search(r'src="data:image/png;base64,([^"]+)"', text)
        assert picture is not None
        assert base64.b64decode(picture[1])[:4] == b"\x89PNG"
        assert text.count("Recipe</h2>") == 4
        assert not await room.parts.report.write(str(tmp_path / "a.tsv" / "report.html"))
        assert any("report.html" in notice.text for notice in state.notices.waiting)
        state.notices.drop("perturb:report")

        window.board["perturb_unkeep"].trigger()
        await studio.settled()
        assert len(perturb.kept) == 3
        state.steer.put(question="follows")
        await studio.settled()
        frame, shown = state.view.frame, perturb.shown
        assert await room.parts.report.animate(str(tmp_path / "spread.gif"))
        with Image.open(tmp_path / "spread.gif") as gif:
            assert gif.n_frames > 10  # type: ignore[attr-defined]
        assert (state.view.frame, perturb.shown) == (frame, shown)
        assert unexpected(studio) == []

    live(story, window)


def test_a_sweep_from_form_to_file(window: MainWindow, live: Live, until: Until, tmp_path: Path) -> None:
    first = write_table(tmp_path / "a.tsv", 260, 1)

    async def story(studio: Studio) -> None:
        state, sweep = studio.state, studio.state.sweep
        controller = await prepared(studio, window, until, first)
        page, room = controller.page, studio.perturb_room
        assert room is not None
        window.board["perturb_sweep"].trigger()
        await studio.settled()
        assert not window.board["sweep"].isEnabled()
        state.perturb.put(targets=(ONE,), chosen=0)
        await until(window.board["sweep"].isEnabled)
        page.sweep.count.setValue(3)
        page.sweep.low.setValue(-2.0)
        page.sweep.high.setValue(2.0)
        studio.pointing.pick(9)
        sweep.put(over="selected", onsets=2)
        await studio.settled()
        assert "6 answers" in page.sweep._told.text()
        window.board["sweep"].trigger()
        await until(lambda: sweep.result is not None, 60)
        await studio.settled()
        swept = sweep.result
        assert swept is not None
        assert [cell.value for cell in swept.info.cells] == [-2.0, 0.0, 2.0] * 2
        assert {place.regions for place in swept.info.places} == {(9,)}
        assert {cell.start for cell in swept.info.cells} == {0, 220}
        assert page.sweep.list.count() == 2
        page.sweep.list.setCurrentRow(1)
        await studio.settled()
        assert sweep.chosen == swept.order[1]
        line = page.response._lines[1]
        values, rows = swept.line(swept.order[1])
        assert line[1].tolist() == values.tolist() == [-2.0, 0.0, 2.0]
        assert line[2] == pytest.approx([swept.info.cells[row].reach for row in rows])
        assert await room.parts.sweeping.export(str(tmp_path / "sweep.csv"))
        rows_written = (tmp_path / "sweep.csv").read_text(encoding="utf-8").splitlines()[1:]
        assert len(list(csv.DictReader(rows_written))) == 6
        sweep.put(count=41, onsets=20)
        await studio.settled()
        assert "too many" in page.sweep._told.text()

    live(story, window)


def test_who_moves_whom(window: MainWindow, live: Live, until: Until, tmp_path: Path) -> None:
    first = small(tmp_path / "small.safetensors")

    async def story(studio: Studio) -> None:
        state, effective = studio.state, studio.state.effective
        assert await studio.open_path(str(first), {})
        assert await studio.prepared()
        window.board["perturb_map"].trigger()
        room = studio.perturb_room
        assert room is not None
        page = (await room.ready()).page
        await studio.settled()
        assert not window.board["effective_export"].isEnabled()
        window.board["effective"].trigger()
        await until(lambda: effective.result is not None, 60)
        await studio.settled()
        found = effective.result
        assert found is not None
        assert "Functional connectivity" in page.effective.table.text()
        assert page.matrix.plot._values.shape == (PARCELS, PARCELS)
        studio.pointing.pick(5)
        await studio.settled()
        assert page.brain_box.title.startswith("What ")
        assert np.allclose(page.brain._values, found.arrays["effective"][5], equal_nan=True)
        effective.put(direction="into", shown="noise")
        await studio.settled()
        assert np.allclose(page.brain._values, found.arrays["noise"][:, 5], equal_nan=True)
        assert page.brain_box.title.startswith("What moves ")
        assert await room.parts.effective.export(str(tmp_path / "maps.safetensors"))
        assert load_file(tmp_path / "maps.safetensors")["effective"].shape == (PARCELS, PARCELS)
        page.matrix.plot.parcel_clicked.emit(2)
        await studio.settled()
        assert state.view.selected == (2,)
        assert unexpected(studio) == []

    live(story, window)
