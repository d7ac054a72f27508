"""What came of a question: what is going on, the verdict, a table, what to bear in mind, and whose answer it is."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Qt
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QVBoxLayout, QWidget

from app.text import tr
from app.views.action_button import ActionButton
from app.views.forms import GRID, Form, label, line
from brainlm_engine.api.perturb import CAPTION


class AnswerPanel(QWidget):
    """A section of the side panel. ``words`` is the key of its texts: heading, table, limits."""

    def __init__(self, words: str, form: Form, first: Sequence[QWidget], last: Sequence[QAction]) -> None:
        super().__init__()
        self._state = label("", "muted", wrap=True)
        self.verdict, self._outdated = label("", wrap=True), label(tr("model.outdated"), "warning", wrap=True)
        self.table, self._notes = label("", "muted", wrap=True), label("", "warning", wrap=True)
        self.table.setTextFormat(Qt.TextFormat.RichText)
        self.table.setAccessibleName(tr(f"{words}.table.name"))
        self.table.setToolTip(tr(f"{words}.table.tip"))
        self._model = label("", "muted", wrap=True)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(GRID)
        column.addWidget(line())
        column.addWidget(label(tr(f"{words}.result"), "heading"))
        for widget in (*first, self._state, self._outdated, self.verdict, self.table, self._notes):
            column.addWidget(widget)
        column.addLayout(form)
        for action in last:
            column.addWidget(ActionButton(action))
        column.addWidget(label(tr(f"{words}.limits"), "muted", wrap=True))
        column.addWidget(label(CAPTION, "muted", wrap=True))
        column.addWidget(self._model)
        self._outdated.hide()

    def show_model(self, model: str) -> None:
        """Say whose answer it is."""
        self._model.setText(model)

    def show_result(self, *, state: str, verdict: str, table: str, notes: str, outdated: bool) -> None:
        """Show what is going on, what came of it (``table`` is rich text), and what to bear in mind."""
        for widget, text in ((self._state, state), (self.verdict, verdict), (self.table, table), (self._notes, notes)):
            widget.setText(text)
            widget.setVisible(bool(text))
        self._outdated.setVisible(outdated)
