"""The Networks workspace: built when it is shown, its numbers are the engine's, its drawings go together."""

from __future__ import annotations

import csv
from collections.abc import Awaitable, Callable
from pathlib import Path

import numpy as np
from PySide6.QtCore import QPointF, Qt
from PySide6.QtTest import QTest

from app.controllers.studio import Studio
from app.views.main_window import MainWindow
from brainlm_engine.api.networks import QUICK_SOURCES
from tests.gui.shell.test_shell_model import ANSWERS, unexpected, write_table

Live = Callable[..., None]
Until = Callable[..., Awaitable[None]]


def test_networks_of_a_table(window: MainWindow, live: Live, until: Until, tmp_path: Path) -> None:
    path = write_table(tmp_path / "a.tsv", 150, 1)

    async def story(studio: Studio) -> None:
        state, shown = studio.state, studio.state.networks
        assert await studio.open_path(path, ANSWERS)
        assert await studio.prepared()
        assert studio.networked is not None
        assert studio.networked.controller is None, "not built before it is shown"
        window.board["go_networks"].trigger()
        await until(lambda: shown.result is not None)
        await studio.settled()
        controller, result = studio.networked.controller, shown.result
        assert controller is not None
        assert result is not None
        page, matrix = controller.page, controller.page.matrix.matrix
        asked = await studio.engine.client.networks(
            state.case.recording.info.recording_id,
            state.model.model_id,
            count=shown.count,  # type: ignore[union-attr]
        )
        assert asked.message.scores == result.info.scores
        assert np.array_equal(asked.arrays["labels"], result.arrays["labels"])
        assert f"{result.info.scores[0].accuracy:.0%}" in page.scores.table.text()
        assert page.scores.verdict.text().startswith(result.info.verdict)

        names = result.names("labels")
        blocks = matrix.blocks()
        assert sorted(matrix.order.tolist()) == list(range(len(names)))
        assert len({name for name, *_ in blocks}) == len(blocks), "every network is one block"
        assert set(page.traces._courses) == {name for name in names if name}

        area = matrix.area()
        row = QPointF(area.left() + 1, area.top() + 0.5 * area.height()).toPoint()
        at = matrix.parcel_at(QPointF(row))
        assert at is not None
        QTest.mouseClick(matrix, Qt.MouseButton.LeftButton, pos=row)
        assert state.view.selected == at[:1]
        here = matrix.order.tolist().index(at[0])
        assert matrix.selected == state.view.selected
        QTest.keyClick(matrix, Qt.Key.Key_Down)
        assert state.view.selected == (int(matrix.order[here + 1]),)
        page.brain.parcel_clicked.emit(3)
        assert matrix.selected == (3,)
        page.traces.time_chosen.emit(10 * state.case.tr_s)
        assert state.view.frame == 10

        window.board["networks_clusters"].trigger()
        await studio.settled()
        assert {name for name, *_ in matrix.blocks()} <= set(result.names("clusters"))
        shown.put(shown="right")
        await studio.settled()
        right = result.arrays["labels"] == result.arrays["reference"]
        colours = controller.drawing._parcel_colours(result)
        known = (result.arrays["labels"] >= 0) & (result.arrays["reference"] >= 0)
        assert len(np.unique(colours[known & right], axis=0)) <= 1
        assert not np.array_equal(colours[known & right][:1], colours[known & ~right][:1])

        shown.put(source="connectivity")
        assert shown.outdated
        await until(lambda: not shown.running and not shown.outdated)
        assert shown.result is not None
        assert shown.result.info.source == "connectivity"
        table, picture = tmp_path / "n.csv", tmp_path / "n.png"
        assert await studio.networked.export(str(table))
        with table.open(encoding="utf-8") as file:
            rows = list(csv.DictReader(file))
        assert [row["network"] for row in rows] == list(shown.result.names("labels"))
        assert await studio.networked.export(str(picture))
        assert picture.read_bytes().startswith(b"\x89PNG")
        assert unexpected(studio) == []
        assert not await studio.networked.export(str(tmp_path / "n.odd"))
        assert any("no file of networks" in notice.text for notice in state.notices.waiting)

    live(story, window)


def test_choices_come_back_with_the_session(window: MainWindow, live: Live) -> None:
    from app.state.session import Session, restore_settings, snapshot

    async def story(studio: Studio) -> None:
        studio.state.networks.put(source="raw", count=9, shown="reference")
        kept = snapshot(studio.state, saved=0.0, pid=1, closed=True)
        studio.state.networks.put(source="attention", count=0, shown="labels")
        restore_settings(Session.model_validate_json(kept.model_dump_json()), studio.state)
        chosen = studio.state.networks
        assert (chosen.source, chosen.count, chosen.shown) == ("raw", 9, "reference")
        odd = kept.model_copy(update={"networks": {"source": "nonsense", "count": 3}})
        restore_settings(odd, studio.state)
        assert chosen.source in QUICK_SOURCES

    live(story, window)
