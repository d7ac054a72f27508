"""Whatever takes the keyboard has a name that is heard; whatever is pressed, chosen or typed into explains itself."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QAccessible
from PySide6.QtWidgets import (
    QAbstractButton,
    QAbstractItemView,
    QAbstractScrollArea,
    QAbstractSlider,
    QAbstractSpinBox,
    QApplication,
    QComboBox,
    QDialog,
    QDockWidget,
    QFrame,
    QLineEdit,
    QScrollBar,
    QTabBar,
    QWidget,
)

from app.controllers.studio import Studio
from app.state.notices import Notice
from app.text import tr
from app.views.main_window import MainWindow
from brainlm_engine.api.messages import Choice, Question

Live = Callable[..., None]
CONTROLS = (QAbstractButton, QComboBox, QAbstractSpinBox, QAbstractSlider, QLineEdit)


def of_qt(widget: QWidget) -> bool:
    """A part that Qt builds into a widget of ours, which speaks for it."""
    parent = widget.parent()
    return (
        widget.objectName().startswith("qt_")
        or isinstance(widget, QScrollBar)
        or isinstance(parent, QTabBar | QLineEdit)
        or (isinstance(parent, QAbstractScrollArea) and parent.viewport() is widget)
        or (
            isinstance(widget, QAbstractItemView)
            and type(parent) is QFrame
            and parent.windowType() == Qt.WindowType.Popup
        )
    )


def focusable(top: QWidget) -> Iterator[QWidget]:
    for widget in (top, *top.findChildren(QWidget)):
        if widget.focusPolicy() != Qt.FocusPolicy.NoFocus and not of_qt(widget):
            yield widget


def heard(widget: QWidget) -> str:
    """What a screen reader says; a box with a list is announced by the name that we gave it."""
    if isinstance(widget, QComboBox):
        return widget.accessibleName()
    interface = QAccessible.queryAccessibleInterface(widget)
    return interface.text(QAccessible.Text.Name) if interface is not None else ""


def silent(top: QWidget) -> list[str]:
    """Widgets without a name, and controls without a tooltip."""
    found = []
    for widget in focusable(top):
        place = f"{type(widget).__name__} in {type(widget.parent()).__name__}"
        if not heard(widget):
            found.append(f"no name: {place}")
        if isinstance(widget, CONTROLS) and not widget.toolTip():
            found.append(f"no tooltip: {place} ({heard(widget)})")
    return found


@pytest.mark.parametrize("free", [True, False])
def test_everything_that_takes_the_keyboard_says_what_it_is(
    window: MainWindow, live: Live, qapp: QApplication, free: bool
) -> None:
    choices = (Choice(value="2.0", label="2.0 s"),)
    question = Question(question_id="tr", text="Which TR?", choices=choices, free=free, required=True)

    async def story(studio: Studio) -> None:
        studio.state.notices.tell(Notice("scan:question:tr", "question", "Which TR?", "", "why", question=question))
        buttons = (("reopen", tr("notice.reopen")),)
        studio.state.notices.tell(Notice("session:offer", "info", "Again?", buttons=buttons))
        for dock in ("jobs", "log", "details"):
            window.show_dock(dock, True)
        await asyncio.sleep(0)
        assert len(list(focusable(window))) > 60
        assert not silent(window)
        studio.boxes.preferences()
        studio.boxes.help()
        studio.boxes.palette()
        await studio.boxes.diagnostics()
        dialogs = [top for top in qapp.topLevelWidgets() if isinstance(top, QDialog) and top.isVisible()]
        assert len(dialogs) == 3
        for dialog in dialogs:
            assert not silent(dialog)
            dialog.close()

    live(story, window, engine=False)


def test_docks_and_ranges_are_told_apart(window: MainWindow, live: Live) -> None:
    async def story(studio: Studio) -> None:
        assert studio.viewing is not None
        panel = studio.viewing._page.overlay
        assert (heard(panel._low), heard(panel._high)) == ("Range, lower end", "Range, upper end")
        for dock in window.findChildren(QDockWidget):
            for which, name in (("float", "Float"), ("close", "Close")):
                button = dock.findChild(QAbstractButton, f"qt_dockwidget_{which}button")
                assert button is not None
                assert heard(button) == f"{name} {dock.windowTitle()}"
                assert dock.windowTitle() in button.toolTip()
        studio.viewing._page.probe.show_values(network="Default", voxel="")
        probe = studio.viewing._page.probe._values
        assert (heard(probe["network"]), heard(probe["voxel"])) == ("Network: Default", "Voxel: –")

    live(story, window, engine=False)
