"""The windows beside the main one, made when they are first wanted."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QDialog, QInputDialog

from app.dialogs.facts import FactsDialog
from app.dialogs.palette import CommandPalette
from app.state import AppState
from app.state.notices import Notice
from app.text import tr
from app.views.main_window import MainWindow

if TYPE_CHECKING:
    from app.controllers.shell import ShellController


class Boxes:
    """Opens dialogs; none of them stops the window."""

    def __init__(self, state: AppState, window: MainWindow, shell: ShellController) -> None:
        self._state, self._window, self._shell = state, window, shell
        self._palette = CommandPalette(window)

    def palette(self) -> None:
        """Show the command palette."""
        board = self._window.board
        commands = [
            (tr(f"menu.{action.menu}").replace("&", ""), board[action.id])
            for action in board.actions.values()
            if action.id != "palette"
        ]
        recent = tr("menu.recent").replace("&", "")
        self._palette.open_with(commands + [(recent, action) for action in self._window.recent_menu.actions()])

    def preferences(self) -> None:
        """Show the preferences."""
        from app.dialogs.preferences import PreferencesDialog

        dialog = PreferencesDialog(self._state.preferences, self._state.shell.atlases, self._window)
        dialog.changed.connect(self._preference)
        _open(dialog)

    def _preference(self, field: str, value: object) -> None:
        state = self._state
        state.preferences.put(**{field: value})
        if field in ("radiological", "names_hidden", "scale", "time_unit"):
            state.view.put(**{field: value})

    def help(self) -> None:
        """Show the help pages."""
        from app.dialogs.help import HelpWindow

        _open(HelpWindow(self._window))

    def about(self) -> None:
        """Show what this program is."""
        from brainlm_engine import __version__

        text = tr("about.text", version=__version__)
        _open(FactsDialog(tr("about.title"), text, self._window, plain=False))

    async def diagnostics(self) -> None:
        """Show the facts of this installation, at once but for the graphics: another process is asked about those."""
        from app.services.diagnosis import facts, opengl, written

        info = self._state.engine.info
        engine = info.model_dump() if info else None
        dialog = FactsDialog(tr("diagnose.title"), written(facts(engine, tr("diagnose.asking"))), self._window)
        closed = asyncio.Event()
        dialog.finished.connect(lambda _: closed.set())
        _open(dialog)
        graphics = await asyncio.to_thread(opengl)
        if not closed.is_set():
            dialog.set_text(written(facts(engine, graphics)))

    def choose_atlas(self, chosen: Callable[[str], None]) -> None:
        """Ask for one of the installed atlases."""
        dialog = QInputDialog(self._window)
        dialog.setWindowTitle(tr("atlas.title"))
        dialog.setLabelText(tr("atlas.label"))
        dialog.textValueSelected.connect(lambda title: chosen(self._installed()[title]))
        changed = self._state.shell.on("atlases")

        def fill(_: object = None) -> None:
            titles, shown = list(self._installed()), dialog.textValue()
            dialog.setComboBoxItems(titles)
            if shown in titles:
                dialog.setTextValue(shown)

        fill()
        changed.connect(fill)
        dialog.finished.connect(lambda _: changed.disconnect(fill))
        _open(dialog)

    def _installed(self) -> dict[str, str]:
        """Ids of the installed atlases by title."""
        return {atlas.title: atlas.atlas_id for atlas in self._state.shell.atlases if atlas.installed}

    def choose_layout(self) -> None:
        """Ask which saved layout to restore."""
        names = sorted(self._shell.layouts())
        if not names:
            self._state.notices.tell(Notice("layout:none", "info", tr("layout.none")))
            return
        dialog = QInputDialog(self._window)
        dialog.setWindowTitle(tr("layout.restore"))
        dialog.setLabelText(tr("layout.name"))
        dialog.setComboBoxItems(names)
        dialog.textValueSelected.connect(self._shell.restore_layout)
        _open(dialog)


def _open(dialog: QDialog) -> None:
    dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
    dialog.setModal(False)
    dialog.show()
