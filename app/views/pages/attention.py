"""The Attention tab: the chosen token's map on the brain, the matrix beside it, the strongest parcels below."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

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

    def __init__(
        self, brain: BrainView, matrix: MatrixView, top: TopTable, panel: AttentionPanel, contrast: ContrastPanel
    ) -> None:
        super().__init__(tr("attention.nothing"))
        self.brain, self.matrix, self.top, self.parcels = brain, matrix, top, ParcelPanel()
        self.panel, self.contrast = panel, contrast
        self.brain_box = Titled(tr("attention.heading"), brain)
        self.matrix_box = Titled(tr("attention.matrix"), matrix)
        self.top_box = Titled(tr("attention.top"), self.top)
        self.place([self.brain_box, self.matrix_box], [self.top_box], [])
        self.above.setSizes([460, 460])
        self.rows.setSizes([470, 210])
        self.parcels.setMinimumHeight(190)
        self.set_panel([self.panel])

    def complete(self) -> Iterator[None]:
        """Add the rest of the panel, a section at a time: all at once would block the window."""
        for section in (self.parcels, self.contrast):
            self.add_section(section)
            yield

    def set_theme(self, theme: Theme) -> None:
        """Repaint the drawings."""
        for drawing in (self.brain, self.matrix):
            drawing.set_theme(theme)
