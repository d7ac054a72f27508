"""Pieces of work go with the page they draw on."""

from __future__ import annotations

import pytest
from PySide6.QtCore import QCoreApplication, QEvent, QObject
from pytestqt.qtbot import QtBot

from app.services.turns import Turns, pace


@pytest.mark.usefixtures("qapp")
def test_pieces_of_a_page_that_is_gone_are_not_done(qtbot: QtBot) -> None:
    diary: list[str] = []
    pages = [QObject(), QObject()]
    gone, stays = (Turns(page) for page in pages)
    gone.take(lambda: diary.append("gone"), lambda: diary.append("gone too"))
    stays.take(lambda: diary.append("first"), lambda: diary.append("second"))
    pages[0].deleteLater()
    QCoreApplication.sendPostedEvents(pages[0], QEvent.Type.DeferredDelete)
    gone.take(lambda: diary.append("asked for afterwards"))
    qtbot.waitUntil(lambda: not stays.busy)
    qtbot.waitUntil(lambda: not pace()._waiting)
    assert diary == ["first", "second"]
