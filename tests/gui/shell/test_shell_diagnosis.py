"""Diagnostics: open at once while the graphics are asked about; moments and sizes as a person writes them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from PySide6.QtWidgets import QApplication, QPlainTextEdit

from app.controllers.studio import Studio
from app.dialogs.facts import FactsDialog
from app.services.diagnosis import facts, written
from app.text import tr
from app.views.main_window import MainWindow

Live = Callable[..., None]
Until = Callable[..., Awaitable[None]]


def test_diagnostics_open_before_the_graphics_have_answered(
    window: MainWindow, live: Live, until: Until, qapp: QApplication
) -> None:
    async def story(studio: Studio) -> None:
        window.board["diagnostics"].trigger()
        found: list[FactsDialog] = []

        def opened() -> bool:
            found[:] = [w for w in qapp.topLevelWidgets() if isinstance(w, FactsDialog) and w.isVisible()]
            return bool(found)

        await until(opened)
        box = found[0].findChild(QPlainTextEdit)
        assert box is not None
        assert f"opengl: {tr('diagnose.asking')}" in box.toPlainText()
        await until(lambda: tr("diagnose.asking") not in box.toPlainText())
        assert "opengl: " in box.toPlainText()
        found[0].close()

        window.board["diagnostics"].trigger()  # closed before the answer: nothing is left to write to
        await until(opened)
        found[0].close()
        await until(lambda: not studio.tasks._running)
        assert not [n for n in studio.state.notices.waiting if n.key.startswith("failed:")]

    live(story, window, engine=False)


def test_moments_are_dates_and_sizes_gigabytes() -> None:
    engine = {"started": 1.7e9, "memory_total": 16 * 2**30, "memory_free": 3 * 2**29, "pid": 7}
    text = written(facts(engine, "none"))
    assert "memory total: 16.0 GB" in text
    assert "memory free: 1.5 GB" in text
    assert "started: 2023-11-1" in text
    assert "pid: 7" in text
