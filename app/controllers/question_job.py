"""A question that the engine answers by a job over the open recording, and the answer as a file."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from app.controllers.failures import tell_error
from app.state.notices import Notice
from app.text import tr
from brainlm_engine.api.errors import EngineError
from brainlm_engine.api.messages import Message, Reply
from brainlm_engine.api.networks import write_bytes
from brainlm_engine.api.perturb import EffectFile

if TYPE_CHECKING:
    from app.controllers.modelling import ModelController
    from app.services.engine import EngineService
    from app.state import AppState
    from app.state.model import State

M = TypeVar("M", bound=Message)


class QuestionJob(Generic[M]):
    """One job at a time. ``part`` is the state whose ``job_id`` tells that it runs; ``key`` that of its messages."""

    def __init__(
        self, state: AppState, engine: EngineService, modelling: ModelController, part: State, key: str
    ) -> None:
        self._state, self._engine, self._modelling, self._part, self._key = state, engine, modelling, part, key
        self._last = ""

    async def find(
        self, kind: str, params: Mapping[str, Any], title: str, load: Callable[[str], Awaitable[Reply[M]]]
    ) -> Reply[M] | None:
        """Run a job of ``kind`` with the open recording, the model and ``params``; None when nothing came of it."""
        state, recording = self._state, self._state.case.recording
        if recording is None or state.model.model is None or self._part.job_id:  # type: ignore[attr-defined]
            return None
        recording_id = recording.info.recording_id
        try:
            scaling = await self._modelling.scaling.ready(state.model.scaling_used)
            whole = {
                "recording_id": recording_id, "model_id": state.model.model_id, "scaling": scaling, **params,
            }  # fmt: skip
            job = await self._engine.submit(kind, whole, title)
            self._part.put(job_id=job.job_id)
            await self._engine.finished(job.job_id)
            reply = await load(job.job_id)
        except EngineError as error:
            if error.code != "cancelled":
                tell_error(state, error, self._key)
            return None
        finally:
            self._part.put(job_id="")
        now = state.case.recording
        if now is None or now.info.recording_id != recording_id:
            return None  # its recording is gone
        self._last = job.job_id
        state.notices.drop(self._key)
        return reply

    async def export(self, path: str, load: Callable[[str, str], Awaitable[Reply[EffectFile]]], done: str) -> bool:
        """Write the last answer by the ending of ``path``; False when it could not be. ``done``: key of a sentence."""
        name = Path(path).name
        return await export_file(self._state, load(self._last, name), path, (f"{self._key}_file", done))

    def told(self) -> tuple[int, str] | None:
        """Return how far the job is, percent and stage; None = none runs."""
        job_id = self._part.job_id  # type: ignore[attr-defined]
        job = self._state.work.find(job_id) if job_id else None
        return (round(100 * job.fraction), job.stage) if job is not None else None


async def export_file(
    state: AppState, content: Awaitable[Reply[EffectFile]], path: str, words: tuple[str, str]
) -> bool:
    """Write what the engine made of an answer; ``words``: key of the message, key of its sentence."""
    key, done = words
    try:
        reply = await content
        await asyncio.to_thread(write_bytes, reply.arrays["content"].tobytes(), Path(path))
    except EngineError as error:
        tell_error(state, error, key)
        return False
    state.notices.tell(Notice(key, "success", tr(done, name=Path(path).name)))
    return True
