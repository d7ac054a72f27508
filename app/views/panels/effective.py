"""Who moves whom: the job, what the map goes with, what is shown of it."""

from __future__ import annotations

from collections.abc import Mapping

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QCheckBox, QVBoxLayout, QWidget

from app.text import tr
from app.views.action_button import ActionButton
from app.views.forms import GRID, Form, choices, choose, label, line
from brainlm_engine.api.perturb import CAPTION

SHOWN = ("effective", "connectivity", "noise")
DIRECTIONS = ("out", "into")


class EffectivePanel(QWidget):
    """Emits ``chosen(field, value)`` of :class:`app.state.effective.EffectiveState`."""

    chosen = Signal(str, object)

    def __init__(self, actions: Mapping[str, QAction]) -> None:
        super().__init__()
        self.control = QCheckBox(tr("effective.control"))
        self.control.setToolTip(tr("effective.control.tip"))
        self.control.clicked.connect(lambda on: self.chosen.emit("control", bool(on)))
        self.shown = choices((name, tr(f"effective.shown.{name}")) for name in SHOWN)
        self.direction = choices((name, tr(f"effective.direction.{name}")) for name in DIRECTIONS)
        form = Form()
        for name in ("shown", "direction"):
            box = getattr(self, name)
            box.activated.connect(lambda _=0, n=name, b=box: self.chosen.emit(n, b.currentData()))
            form.row(tr(f"effective.{name}"), box, tip=tr(f"effective.{name}.tip"))
        self._told, self.table = label("", "muted", wrap=True), label("", "muted", wrap=True)
        self.table.setTextFormat(Qt.TextFormat.RichText)
        self.table.setAccessibleName(tr("effective.table.name"))
        self._notes = label("", "warning", wrap=True)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(GRID)
        column.addWidget(label(tr("effective.heading"), "heading"))
        column.addWidget(label(tr("effective.told"), "muted", wrap=True))
        for widget in (self.control, ActionButton(actions["effective"], primary=True), self._told, line()):
            column.addWidget(widget)
        column.addWidget(label(tr("effective.result"), "heading"))
        for widget in (self.table, self._notes):
            column.addWidget(widget)
        column.addLayout(form)
        column.addWidget(ActionButton(actions["effective_export"]))
        column.addWidget(label(tr("effective.limits"), "muted", wrap=True))
        column.addWidget(label(CAPTION, "muted", wrap=True))

    def show_all(self, values: Mapping[str, object], told: str, table: str, notes: str) -> None:
        """Show what is chosen, how far it is, and what the map goes with (``table`` is rich text)."""
        self.control.setChecked(bool(values["control"]))
        for name in ("shown", "direction"):
            choose(getattr(self, name), values[name])
        for widget, text in ((self._told, told), (self.table, table), (self._notes, notes)):
            widget.setText(text)
            widget.setVisible(bool(text))
