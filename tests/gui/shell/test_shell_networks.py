"""The Networks workspace: its numbers are the command's, brain, matrix and traces go together, files are written."""

from __future__ import annotations

import asyncio
import csv
import json
from collections.abc import Awaitable, Callable
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtGui import QImage
from PySide6.QtTest import QTest

from app.controllers.studio import Studio
from app.state import AppState
from app.state.session import restore_settings, snapshot
from app.text import tr
from app.views.main_window import MainWindow
from brainlm_engine.atlas.registry import load_atlas
from brainlm_engine.cli import main
from brainlm_engine.recording import Recording
from tests.gui.shell.test_shell_legible import wide
from tests.gui.shell.test_shell_model import ANSWERS, unexpected, write_table

Live = Callable[..., None]
Until = Callable[..., Awaitable[None]]


def test_the_window_finds_what_the_command_finds(
    window: MainWindow, live: Live, until: Until, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = write_table(tmp_path / "a.tsv", 150, 1)

    async def story(studio: Studio) -> None:
        shown = studio.state.networks
        window.board["go_networks"].trigger()
        await until(lambda: studio.networking is not None)
        assert studio.networking is not None
        page = studio.networking.page
        assert not page.brain.isVisible(), "a sentence stands there"
        assert not window.board["networks"].isEnabled()
        assert page.scores.verdict.text() == tr("networks.nothing")
        assert page.group.people.value() == shown.people == 20
        assert await studio.open_path(path, ANSWERS)
        assert await studio.prepared()
        studio.show_workspace("networks")
        await until(lambda: shown.result is not None, 60)
        await studio.settled()
        result = shown.result
        assert result is not None
        assert result.info.complete
        assert not shown.controlling
        said = asyncio.to_thread(
            main, ["networks", str(path), "--tr", "1", "--answer", "positions=mni424", "--json"]
        )  # fmt: skip
        assert await said == 0
        told = json.loads(capsys.readouterr().out)
        assert [(row["method"], row["accuracy"], row["nmi"]) for row in told["scores"]] == [
            (score.method, score.accuracy, score.nmi) for score in result.info.scores
        ]
        assert (told["clusters"], told["silhouette"]) == (result.info.clusters, result.info.silhouette)
        assert told["verdict"] == result.info.verdict == page.scores.verdict.text()
        assert {"noise", "untrained", "xyz", "mirrored", "majority", "raw"} <= {s.method for s in result.info.scores}
        assert len(page.scores.scores.rows) == len(result.info.scores)
        assert len(page.scores.recall.rows) == 7
        assert not wide(page)
        assert unexpected(studio) == []

    live(story, window, timeout=240)


def test_brain_matrix_and_traces_go_together(window: MainWindow, live: Live, until: Until, tmp_path: Path) -> None:
    path = write_table(tmp_path / "a.tsv", 120, 2)

    async def story(studio: Studio) -> None:
        state, shown = studio.state, studio.state.networks
        shown.source = "connectivity"
        assert await studio.open_path(path, ANSWERS)
        assert await studio.prepared()
        studio.show_workspace("networks")
        await until(lambda: shown.result is not None, 60)
        await studio.settled()
        assert studio.networking is not None
        page, result = studio.networking.page, shown.result
        assert result is not None
        matrix = page.matrix
        assert sorted(matrix.order) == list(range(424))
        for group in matrix.groups[:-1]:  # the last holds parcels without a network
            assert len({int(result.arrays["labels"][parcel]) for parcel in matrix.order[group.first : group.last]}) == 1

        square, per = matrix.square(), matrix.square().width() / 424
        at = QPointF(square.left() + 10.5 * per, square.top() + 100.5 * per).toPoint()
        row, column = matrix.cell(QPointF(at)) or (-1, -1)
        QTest.mouseClick(matrix, Qt.MouseButton.LeftButton, pos=QPoint(at))
        assert state.view.selected == (matrix.order[row], matrix.order[column])
        await studio.settled()
        names = [row.name for row in page.traces.rows]
        assert state.case.atlas is not None
        assert names[-2:] == [state.case.atlas.name(int(parcel)) for parcel in state.view.selected]
        matrix.setFocus()
        QTest.keyClick(matrix, Qt.Key.Key_Down)
        assert state.view.selected[0] == matrix.order[row + 1]
        QTest.keyClick(matrix, Qt.Key.Key_PageDown)
        assert state.view.selected[0] in {int(matrix.order[group.first]) for group in matrix.groups}
        page.brain.parcel_clicked.emit(7)
        assert state.view.selected == (7,)
        assert matrix._marks() == (list(matrix.order).index(7),) * 2

        labels = result.arrays["labels"]
        await studio.settled()
        means = [row for row in page.traces.rows if row.mean]
        assert state.case.recording is not None
        first = labels == labels[labels >= 0].min()
        assert np.allclose(means[0].values, state.case.recording.sd[first].mean(0), atol=1e-5)
        page.traces.setFocus()
        QTest.keyClick(page.traces, Qt.Key.Key_Right)
        assert state.view.frame == page.traces.frame == 1

        window.board["networks_right"].trigger()
        await studio.settled()
        right = int((labels[labels >= 0] == result.arrays["reference"][labels >= 0]).sum())
        assert page.swatches.entries[0][0] == tr("networks.counted", name=tr("networks.right"), count=right)
        shown.into = "4"
        await until(lambda: not shown.running and not shown.outdated, 60)
        shown.shown = "found"
        await studio.settled()
        assert shown.result is not None
        assert shown.result.info.clusters == 4
        assert [group.name for group in matrix.groups] == [tr("networks.cluster", number=n) for n in range(1, 5)]
        saved = snapshot(state, saved=0.0, pid=1, closed=True)
        fresh = AppState()
        restore_settings(saved, fresh)
        assert (fresh.networks.source, fresh.networks.into, fresh.networks.shown) == ("connectivity", "4", "found")

        shown.source = "responses"
        assert shown.outdated, "what takes minutes waits until it is asked for"
        assert not window.board["networks_export"].isEnabled() or await _refreshed(window)
        assert unexpected(studio) == []

    live(story, window, timeout=240)


async def _refreshed(window: MainWindow) -> bool:
    await asyncio.sleep(0.1)
    return not window.board["networks_export"].isEnabled()


def test_files_and_pictures(window: MainWindow, live: Live, until: Until, tmp_path: Path) -> None:
    path = write_table(tmp_path / "a.tsv", 120, 3)

    async def story(studio: Studio) -> None:
        state, shown = studio.state, studio.state.networks
        shown.source = "connectivity"
        assert await studio.open_path(path, ANSWERS)
        assert await studio.prepared()
        studio.show_workspace("networks")
        await until(lambda: shown.result is not None, 60)
        await studio.settled()
        assert studio.networking is not None
        assert shown.result is not None
        labels = shown.result.arrays["labels"]
        table, volume, surface = (tmp_path / name for name in ("n.csv", "n.nii.gz", "n.dlabel.nii"))
        for each in (table, volume, surface):
            assert await studio.networking.files.export(str(each))
        with table.open(encoding="utf-8") as file:
            rows = list(csv.DictReader(file))
        names = shown.result.info.names
        assert [row["network"] for row in rows] == [names[label] if label >= 0 else "" for label in labels]
        assert state.case.atlas is not None
        written = np.asarray(nib.load(volume).dataobj)
        assert (written[state.case.atlas.labels == 8] == labels[7] + 1).all()
        assert nib.load(surface).shape[0] == 1
        done = [notice.text for notice in state.notices.waiting if notice.key == "networks:file"]
        assert done == [tr("networks.export.done", name="n.dlabel.nii")]
        for what in ("brain", "matrix"):
            assert await studio.networking.files.picture(what, str(tmp_path / f"{what}.png"))
            assert QImage(str(tmp_path / f"{what}.png")).width() > 200
        assert not await studio.networking.files.export(str(table / "below" / "n.csv"))
        assert not await studio.networking.files.export(str(tmp_path / "n.txt"))

    live(story, window, timeout=240)


def test_networks_of_a_group(window: MainWindow, live: Live, until: Until, tmp_path: Path) -> None:
    path, folder = write_table(tmp_path / "a.tsv", 60, 4), tmp_path / "cohort"
    atlas = load_atlas()
    (folder / "recordings").mkdir(parents=True)
    for person in range(2):
        series = np.random.default_rng(person).normal(size=(atlas.n_parcels, 40)).astype(np.float32)
        Recording(
            series=series, tr_s=1.0, xyz=atlas.xyz, missing=np.zeros(len(series), bool), names=atlas.names,
            coverage=np.ones(len(series), np.float32), atlas_id=atlas.atlas_id, networks=atlas.networks,
        ).save(folder / "recordings" / f"sub-0{person}_task-rest_run-1.safetensors")  # fmt: skip
    (folder / "participants.tsv").write_text("participant_id\tsplit\nsub-00\ttest\nsub-01\ttest\n")

    async def story(studio: Studio) -> None:
        shown = studio.state.networks
        shown.put(source="raw", people=2)
        assert await studio.open_path(path, ANSWERS)
        assert await studio.prepared()
        studio.show_workspace("networks")
        await until(lambda: shown.result is not None and not shown.controlling, 120)
        own = shown.result
        assert await studio.networks_of_group(str(folder))
        await studio.settled()
        assert studio.networking is not None
        assert shown.result is not None
        assert shown.result is not own
        assert shown.result.info.people == 2
        assert "mean of 2 people" in studio.networking.page.brain_box.title
        assert await studio.networking.files.export(str(tmp_path / "group.nii.gz"))
        again = await studio.networks()
        assert again is not None
        assert again.info.people == 1
        assert not await studio.networks_of_group(str(tmp_path / "nowhere"))

    live(story, window, timeout=400)


def test_what_cannot_be_done_is_said(window: MainWindow, live: Live, until: Until, tmp_path: Path) -> None:
    short = write_table(tmp_path / "b.tsv", 12, 2)

    async def story(studio: Studio) -> None:
        shown = studio.state.networks
        shown.source = "connectivity"
        assert await studio.open_path(short, ANSWERS)
        assert await studio.prepared()
        studio.show_workspace("networks")
        await until(lambda: bool(shown.problem), 60)
        await studio.settled()
        assert "12 frames, too few" in shown.problem
        assert shown.result is None
        assert studio.networking is not None
        assert studio.networking.page.scores.verdict.text() == shown.problem

    live(story, window, timeout=120)
