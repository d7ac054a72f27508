"""What a job worker does with one job: run its function, tell the engine where it is, stop when asked to."""

from __future__ import annotations

import asyncio
import logging
import threading
import time
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from brainlm_engine.api.errors import Cancelled
from brainlm_engine.api.messages import JobState
from brainlm_engine.jobs.context import JobContext
from brainlm_engine.jobs.eta import Eta
from brainlm_engine.jobs.kinds import job_function
from brainlm_engine.server.failures import as_engine_error

LOG = logging.getLogger(__name__)
REPORT_INTERVAL_S = 0.1
_CALL_TIMEOUT_S = 30.0


def run_job(job_id: str, kind: str, title: str, params: dict[str, Any]) -> None:
    """Run one job on this worker. Its outcome goes to the engine's records, not back through Dask.

    The engine is asked first: it says no to a job that was cancelled meanwhile, or that already ran (Dask computes a
    result again when the worker holding it is lost; a job must run once).
    """
    from distributed import get_worker

    line = EngineLine(get_worker())
    if not line.call("job_started", job_id=job_id, worker=line.address)["go"]:
        return
    progress = ReportingProgress(line, job_id)
    try:
        with progress.reporting(), _logging_to(progress):
            result = job_function(kind)(params, progress, JobContext(job_id, title))
        outcome: dict[str, Any] = {"state": JobState.DONE, "result": result, "error": None}
    except Cancelled as error:
        outcome = {"state": JobState.CANCELLED, "result": None, "error": error.info().model_dump()}
    except Exception as error:  # whatever a job does wrong is told to the person, and the worker lives on
        told = as_engine_error(error, f"running '{title}'")
        LOG.warning("Job %s failed", job_id, exc_info=error)
        progress.log(f"Failed: {told.message}")
        outcome = {"state": JobState.FAILED, "result": None, "error": told.info().model_dump()}
    line.call("job_ended", job_id=job_id, lines=progress.take_lines(), **outcome)


class EngineLine:
    """Calls from a job's thread to the engine, through the worker's own connection to the scheduler."""

    def __init__(self, worker: Any) -> None:
        self._worker = worker
        self.address = str(worker.address)
        self.loop: asyncio.AbstractEventLoop = worker.loop.asyncio_loop

    async def ask(self, call: str, **payload: Any) -> dict[str, Any]:
        """Call the engine from the worker's event loop."""
        reply: dict[str, Any] = await self._worker.scheduler.brainlm_office(call=call, payload=payload)
        return reply

    def call(self, call: str, **payload: Any) -> dict[str, Any]:
        """Call the engine from any other thread, and wait for the answer."""
        return asyncio.run_coroutine_threadsafe(self.ask(call, **payload), self.loop).result(_CALL_TIMEOUT_S)


class ReportingProgress:
    """The progress a job reports to: cheap to call thousands of times a second; the engine hears ten of them."""

    def __init__(self, line: EngineLine, job_id: str) -> None:
        self._line = line
        self._job_id = job_id
        self._fraction = 0.0
        self._stage = ""
        self._lines: deque[str] = deque()
        self._cancel = threading.Event()
        self._eta = Eta()

    def __call__(self, fraction: float, stage: str = "") -> None:
        """Report ``fraction`` (0..1) and the stage; raise Cancelled when the person asked to stop."""
        self._fraction = min(max(float(fraction), 0.0), 1.0)
        if stage:
            self._stage = stage
        if self._cancel.is_set():
            raise Cancelled("Stopped as you asked.")

    def log(self, line: str) -> None:
        """Append one line to the job's log, with the time of day."""
        self._lines.append(f"{time.strftime('%H:%M:%S')}  {line}")

    def take_lines(self) -> list[str]:
        """Return the log lines that were not sent yet, and forget them."""
        return [self._lines.popleft() for _ in range(len(self._lines))]

    @contextmanager
    def reporting(self) -> Iterator[None]:
        """Send reports to the engine for as long as the block runs."""
        ended = threading.Event()
        sending = asyncio.run_coroutine_threadsafe(self._report(ended), self._line.loop)
        try:
            yield
        finally:
            ended.set()
            sending.result(_CALL_TIMEOUT_S)

    async def _report(self, ended: threading.Event) -> None:
        while not ended.is_set():
            eta_s = self._eta.update(self._fraction, time.monotonic())
            try:
                reply = await self._line.ask(
                    "job_report",
                    job_id=self._job_id,
                    stage=self._stage,
                    fraction=self._fraction,
                    eta_s=eta_s,
                    lines=self.take_lines(),
                )
            except OSError:  # the engine is going down and takes this worker along
                return
            if reply["cancel"]:
                self._cancel.set()
            await asyncio.sleep(REPORT_INTERVAL_S)


class _ThreadLogHandler(logging.Handler):
    """Copies what libraries log in one thread to the job's log."""

    def __init__(self, progress: ReportingProgress) -> None:
        super().__init__(logging.WARNING)
        self._progress = progress
        self._thread = threading.get_ident()

    def emit(self, record: logging.LogRecord) -> None:
        """Append the record when it comes from the job's thread."""
        if record.thread == self._thread:
            self._progress.log(f"{record.levelname.lower()}: {record.getMessage()}")


@contextmanager
def _logging_to(progress: ReportingProgress) -> Iterator[None]:
    handler = _ThreadLogHandler(progress)
    root = logging.getLogger()
    root.addHandler(handler)
    try:
        yield
    finally:
        root.removeHandler(handler)
