"""Builds the Perturb page when it is shown for the first time, a piece at a time so that nothing blocks."""

from __future__ import annotations

import asyncio
import importlib
from typing import TYPE_CHECKING

from app import theme
from app.text import tr

if TYPE_CHECKING:
    from app.controllers.effective_map import EffectiveController
    from app.controllers.perturb_extras import PerturbExtras
    from app.controllers.perturb_report import PerturbReport
    from app.controllers.perturbing import PerturbController
    from app.controllers.scenario_comparing import ScenarioComparison
    from app.controllers.steering import SteerController
    from app.controllers.studio import Studio
    from app.controllers.sweeping import SweepController
    from app.views.brain import BrainView

_HEAVY = (
    "app.views.pages.perturb", "app.controllers.perturbing", "app.controllers.steering", "app.controllers.sweeping",
    "app.controllers.scenario_comparing", "app.controllers.perturb_report", "app.controllers.effective_map",
    "app.controllers.perturb_extras",
)  # fmt: skip


class PerturbWorkspace:
    """Joins the workspace 'perturb' of the rail with its page. ``controller`` is None until it was shown."""

    def __init__(self, studio: Studio, brain: BrainView) -> None:
        self._studio, self._brain = studio, brain
        self.controller: PerturbController | None = None
        self.steering: SteerController | None = None
        self._parts: tuple[ScenarioComparison, SweepController, PerturbReport, EffectiveController] | None = None
        self.extras: PerturbExtras | None = None
        self._building: asyncio.Task[None] | None = None
        studio.state.shell.on("workspace").connect(self.show)
        studio.state.shell.on("panel").connect(self._show_panel)
        self.show()

    def show(self, *_: object) -> None:
        """Build the page when it is to be seen."""
        if self._studio.state.shell.workspace == "perturb" and self.controller is None:
            self._studio.start(self.ready(), tr("action.go_perturb"))

    async def ready(self) -> PerturbController:
        """Build the page, once."""
        if self.controller is None:
            if self._building is None:
                self._building = asyncio.get_running_loop().create_task(self._build())
            await asyncio.shield(self._building)
        assert self.controller is not None
        return self.controller

    async def _build(self) -> None:
        for name in _HEAVY:
            await asyncio.to_thread(importlib.import_module, name)
        from app.controllers.effective_map import EffectiveController
        from app.controllers.perturb_extras import PerturbExtras
        from app.controllers.perturb_report import PerturbReport
        from app.controllers.perturbing import PerturbController
        from app.controllers.scenario_comparing import ScenarioComparison
        from app.controllers.steering import SteerController
        from app.controllers.sweeping import SweepController
        from app.views.compare_plot import ComparePlot
        from app.views.lines_plot import LinesPlot
        from app.views.pages.perturb import (
            ACTIONS,
            COMPARE_ACTIONS,
            MAP_ACTIONS,
            STEER_ACTIONS,
            SWEEP_ACTIONS,
            PerturbPage,
        )
        from app.views.perturb_plot import PerturbPlot, TargetPlot
        from app.views.steer_plot import SteerPlot

        studio, state = self._studio, self._studio.state
        target = TargetPlot()
        await asyncio.sleep(0)
        watched = PerturbPlot("watched")
        await asyncio.sleep(0)
        search = SteerPlot()
        await asyncio.sleep(0)
        page = PerturbPage(self._brain, target, watched, {name: studio.window.board[name] for name in ACTIONS})
        await asyncio.sleep(0)
        page.add_search(search, {name: studio.window.board[name] for name in STEER_ACTIONS})
        await asyncio.sleep(0)
        bars = ComparePlot()
        await asyncio.sleep(0)
        difference = LinesPlot(tr("perturb.axis.sd"), tr("perturb.axis.time"), "kept.lines")
        await asyncio.sleep(0)
        page.add_comparison(bars, difference, {name: studio.window.board[name] for name in COMPARE_ACTIONS})
        await asyncio.sleep(0)
        response = LinesPlot(tr("sweep.axis.reach"), tr("sweep.axis.value"), "sweep.plot")
        await asyncio.sleep(0)
        effect = LinesPlot(tr("sweep.axis.watched"), tr("sweep.axis.value"), "sweep.plot")
        await asyncio.sleep(0)
        page.add_sweep(response, effect, {name: studio.window.board[name] for name in SWEEP_ACTIONS})
        await asyncio.sleep(0)
        page.add_map({name: studio.window.board[name] for name in MAP_ACTIONS})
        studio.window.add_page("perturb", page)
        await asyncio.sleep(0)
        page.set_theme(theme.current())
        page.side.setVisible(state.shell.panel)
        await asyncio.sleep(0)
        assert studio.modelling is not None
        self.controller = PerturbController(
            state, studio.engine, page, studio.modelling, studio.pointing, studio.player
        )  # fmt: skip
        await asyncio.sleep(0)
        self.steering = SteerController(state, studio.engine, page, studio.modelling)
        await asyncio.sleep(0)
        comparison = ScenarioComparison(state, page)
        await asyncio.sleep(0)
        sweeping = SweepController(state, studio.engine, page, studio.modelling)
        await asyncio.sleep(0)
        report = PerturbReport(state, page, studio.drawn)
        effective = EffectiveController(state, studio.engine, page, studio.modelling, studio.pointing)
        await asyncio.sleep(0)
        self._parts = (comparison, sweeping, report, effective)
        self.extras = PerturbExtras(studio, self.controller)
        if state.shell.workspace == "perturb":
            studio.window.show_page("perturb")

    @property
    def comparison(self) -> ScenarioComparison:
        """Scenarios that were kept; the page must be there."""
        assert self._parts is not None
        return self._parts[0]

    @property
    def sweeping(self) -> SweepController:
        """The sweep; the page must be there."""
        assert self._parts is not None
        return self._parts[1]

    @property
    def report(self) -> PerturbReport:
        """Reports and animations; the page must be there."""
        assert self._parts is not None
        return self._parts[2]

    @property
    def effective(self) -> EffectiveController:
        """Every region in turn; the page must be there."""
        assert self._parts is not None
        return self._parts[3]

    def _show_panel(self, shown: bool) -> None:
        if self.controller is not None:
            self.controller.page.side.setVisible(shown)

    async def settled(self) -> None:
        """Wait until nothing is on its way."""
        if self.controller is not None:
            await self.controller.settled()
        if self.steering is not None:
            await self.steering.settled()
        if self._parts is not None:
            await self.comparison.settled()
            await self.sweeping.settled()
            await self.effective.settled()

    async def stop(self) -> None:
        """Give up what is on its way."""
        if self.controller is not None:
            await self.controller.stop()
        if self.steering is not None:
            await self.steering.stop()

    def set_theme(self, chosen: theme.Theme) -> None:
        """Repaint the page."""
        if self.controller is not None:
            self.controller.drawing.set_theme(chosen)
        if self.steering is not None:
            self.steering.drawing.show()
        if self._parts is not None:
            self.comparison.show()
            self.sweeping.show()
            self.effective.show()
