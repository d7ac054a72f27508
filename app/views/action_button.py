"""A push button that takes its words, tooltip, and whether it can be used, from a command."""

from __future__ import annotations

from PySide6.QtGui import QAction
from PySide6.QtWidgets import QPushButton, QWidget


class ActionButton(QPushButton):
    """Shows a command; pressing it is using the command."""

    def __init__(self, action: QAction, primary: bool = False, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._action = action
        if primary:
            self.setProperty("role", "primary")
        self.clicked.connect(lambda _=False: action.trigger())
        action.changed.connect(self._update)
        self._update()

    def _update(self) -> None:
        self.setText(self._action.text())
        self.setToolTip(self._action.toolTip())
        self.setEnabled(self._action.isEnabled())
        self.setAccessibleName(self._action.text().rstrip("…"))
        self.setAccessibleDescription(self._action.toolTip())
