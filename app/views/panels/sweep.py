"""How much follows: the grid, how long it takes, what came of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QListWidget, QListWidgetItem, QVBoxLayout, QWidget

from app.text import tr
from app.views.action_button import ActionButton
from app.views.forms import GRID, Form, choices, choose, label, line
from app.views.number_boxes import put, real, whole
from brainlm_engine.api.perturb import CAPTION, HARD_SD

_LIST_HEIGHT = 152


class SweepPanel(QWidget):
    """Emits ``chosen(field, value)`` of :class:`app.state.sweep.SweepState`."""

    chosen = Signal(str, object)

    def __init__(self, actions: Mapping[str, QAction]) -> None:
        super().__init__()
        self.low, self.high = real(-HARD_SD, HARD_SD, 1, 0.5), real(-HARD_SD, HARD_SD, 1, 0.5)
        self.count, self.onsets = whole(1, 41, 2), whole(1, 20, 1)
        self.over = choices((name, tr(f"sweep.over.{name}")) for name in ("own", "networks", "selected"))
        for name in ("low", "high", "count", "onsets"):
            getattr(self, name).valueChanged.connect(lambda value, n=name: self.chosen.emit(n, value))
        self.over.activated.connect(lambda _=0: self.chosen.emit("over", self.over.currentData()))
        for box in (self.low, self.high):
            box.setSuffix(" SD")
        form = Form()
        for name in ("low", "high", "count", "over", "onsets"):
            form.row(tr(f"sweep.{name}"), getattr(self, name), tip=tr(f"sweep.{name}.tip"))
        self._told, self.verdict = label("", "muted", wrap=True), label("", wrap=True)
        self._notes = label("", "warning", wrap=True)
        self.list = QListWidget()
        self.list.setAccessibleName(tr("sweep.list.name"))
        self.list.setToolTip(tr("sweep.list.tip"))
        self.list.setFixedHeight(_LIST_HEIGHT)
        self.list.currentRowChanged.connect(lambda row: self.chosen.emit("row", row))
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(GRID)
        column.addWidget(label(tr("sweep.heading"), "heading"))
        column.addWidget(label(tr("sweep.target"), "muted", wrap=True))
        column.addLayout(form)
        column.addWidget(ActionButton(actions["sweep"], primary=True))
        column.addWidget(self._told)
        column.addWidget(line())
        column.addWidget(label(tr("sweep.result"), "heading"))
        for widget in (self.verdict, self.list, self._notes):
            column.addWidget(widget)
        column.addWidget(ActionButton(actions["sweep_export"]))
        column.addWidget(label(CAPTION, "muted", wrap=True))

    def show_form(self, values: Mapping[str, object], told: str) -> None:
        """Show the grid; ``told`` says how long it takes, or how far it is."""
        for name in ("low", "high", "count", "onsets"):
            put(getattr(self, name), float(str(values[name])))
        choose(self.over, values["over"])
        self._told.setText(told)
        self._told.setVisible(bool(told))

    def show_result(self, verdict: str, rows: Sequence[tuple[str, str]], chosen: int, notes: str) -> None:
        """Show ``(text, what is said of it)`` of every line, and the chosen row."""
        self.list.blockSignals(True)
        self.list.clear()
        for text, said in rows:
            item = QListWidgetItem(text)
            item.setToolTip(said)
            item.setData(Qt.ItemDataRole.AccessibleTextRole, said)
            self.list.addItem(item)
        self.list.setCurrentRow(chosen)
        self.list.blockSignals(False)
        for widget, text in ((self.verdict, verdict), (self._notes, notes)):
            widget.setText(text)
            widget.setVisible(bool(text))
        self.list.setVisible(bool(rows))
