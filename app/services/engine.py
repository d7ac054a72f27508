"""The engine as the window uses it: connect, notice its end, follow its jobs."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from psygnal import Signal

from app.state.parts import EngineState
from brainlm_engine.api.errors import Cancelled, EngineError, EngineLost
from brainlm_engine.api.messages import JobRecord, JobState

if TYPE_CHECKING:
    from brainlm_engine.api.client import EngineClient

POLL_S = 5.0
RETRY_S = 1.0


class EngineService:
    """Holds the connection; ``state`` says how it is.

    Signals
    -------
    job_changed(JobRecord) : any job of the study changed
    lost(EngineLost) : the engine is gone
    connected() : there is an engine (again)
    """

    job_changed = Signal(JobRecord)
    lost = Signal(EngineLost)
    connected = Signal()

    def __init__(self, state: EngineState) -> None:
        self.state = state
        self._client: EngineClient | None = None
        self._ends: dict[str, list[asyncio.Future[JobRecord]]] = {}
        self._last: dict[str, JobRecord] = {}
        self._poll: asyncio.Task[None] | None = None
        self._ready = asyncio.Event()

    @property
    def client(self) -> EngineClient:
        """The connection; EngineLost when there is none."""
        if self._client is None:
            raise EngineLost("The engine is not running.", "Restart it from the Engine menu.")
        return self._client

    async def connect(self, address: str | None = None) -> bool:
        """Find or start the engine. Importing its client takes a second, so a thread does it."""
        self.state.put(status="starting", address=address, problem="")
        self._ready.clear()
        try:
            client_class = await asyncio.to_thread(_import_client)
            self._client = await _connected(client_class, address)
            self._client.on_lost(self._on_lost)
            self._client.on_job(self._on_job)
            self.state.put(info=await self._client.info(), status="ready")
        except EngineError as error:
            self._client = None
            self.state.put(status="failed", problem=f"{error}\n{error.details}".strip())
            self._ready.set()
            return False
        self._poll = asyncio.get_running_loop().create_task(self._watch())
        self._ready.set()
        self.connected.emit()
        return True

    async def ready(self) -> None:
        """Wait until there is an engine; EngineLost when there will be none."""
        await self._ready.wait()
        _ = self.client

    async def close(self) -> None:
        """Let go of the engine; its jobs go on."""
        self._ready.clear()
        if self._poll is not None:
            self._poll.cancel()
            await asyncio.gather(self._poll, return_exceptions=True)
            self._poll = None
        client, self._client = self._client, None
        if client is not None:
            with contextlib.suppress(EngineError):
                await client.close()

    async def submit(self, kind: str, params: Mapping[str, Any], title: str) -> JobRecord:
        """Queue a job."""
        record = await self.client.submit(kind, params, title)
        self._on_job(self._last.get(record.job_id, record))
        return self._last[record.job_id]

    async def finished(self, job_id: str) -> JobRecord:
        """Wait until a job is done.

        Raises
        ------
        EngineError
            What the job failed of; Cancelled, or EngineLost when the engine went away meanwhile.
        """
        record = self._last.get(job_id)
        if record is None or not record.state.ended:
            future: asyncio.Future[JobRecord] = asyncio.get_running_loop().create_future()
            self._ends.setdefault(job_id, []).append(future)
            record = await future
        if record.state is JobState.DONE:
            return record
        raise _failure(record)

    def _on_job(self, record: JobRecord) -> None:
        self._last[record.job_id] = record
        self.job_changed.emit(record)
        if record.state.ended:
            for future in self._ends.pop(record.job_id, []):
                if not future.done():
                    future.set_result(record)

    def _on_lost(self, error: EngineLost) -> None:
        self._client = None
        if self._poll is not None:
            self._poll.cancel()
            self._poll = None
        self.state.put(status="lost", problem=f"{error}\n{error.details}".strip())
        waiting, self._ends = self._ends, {}
        for future in (f for futures in waiting.values() for f in futures):
            if not future.done():
                future.set_exception(error)
        self.lost.emit(error)

    async def _watch(self) -> None:
        """Keep memory, windows and jobs in the chip fresh."""
        while True:
            await asyncio.sleep(POLL_S)
            client = self._client
            if client is None:
                return
            with contextlib.suppress(EngineError):
                info = await client.info()
                if self._client is client:
                    self.state.info = info


async def _connected(client_class: type[EngineClient], address: str | None) -> EngineClient:
    """Connect; once more when the engine that was found was just going to sleep."""
    try:
        return await client_class.connect(address)
    except EngineLost:
        await asyncio.sleep(RETRY_S)
        return await client_class.connect(address)


def _import_client() -> type[EngineClient]:
    from brainlm_engine.api.client import EngineClient

    return EngineClient


def _failure(record: JobRecord) -> EngineError:
    from brainlm_engine.api.errors import from_info

    if record.error is not None:
        return from_info(record.error)
    if record.state is JobState.CANCELLED:
        return Cancelled(f"“{record.title}” was cancelled.")
    return EngineError(f"“{record.title}” was interrupted.", "Start it again.")
