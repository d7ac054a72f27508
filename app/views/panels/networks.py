"""What networks are found by, and how right they are beside simple ways and the controls."""

from __future__ import annotations

import math
from collections.abc import Sequence

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QGridLayout, QSpinBox, QVBoxLayout, QWidget

from app.text import tr
from app.views.action_button import ActionButton
from app.views.forms import GRID, Form, choices, choose, label, line, roomy
from brainlm_engine.api.networks import SOURCES

SHOWN = ("found", "reference", "right")
Cells = tuple[str, ...]


class NetworksPanel(QWidget):
    """Emits ``source_chosen(name)``, ``into_chosen(name)`` and ``shown_chosen(name)``."""

    source_chosen = Signal(str)
    into_chosen = Signal(str)
    shown_chosen = Signal(str)

    def __init__(self, into: Sequence[str], find: QAction, export: QAction) -> None:
        super().__init__()
        names = {"labels": tr("networks.into.labels"), "0": tr("networks.into.auto")}
        self.source = choices((name, tr(f"networks.source.{name}")) for name in SOURCES)
        self.into = choices((name, names.get(name) or tr("networks.into.count", count=name)) for name in into)
        self.shown = choices((name, tr(f"networks.shown.{name}")) for name in SHOWN)
        form = Form()
        for name, box, chosen in (
            ("source", self.source, self.source_chosen), ("into", self.into, self.into_chosen),
            ("shown", self.shown, self.shown_chosen),
        ):  # fmt: skip
            box.activated.connect(lambda _=0, box=box, chosen=chosen: chosen.emit(str(box.currentData())))
            form.row(tr(f"networks.{name}"), box, tip=tr(f"networks.{name}.tip"))
        self._model = label("", "muted", wrap=True)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(GRID)
        column.addWidget(label(tr("networks.heading"), "heading"))
        column.addLayout(form)
        for widget in (ActionButton(find, primary=True), ActionButton(export), self._model):
            column.addWidget(widget)

    def show_choices(self, source: str, into: str, shown: str, model: str) -> None:
        """Show what is chosen, and with which model."""
        for box, value in ((self.source, source), (self.into, into), (self.shown, shown)):
            choose(box, value)
        self._model.setText(model)


class GroupPanel(QWidget):
    """How many people make a group, and the button that asks for their folder. Emits ``people_chosen(n)``."""

    people_chosen = Signal(int)

    def __init__(self, group: QAction) -> None:
        super().__init__()
        self.people = QSpinBox()
        self.people.setRange(2, 10000)
        self.people.setKeyboardTracking(False)
        self.people.valueChanged.connect(self.people_chosen.emit)
        roomy(self.people)
        form = Form()
        form.row(tr("networks.people"), self.people, tip=tr("networks.people.tip"))
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(GRID)
        column.addWidget(label(tr("networks.group"), "heading"))
        column.addLayout(form)
        column.addWidget(ActionButton(group))

    def show_people(self, people: int) -> None:
        """Show how many people are chosen."""
        self.people.blockSignals(True)
        self.people.setValue(people)
        self.people.blockSignals(False)


class NetworkScores(QWidget):
    """The verdict, the table of scores, the share found of each network, and what to bear in mind."""

    def __init__(self) -> None:
        super().__init__()
        self._outdated = label(tr("model.outdated"), "warning", wrap=True)
        self.verdict, self._state = label(tr("networks.empty"), "", wrap=True), label("", "muted", wrap=True)
        self._notes, self._told = label("", "warning", wrap=True), label("", "muted", wrap=True)
        self.scores, self.recall = _Table("scores"), _Table("recall")
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(GRID)
        for widget in (
            self._outdated, self.verdict, self._state, self.scores, self.recall, self._notes, self._told
        ):  # fmt: skip
            column.addWidget(widget)
        for widget in (self._outdated, self._state, self._notes):
            widget.hide()

    def show_words(self, verdict: str, *, state: str = "", notes: str = "", told: str = "", outdated: bool) -> None:
        """Show the verdict, what is still on its way, what to bear in mind, and facts about the reference."""
        self._outdated.setVisible(outdated)
        self.verdict.setText(verdict)
        for widget, text in ((self._state, state), (self._notes, notes), (self._told, told)):
            widget.setText(text)
            widget.setVisible(bool(text))

    def show_tables(self, scores: Sequence[Cells], recall: Sequence[Cells], best: int) -> None:
        """Show both tables; row ``best`` of the scores is marked."""
        self.scores.fill(scores, best)
        self.recall.fill(recall, -1)


class _Table(QWidget):
    """A heading, column names, a line, and rows of words and numbers."""

    def __init__(self, name: str) -> None:
        super().__init__()
        columns = {"scores": ("method", "right", "nmi"), "recall": ("network", "this", "connectivity", "mirrored")}
        self._heads = tuple(tr(f"networks.{name}.{column}") for column in columns[name])
        self.rows: tuple[Cells, ...] = ()
        self._grid = QGridLayout()
        self._grid.setContentsMargins(0, 0, 0, 0)
        self._grid.setHorizontalSpacing(10)
        self._grid.setVerticalSpacing(3)
        self._grid.setColumnStretch(0, 1)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(4)
        column.addWidget(label(tr(f"networks.{name}"), "heading", wrap=True))
        column.addLayout(self._grid)
        self.setToolTip(tr(f"networks.{name}.tip"))
        self.setAccessibleName(tr(f"networks.{name}.name"))
        self.hide()

    def fill(self, rows: Sequence[Cells], best: int) -> None:
        """Show ``rows``; none hides the table."""
        self.setVisible(bool(rows))
        if (tuple(rows), best) == (self.rows, getattr(self, "_best", None)):
            return
        self.rows, self._best = tuple(rows), best
        while (item := self._grid.takeAt(0)) is not None:
            widget = item.widget()
            if widget is not None:
                widget.hide()
                widget.deleteLater()
        for column, head in enumerate(self._heads):
            self._put(head, 0, column, "muted")
        self._grid.addWidget(line(), 1, 0, 1, len(self._heads))
        for place, cells in enumerate(rows):
            for column, text in enumerate(cells):
                mark = "▸ " * (place == best and column == 0)
                self._put(mark + text, place + 2, column, "success" if place == best else "")

    def _put(self, text: str, row: int, column: int, role: str) -> None:
        cell = label(text, role, wrap=column == 0)
        side = Qt.AlignmentFlag.AlignRight if column else Qt.AlignmentFlag.AlignLeft
        cell.setAlignment(side | Qt.AlignmentFlag.AlignTop)
        self._grid.addWidget(cell, row, column)


def percent(value: float) -> str:
    """Return a share as it stands in the tables."""
    return tr("probe.none") if math.isnan(value) else f"{value:.0%}"
