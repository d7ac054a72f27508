"""One 3D picture per turn of the event loop."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from PySide6.QtCore import QCoreApplication, QEvent, QObject
from pytestqt.qtbot import QtBot

from app.views.brain import BrainView
from app.views.render_turns import RenderTurns, render_turns


class Drawer(QObject):
    def __init__(self, diary: list[str], name: str) -> None:
        super().__init__()
        self.diary, self.name = diary, name

    def draw_waiting(self) -> None:
        self.diary.append(self.name)


@pytest.mark.usefixtures("qapp")
def test_turns_come_in_order_and_once(qtbot: QtBot) -> None:
    diary: list[str] = []
    turns = RenderTurns()
    first, second, gone = (Drawer(diary, name) for name in ("first", "second", "gone"))
    for drawer in (first, gone, second, first):
        turns.ask(drawer)
    gone.deleteLater()
    QCoreApplication.sendPostedEvents(gone, QEvent.Type.DeferredDelete)
    assert diary == []
    assert turns.busy
    qtbot.waitUntil(lambda: not turns.busy)
    assert diary == ["first", "second"]


def test_two_brains_are_drawn_in_two_turns(qtbot: QtBot, brain: Callable[..., BrainView], atlas: Any) -> None:
    views = [brain(), brain()]
    qtbot.waitUntil(lambda: not render_turns().busy)
    qtbot.wait(300)
    together = 0
    drawn = [view.canvas.frames for view in views]
    for view in views:
        view.set_values([0.1] * atlas.n_parcels, -1, 1, "vik")
    assert [view.canvas.frames for view in views] == drawn  # nothing is drawn while the values are set
    while render_turns().busy:
        before = [view.canvas.frames for view in views]
        render_turns()._next()
        after = [view.canvas.frames for view in views]
        together = max(together, sum(a - b for a, b in zip(after, before, strict=True)))
    assert together == 1
    assert all(view.canvas.frames > before for view, before in zip(views, drawn, strict=True))
