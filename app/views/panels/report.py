"""Whose report card it is, and what can be done about it."""

from __future__ import annotations

from PySide6.QtGui import QAction
from PySide6.QtWidgets import QVBoxLayout, QWidget

from app.text import tr
from app.views.action_button import ActionButton
from app.views.forms import GRID, label


class ReportPanel(QWidget):
    """Two buttons and a few words."""

    def __init__(self, evaluate: QAction, export: QAction) -> None:
        super().__init__()
        self._model, self._told = label("", "muted", wrap=True), label("", "warning", wrap=True)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(GRID)
        for widget in (
            label(tr("report.heading"), "heading"), ActionButton(evaluate, primary=True), ActionButton(export),
            self._model, label(tr("report.about"), "muted", wrap=True), self._told,
        ):  # fmt: skip
            column.addWidget(widget)

    def show_state(self, model: str, told: str) -> None:
        """Show whose card it is, and what is going on."""
        self._model.setText(model)
        self._told.setText(told)
        self._told.setVisible(bool(told))
