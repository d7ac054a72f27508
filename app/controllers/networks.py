"""The Networks workspace: asks for networks, the newest wish wins; :class:`NetworksDrawing` shows what came.

The first answer comes without the controls that ask the model again; these are asked for behind it and replace it. What
takes minutes (responses to nudges) is a job, and is only begun when a person asks for it.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from app.controllers.failures import tell_error
from app.controllers.network_files import NetworkFiles
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
    from app.controllers.player import Player
    from app.controllers.pointing import Pointing
    from app.views.pages.networks import NetworksPage

KEY, GROUP = "networks:one", "networks:group"
#: a source that takes minutes: a job with progress, not a request
SLOW = "responses"
#: recording, model, source, number of unnamed networks (0 = by silhouette), scaling
Wish = tuple[str, str, str, int, str]


class NetworksController:
    """One recording, one answer; what is on screen always belongs to the settings on screen."""

    def __init__(  # noqa: PLR0917  (what it joins)
        self, state: AppState, engine: EngineService, page: NetworksPage, modelling: ModelController,
        pointing: Pointing, player: Player, name: Callable[[], str],
    ) -> None:  # fmt: skip
        self._state, self._engine, self.page, self._modelling, self._name = state, engine, page, modelling, name
        self._asked: Wish | None = None
        self.latest: Latest[Wish, Reply[NetworksInfo]] = Latest(self._ask, self._take, self._failed)
        self.controls: Latest[Wish, Reply[NetworksInfo]] = Latest(self._ask_controls, self._take, self._controls_failed)
        self.drawing = NetworksDrawing(state, page)
        self._of_group: Wish | None = None
        self.files = NetworkFiles(state, engine, page, lambda: self._of_group or self.wish())
        self._connect(pointing, player)
        self._recording_changed()

    def _connect(self, pointing: Pointing, player: Player) -> None:
        """All connections of this page."""
        state, page, networks = self._state, self.page, self._state.networks
        for field in ("source", "into"):
            networks.on(field).connect(self.want)
        for field in ("model_id", "scaling", "models"):
            state.model.on(field).connect(self.want)
        state.case.on("recording").connect(self._recording_changed)
        state.shell.on("workspace").connect(self.want)
        state.engine.on("status").connect(self.want)
        page.panel.source_chosen.connect(lambda name: networks.put(source=name))
        page.panel.into_chosen.connect(lambda name: networks.put(into=name))
        page.group.people_chosen.connect(lambda people: networks.put(people=people))
        page.panel.shown_chosen.connect(lambda name: networks.put(shown=name))
        page.brain.parcel_clicked.connect(pointing.pick)
        page.brain.crosshair_requested.connect(pointing.point)
        page.matrix.pair_chosen.connect(lambda row, column: pointing.choose(tuple(dict.fromkeys((row, column)))))
        page.traces.frame_chosen.connect(player.go)

    # ------------------------------------------------------------ ask

    def wish(self) -> Wish | None:
        """Return what is asked for by the settings; None while something is missing."""
        state, recording = self._state, self._state.case.recording
        if recording is None or state.model.model is None:
            return None
        networks = state.networks
        return (
            recording.info.recording_id, state.model.model_id, networks.source, networks.count,
            state.model.scaling_used,
        )  # fmt: skip

    def want(self, *_: object) -> None:
        """Ask for networks by the present settings, unless that was asked last or takes minutes."""
        state, wish = self._state.networks, self.wish()
        if wish is None or wish == self._asked:
            state.put(outdated=False)
            return
        on_show = self._state.shell.workspace == "networks"
        if not on_show or self._engine.state.status != "ready" or state.source == SLOW:
            state.put(outdated=state.result is not None)
            return
        self._begin(wish)

    def _begin(self, wish: Wish) -> None:
        state = self._state.networks
        self._asked, self._of_group = wish, None
        state.put(running=True, controlling=False, problem="", outdated=state.result is not None)
        self.controls.forget()
        self.latest.wish(wish)

    async def group(self, folder: str) -> bool:
        """Find the networks of a cohort's people as a job, and show them where they fit; True when it is done."""
        state, networks = self._state, self._state.networks
        model_id, source, count = state.model.model_id, networks.source, networks.count
        try:
            scaling = await self._modelling.scaling.ready(state.model.scaling_used)
            params = {
                "cohort": folder, "people": networks.people, "model_id": model_id, "source": source, "count": count,
                "scaling": scaling,
            }  # fmt: skip
            title = tr("job.networks.group", people=networks.people, name=Path(folder).name)
            job = await self._engine.submit("group_networks", params, title)
            await self._engine.finished(job.job_id)
            reply = await self._engine.client.networks_of_job(job.job_id)
        except EngineError as error:
            if error.code != "cancelled":
                tell_error(state, error, GROUP)
            return False
        recording = state.case.recording
        fits = recording is not None and recording.info.n_parcels == len(reply.arrays["labels"])
        told = reply.message.verdict if fits else f"{reply.message.verdict} {tr('networks.group.elsewhere')}"
        if fits and (source, count) == (networks.source, networks.count):
            self._asked, self._of_group = self.wish(), (f"group {job.job_id}", model_id, source, count, scaling)
            networks.put(
                running=False, controlling=False, outdated=False, problem="",
                result=NetworksFound(reply.message, reply.arrays),
            )  # fmt: skip
        state.notices.tell(Notice(GROUP, "success", told))
        return True

    async def find(self) -> NetworksFound | None:
        """Find networks by the present settings, also when that was done before; None when it could not be done."""
        state, wish = self._state.networks, self.wish()
        if wish is None:
            return None
        self._begin(wish)
        await self.settled()
        return None if state.outdated or state.problem else state.result

    async def settled(self) -> None:
        """Wait until neither networks nor controls nor pieces of drawing are on their way."""
        await self.latest.settled()
        await self.controls.settled()
        await self.drawing.settled()

    async def stop(self) -> None:
        """Give up what is on its way."""
        await self.latest.stop()
        await self.controls.stop()

    async def _ask(self, wish: Wish) -> Reply[NetworksInfo]:
        recording_id, model_id, source, count, scaling = wish
        ready = await self._modelling.scaling.ready(scaling)
        if source != SLOW:
            return await self._engine.client.networks(recording_id, model_id, source, count, ready, controls=False)
        params = {
            "recording_id": recording_id, "model_id": model_id, "source": source, "count": count, "scaling": ready,
        }  # fmt: skip
        job = await self._engine.submit("networks", params, tr("job.networks", name=self._name()))
        await self._engine.finished(job.job_id)
        return await self._engine.client.networks_of_job(job.job_id)

    async def _ask_controls(self, wish: Wish) -> Reply[NetworksInfo]:
        recording_id, model_id, source, count, scaling = wish
        ready = await self._modelling.scaling.ready(scaling)
        return await self._engine.client.networks(recording_id, model_id, source, count, ready)

    def _take(self, wish: Wish, reply: Reply[NetworksInfo]) -> None:
        if wish != self.wish() or self._of_group is not None:
            return  # overtaken: another wish is on its way, its recording is gone, or a group is on show
        complete = reply.message.complete
        self._state.notices.drop(KEY)
        self._state.networks.put(
            running=False, controlling=not complete, outdated=False, result=NetworksFound(reply.message, reply.arrays)
        )
        if not complete:
            self.controls.wish(wish)

    def _failed(self, error: Exception) -> None:
        if not isinstance(error, EngineError):
            raise error
        if self._asked != self.wish():
            return
        if error.code == "cancelled":
            self._asked = None
            self._state.networks.put(running=False)
            return
        self._state.networks.put(running=False, problem=str(error))
        tell_error(self._state, error, KEY)

    def _controls_failed(self, error: Exception) -> None:
        """Say why the controls are missing; what was found stays."""
        if not isinstance(error, EngineError):
            raise error
        self._state.networks.put(controlling=False)
        tell_error(self._state, error, KEY)

    def _recording_changed(self, *_: object) -> None:
        self.latest.forget()
        self.controls.forget()
        self._asked = self._of_group = None
        self._state.notices.drop("networks:")
        self._state.networks.put(result=None, running=False, controlling=False, outdated=False, problem="")
        self.want()
