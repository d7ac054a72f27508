"""The Networks workspace: its page is built when it is shown for the first time."""

from __future__ import annotations

import asyncio
import importlib
from typing import TYPE_CHECKING

from app import theme
from app.text import tr
from app.theme import Theme

if TYPE_CHECKING:
    from app.controllers.networks import NetworksController
    from app.controllers.studio import Studio
    from app.state.data import NetworksFound
    from app.views.brain import BrainView

_HEAVY = ("app.views.pages.networks", "app.controllers.networks")


class NetworksWorkspace:
    """Builds page and controller in pieces, so that nothing blocks, and passes on what is asked."""

    def __init__(self, studio: Studio, brain: BrainView) -> None:
        self._studio, self._brain = studio, brain
        self._building: asyncio.Task[None] | None = None
        self.controller: NetworksController | None = None
        shell = studio.state.shell
        shell.on("workspace").connect(self._show)
        shell.on("panel").connect(self._show_panel)
        self._show()

    def _show(self, *_: object) -> None:
        if self._studio.state.shell.workspace == "networks" and self.controller is None:
            self._studio.start(self.ready(), tr("action.go_networks"))

    async def ready(self) -> None:
        """Build the page, once."""
        if self._building is None:
            self._building = asyncio.get_running_loop().create_task(self._build())
        await asyncio.shield(self._building)

    async def _build(self) -> None:
        for name in _HEAVY:
            await asyncio.to_thread(importlib.import_module, name)
        from app.controllers.networks import NetworksController
        from app.views.network_matrix import MatrixView
        from app.views.network_traces import NetworkTraces
        from app.views.pages.networks import ACTIONS, NetworksPage

        studio, state = self._studio, self._studio.state
        matrix = MatrixView()
        await asyncio.sleep(0)
        traces = NetworkTraces()
        await asyncio.sleep(0)
        page = NetworksPage(self._brain, matrix, traces, {name: studio.window.board[name] for name in ACTIONS})
        await asyncio.sleep(0)
        assert studio.modelling is not None
        self.controller = NetworksController(state, studio.engine, page, studio.modelling, studio.pointing)
        page.set_theme(theme.current())
        page.side.setVisible(state.shell.panel)
        studio.window.add_page("networks", page)
        await asyncio.sleep(0)
        self.controller.drawing.show()
        if state.shell.workspace == "networks":
            studio.window.show_page("networks")

    def _show_panel(self, shown: bool) -> None:
        if self.controller is not None:
            self.controller.page.side.setVisible(shown)

    def set_theme(self, chosen: Theme) -> None:
        """Repaint the page."""
        if self.controller is not None:
            self.controller.drawing.set_theme(chosen)

    async def find(self) -> NetworksFound | None:
        """Find the networks of the recording; None when it could not be done."""
        await self.ready()
        return await self.controller.find() if self.controller is not None else None

    async def export(self, path: str) -> bool:
        """Write the networks on show; False when it could not be."""
        return await self.controller.export(path) if self.controller is not None else False

    async def settled(self) -> None:
        """Wait until no answer is on its way and everything is drawn."""
        if self.controller is not None:
            await self.controller.latest.settled()
            while self.controller.drawing.turns.busy:
                await asyncio.sleep(0.005)

    async def stop(self) -> None:
        """Ask no more."""
        if self.controller is not None:
            await self.controller.latest.stop()
