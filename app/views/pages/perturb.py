"""The Perturb workspace: the brain, below it the region that is set and one that is watched."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtGui import QAction
from PySide6.QtWidgets import QWidget

from app.text import tr
from app.theme import Theme
from app.views.compare_plot import ComparePlot
from app.views.forms import choose
from app.views.lines_plot import LinesPlot
from app.views.matrix_plot import MatrixView
from app.views.page_frame import PageFrame, Titled
from app.views.panels.compare import ComparePanel
from app.views.panels.effective import EffectivePanel
from app.views.panels.perturb import FollowsPanel, TargetsPanel
from app.views.panels.steer import AimPanel, QuestionRow, TakePanel
from app.views.panels.sweep import SweepPanel
from app.views.perturb_plot import PerturbPlot, TargetPlot

if TYPE_CHECKING:
    from app.views.brain import BrainView

#: commands that have a button here
ACTIONS = (
    "perturb_add",
    "perturb_remove",
    "perturb_network",
    "perturb",
    "perturb_keep",
    "perturb_report",
    "perturb_export",
)
STEER_ACTIONS = ("steer", "steer_stop", "steer_file", "steer_cohort", "steer_demo", "steer_export", "perturb_report")
COMPARE_ACTIONS = ("perturb_unkeep", "perturb_report")
MAP_ACTIONS = ("effective", "effective_export")
SWEEP_ACTIONS = ("sweep", "sweep_export")


class PerturbPage(PageFrame):
    """Above the brain, below both plots."""

    def __init__(self, brain: BrainView, target: TargetPlot, watched: PerturbPlot, actions: dict[str, QAction]) -> None:
        super().__init__(tr("perturb.nothing"))
        self.brain, self.target, self.watched = brain, target, watched
        self.brain_box = Titled(tr("perturb.brain"), brain)
        self.target_box, self.watched_box = (
            Titled(tr("perturb.set.none"), target),
            Titled(tr("perturb.watched.none"), watched),
        )
        self.place([self.brain_box], [self.target_box, self.watched_box], [])
        self.rows.setSizes([400, 280])
        self.panel = TargetsPanel(*(actions[name] for name in ACTIONS[:3]))
        self.follows = FollowsPanel(*(actions[name] for name in ACTIONS[3:]))
        self.question = QuestionRow()
        self.asked = "follows"
        self._shown: dict[str, tuple[list[QWidget], list[QWidget]]] = {}
        self.set_panel([self.question, self.panel, self.follows])

    def add_search(self, search: LinesPlot, actions: dict[str, QAction]) -> None:
        """Add what the question "What would it take?" shows, hidden until it is asked."""
        self.search = search
        self.search_box = Titled(tr("steer.plot"), search)
        self.beneath.insertWidget(0, self.search_box)
        self.aim, self.take = AimPanel(actions), TakePanel(actions)
        self._join("take", [self.search_box, self.watched_box], [self.aim, self.take])
        self._join("follows", [self.target_box, self.watched_box], [])

    def add_comparison(self, bars: ComparePlot, difference: LinesPlot, actions: dict[str, QAction]) -> None:
        """Add what is shown of scenarios side by side, hidden until it is asked for."""
        self.bars, self.difference = bars, difference
        self.bars_box, self.difference_box = Titled(tr("kept.plot"), self.bars), Titled("", self.difference)
        for box in (self.bars_box, self.difference_box):
            self.beneath.addWidget(box)
        self.compare = ComparePanel(actions)
        self._join("compare", [self.bars_box, self.difference_box], [self.compare])

    def add_sweep(self, response: LinesPlot, effect: LinesPlot, actions: dict[str, QAction]) -> None:
        """Add what the question "How much follows?" shows, hidden until it is asked."""
        self.response, self.effect = response, effect
        self.response_box, self.effect_box = Titled(tr("sweep.plot"), self.response), Titled("", self.effect)
        for box in (self.response_box, self.effect_box):
            self.beneath.addWidget(box)
        self.sweep = SweepPanel(actions)
        self._join("sweep", [self.response_box, self.effect_box], [self.sweep])

    def add_map(self, actions: dict[str, QAction]) -> None:
        """Add what the question "Who moves whom?" shows, hidden until it is asked."""
        self.matrix = MatrixView()
        self.matrix_box = Titled(tr("effective.matrix"), self.matrix)
        self.beneath.addWidget(self.matrix_box)
        self.effective = EffectivePanel(actions)
        self._join("map", [self.matrix_box], [self.effective])

    def _join(self, question: str, boxes: list[QWidget], sections: list[QWidget]) -> None:
        """Add a question with the drawings below the brain and the sections of the side panel that belong to it."""
        for section in sections:
            self.add_section(section)
        self._shown[question] = (boxes, sections or [self.panel, self.follows])
        self.show_question(self.asked)

    def show_question(self, question: str) -> None:
        """Show one of the questions."""
        self.asked = question
        choose(self.question.box, question)
        mine = [widget for widgets in self._shown.get(question, ([], [])) for widget in widgets]
        for other in self._shown.values():
            for widget in (*other[0], *other[1]):
                widget.setVisible(widget in mine)
        boxes = self._shown.get(question, ([], []))[0]
        there = [self.beneath.widget(place) for place in range(self.beneath.count())]
        half = max(self.beneath.width() // 2, 1)
        if any(self.beneath.sizes()[place] < half // 2 for place, box in enumerate(there) if box in boxes):
            self.beneath.setSizes([half if box in boxes else 0 for box in there])

    def set_theme(self, theme: Theme) -> None:
        """Repaint the drawings."""
        drawings = (
            self.brain, self.target, self.watched, self.search, self.bars, self.difference, self.response, self.effect,
            self.matrix,
        )  # fmt: skip
        for drawing in drawings:
            drawing.set_theme(theme)
