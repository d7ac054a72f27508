"""The Details dock: everything known of what is selected."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QGridLayout, QLabel, QScrollArea, QVBoxLayout, QWidget

from app.text import tr
from app.views.forms import GRID, label


class DetailsView(QScrollArea):
    """A heading and rows of name and value."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWidgetResizable(True)
        self.setMinimumWidth(240)
        self.setAccessibleName(tr("details.name"))
        self.setProperty("role", "side")
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        body = QWidget()
        body.setProperty("role", "sidebody")
        column = QVBoxLayout(body)
        column.setContentsMargins(2 * GRID, GRID, 2 * GRID, GRID)
        self._title = label(tr("details.empty"), "muted", wrap=True)
        self._grid = QGridLayout()
        self._grid.setHorizontalSpacing(2 * GRID)
        self._grid.setColumnStretch(1, 1)
        column.addWidget(self._title)
        column.addLayout(self._grid)
        column.addStretch(1)
        self.setWidget(body)
        self._cells: list[tuple[QLabel, QLabel]] = []

    def set_facts(self, title: str, facts: tuple[tuple[str, str], ...]) -> None:
        """Show ``facts`` under ``title``; nothing selected is said in a sentence."""
        self._title.setText(title or tr("details.empty"))
        while len(self._cells) < len(facts):
            row = len(self._cells)
            pair = (label(role="muted"), label(wrap=True))
            pair[1].setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
            for column, cell in enumerate(pair):
                self._grid.addWidget(cell, row, column, Qt.AlignmentFlag.AlignTop)
            self._cells.append(pair)
        for position, (name, value) in enumerate(self._cells):
            shown = position < len(facts)
            name.setVisible(shown)
            value.setVisible(shown)
            if shown:
                name.setText(facts[position][0])
                value.setText(facts[position][1])
