"""The Forecast tab: built when it is shown, its numbers are the engine's, nothing on screen is of other settings."""

from __future__ import annotations

import asyncio
import csv
from collections.abc import Awaitable, Callable
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest

from app.controllers.studio import Studio
from app.views.main_window import MainWindow
from app.views.panels.forecast import ForecastScores
from app.views.tabbed import TabbedPage
from brainlm_engine.api.forecasting import ForecastScore
from tests.gui.shell.test_shell_model import ANSWERS, unexpected, write_table

Live = Callable[..., None]
Until = Callable[..., Awaitable[None]]


def test_forecast_a_table(window: MainWindow, live: Live, until: Until, tmp_path: Path) -> None:
    first, second = write_table(tmp_path / "a.tsv", 150, 1), write_table(tmp_path / "b.tsv", 90, 2)

    async def story(studio: Studio) -> None:
        state, shown = studio.state, studio.state.forecast
        studio.show_workspace("model")
        assert studio.forecasting is None, "not built before it is shown"
        assert await studio.open_path(first, ANSWERS)
        assert await studio.prepared()
        window.board["tab_forecast"].trigger()
        await until(lambda: shown.result is not None)
        await studio.settled()
        assert studio.forecasting is not None
        page, result = studio.forecasting._page, shown.result
        assert result is not None
        assert result.info.origin == 130, "so that all of it can be compared"
        asked = await studio.engine.client.forecast(
            state.case.recording.info.recording_id,
            state.model.model_id,
            130,
            20,  # type: ignore[union-attr]
        )
        assert asked.message.methods == result.info.methods, "the numbers are the engine's"
        assert np.array_equal(asked.arrays["forecast"], result.arrays["forecast"])
        assert page.plot.made.getData()[1] == pytest.approx(result.of("forecast")[0])
        assert page.brain._values == pytest.approx(result.of("forecast")[:, 0], nan_ok=True)

        state.view.selected = (7,)
        await studio.settled()
        assert page.plot.made.getData()[1] == pytest.approx(result.of("forecast")[7])
        shown.put(shown="error")
        state.view.frame = 135
        await studio.settled()
        error = result.of("forecast")[:, 5] - result.arrays["truth"][:, 5]
        assert page.brain._values == pytest.approx(error, nan_ok=True)

        page.plot.setFocus()
        QTest.keyClick(page.plot, Qt.Key.Key_Left)
        assert shown.origin == 129
        await until(lambda: shown.result is not None and shown.result.info.origin == 129)
        assert not shown.outdated
        for frame in range(60, 70):  # faster than answers come: only the newest is waited for
            studio.forecasting.choose_origin(frame)
        await until(lambda: shown.result is not None and shown.result.info.origin == 69)
        assert not shown.running

        out = tmp_path / "forecast.csv"
        studio.export_forecast(str(out))
        await until(out.exists)
        await studio.settled()
        with out.open(encoding="utf-8") as file:
            rows = list(csv.DictReader(file))
        assert len(rows) == 424 * 20
        followed = state.case.recording.series[0, 69]  # type: ignore[union-attr]
        assert float(rows[0]["followed"]) == pytest.approx(followed, rel=1e-3, abs=1e-3)
        await until(lambda: "forecast.csv" in studio.state.notices.waiting[0].text)

        assert await studio.forecast_all()
        assert shown.rolling is not None
        await studio.settled()
        assert page.lead_box.title.endswith(f"{shown.rolling.info.origins} origins")

        assert await studio.open_path(second, ANSWERS)
        assert shown.result is None
        assert shown.rolling is None
        assert await studio.prepared()
        await until(lambda: shown.result is not None and shown.result.info.origin == 70)
        assert unexpected(studio) == []

    live(story, window)


def test_what_the_engine_refuses_is_told_on_the_page(
    window: MainWindow, live: Live, until: Until, tmp_path: Path
) -> None:
    table = write_table(tmp_path / "a.tsv", 120, 1)

    async def story(studio: Studio) -> None:
        shown = studio.state.forecast
        assert await studio.open_path(table, ANSWERS)
        assert await studio.prepared()
        window.board["tab_forecast"].trigger()
        await until(lambda: shown.result is not None)
        assert studio.forecasting is not None
        studio.forecasting.choose_origin(3)
        await until(lambda: bool(shown.problem))
        assert "fewer than one time patch" in shown.problem
        assert shown.outdated
        assert not shown.running
        studio.forecasting.choose_origin(100)
        await until(lambda: not shown.problem and not shown.outdated)
        await asyncio.sleep(0)
        assert not [notice for notice in studio.state.notices.waiting if notice.key.startswith("forecast:")]
        folder = tmp_path / "no folder"
        folder.write_text("a file")
        studio.export_forecast(str(folder / "forecast.csv"))
        told = studio.state.notices
        await until(lambda: any("no folder" in notice.text + notice.next_step for notice in told.waiting))
        assert folder.read_text() == "a file"

    live(story, window)


def test_tabs_say_what_is_not_built(qtbot: object) -> None:
    page = TabbedPage(("reconstruct", "forecast"), "wait")
    chosen: list[str] = []
    page.tab_chosen.connect(chosen.append)
    page.show_tab("forecast")
    assert chosen == [], "what is told is not asked for"
    assert not page.has("forecast")
    page.bar.setCurrentIndex(0)
    assert chosen == ["reconstruct"]
    page.deleteLater()


def test_the_best_method_is_marked_and_nothing_is_shown_without_truth(qtbot: object) -> None:
    panel = ForecastScores()
    nan = float("nan")
    scores = tuple(
        ForecastScore(method=name, title=name, mse=mse, skill=1 - mse) for name, mse in (("forecast", 0.8), ("ar", 0.7))
    )
    panel.show_scores("t", scores, "v", "", notes="", outdated=False)
    texts = [
        panel._grid.itemAt(i).widget().text()
        for i in range(panel._grid.count())
        if hasattr(panel._grid.itemAt(i).widget(), "text")
    ]  # type: ignore[union-attr]
    assert "▸ ar" in texts
    assert "forecast" in texts
    unknown = tuple(score.model_copy(update={"mse": nan, "skill": nan}) for score in scores)
    panel.show_scores("t", unknown, "v", "", notes="", outdated=True)
    assert panel._grid.count() == 0
    panel.deleteLater()
