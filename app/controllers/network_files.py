"""Networks and their pictures written to files, off the GUI thread, reported above the pages."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from app.controllers.failures import tell_error
from app.services.engine import EngineService
from app.services.pictures import write_picture
from app.state import AppState
from app.state.notices import Notice
from app.text import tr
from brainlm_engine.api.errors import EngineError
from brainlm_engine.api.networks import write_bytes

if TYPE_CHECKING:
    from app.controllers.networks import Wish
    from app.views.pages.networks import NetworksPage

KEY = "networks:file"


class NetworkFiles:
    """Writes what is on show; whole, or not at all."""

    def __init__(
        self, state: AppState, engine: EngineService, page: NetworksPage, wish: Callable[[], Wish | None]
    ) -> None:
        self._state, self._engine, self._page, self._wish = state, engine, page, wish

    @property
    def which(self) -> str:
        """Which networks an image of what is on show holds."""
        networks = self._state.networks
        if networks.shown == "reference":
            return "reference"
        return "labels" if networks.into == "labels" else "clusters"

    async def export(self, path: str) -> bool:
        """Write the networks by the ending of ``path``; False when it could not be."""
        wish, networks = self._wish(), self._state.networks
        if wish is None or networks.result is None or networks.outdated:
            return False
        name = Path(path).name
        try:
            reply = await self._engine.client.networks_file(*wish, name, self.which)
            await asyncio.to_thread(write_bytes, reply.arrays["content"].tobytes(), Path(path))
        except EngineError as error:
            tell_error(self._state, error, KEY)
            return False
        self._state.notices.tell(Notice(KEY, "success", tr("networks.export.done", name=name)))
        return True

    async def picture(self, what: str, path: str) -> bool:
        """Write the 'brain' or the 'matrix' as it is on screen as a PNG; False when it could not be."""
        box = self._page.brain_box if what == "brain" else self._page.matrix_box
        try:
            await write_picture(box, path)
        except EngineError as error:
            tell_error(self._state, error, KEY)
            return False
        self._state.notices.tell(Notice(KEY, "success", tr("networks.picture.done", name=Path(path).name)))
        return True
