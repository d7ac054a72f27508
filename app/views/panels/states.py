"""How many states are looked for, what is drawn, and how long and often each state is visited."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QVBoxLayout, QWidget

from app.text import tr
from app.views.action_button import ActionButton
from app.views.forms import GRID, Form, choices, choose, label
from app.widgets.network_colours import readable

COUNTS = (0, 2, 3, 4, 5, 6, 7, 8)
SOURCES = ("model", "series")


class StatesPanel(QWidget):
    """Emits ``k_chosen(k)`` (0 = by silhouette), ``source_chosen``, ``colour_chosen``."""

    k_chosen = Signal(int)
    source_chosen = Signal(str)
    colour_chosen = Signal(str)

    def __init__(self, find: QAction, export: QAction) -> None:
        super().__init__()
        self.k = choices((str(count), str(count) if count else tr("states.k.auto")) for count in COUNTS)
        self.source = choices((name, tr(f"states.source.{name}")) for name in SOURCES)
        self.colour = choices(())
        self._colours: tuple[tuple[str, str], ...] = ()
        self.k.activated.connect(lambda _=0: self.k_chosen.emit(int(self.k.currentData())))
        self.source.activated.connect(lambda _=0: self.source_chosen.emit(str(self.source.currentData())))
        self.colour.activated.connect(lambda _=0: self.colour_chosen.emit(str(self.colour.currentData())))
        form = Form()
        for name, box in (("k", self.k), ("source", self.source), ("colour", self.colour)):
            form.row(tr(f"states.{name}"), box, tip=tr(f"states.{name}.tip"))
        self._model, self._outdated = label("", "muted", wrap=True), label(tr("model.outdated"), "warning", wrap=True)
        self.table, self._notes = label(tr("states.empty"), "muted", wrap=True), label("", "warning", wrap=True)
        self.table.setAccessibleName(tr("states.table.name"))
        self.table.setToolTip(tr("states.table.tip"))
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(GRID)
        column.addWidget(label(tr("states.heading"), "heading"))
        column.addLayout(form)
        for widget in (
            ActionButton(find, primary=True), ActionButton(export), self._model, self._outdated, self.table, self._notes
        ):  # fmt: skip
            column.addWidget(widget)
        self._outdated.hide()

    def show_colours(self, networks: Sequence[str], *, conditions: bool) -> None:
        """Offer what windows can be coloured by: always state and time, of a result its conditions and networks."""
        kinds = ("state", "time", *["condition"] * conditions)
        offered = [(kind, tr(f"states.colour.{kind}")) for kind in kinds]
        offered += [(name, tr("states.colour.activity", network=readable(name))) for name in networks]
        if tuple(offered) != self._colours:
            self._colours = tuple(offered)
            self.colour.clear()
            for value, text in offered:
                self.colour.addItem(text, value)

    def show_choices(self, k: int, source: str, colour: str, model: str) -> None:
        """Show what is chosen, and whose embedding it is."""
        for box, value in ((self.k, str(k)), (self.source, source), (self.colour, colour)):
            choose(box, value)
        self._model.setText(model)

    def show_result(self, table: str, notes: str, *, outdated: bool) -> None:
        """Show the statistics (rich text) and what to bear in mind."""
        rich = table.startswith("<")  # a sentence may name a file: it stays plain
        self.table.setTextFormat(Qt.TextFormat.RichText if rich else Qt.TextFormat.PlainText)
        self.table.setText(table)
        self._notes.setText(notes)
        self._outdated.setVisible(outdated)
