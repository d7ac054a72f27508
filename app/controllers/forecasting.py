"""The Forecast tab: asks for forecasts, the newest wish wins; :class:`ForecastDrawing` shows what came."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING, Any

from app.controllers.failures import tell_error
from app.controllers.forecast_drawing import ForecastDrawing
from app.services.engine import EngineService
from app.services.latest import Latest
from app.state import AppState
from app.state.data import Forecast
from app.state.notices import Notice
from app.text import tr
from brainlm_engine.api.errors import EngineError
from brainlm_engine.api.forecast_table import write_forecast
from brainlm_engine.api.forecasting import ForecastInfo
from brainlm_engine.api.messages import Reply

if TYPE_CHECKING:
    from app.controllers.modelling import ModelController
    from app.controllers.pointing import Pointing
    from app.views.pages.forecast import ForecastPage

KEY, ALL = "forecast:one", "forecast:all"
#: recording, model, origin, horizon, scaling
Wish = tuple[str, str, int, int, str]


class ForecastController:
    """One recording, one origin, one answer; what is on screen always belongs to the settings on screen."""

    def __init__(
        self, state: AppState, engine: EngineService, page: ForecastPage, modelling: ModelController, pointing: Pointing
    ) -> None:
        self._state, self._engine, self._page, self._modelling = state, engine, page, modelling
        self._asked: Wish | None = None
        self.latest: Latest[Wish, Reply[ForecastInfo]] = Latest(self._ask, self._take, self._failed)
        self.drawing = ForecastDrawing(state, page)
        self._connect(pointing)
        self._recording_changed()

    def _connect(self, pointing: Pointing) -> None:
        """All connections of this page."""
        state, page, forecast = self._state, self._page, self._state.forecast
        for field in ("origin", "horizon"):
            forecast.on(field).connect(self.want)
        for field in ("model_id", "scaling", "models"):
            state.model.on(field).connect(self.want)
        state.case.on("recording").connect(self._recording_changed)
        for field in ("workspace", "model_tab"):
            state.shell.on(field).connect(self.want)
        page.panel.origin_chosen.connect(self.choose_origin)
        page.plot.origin_chosen.connect(self.choose_origin)
        page.panel.horizon_chosen.connect(lambda frames: forecast.put(horizon=frames))
        page.panel.beside_chosen.connect(lambda names: forecast.put(beside=names))
        page.panel.shown_chosen.connect(lambda name: forecast.put(shown=name))
        page.brain.parcel_clicked.connect(pointing.pick)
        page.brain.crosshair_requested.connect(pointing.point)

    # ------------------------------------------------------------ ask

    @property
    def on_show(self) -> bool:
        """True while the tab is on screen."""
        return self._state.shell.workspace == "model" and self._state.shell.model_tab == "forecast"

    def choose_origin(self, frame: int) -> None:
        """Forecast from another frame; the whole recording at most."""
        recording = self._state.case.recording
        if recording is not None:
            self._state.forecast.put(origin=min(max(1, frame), recording.info.n_frames))

    def wish(self) -> Wish | None:
        """Return what is asked for by the settings; None while something is missing."""
        state, recording = self._state, self._state.case.recording
        if recording is None or state.model.model is None or not state.forecast.origin:
            return None
        return (
            recording.info.recording_id, state.model.model_id, state.forecast.origin, state.forecast.horizon,
            state.model.scaling_used,
        )  # fmt: skip

    def want(self, *_: object) -> None:
        """Ask for a forecast by the present settings, unless that was asked last."""
        state, wish = self._state.forecast, self.wish()
        if wish is None or wish == self._asked:
            state.put(outdated=False)
            return
        if not self.on_show or self._engine.state.status != "ready":
            state.put(outdated=state.result is not None)
            return
        self._asked = wish
        state.put(running=True, problem="", outdated=state.result is not None)
        self.latest.wish(wish)

    async def forecast(self) -> Forecast | None:
        """Forecast by the present settings, also when that was done before; None when it could not be done."""
        self._asked = None
        self.want()
        await self.latest.settled()
        state = self._state.forecast
        return None if state.outdated or state.problem else state.result

    async def _ask(self, wish: Wish) -> Reply[ForecastInfo]:
        recording_id, model_id, origin, horizon, scaling = wish
        ready = await self._modelling.scaling.ready(scaling)
        history = self._state.forecast.history
        return await self._engine.client.forecast(
            recording_id, model_id, origin, horizon, history=history, scaling=ready
        )  # fmt: skip

    def _take(self, wish: Wish, reply: Reply[ForecastInfo]) -> None:
        if wish != self.wish():
            return  # overtaken: another wish is on its way, or its recording is gone
        self._state.notices.drop(KEY)
        self._state.forecast.put(running=False, outdated=False, result=Forecast(reply.message, reply.arrays))

    def _failed(self, error: Exception) -> None:
        if not isinstance(error, EngineError):
            raise error
        if self._asked == self.wish():
            self._state.forecast.put(running=False, problem=str(error))
            tell_error(self._state, error, KEY)

    def _recording_changed(self, *_: object) -> None:
        """Begin anew: so that all that is forecast can be compared with what followed."""
        state, recording = self._state.forecast, self._state.case.recording
        self.latest.forget()
        self._asked = None
        self._state.notices.drop("forecast:")
        frames = recording.info.n_frames if recording is not None else 0
        origin = max(1, frames - state.horizon) if frames else 0
        state.put(result=None, rolling=None, running=False, outdated=False, problem="", origin=origin)
        self.want()

    # ------------------------------------------------------------ the whole recording

    async def along(self, name: str) -> bool:
        """Forecast along the recording called ``name`` as a job; True when it is done."""
        state, wish = self._state, self.wish()
        if wish is None:
            return False
        recording_id, model_id, _, horizon, scaling = wish
        params: dict[str, Any] = {
            "recording_id": recording_id, "model_id": model_id, "horizon": horizon, "history": state.forecast.history,
        }  # fmt: skip
        try:
            params["scaling"] = await self._modelling.scaling.ready(scaling)
            job = await self._engine.submit("rolling_forecast", params, tr("job.forecast_all", name=name))
            await self._engine.finished(job.job_id)
            reply = await self._engine.client.rolling_forecast(job.job_id)
        except EngineError as error:
            if error.code != "cancelled":
                tell_error(state, error, ALL)
            return False
        here = state.case.recording
        if here is not None and here.info.recording_id == recording_id:
            state.forecast.put(rolling=Forecast(reply.message, reply.arrays))
        count, verdict = reply.message.origins, reply.message.verdict
        told = tr("forecast.rolling.done", name=name, count=count, verdict=verdict)
        state.notices.tell(Notice(ALL, "success", told))
        return True

    # ------------------------------------------------------------ export

    async def export(self, path: str) -> bool:
        """Write the forecast on show as a table; False when it could not be."""
        state, result = self._state, self._state.forecast.result
        recording, atlas = state.case.recording, state.case.atlas
        if result is None or recording is None:
            return False
        parcels = range(recording.info.n_parcels)
        names = [atlas.name(parcel) if atlas is not None else str(parcel + 1) for parcel in parcels]
        try:
            await asyncio.to_thread(write_forecast, result.info, result.arrays, names, Path(path))
        except EngineError as error:
            tell_error(state, error, KEY)
            return False
        state.notices.tell(Notice(KEY, "success", tr("forecast.export.done", name=Path(path).name)))
        return True
