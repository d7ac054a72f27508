"""The Perturb workspace: the brain, below it the region that is set and one that is watched."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtGui import QAction

from app.text import tr
from app.theme import Theme
from app.views.page_frame import PageFrame, Titled
from app.views.panels.perturb import FollowsPanel, TargetsPanel
from app.views.perturb_plot import PerturbPlot, TargetPlot

if TYPE_CHECKING:
    from app.views.brain import BrainView

#: commands that have a button here
ACTIONS = ("perturb_add", "perturb_remove", "perturb_network", "perturb", "perturb_export")


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
        self.set_panel([self.panel, self.follows])

    def set_theme(self, theme: Theme) -> None:
        """Repaint the drawings."""
        for drawing in (self.brain, self.target, self.watched):
            drawing.set_theme(theme)
