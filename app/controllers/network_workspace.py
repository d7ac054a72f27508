"""Builds the Networks page when it is shown for the first time, a piece at a time so that nothing blocks."""

from __future__ import annotations

import asyncio
import importlib
from typing import TYPE_CHECKING

from app import theme
from app.text import tr

if TYPE_CHECKING:
    from app.controllers.studio import Studio
    from app.views.brain import BrainView

_HEAVY = ("app.views.pages.networks", "app.controllers.networks")


class NetworkWorkspace:
    """Joins the workspace 'networks' of the rail with its page."""

    def __init__(self, studio: Studio, brain: BrainView) -> None:
        self._studio, self._brain = studio, brain
        self._building: asyncio.Task[None] | None = None
        studio.state.shell.on("workspace").connect(self.show)
        studio.state.shell.on("panel").connect(self._show_panel)
        self.show()

    def show(self, *_: object) -> None:
        """Build the page when it is to be seen."""
        if self._studio.state.shell.workspace == "networks" and self._studio.networking is None:
            self._studio.start(self.ready(), tr("action.go_networks"))

    async def ready(self) -> None:
        """Build the page, once."""
        if self._studio.networking is not None:
            return
        if self._building is None:
            self._building = asyncio.get_running_loop().create_task(self._build())
        await asyncio.shield(self._building)

    async def _build(self) -> None:
        for name in _HEAVY:
            await asyncio.to_thread(importlib.import_module, name)
        from app.controllers.networks import NetworksController
        from app.views.network_traces import NetworkTraces
        from app.views.pages.networks import ACTIONS, NetworksPage

        studio, state = self._studio, self._studio.state
        traces = NetworkTraces()
        await asyncio.sleep(0)
        page = NetworksPage(self._brain, traces, {name: studio.window.board[name] for name in ACTIONS})
        studio.window.add_page("networks", page)
        await asyncio.sleep(0)
        page.set_theme(theme.current())
        page.side.setVisible(state.shell.panel)
        await asyncio.sleep(0)
        assert studio.modelling is not None
        studio.networking = NetworksController(
            state, studio.engine, page, studio.modelling, studio.pointing, studio.player, studio.shell.name
        )  # fmt: skip
        if state.shell.workspace == "networks":
            studio.window.show_page("networks")

    def _show_panel(self, shown: bool) -> None:
        if self._studio.networking is not None:
            self._studio.networking.page.side.setVisible(shown)
