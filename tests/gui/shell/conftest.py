"""The real window with the real engine, each test in a home of its own."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass

import pytest
import qasync
from PySide6.QtCore import QCoreApplication, QEvent
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from app import theme
from app.controllers.studio import Options, Studio
from app.views.main_window import MainWindow

Story = Callable[[Studio], Awaitable[None]]


@pytest.fixture
def window(qtbot: QtBot, qapp: QApplication) -> Iterator[MainWindow]:
    """A window that nothing has been joined to."""
    theme.apply("dark", qapp)
    made = MainWindow()
    made.set_theme(theme.current())
    made.resize(1280, 800)
    made.board.refresh(None)
    qtbot.addWidget(made)
    made.show()
    yield made
    made.close()
    made.deleteLater()
    QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)


@dataclass
class Live:
    """Runs a story about the program in Qt's own asyncio loop."""

    app: QApplication

    def __call__(
        self,
        story: Story,
        window: MainWindow,
        options: Options | None = None,
        *,
        engine: bool = True,
        timeout: float = 120,
    ) -> None:
        loop = qasync.QEventLoop(self.app)
        asyncio.set_event_loop(loop)

        async def whole() -> None:
            studio = Studio(window, options or Options(no_3d=True))
            try:
                if engine:
                    await studio.begin()
                    await studio.engine.ready()
                else:
                    await studio._build_pages()
                await story(studio)
            finally:
                client = studio.engine._client
                if client is not None:
                    await client.stop_engine()
                await studio.close()

        try:
            with loop:
                loop.run_until_complete(asyncio.wait_for(whole(), timeout))
        finally:
            asyncio.set_event_loop(None)


@pytest.fixture
def live(qapp: QApplication) -> Live:
    """Tell a story: ``live(story, window)``."""
    return Live(qapp)


@pytest.fixture
def until() -> Callable[..., Awaitable[None]]:
    """Wait for something: ``await until(lambda: ...)``."""
    return _until


async def _until(condition: Callable[[], bool], seconds: float = 30.0) -> None:
    """Wait until ``condition`` holds."""
    for _ in range(int(seconds / 0.02)):
        if condition():
            return
        await asyncio.sleep(0.02)
    raise AssertionError("it did not happen in time")
