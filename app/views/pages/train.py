"""The Train workspace: settings at the right; the training on show with its curves, a preview, the result, the list."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from app.text import tr
from app.theme import Theme, as_title
from app.views.action_button import ActionButton
from app.views.curves import CurveView
from app.views.forms import GRID, card, label
from app.views.page_frame import PageFrame, Titled
from app.views.panels.cohort import CohortPanel
from app.views.panels.training import TrainingPanel
from app.views.result_card import ResultCard
from app.views.training_head import TrainingHead
from app.views.training_preview import PreviewView
from app.views.training_table import TrainingTable

#: Commands that have a button on this page.
ACTIONS = (
    "train_start", "train_pause", "train_resume", "train_stop", "train_clone", "train_open", "train_evaluate",
    "train_lower", "cohort_small", "cohort_choose",
)  # fmt: skip


class TrainPage(PageFrame):
    """Head, two curves, preview beside result, list of trainings; before the first training, how it is done."""

    def __init__(self, actions: dict[str, QAction], r2: CurveView, loss: CurveView, preview: PreviewView) -> None:
        super().__init__("")
        self.r2, self.loss, self.preview = r2, loss, preview
        self.head = TrainingHead(actions)
        self.result, self.table = ResultCard(actions["train_evaluate"], actions["train_lower"]), TrainingTable(actions)
        self.r2_box, self.loss_box = Titled(tr("train.r2"), self.r2), Titled(tr("train.loss"), self.loss)
        self.preview_box = Titled(tr("train.preview.none"), self.preview)
        self.place([self.r2_box, self.loss_box], [self.preview_box, Titled(tr("train.result"), self.result)], [])
        self.rows.insertWidget(0, self.head)
        self.rows.addWidget(Titled(tr("train.table"), self.table))
        self.above.setSizes([500, 400])
        self.beneath.setSizes([510, 390])
        self.rows.setSizes([84, 220, 250, 130])
        for index in (1, 2):
            self.rows.setStretchFactor(index, 3)
        self.cohort = CohortPanel(actions["cohort_small"], actions["cohort_choose"])
        self.settings = TrainingPanel(actions["train_start"])
        self.set_panel([self.cohort, self.settings])
        self.set_empty_page(_first_steps(actions))

    def set_theme(self, theme: Theme) -> None:
        """Repaint the drawings."""
        for drawing in (self.r2, self.loss, self.preview):
            drawing.set_theme(theme)


def _first_steps(actions: dict[str, QAction]) -> QWidget:
    """Four steps from nothing to a model, with the buttons that take them."""
    frame, column = card()
    frame.setMaximumWidth(720)
    column.addWidget(as_title(label(tr("train.empty.title"), wrap=True)))
    buttons = {1: ("cohort_small", "cohort_choose"), 3: ("train_start",)}
    for number in (1, 2, 3, 4):
        row = QHBoxLayout()
        row.setSpacing(2 * GRID)
        row.addWidget(label(str(number), "muted"), 0, Qt.AlignmentFlag.AlignTop)
        row.addWidget(label(tr(f"train.empty.{number}"), wrap=True), 1)
        column.addLayout(row)
        if number in buttons:
            pressed = QHBoxLayout()
            pressed.setContentsMargins(3 * GRID, 0, 0, 0)
            pressed.setSpacing(GRID)
            for name in buttons[number]:
                pressed.addWidget(ActionButton(actions[name], primary=name == "cohort_small"))
            pressed.addStretch(1)
            column.addLayout(pressed)
    column.addWidget(label(tr("app.research"), "muted"))
    page = QWidget()
    around = QVBoxLayout(page)
    around.setContentsMargins(4 * GRID, 3 * GRID, 4 * GRID, 3 * GRID)
    around.addStretch(1)
    middle = QHBoxLayout()
    middle.addStretch(1)
    middle.addWidget(frame, 8)
    middle.addStretch(1)
    around.addLayout(middle)
    around.addStretch(2)
    return page
