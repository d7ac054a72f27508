"""The Perturb workspace: the brain, below it the region that is set and one that is watched."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtGui import QAction

from app.text import tr
from app.theme import Theme
from app.views.forms import choose
from app.views.page_frame import PageFrame, Titled
from app.views.panels.perturb import FollowsPanel, TargetsPanel
from app.views.panels.steer import AimPanel, QuestionRow, TakePanel
from app.views.perturb_plot import PerturbPlot, TargetPlot
from app.views.steer_plot import SteerPlot

if TYPE_CHECKING:
    from app.views.brain import BrainView

#: commands that have a button here
ACTIONS = ("perturb_add", "perturb_remove", "perturb_network", "perturb", "perturb_export")
STEER_ACTIONS = ("steer", "steer_stop", "steer_file", "steer_cohort", "steer_demo", "steer_export")


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
        self.set_panel([self.question, self.panel, self.follows])

    def add_search(self, search: SteerPlot, actions: dict[str, QAction]) -> None:
        """Add what the question "What would it take?" shows, hidden until it is asked."""
        self.search = search
        self.search_box = Titled(tr("steer.plot"), search)
        self.beneath.insertWidget(0, self.search_box)
        self.aim, self.take = AimPanel(actions), TakePanel(actions)
        for section in (self.aim, self.take):
            self.add_section(section)
        self.show_question("follows")

    def show_question(self, question: str) -> None:
        """Show one of both questions."""
        take = question == "take"
        choose(self.question.box, question)
        for widget, shown in (
            (self.panel, not take), (self.follows, not take), (self.target_box, not take), (self.aim, take),
            (self.take, take), (self.search_box, take),
        ):  # fmt: skip
            widget.setVisible(shown)

    def set_theme(self, theme: Theme) -> None:
        """Repaint the drawings."""
        for drawing in (self.brain, self.target, self.watched, self.search):
            drawing.set_theme(theme)
