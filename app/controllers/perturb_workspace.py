"""Builds the Perturb page when it is shown for the first time, a piece at a time so that nothing blocks."""

from __future__ import annotations

import asyncio
import importlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from app import theme
from app.text import tr

if TYPE_CHECKING:
    from PySide6.QtGui import QAction

    from app.controllers.effective_map import EffectiveController
    from app.controllers.perturb_extras import PerturbExtras
    from app.controllers.perturb_report import PerturbReport
    from app.controllers.perturbing import PerturbController
    from app.controllers.scenario_comparing import ScenarioComparison
    from app.controllers.steering import SteerController
    from app.controllers.studio import Studio
    from app.controllers.sweeping import SweepController
    from app.views.brain import BrainView
    from app.views.pages.perturb import PerturbPage

_HEAVY = (
    "app.views.pages.perturb", "app.controllers.perturbing", "app.controllers.steering", "app.controllers.sweeping",
    "app.controllers.scenario_comparing", "app.controllers.perturb_report", "app.controllers.effective_map",
    "app.controllers.perturb_extras",
)  # fmt: skip


class Drawn(Protocol):
    """A question that draws."""

    async def settled(self) -> None:
        """Wait until everything is drawn."""

    def show(self, *_: object) -> None:
        """Draw everything."""


@dataclass(frozen=True)
class Parts:
    """What works on the page, each about one thing."""

    follows: PerturbController
    steering: SteerController
    comparison: ScenarioComparison
    sweeping: SweepController
    report: PerturbReport
    effective: EffectiveController
    extras: PerturbExtras


class PerturbWorkspace:
    """Joins the workspace 'perturb' of the rail with its page. ``controller`` is None until it was shown."""

    def __init__(self, studio: Studio, brain: BrainView) -> None:
        self._studio, self._brain = studio, brain
        self._made: Parts | None = None
        self._building: asyncio.Task[None] | None = None
        studio.state.shell.on("workspace").connect(self.show)
        studio.state.shell.on("panel").connect(self._show_panel)
        self.show()

    @property
    def controller(self) -> PerturbController | None:
        """The question "What follows if?"; None until the page was shown."""
        return self._made.follows if self._made is not None else None

    @property
    def parts(self) -> Parts:
        """What works on the page; the page must be there."""
        assert self._made is not None
        return self._made

    def show(self, *_: object) -> None:
        """Build the page when it is to be seen."""
        if self._studio.state.shell.workspace == "perturb" and self._made is None:
            self._studio.start(self.ready(), tr("action.go_perturb"))

    async def ready(self) -> PerturbController:
        """Build the page, once."""
        if self._made is None:
            if self._building is None:
                self._building = asyncio.get_running_loop().create_task(self._build())
            await asyncio.shield(self._building)
        return self.parts.follows

    async def _build(self) -> None:
        for name in _HEAVY:
            await asyncio.to_thread(importlib.import_module, name)
        page = await self._page()
        self._made = await self._joined(page)
        if self._studio.state.shell.workspace == "perturb":
            self._studio.window.show_page("perturb")

    async def _page(self) -> PerturbPage:
        """Build what is to be seen; between pieces the window may draw."""
        from app.views.compare_plot import ComparePlot
        from app.views.lines_plot import LinesPlot
        from app.views.pages import perturb as pages
        from app.views.perturb_plot import PerturbPlot, TargetPlot

        board = self._studio.window.board

        def buttons(names: tuple[str, ...]) -> dict[str, QAction]:
            return {name: board[name] for name in names}

        async def lines(left: str, bottom: str, words: str) -> LinesPlot:
            await asyncio.sleep(0)
            return LinesPlot(tr(left), tr(bottom), words)

        target = TargetPlot()
        await asyncio.sleep(0)
        watched = PerturbPlot("watched")
        search = await lines("steer.plot.axis", "steer.plot.looks", "steer.plot")
        await asyncio.sleep(0)
        page = pages.PerturbPage(self._brain, target, watched, buttons(pages.ACTIONS))
        await asyncio.sleep(0)
        page.add_search(search, buttons(pages.STEER_ACTIONS))
        await asyncio.sleep(0)
        bars = ComparePlot()
        difference = await lines("perturb.axis.sd", "perturb.axis.time", "kept.lines")
        await asyncio.sleep(0)
        page.add_comparison(bars, difference, buttons(pages.COMPARE_ACTIONS))
        response = await lines("sweep.axis.reach", "sweep.axis.value", "sweep.plot")
        effect = await lines("sweep.axis.watched", "sweep.axis.value", "sweep.plot")
        await asyncio.sleep(0)
        page.add_sweep(response, effect, buttons(pages.SWEEP_ACTIONS))
        await asyncio.sleep(0)
        page.add_map(buttons(pages.MAP_ACTIONS))
        self._studio.window.add_page("perturb", page)
        await asyncio.sleep(0)
        page.set_theme(theme.current())
        page.side.setVisible(self._studio.state.shell.panel)
        await asyncio.sleep(0)
        return page

    async def _joined(self, page: PerturbPage) -> Parts:
        """Join the page with the state and the engine."""
        from app.controllers.effective_map import EffectiveController
        from app.controllers.perturb_extras import PerturbExtras
        from app.controllers.perturb_report import PerturbReport
        from app.controllers.perturbing import PerturbController
        from app.controllers.scenario_comparing import ScenarioComparison
        from app.controllers.steering import SteerController
        from app.controllers.sweeping import SweepController

        studio, state, modelling = self._studio, self._studio.state, self._studio.modelling
        assert modelling is not None
        follows = PerturbController(state, studio.engine, page, modelling, studio.pointing, studio.player)
        await asyncio.sleep(0)
        steering = SteerController(state, studio.engine, page, modelling)
        await asyncio.sleep(0)
        comparison = ScenarioComparison(state, page)
        await asyncio.sleep(0)
        sweeping = SweepController(state, studio.engine, page, modelling)
        await asyncio.sleep(0)
        report = PerturbReport(state, page, studio.drawn)
        effective = EffectiveController(state, studio.engine, page, modelling, studio.pointing)
        await asyncio.sleep(0)
        extras = PerturbExtras(studio, follows)
        return Parts(follows, steering, comparison, sweeping, report, effective, extras)

    def _show_panel(self, shown: bool) -> None:
        if self._made is not None:
            self._made.follows.page.side.setVisible(shown)

    def _questions(self) -> tuple[Drawn, ...]:
        made = self._made
        return (made.comparison, made.sweeping, made.effective) if made is not None else ()

    async def settled(self) -> None:
        """Wait until nothing is on its way."""
        if self._made is not None:
            await self._made.follows.settled()
            await self._made.steering.settled()
        for question in self._questions():
            await question.settled()

    async def stop(self) -> None:
        """Give up what is on its way."""
        if self._made is not None:
            await self._made.follows.stop()
            await self._made.steering.stop()

    def set_theme(self, chosen: theme.Theme) -> None:
        """Repaint the page."""
        if self._made is not None:
            self._made.follows.drawing.set_theme(chosen)
            self._made.steering.drawing.show()
        for question in self._questions():
            question.show()
