"""A contrast between groups or conditions of a cohort: the form, how far it is, and what came of it."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QCheckBox, QVBoxLayout, QWidget

from app.text import tr
from app.views.action_button import ActionButton
from app.views.forms import GRID, Form, choices, choose, label
from app.views.number_boxes import put, whole

WHATS = ("attention", "networks", "embedding")
SHOWN = ("recording", "model", "simple")
_MOST = 10_000


class ContrastPanel(QWidget):
    """Emits ``chosen(field, value)`` of :class:`app.state.parts.ContrastState`."""

    chosen = Signal(str, object)

    def __init__(self, folder: QAction, run: QAction, export: QAction) -> None:
        super().__init__()
        self.cohort, self.column, self.first, self.second = (choices(()) for _ in range(4))
        self.what = choices((name, tr(f"contrast.what.{name}")) for name in WHATS)
        self.shown = choices((name, tr(f"contrast.shown.{name}")) for name in SHOWN)
        self.people = whole(6, _MOST, 10)
        self.people.valueChanged.connect(lambda count: self.chosen.emit("people", count))
        self.masked = QCheckBox(tr("contrast.masked"))
        self.masked.setToolTip(tr("contrast.masked.tip"))
        self.masked.toggled.connect(lambda on: self.chosen.emit("masked", on))
        form, after = Form(), Form()
        for name in ("cohort", "column", "first", "second", "what"):
            box = getattr(self, name)
            box.activated.connect(lambda _=0, n=name, b=box: self.chosen.emit(n, b.currentData()))
            form.row(tr(f"contrast.{name}"), box, tip=tr(f"contrast.{name}.tip"))
        form.row(tr("contrast.people"), self.people, tip=tr("contrast.people.tip"))
        self.shown.activated.connect(lambda _=0: self.chosen.emit("shown", self.shown.currentData()))
        after.row(tr("contrast.shown"), self.shown, tip=tr("contrast.shown.tip"))
        self._told, self.verdict = label(tr("contrast.empty"), "muted", wrap=True), label("", wrap=True)
        self._notes = label("", "warning", wrap=True)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(GRID)
        column.addWidget(label(tr("contrast.heading"), "heading"))
        column.addLayout(form)
        for widget in (ActionButton(folder), ActionButton(run), self._told, self.verdict, self._notes):
            column.addWidget(widget)
        column.addLayout(after)
        column.addWidget(self.masked)
        column.addWidget(ActionButton(export))
        for widget in (self.verdict, self._notes):
            widget.hide()

    def show_form(
        self, cohorts: dict[str, str], columns: dict[str, tuple[str, ...]], values: dict[str, object], told: str
    ) -> None:
        """Offer cohorts (names by folder) and columns with their values; ``told`` says what goes on."""
        column = str(values["column"])
        offered = {value: value for value in columns.get(column, ())}
        names = {name: tr("contrast.column.task") if name == "task" else name for name in columns}
        for box, pairs in ((self.cohort, cohorts), (self.column, names), (self.first, offered), (self.second, offered)):
            if [(box.itemData(i), box.itemText(i)) for i in range(box.count())] != list(pairs.items()):
                box.clear()
                for value, text in pairs.items():
                    box.addItem(text, value)
            box.setEnabled(bool(pairs))
        for name in ("cohort", "column", "first", "second", "what", "shown"):
            box = getattr(self, name)
            if box.findData(values[name]) < 0:
                box.setCurrentIndex(-1)
            choose(box, values[name])
        put(self.people, int(str(values["people"])))
        self.masked.blockSignals(True)
        self.masked.setChecked(bool(values["masked"]))
        self.masked.blockSignals(False)
        self._told.setText(told)
        self._told.setVisible(bool(told))

    def show_result(self, verdict: str, notes: str, *, there: bool) -> None:
        """Show what came of it; without a result there is nothing to switch to."""
        self.verdict.setText(verdict)
        self.verdict.setVisible(bool(verdict))
        self._notes.setText(notes)
        self._notes.setVisible(bool(notes))
        self.shown.setEnabled(there)
        self.masked.setEnabled(there)
