"""The Forecast tab: one region with bands, the error by time ahead, the brain at the time cursor."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtGui import QAction

from app.text import tr
from app.theme import Theme
from app.views.forecast_plot import ForecastPlot
from app.views.lead_plot import LeadPlot
from app.views.page_frame import PageFrame, Titled
from app.views.panels.forecast import ForecastPanel, ForecastScores

if TYPE_CHECKING:
    from app.views.brain import BrainView

#: commands that have a button here
ACTIONS = ("forecast", "forecast_all", "forecast_export")


class ForecastPage(PageFrame):
    """Above the selected region over time; below the brain, and how the error of every method grows."""

    def __init__(self, plot: ForecastPlot, lead: LeadPlot, brain: BrainView, actions: dict[str, QAction]) -> None:
        super().__init__(tr("forecast.nothing"))
        self.plot, self.lead, self.brain = plot, lead, brain
        self.plot_box = Titled(tr("forecast.plot.none"), plot)
        self.brain_box = Titled(tr("forecast.shown.forecast"), brain)
        self.lead_box = Titled(tr("forecast.lead"), lead)
        self.place([self.plot_box], [self.brain_box, self.lead_box], [])
        self.beneath.setSizes([460, 420])
        self.rows.setSizes([330, 350])
        self.panel, self.scores = ForecastPanel(*(actions[name] for name in ACTIONS)), ForecastScores()
        self.set_panel([self.panel, self.scores])

    def set_theme(self, theme: Theme) -> None:
        """Repaint the drawings."""
        for drawing in (self.plot, self.lead, self.brain):
            drawing.set_theme(theme)
