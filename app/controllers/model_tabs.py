"""The tabs of the Model workspace: shown as the state says, built when they are shown for the first time."""

from __future__ import annotations

import asyncio
import importlib
from collections.abc import Callable
from typing import TYPE_CHECKING

from app import theme
from app.text import tr

if TYPE_CHECKING:
    from app.controllers.studio import Studio
    from app.views.brain import BrainView
    from app.views.page_frame import PageFrame
    from app.views.tabbed import TabbedPage

TABS = ("reconstruct", "forecast", "states", "attention", "report")
_HEAVY = ("app.views.pages.forecast", "app.controllers.forecasting")
_ATTENTION = ("app.views.pages.attention", "app.controllers.attention")
_STATES = ("app.views.pages.states", "app.controllers.states")


class ModelTabs:
    """Joins ``shell.model_tab`` with the bar of tabs."""

    def __init__(self, studio: Studio, page: TabbedPage, brain: BrainView, looking: BrainView) -> None:
        self._studio, self._page, self._brain, self._looking = studio, page, brain, looking
        self._building: dict[str, asyncio.Task[None]] = {}
        state = studio.state
        page.tab_chosen.connect(lambda name: state.shell.put(model_tab=name))
        for field in ("model_tab", "workspace"):
            state.shell.on(field).connect(self.show)
        state.shell.on("panel").connect(self._show_panel)
        self.show()

    @property
    def pages(self) -> tuple[PageFrame, ...]:
        """The tabs' pages that are built, in order."""
        return self._page.pages

    def show(self, *_: object) -> None:
        """Show the tab; build it first when it was never shown."""
        shell = self._studio.state.shell
        self._page.show_tab(shell.model_tab)
        if shell.workspace == "model":
            self._studio.start(self.ready(shell.model_tab), tr(f"tab.{shell.model_tab}"))

    async def ready(self, name: str) -> None:
        """Build a tab, once."""
        if self._page.has(name):
            return
        if name not in self._building:
            builders = {
                "forecast": self._build_forecast, "states": self._build_states, "attention": self._build_attention,
                "report": self._build_report,
            }  # fmt: skip
            build = builders[name]
            self._building[name] = asyncio.get_running_loop().create_task(build())
        await asyncio.shield(self._building[name])

    async def _build_forecast(self) -> None:
        """Make page and controller in pieces, so that nothing blocks."""
        for name in _HEAVY:
            await asyncio.to_thread(importlib.import_module, name)
        from app.controllers.forecasting import ForecastController
        from app.views.forecast_plot import ForecastPlot
        from app.views.lead_plot import LeadPlot
        from app.views.pages.forecast import ACTIONS, ForecastPage

        studio, state = self._studio, self._studio.state
        plot = ForecastPlot()
        await asyncio.sleep(0)
        lead = LeadPlot()
        await asyncio.sleep(0)
        page = ForecastPage(plot, lead, self._brain, {name: studio.window.board[name] for name in ACTIONS})
        self._page.add("forecast", page)
        await asyncio.sleep(0)
        assert studio.modelling is not None
        studio.forecasting = ForecastController(state, studio.engine, page, studio.modelling, studio.pointing)
        await self._appear(page, page.set_theme)
        studio.forecasting.drawing.show()

    async def _build_states(self) -> None:
        """Make page and controller in pieces, so that nothing blocks."""
        for name in _STATES:
            await asyncio.to_thread(importlib.import_module, name)
        from app.controllers.states import StatesController
        from app.views.pages.states import ACTIONS, StatesPage
        from app.views.state_plot import StatePlot, StateStrip

        studio, state = self._studio, self._studio.state
        plot = StatePlot()
        await asyncio.sleep(0)
        page = StatesPage(plot, StateStrip(), {name: studio.window.board[name] for name in ACTIONS})
        self._page.add("states", page)
        await asyncio.sleep(0)
        assert studio.modelling is not None
        studio.stating = StatesController(state, studio.engine, page, studio.modelling)
        await self._appear(page, page.set_theme)
        studio.stating.drawing.show()

    async def _build_report(self) -> None:
        """Make page and controller."""
        from app.controllers.report import ReportController
        from app.views.pages.report import ACTIONS, ReportPage

        studio, state = self._studio, self._studio.state
        page = ReportPage({name: studio.window.board[name] for name in ACTIONS})
        self._page.add("report", page)
        await asyncio.sleep(0)
        studio.reporting = ReportController(state, studio.engine, page)
        await self._appear(page)

    async def _build_attention(self) -> None:
        """Make page and controller in pieces, so that nothing blocks."""
        for name in _ATTENTION:
            await asyncio.to_thread(importlib.import_module, name)
        from app.controllers.attention import AttentionController
        from app.views.matrix_plot import MatrixView
        from app.views.pages.attention import ACTIONS, CONTRAST, AttentionPage
        from app.views.panels.attention import AttentionPanel
        from app.views.panels.contrast import ContrastPanel
        from app.views.top_table import TopTable

        studio, state = self._studio, self._studio.state
        matrix = MatrixView()
        await asyncio.sleep(0)
        top = TopTable()
        await asyncio.sleep(0)
        panel = AttentionPanel(*(studio.window.board[name] for name in ACTIONS))
        await asyncio.sleep(0)
        contrast = ContrastPanel(*(studio.window.board[name] for name in CONTRAST))
        await asyncio.sleep(0)
        page = AttentionPage(self._looking, matrix, top, panel, contrast)
        self._page.add("attention", page)
        await asyncio.sleep(0)
        assert studio.modelling is not None
        studio.attending = AttentionController(state, studio.engine, page, studio.modelling, studio.pointing)
        await self._appear(page, page.set_theme)
        for _ in page.complete():
            await asyncio.sleep(0)
        studio.attending.drawing.show()

    async def _appear(self, page: PageFrame, dress: Callable[[theme.Theme], None] | None = None) -> None:
        """Show a page that is built: its drawings in one turn, the controls at their side in the next."""
        shell = self._studio.state.shell
        if dress is not None:
            dress(theme.current())
        page.side.setVisible(shell.panel)
        controls = page.side.widget()
        if controls is not None:
            controls.hide()
        await asyncio.sleep(0)
        self._page.show_tab(shell.model_tab)
        await asyncio.sleep(0)
        if controls is not None:
            controls.show()
        self._studio.window.focus_page()

    def _show_panel(self, shown: bool) -> None:
        for page in self._page.pages:
            page.side.setVisible(shown)
