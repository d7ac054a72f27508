"""Turns the lists of commands into QActions, and keeps them right: enabled, checked, and a reason when they are not."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal
from PySide6.QtGui import QAction, QKeySequence
from PySide6.QtWidgets import QMenu, QMenuBar

from app.actions.action import Action
from app.actions.conditions import reason
from app.actions.lists import ALL, MENUS
from app.text import has, tr
from app.theme import Theme
from app.theme.icons import icon

if TYPE_CHECKING:
    from app.state import AppState


class ActionBoard(QObject):
    """Every command as a QAction. ``wanted(action)`` fires when a person uses one."""

    wanted = Signal(object)

    def __init__(self, parent: QObject, actions: Iterable[Action] = ALL) -> None:
        super().__init__(parent)
        self.actions: dict[str, Action] = {action.id: action for action in actions}
        self._made = {key: self._make(action) for key, action in self.actions.items()}

    def __getitem__(self, key: str) -> QAction:
        """Return the QAction of the command called ``key``."""
        return self._made[key]

    def _make(self, action: Action) -> QAction:
        made = QAction(tr(f"action.{action.id}"), self)
        made.setObjectName(action.id)
        if action.shortcut:
            made.setShortcut(QKeySequence(action.shortcut))
        made.setCheckable(action.checked is not None)
        made.triggered.connect(lambda _checked=False, a=action: self.wanted.emit(a))
        return made

    def fill(self, bar: QMenuBar) -> dict[str, QMenu]:
        """Put every command into its menu and return the menus by name."""
        menus = {name: bar.addMenu(tr(f"menu.{name}")) for name in MENUS}
        for action in self.actions.values():
            if action.menu:
                menu = menus[action.menu]
                if action.separated and not menu.isEmpty():
                    menu.addSeparator()
                menu.addAction(self._made[action.id])
        for menu in menus.values():
            menu.setToolTipsVisible(True)
        return menus

    def paint(self, theme: Theme) -> None:
        """Give the commands their icons in the colours of ``theme``."""
        for action in self.actions.values():
            if action.icon:
                made = self._made[action.id]
                made.setIcon(icon(action.icon, theme))
                made.setIconVisibleInMenu(False)

    def refresh(
        self, state: AppState | None, is_checked: Callable[[tuple[str, object]], bool] = lambda _: False
    ) -> None:
        """Set enabled, tooltip with the reason when disabled, and check mark of every command."""
        for action in self.actions.values():
            made = self._made[action.id]
            why = reason(action.needs, state)
            made.setEnabled(not why)
            made.setToolTip(self.tooltip(action, why))
            made.setStatusTip(why)
            if action.checked is not None:
                made.setChecked(is_checked(action.checked))

    def tooltip(self, action: Action, why: str) -> str:
        """Return the tooltip: what it does, the shortcut, and why it cannot be used now."""
        key = f"action.{action.id}.tip"
        parts = [tr(key) if has(key) else tr(f"action.{action.id}")]
        if action.shortcut:
            parts[0] += f" ({QKeySequence(action.shortcut).toString(QKeySequence.SequenceFormat.NativeText)})"
        if why:
            parts.append(why)
        return "\n".join(parts)
