"""The Attention tab: reads attention, hides parcels, writes what is on show; the newest wish wins."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING

from app.controllers.attention_drawing import AttentionDrawing
from app.controllers.attention_view import chosen_parcel, view_of
from app.controllers.contrast import ContrastController
from app.controllers.failures import tell_error
from app.services.engine import EngineService
from app.services.latest import Latest
from app.state import AppState
from app.state.attention_maps import AttentionRead, Occluded
from app.state.notices import Notice
from app.text import tr
from brainlm_engine.api.attention_table import write_map, write_matrix
from brainlm_engine.api.errors import EngineError
from brainlm_engine.api.messages import Reply
from brainlm_engine.api.occlusion import OcclusionInfo

if TYPE_CHECKING:
    from app.controllers.modelling import ModelController
    from app.controllers.pointing import Pointing
    from app.views.pages.attention import AttentionPage

KEY, HIDDEN = "attention:one", "attention:occlusion"
#: recording, model, scaling
Wish = tuple[str, str, str]
#: the same, and the parcel that is hidden
Hide = tuple[str, str, str, int]


class AttentionController:
    """One recording, one model; what is on screen always belongs to the settings on screen."""

    def __init__(
        self,
        state: AppState,
        engine: EngineService,
        page: AttentionPage,
        modelling: ModelController,
        pointing: Pointing,
    ) -> None:
        self._state, self._engine, self._page, self._modelling = state, engine, page, modelling
        self._asked: Wish | None = None
        self._hidden: Hide | None = None
        self.latest: Latest[Wish, AttentionRead] = Latest(self._ask, self._take, self._failed)
        self.hiding: Latest[Hide, Reply[OcclusionInfo]] = Latest(self._hide, self._take_hidden, self._hide_failed)
        self.drawing = AttentionDrawing(state, page)
        self.contrast = ContrastController(state, engine, page.contrast)
        self._connect(pointing)
        self._recording_changed()

    def _connect(self, pointing: Pointing) -> None:
        """All connections of this page."""
        state, page = self._state, self._page
        for field in ("model_id", "scaling", "models"):
            state.model.on(field).connect(self.want)
        state.case.on("recording").connect(self._recording_changed)
        for field in ("workspace", "model_tab"):
            state.shell.on(field).connect(self.want)
        for field in ("source", "direction", "whose"):
            state.attention.on(field).connect(self.want_hidden)
        state.view.on("selected").connect(self.want_hidden)
        page.panel.chosen.connect(lambda field, value: state.attention.put(**{field: value}))
        for source in (page.brain.parcel_clicked, page.matrix.plot.parcel_clicked, page.top.chosen):
            source.connect(lambda parcel: self._pick(pointing, (parcel,)))
        page.parcels.chosen.connect(lambda parcels: self._pick(pointing, parcels))
        page.brain.crosshair_requested.connect(pointing.point)

    def _pick(self, pointing: Pointing, parcels: tuple[int, ...]) -> None:
        """Choose a parcel; its own attention is then on show."""
        kept = tuple(parcel for parcel in parcels if parcel >= 0)
        if kept:
            self._state.attention.put(whose="parcel")
        pointing.choose(kept)

    # ------------------------------------------------------------ attention

    @property
    def on_show(self) -> bool:
        """True while the tab is on screen."""
        return self._state.shell.workspace == "model" and self._state.shell.model_tab == "attention"

    def wish(self) -> Wish | None:
        """Return what is asked for by the settings; None while something is missing."""
        state, recording = self._state, self._state.case.recording
        if recording is None or state.model.model is None:
            return None
        return recording.info.recording_id, state.model.model_id, state.model.scaling_used

    def want(self, *_: object) -> None:
        """Ask by the present settings, unless that was asked last."""
        state, wish = self._state.attention, self.wish()
        if wish is None or wish == self._asked:
            state.put(outdated=False)
            self.want_hidden()
            return
        if not self.on_show or self._engine.state.status != "ready":
            state.put(outdated=state.result is not None)
            return
        self._asked = wish
        state.put(running=True, problem="", outdated=state.result is not None, occluded=None, occlusion_problem="")
        self.latest.wish(wish)
        self.want_hidden()

    async def read(self) -> AttentionRead | None:
        """Read by the present settings, also when that was done before; None when it could not be done."""
        self._asked = None
        self.want()
        await self.latest.settled()
        state = self._state.attention
        return None if state.outdated or state.problem else state.result

    async def _ask(self, wish: Wish) -> AttentionRead:
        recording_id, model_id, scaling = wish
        ready = await self._modelling.scaling.ready(scaling)
        reply = await self._engine.client.attention(recording_id, model_id, ready)
        return await asyncio.to_thread(AttentionRead.of, reply.message, reply.arrays)

    def _take(self, wish: Wish, read: AttentionRead) -> None:
        if wish != self.wish():
            return  # overtaken: another wish is on its way, or its recording is gone
        state = self._state.attention
        self._state.notices.drop(KEY)
        state.put(layer=min(state.layer, read.info.layers), head=min(state.head, read.info.heads))
        state.put(running=False, outdated=False, result=read)

    def _failed(self, error: Exception) -> None:
        if not isinstance(error, EngineError):
            raise error
        if self._asked == self.wish():
            self._state.attention.put(running=False, outdated=False, result=None, problem=str(error))
            tell_error(self._state, error, KEY)

    def _recording_changed(self, *_: object) -> None:
        self.latest.forget()
        self.hiding.forget()
        self._asked = self._hidden = None
        self._state.notices.drop("attention:")
        self._state.attention.put(
            result=None, running=False, outdated=False, problem="", occluded=None, occluding=False, occlusion_problem=""
        )  # fmt: skip
        self.want()

    async def settled(self) -> None:
        """Wait until nothing is on its way and everything is drawn."""
        for latest in (self.latest, self.hiding, self.contrast.latest):
            await latest.settled()
        while self.drawing.turns.busy:
            await asyncio.sleep(0.005)

    async def stop(self) -> None:
        """Give up what is on its way, and draw no more."""
        self.drawing.stop()
        for latest in (self.latest, self.hiding, self.contrast.latest):
            await latest.stop()

    # ------------------------------------------------------------ occlusion

    def want_hidden(self, *_: object) -> None:
        """Hide the chosen parcel when that is what is to be seen and it was not done yet."""
        state, wish, parcel = self._state.attention, self.wish(), chosen_parcel(self._state)
        asked = state.source in ("occlusion", "error") and state.direction == "gives" and self.on_show
        if not asked or wish is None or parcel < 0 or self._engine.state.status != "ready":
            return
        known = state.occluded is not None and (state.occluded.whole or parcel in state.occluded.info.parcels)
        if known or (*wish, parcel) == self._hidden:
            return
        self._hidden = (*wish, parcel)
        state.put(occlusion_problem="")
        self.hiding.wish(self._hidden)

    async def _hide(self, wish: Hide) -> Reply[OcclusionInfo]:
        recording_id, model_id, scaling, parcel = wish
        ready = await self._modelling.scaling.ready(scaling)
        return await self._engine.client.occlusion(recording_id, model_id, parcel, ready)

    def _take_hidden(self, wish: Hide, reply: Reply[OcclusionInfo]) -> None:
        if wish[:3] == self.wish() and wish == self._hidden:
            self._state.attention.put(occluded=Occluded(reply.message, reply.arrays))
        self._hidden = None if wish == self._hidden else self._hidden

    def _hide_failed(self, error: Exception) -> None:
        if not isinstance(error, EngineError):
            raise error
        self._state.attention.put(occlusion_problem=str(error))

    async def occlude_all(self, name: str) -> bool:
        """Hide every parcel of the recording called ``name`` as a job; True when it is done."""
        state, wish = self._state, self.wish()
        if wish is None or state.attention.occluding:
            return False
        recording_id, model_id, scaling = wish
        state.attention.put(occluding=True)
        try:
            ready = await self._modelling.scaling.ready(scaling)
            params = {"recording_id": recording_id, "model_id": model_id, "scaling": ready}
            job = await self._engine.submit("occlude", params, tr("contrast.job_occlude", name=name))
            await self._engine.finished(job.job_id)
            reply = await self._engine.client.occlusion_all(job.job_id)
        except EngineError as error:
            if error.code != "cancelled":
                tell_error(state, error, HIDDEN)
            return False
        finally:
            state.attention.put(occluding=False)
        if wish == self.wish():
            state.attention.put(occluded=Occluded(reply.message, reply.arrays), occlusion_problem="")
            info = reply.message
            text = tr("attention.occlusion.done", runs=info.runs, seconds=f"{info.seconds:.0f}")
        else:
            text = tr("attention.occlusion.elsewhere", name=name)
        state.notices.tell(Notice(HIDDEN, "success", text))
        return True

    # ------------------------------------------------------------ files

    async def export(self, path: str) -> bool:
        """Write the map on show and the whole matrix beside it; False when it could not be."""
        state, atlas = self._state, self._state.case.atlas
        if state.attention.result is None:
            return False
        shown, target = view_of(state), Path(path)
        matrix = target.with_name(f"{target.stem}-matrix{target.suffix or '.csv'}")
        names = tuple(atlas.info.names) if atlas is not None else ()
        networks = tuple(atlas.info.networks) if atlas is not None else ()
        try:
            if shown.cells is not None:
                await asyncio.to_thread(write_map, shown.title, shown.heads, shown.cells, (names, networks), target)
            if shown.matrix is not None:
                await asyncio.to_thread(write_matrix, shown.unit, shown.matrix, names, matrix)
        except EngineError as error:
            tell_error(state, error, KEY)
            return False
        done = "attention.export.done" if shown.matrix is not None else "attention.export.done_map"
        state.notices.tell(Notice(KEY, "success", tr(done, name=target.name, matrix=matrix.name)))
        return True
