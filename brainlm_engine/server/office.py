"""The engine's front desk, on the scheduler: who is connected, what runs, and every call that must survive a worker.

Clients and workers reach it over Dask's own connections (TLS) as the scheduler operation ``brainlm_office``.
"""

from __future__ import annotations

import asyncio
import hmac
import logging
import os
import signal
import sys
import time
from collections.abc import Callable
from typing import Any

import psutil
from distributed import Client, KilledWorker, Scheduler
from distributed.diagnostics.plugin import SchedulerPlugin

from brainlm_engine import __version__
from brainlm_engine.api.errors import EngineError, EngineLost
from brainlm_engine.api.messages import EngineInfo, JobList, JobRecord
from brainlm_engine.api.runfile import remove_engine_file
from brainlm_engine.jobs.queue import JobQueue, WorkerKilled
from brainlm_engine.jobs.run import run_job
from brainlm_engine.jobs.store import JobStore
from brainlm_engine.server.configuration import INTERACTIVE, JOB
from brainlm_engine.server.failures import as_engine_error

LOG = logging.getLogger(__name__)
HANDLER = "brainlm_office"
JOBS_TOPIC = "brainlm-jobs"
_DESK_WAIT_S = 30.0


class Office(SchedulerPlugin):  # type: ignore[misc]
    """Calls of clients and workers, answered in the scheduler's event loop (each in well under a millisecond).

    Parameters
    ----------
    scheduler
        The running scheduler.
    client
        The engine's own Dask client, used to run jobs.
    store
        The job records.
    engine_id, token, device
        The engine's name, its secret, and what it computes on.
    on_stop
        Called when a client asks the engine to stop.
    grace_s
        Seconds a cancelled job gets to stop by itself.
    """

    def __init__(
        self,
        *,
        scheduler: Scheduler,
        client: Client,
        store: JobStore,
        engine_id: str,
        token: str,
        device: str,
        on_stop: Callable[[], None],
        grace_s: float = 5.0,
    ) -> None:
        self._scheduler, self._client = scheduler, client
        self._engine_id, self._token, self._device, self._on_stop = engine_id, token, device, on_stop
        self._started = time.time()
        self._clients: set[str] = set()
        self.closing = False
        self._desk_ready = asyncio.Event()
        self.queue = JobQueue(
            store=store,
            engine_id=engine_id,
            run=self._run,
            slots=self._slots,
            kill=self._kill,
            publish=self._publish,
            grace_s=grace_s,
        )
        scheduler.handlers[HANDLER] = self.ask
        scheduler.add_plugin(self, name="brainlm-office")
        self._find_desk()

    # ------------------------------------------------------------ calls

    async def ask(self, call: str, payload: dict[str, Any]) -> dict[str, Any]:
        """Answer one call; a failure comes back as ``{"error": ErrorInfo}``."""
        method = getattr(self, f"call_{call}", None)
        try:
            if method is None:
                raise EngineError(f"The engine does not know the request '{call}'.", "Update the program.")
            reply = method(**payload)
            answer: dict[str, Any] = await reply if asyncio.iscoroutine(reply) else reply
        except Exception as error:
            if not isinstance(error, EngineError):
                LOG.exception("The call %s failed", call)
            return {"error": as_engine_error(error, f"answering '{call}'").info().model_dump()}
        return answer

    def call_hello(self, token: str, client: str) -> dict[str, Any]:
        """Let a client in that knows the engine's token."""
        if not hmac.compare_digest(token.encode(), self._token.encode()):
            raise EngineError(
                "This engine belongs to another session: the token does not match.",
                "Close the program and start it again; it will find the right engine.",
            )
        if self.closing:
            raise EngineLost("The engine is just stopping.", "Try again in a moment.")
        if client in self._scheduler.clients:
            self._clients.add(client)
            self._scheduler.subscribe_topic(JOBS_TOPIC, client)  # from this moment on, not when its message arrives
        return {"message": self.info().model_dump_json()}

    def call_info(self) -> dict[str, Any]:
        """Tell the engine's state."""
        return {"message": self.info().model_dump_json()}

    async def call_desk(self) -> dict[str, Any]:
        """Tell where the interactive worker is, once it is up."""
        try:
            await asyncio.wait_for(self._desk_ready.wait(), _DESK_WAIT_S)
        except TimeoutError:
            raise EngineError(
                "The engine's interactive worker does not come up.", "Look at the engine's log, then restart it."
            ) from None
        return {"address": self._desk_address()}

    def call_submit(self, kind: str, params: dict[str, Any], title: str) -> dict[str, Any]:
        """Queue a job."""
        return {"message": self.queue.submit(kind, params, title).model_dump_json()}

    def call_jobs(self) -> dict[str, Any]:
        """List the jobs."""
        return {"message": JobList(jobs=tuple(self.queue.jobs())).model_dump_json()}

    def call_job(self, job_id: str) -> dict[str, Any]:
        """Tell about one job."""
        return {"message": self.queue.job(job_id).model_dump_json()}

    def call_cancel(self, job_id: str) -> dict[str, Any]:
        """Stop a job."""
        return {"message": self.queue.cancel(job_id).model_dump_json()}

    def call_job_log(self, job_id: str, start: int) -> dict[str, Any]:
        """Read a job's log."""
        return {"message": self.queue.log(job_id, start).model_dump_json()}

    def call_stop(self) -> dict[str, Any]:
        """Stop the engine (after this answer is sent)."""
        self.closing = True
        remove_engine_file(self._engine_id)
        asyncio.get_running_loop().call_later(0.05, self._on_stop)
        return {"stopping": True}

    def call_job_started(self, job_id: str, worker: str) -> dict[str, Any]:
        """Worker: may this job run?"""
        return {"go": self.queue.started(job_id, worker)}

    def call_job_report(self, **report: Any) -> dict[str, Any]:
        """Worker: where the job is. Answer: should it stop?"""
        return {"cancel": self.queue.report(**report)}

    def call_job_ended(self, **outcome: Any) -> dict[str, Any]:
        """Worker: how the job ended."""
        self.queue.ended(**outcome)
        return {"noted": True}

    # ------------------------------------------------------------ state

    def info(self) -> EngineInfo:
        """Return what the engine chip shows."""
        memory = psutil.virtual_memory()
        return EngineInfo(
            engine_id=self._engine_id,
            version=__version__,
            pid=os.getpid(),
            address=self._scheduler.address,
            local=True,
            started=self._started,
            device=self._device,
            memory_total=memory.total,
            memory_free=memory.available,
            clients=len(self._clients),
            jobs_running=self.queue.running,
        )

    @property
    def needed(self) -> bool:
        """True while somebody is connected or any job is queued or running."""
        return bool(self._clients) or self.queue.busy

    # ------------------------------------------------------------ Dask's side

    async def add_worker(self, scheduler: Scheduler, worker: str) -> None:
        """A worker came up: it may be the interactive one, or take a waiting job."""
        self._find_desk()
        self.queue.start_next()

    def remove_worker(self, scheduler: Scheduler, worker: str, **kwargs: Any) -> None:
        """A worker went away."""
        self._find_desk()

    def remove_client(self, scheduler: Scheduler, client: str) -> None:
        """A client went away, in order or not."""
        self._clients.discard(client)

    def _with(self, resource: str) -> list[Any]:
        return [ws for ws in self._scheduler.workers.values() if ws.resources.get(resource)]

    def _desk_address(self) -> str:
        found = self._with(INTERACTIVE)
        return str(found[0].address) if found else ""

    def _find_desk(self) -> None:
        if self._desk_address():
            self._desk_ready.set()
        else:
            self._desk_ready.clear()

    def _slots(self) -> int:
        return sum(int(ws.resources[JOB]) for ws in self._with(JOB))

    def _publish(self, record: JobRecord) -> None:
        self._scheduler.log_event(JOBS_TOPIC, record.model_dump_json())

    async def _run(self, record: JobRecord) -> None:
        future = self._client.submit(
            run_job,
            record.job_id,
            record.kind,
            record.title,
            record.params,
            key=f"{record.kind}-{record.job_id}",
            resources={JOB: 1},
            pure=False,
        )
        try:
            error = await future.exception()  # waits; None when it ended in order
            if error is not None:
                raise error
        except KilledWorker as error:
            raise WorkerKilled from error
        finally:
            future.release()

    async def _kill(self, worker: str) -> None:
        """Kill a worker process through its nanny, which then starts a new one."""
        try:
            await self._client.run(kill_worker_process, workers=[worker], nanny=True)
        except Exception:  # it may just have ended by itself
            LOG.warning("Worker %s could not be killed", worker, exc_info=True)


def kill_worker_process(dask_worker: Any) -> None:
    """Kill the process a nanny (``dask_worker``, Dask's name for it) looks after, and whatever it started."""
    process = psutil.Process(dask_worker.pid)
    for child in process.children(recursive=True):
        child.kill()
    if sys.platform == "win32":
        process.kill()
    else:
        os.kill(process.pid, signal.SIGKILL)
