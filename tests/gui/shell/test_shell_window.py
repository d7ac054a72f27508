"""The window without an engine: rail, notices, docks, layouts, palette, themes."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

import pytest
from PySide6.QtCore import QMimeData, QPoint, QPointF, Qt, QUrl
from PySide6.QtGui import QDragEnterEvent, QDropEvent, QPalette
from PySide6.QtWidgets import QAbstractButton, QApplication, QLineEdit, QPushButton, QTabBar, QToolBar, QWidget
from pytestqt.qtbot import QtBot

from app import theme
from app.actions.lists import ALL
from app.controllers.studio import Options, Studio
from app.services import storage
from app.services.preferences import save_recent
from app.state.notices import Notice
from app.text import tr
from app.views.main_window import MainWindow
from brainlm_engine.api.messages import Choice, Question

Live = Callable[..., None]


def test_first_window_says_what_to_do(window: MainWindow) -> None:
    rail = window.findChild(QToolBar, "rail")
    assert rail is not None
    assert [a.text() for a in rail.actions()] == ["Cases", "View", "Model", "Networks", "Perturb", "Train"]
    assert all(action.isEnabled() for action in rail.actions())


def test_everything_pressable_has_a_name(window: MainWindow) -> None:
    for button in window.findChildren(QAbstractButton):
        if button.objectName().startswith("qt_") or isinstance(button.parent(), QTabBar | QLineEdit):
            continue
        assert button.accessibleName() or button.text(), button


def test_undo_and_commands_follow_the_state(window: MainWindow, live: Live) -> None:
    async def story(studio: Studio) -> None:
        studio.state.edits.set(tr("edit.display"), studio.state.view, radiological=True)
        await asyncio.sleep(0.02)
        assert window.board["undo"].isEnabled()
        assert window.board["radiological"].isChecked()
        window.board["undo"].trigger()
        assert studio.state.view.radiological is False
        assert not window.board["open"].isEnabled()
        assert tr("reason.engine") in window.board["open"].toolTip()

    live(story, window, engine=False)


def test_every_command_can_be_asked_without_a_case(window: MainWindow, live: Live, qapp: QApplication) -> None:
    quiet = {"open", "open_demo", "reopen", "quit", "engine_restart", "full_screen", "diagnostics", "reconstruct"}

    async def story(studio: Studio) -> None:
        for action in ALL:
            if action.id not in quiet and window.board[action.id].isEnabled():
                window.board[action.id].trigger()
                await asyncio.sleep(0)
        for widget in qapp.topLevelWidgets():
            if widget is not window and widget.isVisible():
                widget.close()
        failures = [n for n in studio.state.notices.waiting if n.key.startswith("failed:")]
        assert failures == []

    live(story, window, engine=False)


def test_notices_are_shown_answered_and_dismissed(window: MainWindow, live: Live, qtbot: QtBot) -> None:
    question = Question(
        question_id="tr", text="TR?", choices=(Choice(value="2.0", label="2.0 s"),), default="2.0", required=True
    )

    async def story(studio: Studio) -> None:
        notices, strip = studio.state.notices, window.strip
        notices.drop("brain:off")
        height = strip.height()
        notices.tell(Notice("a", "danger", "It broke.", "Try again.", "Traceback", (("restart", "Restart Engine"),)))
        assert strip.notice is not None
        assert strip.notice.key == "a"
        assert strip.height() == height
        strip.pressed.emit("a", "details")
        assert window.fold_out.isVisible()
        strip.pressed.emit("a", "dismiss")
        assert notices.waiting == ()
        assert not window.fold_out.isVisible()
        notices.tell(Notice("scan:question:tr", "question", "TR?", question=question))
        with qtbot.waitSignal(strip.answered) as answered:
            next(b for b in strip.findChildren(QPushButton) if b.text() == "2.0 s").click()
        assert answered.args == ["scan:question:tr", "2.0"]

    live(story, window, engine=False)


def test_layouts_are_saved_and_restored(window: MainWindow, live: Live, brainlm_home: Path) -> None:
    async def story(studio: Studio) -> None:
        studio.commands.set_mood("lab")
        assert "jobs" in window.visible_docks()
        studio.shell.save_layout("mine")
        studio.commands.set_mood("review")
        assert window.visible_docks() == ()
        studio.shell.restore_layout("mine")
        assert "jobs" in window.visible_docks()
        window.board["dock_details"].trigger()
        await asyncio.sleep(0.02)
        assert "details" in studio.state.shell.docks
        assert window.board["dock_details"].isChecked()

    live(story, window, engine=False)
    assert "mine" in storage.read(storage.LAYOUTS)


def test_palette_finds_and_does(window: MainWindow, live: Live, qtbot: QtBot) -> None:
    async def story(studio: Studio) -> None:
        studio.boxes.palette()
        box = studio.boxes._palette
        assert box.isVisible()
        qtbot.keyClicks(box._line, "light theme")
        qtbot.keyClick(box._line, Qt.Key.Key_Return)
        assert studio.state.preferences.theme == "light"
        assert theme.current().name == "light"
        assert not box.isVisible()
        studio.boxes.palette()
        qtbot.keyClick(box._line, Qt.Key.Key_Escape)
        assert not box.isVisible()

    live(story, window, engine=False)


def test_preferences_are_written_at_once(window: MainWindow, live: Live) -> None:
    async def story(studio: Studio) -> None:
        studio.set_theme("light")
        assert storage.read(storage.PREFERENCES)["theme"] == "light"
        assert QApplication.palette().color(QPalette.ColorRole.Window).name() == theme.LIGHT.window.lower()

    live(story, window, engine=False)


def test_files_can_be_dropped_anywhere(window: MainWindow, qtbot: QtBot, tmp_path: Path) -> None:
    path = tmp_path / "a scan 🧠.nii"
    path.write_bytes(b"")
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(str(path))])
    event = QDropEvent(
        QPointF(QPoint(10, 10)),
        Qt.DropAction.CopyAction,
        data,
        Qt.MouseButton.LeftButton,
        Qt.KeyboardModifier.NoModifier,
    )
    with qtbot.waitSignal(window.dropped) as dropped:
        window.dropEvent(event)
    assert dropped.args == [[str(path)]]


@pytest.mark.parametrize("over", ["window", "drop area"])
def test_a_link_is_refused_and_said_so(window: MainWindow, live: Live, qapp: QApplication, over: str) -> None:
    async def story(studio: Studio) -> None:
        target = window if over == "window" else window.cases.area
        file, link = QUrl.fromLocalFile("/a/scan.nii"), QUrl("https://example.org/scan.nii")
        for urls, taken in (([link], False), ([link, file], True), ([file], True)):
            data = QMimeData()
            data.setUrls(urls)
            where, nothing = QPoint(10, 10), Qt.KeyboardModifier.NoModifier
            event = QDragEnterEvent(where, Qt.DropAction.CopyAction, data, Qt.MouseButton.LeftButton, nothing)
            event.setAccepted(False)
            qapp.notify(target, event)
            told = [n for n in studio.state.notices.waiting if n.key == "open:link"]
            assert (event.isAccepted(), bool(told)) == (taken, not taken)
            studio.state.notices.drop("open:link")

    live(story, window, engine=False)


def test_recent_files_open_only_with_an_engine(window: MainWindow, live: Live, tmp_path: Path) -> None:
    path = tmp_path / "scan.nii"
    path.write_bytes(b"")
    save_recent((str(path),))

    async def story(studio: Studio) -> None:
        page, opened = window.cases, []
        page.recent_chosen.connect(opened.append)
        for status, usable in (("ready", True), ("lost", False), ("ready", True), ("failed", False)):
            studio.state.engine.status = status  # type: ignore[assignment]
            page._list.setCurrentRow(0)
            assert page._open.isEnabled() == usable
            assert studio.shell._recent[0].isEnabled() == usable
            assert bool(studio.shell._recent[0].statusTip()) != usable
            opened.clear()
            page._list.itemActivated.emit(page._list.item(0))
            assert opened == ([str(path)] if usable else [])
        studio.state.engine.status = "ready"
        assert page._list.currentRow() == 0, "the choice stays"

    live(story, window, engine=False)


def test_names_can_be_hidden(window: MainWindow, live: Live, tmp_path: Path) -> None:
    path = tmp_path / "Jane Doe.nii"
    path.write_bytes(b"")

    async def story(studio: Studio) -> None:
        studio.state.shell.recent = (str(path),)
        studio.commands.toggle_names()
        texts = [action.text() for action in window.recent_menu.actions()]
        assert all("Jane" not in text for text in texts)

    live(story, window, engine=False)


def test_without_3d_it_says_so(window: MainWindow, live: Live) -> None:
    async def story(studio: Studio) -> None:
        assert "3D is off" in studio.state.notices.waiting[0].text
        assert not window.board["brain_left"].isEnabled()

    live(story, window, Options(no_3d=True), engine=False)


@pytest.mark.parametrize("name", ["dark", "light"])
def test_focus_is_seen(window: MainWindow, qapp: QApplication, name: str) -> None:
    theme.apply(name, qapp)
    button = window.cases.area.findChild(QPushButton)
    assert isinstance(button, QWidget)
    assert f"2px solid {theme.current().accent}" in qapp.styleSheet()


def test_a_closed_program_hears_of_no_theme(window: MainWindow, live: Live, qapp: QApplication) -> None:
    kept: list[Studio] = []

    async def story(studio: Studio) -> None:
        kept.append(studio)

    live(story, window, engine=False)
    heard: list[object] = []
    kept[0].viewing.set_theme = heard.append  # type: ignore[union-attr, method-assign, assignment]
    theme.apply("light", qapp)
    theme.apply("dark", qapp)
    assert heard == []
