"""The real widgets, drawn to memory; a test that leaves windows or threads behind fails."""

from __future__ import annotations

import gc
import os
import threading
from collections.abc import Callable, Iterator

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
if os.environ["QT_QPA_PLATFORM"] == "offscreen":
    os.environ.setdefault("VTK_DEFAULT_OPENGL_WINDOW", "vtkEGLRenderWindow")

import pytest
from PySide6.QtCore import QCoreApplication, QEvent
from PySide6.QtWidgets import QApplication


def deliver_deletes() -> None:
    """Qt's ``processEvents`` does not deliver ``deleteLater``; this does."""
    for _ in range(3):
        QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)
        QCoreApplication.processEvents()
    gc.collect()


@pytest.fixture
def delete_now() -> Callable[[], None]:
    """Delivers what ``deleteLater`` asked for."""
    return deliver_deletes


@pytest.fixture(autouse=True)
def nothing_left_behind(request: pytest.FixtureRequest) -> Iterator[None]:
    """No visible window and no thread of ours may outlive its test."""
    if "qtbot" not in request.fixturenames:
        yield
        return
    request.getfixturevalue("qtbot")
    threads = set(threading.enumerate())
    yield
    deliver_deletes()
    visible = [widget for widget in QApplication.topLevelWidgets() if widget.isVisible()]
    for widget in visible:
        widget.close()
        widget.deleteLater()
    deliver_deletes()
    left = [thread for thread in set(threading.enumerate()) - threads if not thread.daemon]
    for thread in left:
        thread.join(timeout=5)
    alive = [thread.name for thread in left if thread.is_alive()]
    assert not alive, f"threads left behind: {alive}"
