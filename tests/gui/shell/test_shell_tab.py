"""Tab goes through the whole window and comes round: nothing keeps the keyboard to itself."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QAbstractItemView, QApplication, QPlainTextEdit, QWidget

from app.controllers.studio import Studio
from app.views.main_window import DOCKS, MainWindow
from brainlm_engine.api.messages import JobRecord, JobState

Live = Callable[..., None]
MOST = 150


def around(window: MainWindow, key: Qt.Key) -> list[QWidget]:
    """Press ``key`` until the keyboard is where it began; return the stops on the way."""
    begin = QApplication.focusWidget()
    assert begin is not None
    stops = [begin]
    while len(stops) < MOST:
        QTest.keyClick(stops[-1], key)
        here = QApplication.focusWidget()
        assert here is not None
        where = f"{type(here).__name__} “{here.accessibleName()}”"
        assert here is not stops[-1], f"{where} keeps the keyboard"
        if here is begin:
            return stops
        assert here not in stops, f"{where} comes again before the round is complete"
        stops.append(here)
    raise AssertionError("the round never ends")


def lists(window: MainWindow) -> set[QWidget]:
    """The tables, lists and texts on screen that take the keyboard by Tab."""
    found = [*window.findChildren(QAbstractItemView), *window.findChildren(QPlainTextEdit)]
    return {w for w in found if w.isVisible() and w.isEnabled() and w.focusPolicy() & Qt.FocusPolicy.TabFocus}


@pytest.mark.parametrize("page", ["cases", "view", "model"])
def test_tab_comes_round(window: MainWindow, live: Live, tmp_path: Path, page: str) -> None:
    path = tmp_path / "series.tsv"
    np.savetxt(path, np.random.default_rng(1).normal(100, 5, (60, 424)), fmt="%.3f", delimiter="\t")

    async def story(studio: Studio) -> None:
        assert await studio.open_path(path, {"tr": "2.0", "positions": "mni424"})
        assert await studio.prepared()
        studio.state.work.hear(JobRecord(job_id="a", kind="cache", title="A", state=JobState.DONE, created=1.0))
        for dock in DOCKS:
            window.show_dock(dock, True)
        studio.show_workspace(page)
        await studio.settled()
        studio.shell.refresh_actions()
        for raised in ("jobs", "log"):
            window.show_dock(raised, True)
            await asyncio.sleep(0.05)
            window.activateWindow()
            QGuiApplication.processEvents()
            window.focus_page()
            forth = around(window, Qt.Key.Key_Tab)
            assert len(forth) > 10
            assert lists(window) <= set(forth)
            assert set(around(window, Qt.Key.Key_Backtab)) == set(forth)

    live(story, window)
