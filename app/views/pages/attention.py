"""The Attention tab: the chosen token's map on the brain, the matrix beside it, the strongest parcels below."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtGui import QAction

from app.text import tr
from app.theme import Theme
from app.views.matrix_plot import MatrixView
from app.views.page_frame import PageFrame, Titled
from app.views.panels.attention import AttentionPanel
from app.views.panels.contrast import ContrastPanel
from app.views.panels.parcels import ParcelPanel
from app.views.top_table import TopTable

if TYPE_CHECKING:
    from app.views.brain import BrainView

#: commands that have a button here
ACTIONS = ("attention", "occlude_all", "attention_export", "page_picture")
CONTRAST = ("contrast_cohort", "contrast", "contrast_export")


class AttentionPage(PageFrame):
    """Brain and matrix above; below all parcels to search in, and the strongest."""

    def __init__(self, brain: BrainView, matrix: MatrixView, actions: dict[str, QAction]) -> None:
        super().__init__(tr("attention.nothing"))
        self.brain, self.matrix, self.top, self.parcels = brain, matrix, TopTable(), ParcelPanel()
        self.brain_box = Titled(tr("attention.heading"), brain)
        self.matrix_box = Titled(tr("attention.matrix"), matrix)
        self.top_box = Titled(tr("attention.top"), self.top)
        self.place([self.brain_box, self.matrix_box], [self.top_box], [])
        self.above.setSizes([460, 460])
        self.rows.setSizes([470, 210])
        self.panel = AttentionPanel(*(actions[name] for name in ACTIONS))
        self.contrast = ContrastPanel(*(actions[name] for name in CONTRAST))
        self.parcels.setMinimumHeight(190)
        self.set_panel([self.panel, self.parcels, self.contrast])

    def set_theme(self, theme: Theme) -> None:
        """Repaint the drawings."""
        for drawing in (self.brain, self.matrix):
            drawing.set_theme(theme)
