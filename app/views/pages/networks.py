"""The Networks workspace: the brain by networks, how alike parcels are, the course of each network."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtGui import QAction, QPixmap

from app.text import tr
from app.theme import Theme
from app.views.network_matrix import MatrixView
from app.views.network_traces import NetworkTraces
from app.views.page_frame import PageFrame, Titled
from app.views.panels.networks import NetworksPanel, NetworksScores

if TYPE_CHECKING:
    from app.views.brain import BrainView

#: commands that have a button here
ACTIONS = ("networks", "networks_export")


class NetworksPage(PageFrame):
    """Above the brain and the matrix; below the mean course of every network."""

    def __init__(
        self, brain: BrainView, matrix: MatrixView, traces: NetworkTraces, actions: dict[str, QAction]
    ) -> None:
        super().__init__(tr("networks.nothing"))
        self.brain, self.matrix, self.traces = brain, matrix, traces
        self.brain_box = Titled(tr("networks.brain.none"), brain)
        self.matrix_box = Titled(tr("networks.matrix"), matrix)
        self.trace_box = Titled(tr("networks.traces"), traces)
        self.place([self.brain_box, self.matrix_box], [self.trace_box], [])
        self.above.setSizes([430, 540])
        self.rows.setSizes([440, 240])
        self.panel, self.scores = NetworksPanel(*(actions[name] for name in ACTIONS)), NetworksScores()
        self.set_panel([self.panel, self.scores])

    def drawings(self) -> QPixmap:
        """Return brain, matrix and courses as a picture."""
        return self.rows.grab()

    def set_theme(self, theme: Theme) -> None:
        """Repaint the drawings."""
        for drawing in (self.brain, self.matrix, self.traces):
            drawing.set_theme(theme)
