"""The States tab: windows in two principal components, and their states over time."""

from __future__ import annotations

from PySide6.QtGui import QAction

from app.text import tr
from app.theme import Theme
from app.views.page_frame import PageFrame, Titled
from app.views.panels.states import StatesPanel
from app.views.state_plot import StatePlot, StateStrip

#: commands that have a button here
ACTIONS = ("states", "states_export")


class StatesPage(PageFrame):
    """Above the windows as dots; below the strip of states."""

    def __init__(self, plot: StatePlot, strip: StateStrip, actions: dict[str, QAction]) -> None:
        super().__init__(tr("states.nothing"))
        self.plot, self.strip = plot, strip
        self.plot_box, self.strip_box = Titled(tr("states.plot.none"), plot), Titled(tr("states.strip"), strip)
        self.place([self.plot_box], [self.strip_box], [])
        self.rows.setSizes([500, 180])
        self.panel = StatesPanel(*(actions[name] for name in ACTIONS))
        self.set_panel([self.panel])

    def set_theme(self, theme: Theme) -> None:
        """Repaint the drawings."""
        for drawing in (self.plot, self.strip):
            drawing.set_theme(theme)
