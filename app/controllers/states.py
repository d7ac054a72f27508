"""The States tab: asks for states, the newest wish wins; :class:`StatesDrawing` shows what came."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING

from app.controllers.failures import tell_error
from app.controllers.states_drawing import StatesDrawing
from app.services.engine import EngineService
from app.services.latest import Latest
from app.state import AppState
from app.state.data import StatesFound
from app.state.notices import Notice
from app.text import tr
from brainlm_engine.api.errors import EngineError
from brainlm_engine.api.messages import Reply
from brainlm_engine.api.states import StatesInfo
from brainlm_engine.api.states_table import write_states

if TYPE_CHECKING:
    from app.controllers.modelling import ModelController
    from app.views.pages.states import StatesPage

KEY = "states:one"
#: recording, model, number of states (0 = by silhouette), scaling
Wish = tuple[str, str, int, str]


class StatesController:
    """One recording, one answer; what is on screen always belongs to the settings on screen."""

    def __init__(self, state: AppState, engine: EngineService, page: StatesPage, modelling: ModelController) -> None:
        self._state, self._engine, self._page, self._modelling = state, engine, page, modelling
        self._asked: Wish | None = None
        self.latest: Latest[Wish, Reply[StatesInfo]] = Latest(self._ask, self._take, self._failed)
        self.drawing = StatesDrawing(state, page)
        states = state.states
        states.on("k").connect(self.want)
        for field in ("model_id", "scaling", "models"):
            state.model.on(field).connect(self.want)
        state.case.on("recording").connect(self._recording_changed)
        for field in ("workspace", "model_tab"):
            state.shell.on(field).connect(self.want)
        page.panel.k_chosen.connect(lambda k: states.put(k=k))
        page.panel.source_chosen.connect(lambda name: states.put(source=name))
        page.panel.colour_chosen.connect(lambda name: states.put(colour=name))
        page.plot.window_chosen.connect(self.go_to_window)
        page.strip.time_chosen.connect(lambda seconds: self._go(round(seconds / state.case.tr_s)))
        self._recording_changed()

    def go_to_window(self, window: int) -> None:
        """Put the time cursor at the first frame of a window."""
        result = self._state.states.result
        if result is not None:
            self._go(int(result.arrays["starts"][window]))

    def _go(self, frame: int) -> None:
        self._state.view.frame = min(max(0, frame), max(0, self._state.case.n_frames - 1))

    def wish(self) -> Wish | None:
        """Return what is asked for by the settings; None while something is missing."""
        state, recording = self._state, self._state.case.recording
        if recording is None or state.model.model is None:
            return None
        return recording.info.recording_id, state.model.model_id, state.states.k, state.model.scaling_used

    def want(self, *_: object) -> None:
        """Ask for states by the present settings, unless that was asked last."""
        state, wish = self._state.states, self.wish()
        if wish is None or wish == self._asked:
            state.put(outdated=False)
            return
        on_show = self._state.shell.workspace == "model" and self._state.shell.model_tab == "states"
        if not on_show or self._engine.state.status != "ready":
            state.put(outdated=state.result is not None)
            return
        self._asked = wish
        state.put(running=True, problem="", outdated=state.result is not None)
        self.latest.wish(wish)

    async def find(self) -> StatesFound | None:
        """Find states by the present settings, also when that was done before; None when it could not be done."""
        self._asked = None
        self.want()
        await self.latest.settled()
        state = self._state.states
        return None if state.outdated or state.problem else state.result

    async def _ask(self, wish: Wish) -> Reply[StatesInfo]:
        recording_id, model_id, k, scaling = wish
        ready = await self._modelling.scaling.ready(scaling)
        return await self._engine.client.states(recording_id, model_id, k, ready)

    def _take(self, wish: Wish, reply: Reply[StatesInfo]) -> None:
        if wish == self.wish():
            self._state.notices.drop(KEY)
            self._state.states.put(running=False, outdated=False, result=StatesFound(reply.message, reply.arrays))

    def _failed(self, error: Exception) -> None:
        if not isinstance(error, EngineError):
            raise error
        if self._asked == self.wish():
            self._state.states.put(running=False, problem=str(error))
            tell_error(self._state, error, KEY)

    def _recording_changed(self, *_: object) -> None:
        self.latest.forget()
        self._asked = None
        self._state.notices.drop(KEY)
        self._state.states.put(result=None, running=False, outdated=False, problem="")
        self.want()

    async def export(self, path: str) -> bool:
        """Write the states on show as a table; False when it could not be."""
        state, result = self._state, self._state.states.result
        if result is None:
            return False
        try:
            await asyncio.to_thread(write_states, result.info, result.arrays, Path(path))
        except EngineError as error:
            tell_error(state, error, KEY)
            return False
        state.notices.tell(Notice(KEY, "success", tr("states.export.done", name=Path(path).name)))
        return True
