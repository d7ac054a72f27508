"""Scenarios that were kept: a list, a table, and what can be done with them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QAbstractItemView, QListWidget, QListWidgetItem, QVBoxLayout, QWidget

from app.text import tr
from app.views.action_button import ActionButton
from app.views.forms import GRID, label
from brainlm_engine.api.perturb import CAPTION

_LIST_HEIGHT = 132


class ComparePanel(QWidget):
    """Emits ``chosen(place)`` and ``renamed(place, name)``."""

    chosen = Signal(int)
    renamed = Signal(int, str)

    def __init__(self, actions: Mapping[str, QAction]) -> None:
        super().__init__()
        self.list = QListWidget()
        self.list.setAccessibleName(tr("kept.list.name"))
        self.list.setToolTip(tr("kept.list.tip"))
        self.list.setFixedHeight(_LIST_HEIGHT)
        self.list.setEditTriggers(
            QAbstractItemView.EditTrigger.DoubleClicked | QAbstractItemView.EditTrigger.EditKeyPressed
        )
        self.list.currentRowChanged.connect(self.chosen.emit)
        self.list.itemChanged.connect(lambda item: self.renamed.emit(self.list.row(item), item.text()))
        self._empty = label(tr("kept.empty"), "muted", wrap=True)
        self.table = label("", "muted", wrap=True)
        self.table.setTextFormat(Qt.TextFormat.RichText)
        self.table.setAccessibleName(tr("kept.table.name"))
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(GRID)
        column.addWidget(label(tr("kept.heading"), "heading"))
        for widget in (self._empty, self.list, ActionButton(actions["perturb_unkeep"]), self.table):
            column.addWidget(widget)
        column.addWidget(ActionButton(actions["perturb_report"], primary=True))
        column.addWidget(label(tr("kept.limits"), "muted", wrap=True))
        column.addWidget(label(CAPTION, "muted", wrap=True))

    def show_kept(self, rows: Sequence[tuple[str, str]], chosen: int, table: str) -> None:
        """Show ``(name, what is said of it)`` of every scenario, and ``table`` as rich text."""
        self.list.blockSignals(True)
        if [self.list.item(place).text() for place in range(self.list.count())] != [name for name, _ in rows]:
            self.list.clear()
            for name, _ in rows:
                item = QListWidgetItem(name)
                item.setFlags(item.flags() | Qt.ItemFlag.ItemIsEditable)
                self.list.addItem(item)
        for place, (_, said) in enumerate(rows):
            self.list.item(place).setToolTip(said)
            self.list.item(place).setData(Qt.ItemDataRole.AccessibleTextRole, said)
        self.list.setCurrentRow(chosen)
        self.list.blockSignals(False)
        self.list.setVisible(bool(rows))
        self._empty.setVisible(not rows)
        self.table.setText(table)
        self.table.setVisible(bool(table))
