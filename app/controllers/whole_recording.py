"""The whole recording reconstructed: a job of the engine whose result takes the place of the window on show."""

from __future__ import annotations

from typing import TYPE_CHECKING

from app.controllers.failures import tell_error
from app.services.engine import EngineService
from app.state import AppState
from app.state.notices import Notice
from app.text import tr
from brainlm_engine.api.errors import EngineError

if TYPE_CHECKING:
    from app.controllers.modelling import ModelController

KEY = "model:all"


class WholeRecording:
    """Starts the job and shows what came of it, if the scan it belongs to is still the one on screen."""

    def __init__(self, state: AppState, engine: EngineService, modelling: ModelController) -> None:
        self._state, self._engine, self._modelling = state, engine, modelling

    async def run(self, name: str) -> bool:
        """Reconstruct the whole of the recording called ``name``; True when it is done."""
        state = self._state
        recording, model = state.case.recording, state.model
        if recording is None or model.model is None:
            return False
        asked, recording_id = self._modelling.settings(), recording.info.recording_id
        params = {
            "recording_id": recording_id, "model_id": model.model_id, "ratio": model.mask.ratio,
            "seed": model.mask.seed, "combine": model.combine,
        }  # fmt: skip
        try:
            params["scaling"] = await self._modelling.scaling.ready(model.scaling_used)
            job = await self._engine.submit("reconstruct_recording", params, tr("job.reconstruct_all", name=name))
            await self._engine.finished(job.job_id)
            reply = await self._engine.client.recording_reconstruction(job.job_id)
        except EngineError as error:
            if error.code != "cancelled":
                tell_error(state, error, KEY)
            return False
        here = state.case.recording
        if here is not None and here.info.recording_id == recording_id:
            self._modelling.take(reply, asked)
            text = tr("model.whole_done", verdict=reply.message.verdict)
        else:
            text = tr("model.whole_elsewhere", name=name, verdict=reply.message.verdict)
        state.notices.tell(Notice(KEY, "success", text))
        return True
