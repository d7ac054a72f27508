"""The engine's jobs from submission to their end: records, order, cancelling, and what is told when a worker dies.

Dask places and runs the work; this class decides only *that* a job may start (as many as there are job workers, in the
order they were submitted), so that a worker's death touches the job it was running and no other.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
import uuid
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from brainlm_engine.api.errors import BadInput, Cancelled
from brainlm_engine.api.messages import ErrorInfo, JobLog, JobRecord, JobState
from brainlm_engine.jobs.context import log_path
from brainlm_engine.jobs.kinds import PATIENCE, check_kind
from brainlm_engine.jobs.store import JobStore
from brainlm_engine.server.failures import as_engine_error

LOG = logging.getLogger(__name__)
_SAVE_INTERVAL_S = 1.0
_LOG_PAGE = 5000  # lines


class WorkerKilled(Exception):
    """The worker process died while it ran the job."""


@dataclass
class _Live:
    """A job of this engine that has not ended."""

    record: JobRecord
    saved: float = 0.0
    cancel_asked: bool = False
    worker: str = ""


class JobQueue:
    """All jobs of one engine. Lives in the scheduler's event loop; every method is called there.

    Parameters
    ----------
    store
        The durable records.
    engine_id
        This engine.
    run
        Runs a job on a worker and returns when it ended; raises WorkerKilled when the worker died.
    slots
        Says how many jobs may run at once now.
    kill
        Kills the worker process at an address (it comes back by itself).
    publish
        Called with every change of a record.
    grace_s
        Seconds a cancelled job gets to stop by itself; some kinds get more.
    """

    def __init__(
        self,
        *,
        store: JobStore,
        engine_id: str,
        run: Callable[[JobRecord], Awaitable[None]],
        slots: Callable[[], int],
        kill: Callable[[str], Awaitable[None]],
        publish: Callable[[JobRecord], None],
        grace_s: float = 5.0,
    ) -> None:
        self.store = store
        self._engine_id = engine_id
        self._run, self._slots, self._kill, self._publish = run, slots, kill, publish
        self._grace_s = grace_s
        self._waiting: deque[str] = deque()
        self._live: dict[str, _Live] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._placed: set[str] = set()

    # ------------------------------------------------------------ for clients

    def submit(self, kind: str, params: dict[str, Any], title: str) -> JobRecord:
        """Write a new job and start it as soon as a worker is free."""
        check_kind(kind)
        record = JobRecord(
            job_id=uuid.uuid4().hex[:12],
            kind=kind,
            title=title or kind,
            state=JobState.QUEUED,
            created=time.time(),
            engine_id=self._engine_id,
            params=params,
        )
        self.store.add(record)
        self._live[record.job_id] = _Live(record)
        self._waiting.append(record.job_id)
        self._publish(record)
        self.start_next()
        return record

    def jobs(self) -> list[JobRecord]:
        """Return all jobs, newest first, as fresh as they are known."""
        return [self._live[job.job_id].record if job.job_id in self._live else job for job in self.store.newest()]

    def job(self, job_id: str) -> JobRecord:
        """Return one job."""
        found = self._live[job_id].record if job_id in self._live else self.store.get(job_id)
        if found is None:
            raise BadInput(f"There is no job {job_id}.", "List the jobs to see their ids.")
        return found

    def cancel(self, job_id: str) -> JobRecord:
        """Stop a job: at once when it waits, by asking when it runs, by force when it does not listen."""
        live = self._live.get(job_id)
        if live is None:
            return self.job(job_id)
        if job_id in self._waiting:
            self._waiting.remove(job_id)
            self._end(job_id, JobState.CANCELLED, error=Cancelled("Stopped before it began.").info())
        elif not live.cancel_asked:
            live.cancel_asked = True
            self._change(live, stage="Stopping")
            self._spawn(self._stop_by_force(job_id, PATIENCE.get(live.record.kind, 0.0)))
        return self.job(job_id)

    def log(self, job_id: str, start: int) -> JobLog:
        """Return the log of a job from line ``start`` on (at most 5000 lines)."""
        self.job(job_id)
        try:
            lines = log_path(job_id).read_text("utf-8", "replace").splitlines()
        except FileNotFoundError:
            lines = []
        return JobLog(job_id=job_id, start=start, lines=tuple(lines[start : start + _LOG_PAGE]))

    @property
    def running(self) -> int:
        """Number of jobs that run now."""
        return sum(live.record.state is JobState.RUNNING for live in self._live.values())

    @property
    def busy(self) -> bool:
        """True while any job is queued or running."""
        return bool(self._live)

    # ------------------------------------------------------------ for workers

    def started(self, job_id: str, worker: str) -> bool:
        """Say whether the job may run now. Only ever True once per job."""
        live = self._live.get(job_id)
        if live is None or live.record.state is not JobState.QUEUED:
            return False
        if live.cancel_asked:
            self._end(job_id, JobState.CANCELLED, error=Cancelled("Stopped before it began.").info())
            return False
        live.worker = worker
        self._change(live, state=JobState.RUNNING, started=time.time(), save=True)
        return True

    def report(self, job_id: str, stage: str, fraction: float, eta_s: float | None, lines: list[str]) -> bool:
        """Note where a job is; return True when it should stop."""
        self._append_log(job_id, lines)
        live = self._live.get(job_id)
        if live is None:
            return True
        now: dict[str, Any] = {
            "stage": "Stopping" if live.cancel_asked else stage,
            "fraction": fraction,
            "eta_s": eta_s,
        }
        if any(getattr(live.record, name) != value for name, value in now.items()):
            self._change(live, **now)
        return live.cancel_asked

    def ended(self, job_id: str, state: str, result: dict[str, Any] | None, error: Any, lines: list[str]) -> None:
        """Write the outcome a worker reports."""
        self._append_log(job_id, lines)
        told = None if error is None else ErrorInfo.model_validate(error)
        self._end(job_id, JobState(state), result=result, error=told)

    # ------------------------------------------------------------ life

    def start_next(self) -> None:
        """Start waiting jobs while workers are free. Called whenever either may have changed."""
        while self._waiting and len(self._placed) < self._slots():
            job_id = self._waiting.popleft()
            self._placed.add(job_id)
            self._spawn(self._follow(job_id))

    async def stop(self, reason: str) -> None:
        """Mark what is queued or running as interrupted, because the engine stops."""
        for task in tuple(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        for job_id, live in tuple(self._live.items()):
            began = "while this job was running" if live.record.state is JobState.RUNNING else "before this job began"
            error = ErrorInfo(code="interrupted", message=f"{reason} {began}.", next_step="Start the job again.")
            self._end(job_id, JobState.INTERRUPTED, error=error)
        self.store.close()

    async def _follow(self, job_id: str) -> None:
        record = self._live[job_id].record
        error: ErrorInfo | None = None
        try:
            await self._run(record)
        except WorkerKilled:
            error = ErrorInfo(
                message=f"The worker process was killed while {_doing(self._live.get(job_id), record)}.",
                next_step="The computer may have run out of memory. Close other programs and start the job again.",
            )
        except Exception as problem:  # Dask could not run it at all
            LOG.warning("Job %s could not be run", job_id, exc_info=problem)
            error = as_engine_error(problem, f"starting '{record.title}'").info()
        finally:
            self._placed.discard(job_id)
        if job_id in self._live:
            self._end(job_id, JobState.FAILED, error=error or ErrorInfo(message="The job ended without an answer."))
        self.start_next()

    async def _stop_by_force(self, job_id: str, patience_s: float) -> None:
        await asyncio.sleep(max(self._grace_s, patience_s))
        live = self._live.get(job_id)
        if live is None:
            return
        error = Cancelled("Stopped by force: it did not stop by itself.", "Half-made files were not kept.").info()
        self._end(job_id, JobState.CANCELLED, error=error)
        if live.worker:
            await self._kill(live.worker)

    def _end(self, job_id: str, state: JobState, result: Any = None, error: ErrorInfo | None = None) -> None:
        live = self._live.pop(job_id, None)
        if live is None:
            return
        fraction = 1.0 if state is JobState.DONE else live.record.fraction
        done = {"finished": time.time(), "eta_s": None, "result": result, "error": error, "fraction": fraction}
        stage = "" if state in (JobState.DONE, JobState.CANCELLED) else live.record.stage
        with contextlib.suppress(ValueError):
            self._waiting.remove(job_id)
        self._change(live, state=state, stage=stage, save=True, **done)

    def _change(self, live: _Live, save: bool = False, **changes: Any) -> None:
        live.record = live.record.model_copy(update=changes)
        if save or time.monotonic() - live.saved > _SAVE_INTERVAL_S:
            live.saved = time.monotonic()
            try:
                self.store.save(live.record)
            except Exception:  # a full disk must not stop a job that runs
                LOG.exception("The record of job %s could not be written", live.record.job_id)
        self._publish(live.record)

    def _append_log(self, job_id: str, lines: list[str]) -> None:
        if not lines:
            return
        try:
            with log_path(job_id).open("a", encoding="utf-8", errors="replace") as file:
                file.writelines(f"{line.rstrip()}\n" for line in lines)
        except OSError:
            LOG.exception("The log of job %s could not be written", job_id)

    def _spawn(self, work: Any) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


def _doing(live: _Live | None, record: JobRecord) -> str:
    now = live.record if live is not None else record
    at = f" (at '{now.stage}', {now.fraction:.0%})" if now.stage else ""
    return f"running '{now.title}'{at}"
