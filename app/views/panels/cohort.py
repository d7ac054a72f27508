"""Whose recordings the next model learns from."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Signal
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QVBoxLayout, QWidget

from app.text import tr
from app.views.action_button import ActionButton
from app.views.forms import GRID, choices, choose, label

if TYPE_CHECKING:
    from brainlm_engine.api.training import CohortInfo


class CohortPanel(QWidget):
    """A list of cohorts, the facts of the chosen one, and two ways to get another. Emits ``cohort_chosen(folder)``."""

    cohort_chosen = Signal(str)

    def __init__(self, make: QAction, choose_folder: QAction, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.box = choices((), tr("train.cohort.name"))
        self.box.setToolTip(tr("train.cohort.tip"))
        self.box.activated.connect(lambda _=0: self.cohort_chosen.emit(str(self.box.currentData())))
        self._facts, self._making = label("", "muted", wrap=True), label("", "muted", wrap=True)
        self._simulated = label(tr("train.cohort.simulated"), "warning", wrap=True)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(GRID)
        column.addWidget(label(tr("train.cohort"), "heading"))
        for widget in (self.box, self._facts, self._simulated, self._making):
            column.addWidget(widget)
        column.addWidget(ActionButton(make))
        column.addWidget(ActionButton(choose_folder))

    def show_cohorts(self, cohorts: dict[str, str], chosen: CohortInfo | None, making: str) -> None:
        """Offer ``cohorts``, names by folder; ``making`` says how far a demo cohort is, '' when none is being made."""
        if list(cohorts.items()) != [(self.box.itemData(i), self.box.itemText(i)) for i in range(self.box.count())]:
            self.box.clear()
            for path, name in cohorts.items():
                self.box.addItem(name, path)
        self.box.setEnabled(bool(cohorts))
        if chosen is not None:
            choose(self.box, chosen.path)
        else:
            self.box.setCurrentIndex(-1)
        self._facts.setText(facts(chosen))
        self._simulated.setVisible(chosen is not None and chosen.simulated)
        self._making.setText(making)
        self._making.setVisible(bool(making))


def facts(cohort: CohortInfo | None) -> str:
    """Return people, recordings and sizes of a cohort in two lines."""
    if cohort is None:
        return tr("train.cohort.none")
    return tr(
        "train.cohort.facts", train=cohort.people.get("train", 0), val=cohort.people.get("val", 0),
        test=cohort.people.get("test", 0), recordings=cohort.n_recordings, parcels=cohort.n_parcels,
        frames=cohort.n_frames, tr=f"{cohort.tr_s:g}",
    )  # fmt: skip
