"""Whose attention is shown how; what it goes with; what it does not say."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QToolButton, QVBoxLayout, QWidget

from app.text import tr
from app.views.action_button import ActionButton
from app.views.forms import GRID, Form, choices, choose, label

WHOSE = ("parcel", "summary")
SOURCES = ("attention", "rollout", "occlusion", "error")
DIRECTIONS = ("takes", "gives")
SCALES = ("share", "raw")


class AttentionPanel(QWidget):
    """Emits ``chosen(field, value)`` of :class:`app.state.parts.AttentionState`."""

    chosen = Signal(str, object)

    def __init__(self, read: QAction, occlude: QAction, export: QAction, picture: QAction) -> None:
        super().__init__()
        self.boxes = {
            name: choices((value, tr(f"attention.{name}.{value}")) for value in values)
            for name, values in (("whose", WHOSE), ("source", SOURCES), ("direction", DIRECTIONS), ("scale", SCALES))
        }
        for name in ("layer", "head"):
            self.boxes[name] = choices(())
            self.boxes[name].addItem(tr("attention.all"), 0)
        form = Form()
        for name in ("whose", "source", "layer", "head", "direction", "scale"):
            box = self.boxes[name]
            box.activated.connect(lambda _=0, n=name, b=box: self.chosen.emit(n, b.currentData()))
            form.row(tr(f"attention.{name}"), box, tip=tr(f"attention.{name}.tip"))
        self._model, self._outdated = label("", "muted", wrap=True), label(tr("model.outdated"), "warning", wrap=True)
        self.facts, self._notes = label(tr("attention.empty"), "muted", wrap=True), label("", "warning", wrap=True)
        self.limits = label(tr("attention.limits"), "muted", wrap=True)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(GRID)
        column.addWidget(label(tr("attention.heading"), "heading"))
        column.addLayout(form)
        for widget in (
            ActionButton(read, primary=True), ActionButton(occlude), ActionButton(export), ActionButton(picture),
            self._model, self._outdated, self.facts, self._notes, self._fold(), self.limits,
        ):  # fmt: skip
            column.addWidget(widget)
        self._outdated.hide()
        self._notes.hide()

    def _fold(self) -> QToolButton:
        self.fold = fold = QToolButton()
        fold.setText(tr("attention.limits.title"))
        fold.setToolTip(tr("attention.limits.tip"))
        fold.setAccessibleName(tr("attention.limits.title"))
        fold.setCheckable(True)
        fold.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        fold.setArrowType(Qt.ArrowType.RightArrow)
        fold.toggled.connect(self.limits.setVisible)
        fold.toggled.connect(lambda on: fold.setArrowType(Qt.ArrowType.DownArrow if on else Qt.ArrowType.RightArrow))
        self.limits.hide()
        return fold

    def show_choices(self, chosen: dict[str, object], layers: int, heads: int, usable: dict[str, bool]) -> None:
        """Show what is chosen, as many layers and heads as there are, and which boxes matter now."""
        for name, count in (("layer", layers), ("head", heads)):
            box = self.boxes[name]
            if box.count() != count + 1:
                box.clear()
                for place in range(count + 1):
                    box.addItem(str(place) if place else tr("attention.all"), place)
        for name, box in self.boxes.items():
            choose(box, chosen[name])
            box.setEnabled(usable.get(name, True))

    def show_result(self, model: str, facts: str, notes: str, *, outdated: bool) -> None:
        """Show whose attention it is, what is known of it, and what to bear in mind."""
        self._model.setText(model)
        self.facts.setText(facts)
        self._notes.setText(notes)
        self._notes.setVisible(bool(notes))
        self._outdated.setVisible(outdated)
