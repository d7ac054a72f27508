"""What parcels are compared by, which networks are shown, and how the figures compare with the controls."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QVBoxLayout, QWidget

from app.text import tr
from app.views.action_button import ActionButton
from app.views.forms import GRID, Form, choices, choose, label
from brainlm_engine.api.networks import QUICK_SOURCES

COUNTS = (0, *range(2, 13))
SHOWN = ("labels", "reference", "right", "clusters")


class NetworksPanel(QWidget):
    """Emits ``source_chosen``, ``shown_chosen``, ``count_chosen(clusters)`` (0 = by silhouette)."""

    source_chosen = Signal(str)
    shown_chosen = Signal(str)
    count_chosen = Signal(int)

    def __init__(self, find: QAction, export: QAction) -> None:
        super().__init__()
        self.source = choices((name, tr(f"networks.source.{name}")) for name in QUICK_SOURCES)
        self.shown = choices((name, tr(f"networks.shown.{name}")) for name in SHOWN)
        self.count = choices((str(count), str(count) if count else tr("networks.count.auto")) for count in COUNTS)
        self.source.activated.connect(lambda _=0: self.source_chosen.emit(str(self.source.currentData())))
        self.shown.activated.connect(lambda _=0: self.shown_chosen.emit(str(self.shown.currentData())))
        self.count.activated.connect(lambda _=0: self.count_chosen.emit(int(self.count.currentData())))
        form = Form()
        for name, box in (("source", self.source), ("shown", self.shown), ("count", self.count)):
            form.row(tr(f"networks.{name}"), box, tip=tr(f"networks.{name}.tip"))
        self._model, self._outdated = label("", "muted", wrap=True), label(tr("model.outdated"), "warning", wrap=True)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(GRID)
        column.addWidget(label(tr("networks.heading"), "heading"))
        column.addLayout(form)
        for widget in (ActionButton(find, primary=True), ActionButton(export), self._model, self._outdated):
            column.addWidget(widget)
        self._outdated.hide()

    def show_choices(self, source: str, shown: str, count: int, model: str, *, outdated: bool) -> None:
        """Show what is chosen, and whose attention it is."""
        for box, value in ((self.source, source), (self.shown, shown), (self.count, str(count))):
            choose(box, value)
        self._model.setText(model)
        self._outdated.setVisible(outdated)


class NetworksScores(QWidget):
    """The sentence that says what the figures mean, and the figures."""

    def __init__(self) -> None:
        super().__init__()
        self.verdict = label("", "", wrap=True)
        self.table, self.recall = label("", "muted", wrap=True), label("", "muted", wrap=True)
        self._notes = label("", "warning", wrap=True)
        for table in (self.table, self.recall):
            table.setTextFormat(Qt.TextFormat.RichText)
        self.table.setAccessibleName(tr("networks.table.name"))
        self.table.setToolTip(tr("networks.table.tip"))
        self.recall.setAccessibleName(tr("networks.recall.name"))
        self.recall.setToolTip(tr("networks.recall.tip"))
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(GRID)
        for widget in (label(tr("networks.scores"), "heading"), self.verdict, self.table, self.recall, self._notes):
            column.addWidget(widget)

    def show_scores(self, verdict: str, table: str, recall: str, notes: str) -> None:
        """Show a sentence, two tables (rich text), and what to bear in mind."""
        for text, widget in ((verdict, self.verdict), (table, self.table), (recall, self.recall), (notes, self._notes)):
            widget.setText(text)
            widget.setVisible(bool(text))
