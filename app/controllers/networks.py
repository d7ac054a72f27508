"""The Networks workspace: asks for networks, the newest wish wins; :class:`NetworksDrawing` shows what came."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from app.controllers.failures import tell_error
from app.controllers.networks_drawing import NetworksDrawing
from app.services.engine import EngineService
from app.services.latest import Latest
from app.state import AppState
from app.state.data import NetworksFound
from app.state.notices import Notice
from app.text import tr
from brainlm_engine.api.errors import EngineError
from brainlm_engine.api.messages import Reply
from brainlm_engine.api.networks import NetworksInfo

if TYPE_CHECKING:
    from app.controllers.modelling import ModelController
    from app.controllers.pointing import Pointing
    from app.views.pages.networks import NetworksPage

KEY = "networks:one"
#: recording, model, source, clusters (0 = by silhouette), scaling
Wish = tuple[str, str, str, int, str]


class NetworksController:
    """One recording, one answer; what is on screen always belongs to the settings on screen."""

    def __init__(
        self, state: AppState, engine: EngineService, page: NetworksPage, modelling: ModelController, pointing: Pointing
    ) -> None:
        self._state, self._engine, self.page, self._modelling = state, engine, page, modelling
        self._asked: Wish | None = None
        self.latest: Latest[Wish, Reply[NetworksInfo]] = Latest(self._ask, self._take, self._failed)
        self.drawing = NetworksDrawing(state, page)
        networks = state.networks
        for field in ("source", "count"):
            networks.on(field).connect(self.want)
        for field in ("model_id", "scaling", "models"):
            state.model.on(field).connect(self.want)
        state.case.on("recording").connect(self._recording_changed)
        state.shell.on("workspace").connect(self.want)
        page.panel.source_chosen.connect(lambda name: networks.put(source=name))
        page.panel.shown_chosen.connect(lambda name: networks.put(shown=name))
        page.panel.count_chosen.connect(lambda count: networks.put(count=count))
        page.brain.parcel_clicked.connect(pointing.pick)
        page.brain.crosshair_requested.connect(pointing.point)
        page.matrix.matrix.parcel_clicked.connect(pointing.pick)
        page.traces.time_chosen.connect(self._go)
        self.want()

    def _go(self, seconds: float) -> None:
        frame = round(seconds / self._state.case.tr_s)
        self._state.view.frame = min(max(0, frame), max(0, self._state.case.n_frames - 1))

    def wish(self) -> Wish | None:
        """Return what is asked for by the settings; None while something is missing."""
        state, recording = self._state, self._state.case.recording
        if recording is None or state.model.model is None:
            return None
        chosen = state.networks
        return (
            recording.info.recording_id, state.model.model_id, chosen.source, chosen.count, state.model.scaling_used,
        )  # fmt: skip

    def want(self, *_: object) -> None:
        """Ask for networks by the present settings, unless that was asked last."""
        state, wish = self._state.networks, self.wish()
        if wish is None or wish == self._asked:
            state.put(outdated=False)
            return
        if self._state.shell.workspace != "networks" or self._engine.state.status != "ready":
            state.put(outdated=state.result is not None)
            return
        self._asked = wish
        state.put(running=True, problem="", outdated=state.result is not None)
        self.latest.wish(wish)

    async def find(self) -> NetworksFound | None:
        """Find networks by the present settings, also when that was done before; None when it could not be done."""
        self._asked = None
        self.want()
        await self.latest.settled()
        state = self._state.networks
        return None if state.outdated or state.problem else state.result

    async def _ask(self, wish: Wish) -> Reply[NetworksInfo]:
        recording_id, model_id, source, count, scaling = wish
        ready = await self._modelling.scaling.ready(scaling)
        return await self._engine.client.networks(recording_id, model_id, source, count, ready)

    def _take(self, wish: Wish, reply: Reply[NetworksInfo]) -> None:
        if wish == self.wish():
            self._state.notices.drop(KEY)
            self._state.networks.put(running=False, outdated=False, result=NetworksFound(reply.message, reply.arrays))

    def _failed(self, error: Exception) -> None:
        if not isinstance(error, EngineError):
            raise error
        if self._asked == self.wish():
            self._state.networks.put(running=False, problem=str(error))
            tell_error(self._state, error, KEY)

    def _recording_changed(self, *_: object) -> None:
        self.latest.forget()
        self._asked = None
        self._state.notices.drop(KEY)
        self._state.networks.put(result=None, running=False, outdated=False, problem="")
        self.want()

    async def export(self, path: str) -> bool:
        """Write the networks on show by the ending of ``path``; False when it could not be."""
        state, result, name = self._state, self._state.networks.result, Path(path).name
        if result is None:
            return False
        if name.lower().endswith(".png"):
            if not self.page.drawings().save(path):
                state.notices.tell(
                    Notice(KEY, "danger", tr("networks.export.failed", name=name), tr("networks.export.failed.next"))
                )
                return False
        else:
            which = "labels" if state.networks.shown == "right" else state.networks.shown
            try:
                await self._engine.client.write_networks(result.info.recording_id, path, which)
            except EngineError as error:
                tell_error(state, error, KEY)
                return False
        state.notices.tell(Notice(KEY, "success", tr("networks.export.done", name=name)))
        return True
