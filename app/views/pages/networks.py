"""The Networks workspace: the brain by network, the matrix in their order, their mean activity."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtGui import QAction
from PySide6.QtWidgets import QHBoxLayout, QWidget

from app.state.parts import INTO
from app.text import tr
from app.theme import Theme
from app.views.network_matrix import NetworkMatrix
from app.views.network_traces import NetworkTraces
from app.views.page_frame import PageFrame, Titled
from app.views.panels.networks import GroupPanel, NetworkScores, NetworksPanel
from app.widgets.colour_bar import ColourBar
from app.widgets.swatches import Swatches

if TYPE_CHECKING:
    from app.views.brain import BrainView

#: commands that have a button here
ACTIONS = ("networks", "networks_export", "networks_group")


class NetworksPage(PageFrame):
    """Above the brain with what its colours mean and the matrix with its colour bar, below the networks over time."""

    def __init__(self, brain: BrainView, traces: NetworkTraces, actions: dict[str, QAction]) -> None:
        super().__init__(tr("networks.nothing"))
        self.brain, self.traces = brain, traces
        self.matrix, self.bar, self.swatches = NetworkMatrix(), ColourBar(), Swatches()
        self.bar.set_unit(tr("networks.matrix.unit"))
        self._side = QWidget()
        self._side.setAutoFillBackground(True)
        row = QHBoxLayout(self._side)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(0)
        row.addWidget(self.matrix, 1)
        row.addWidget(self.bar)
        brain.bar.hide()  # colours are kinds here
        self.brain_box = Titled(tr("networks.brain"), brain, self.swatches)
        self.matrix_box = Titled(tr("networks.matrix"), self._side)
        self.trace_box = Titled(tr("networks.traces"), traces)
        self.place([self.brain_box, self.matrix_box], [self.trace_box], [])
        self.above.setSizes([430, 530])
        self.rows.setSizes([450, 230])
        self.panel, self.scores = NetworksPanel(INTO, actions["networks"], actions["networks_export"]), NetworkScores()
        self.group = GroupPanel(actions["networks_group"])
        self.set_panel([self.panel, self.scores, self.group])

    def set_theme(self, theme: Theme) -> None:
        """Repaint the drawings."""
        for drawing in (self.brain, self.matrix, self.bar, self.swatches, self.traces):
            drawing.set_theme(theme)
        palette = self._side.palette()
        palette.setColor(self._side.backgroundRole(), theme.canvas)
        self._side.setPalette(palette)
