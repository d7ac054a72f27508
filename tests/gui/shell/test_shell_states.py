"""The States tab: built when it is shown, its numbers are the engine's, windows and time cursor go together."""

from __future__ import annotations

import csv
from collections.abc import Awaitable, Callable
from pathlib import Path

import numpy as np
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest

from app.controllers.studio import Studio
from app.views.main_window import MainWindow
from tests.gui.shell.test_shell_model import ANSWERS, unexpected, write_table

Live = Callable[..., None]
Until = Callable[..., Awaitable[None]]


def test_states_of_a_table(window: MainWindow, live: Live, until: Until, tmp_path: Path) -> None:
    first = write_table(tmp_path / "a.tsv", 150, 1)

    async def story(studio: Studio) -> None:
        state, shown = studio.state, studio.state.states
        assert await studio.open_path(first, ANSWERS)
        assert await studio.prepared()
        assert studio.stating is None, "not built before it is shown"
        window.board["tab_states"].trigger()
        await until(lambda: shown.result is not None)
        await studio.settled()
        assert studio.stating is not None
        page, result = studio.stating._page, shown.result
        assert result is not None
        asked = await studio.engine.client.states(state.case.recording.info.recording_id, state.model.model_id)  # type: ignore[union-attr]
        assert np.array_equal(asked.arrays["model_states"], result.arrays["model_states"])
        assert len(page.plot.dots.data) == result.info.windows

        assert page.panel.table.textFormat() == Qt.TextFormat.RichText
        page.plot.setFocus()
        QTest.keyClick(page.plot, Qt.Key.Key_Right)
        assert state.view.frame == result.arrays["starts"][1]
        assert page.plot.window == 1
        page.strip.time_chosen.emit(0.0)
        assert state.view.frame == 0
        assert page.plot.window == 0
        shown.put(source="series", colour="time")
        assert [entry.text for entry in page.plot.entries] == ["First window", "Last window"]

        shown.put(k=3)
        await until(lambda: not shown.running and not shown.outdated)
        assert shown.result is not None
        assert shown.result.info.model.k == shown.result.info.series.k == 3
        out = tmp_path / "states.csv"
        studio.export_states(str(out))
        await until(out.exists)
        await studio.settled()
        with out.open(encoding="utf-8") as file:
            assert len(list(csv.DictReader(file))) == result.info.windows
        assert unexpected(studio) == []
        picture = tmp_path / "states.png"
        assert await studio.save_picture(str(picture))
        assert picture.read_bytes().startswith(b"\x89PNG")
        assert not await studio.save_picture(str(picture / "inside.png"))
        state.notices.drop("picture")

        short = write_table(tmp_path / "b.tsv", 2 * result.info.window_frames + 1, 2)
        assert await studio.open_path(short, ANSWERS)
        assert await studio.prepared()
        await until(lambda: bool(shown.problem))
        assert "too few to look for states" in shown.problem
        assert shown.result is None

    live(story, window)


def test_colours_of_the_demo_case_say_condition_and_activity(window: MainWindow, live: Live, until: Until) -> None:
    async def story(studio: Studio) -> None:
        shown = studio.state.states
        assert await studio.open_demo()
        assert await studio.prepared()
        window.board["tab_states"].trigger()
        await until(lambda: shown.result is not None)
        await studio.settled()
        assert studio.stating is not None
        assert shown.result is not None
        page, info, arrays = studio.stating._page, shown.result.info, shown.result.arrays
        box = page.panel.colour
        assert info.conditions == ("darkness", "pictures")
        assert box.count() == 3 + len(info.networks)
        assert "Condition" in [text for _, text in page.strip.getAxis("left")._tickLevels[0]]

        def dots() -> list[str]:
            return [spot.brush().color().name() for spot in page.plot.dots.points()]

        def choose(value: str) -> None:
            box.setCurrentIndex(box.findData(value))
            box.activated.emit(box.currentIndex())

        choose("condition")
        assert [entry.text for entry in page.plot.entries] == ["darkness", "pictures"]
        colours = dict(zip(arrays["condition"].tolist(), dots(), strict=True))
        assert dots() == [colours[condition] for condition in arrays["condition"].tolist()]
        assert len(set(dots())) == 2

        choose("Visual")
        activity = arrays["activity"][info.networks.index("Visual")]
        reds = [int(colour[1:3], 16) - int(colour[5:7], 16) for colour in dots()]
        assert all((red > 0) == (value > 0) for red, value in zip(reds, activity, strict=True) if abs(value) > 0.2)
        assert page.plot.entries[1].text == "0 SD"
        assert unexpected(studio) == []

    live(story, window)
