"""The engine's process tree: a scheduler with the office on it, workers under nannies; ends when nobody needs it."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import multiprocessing
import os
import platform
import secrets
import shutil
import signal
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil

from brainlm_engine import __version__
from brainlm_engine.api.runfile import EngineFile, engine_file_path, remove_engine_file, write_private
from brainlm_engine.hardware import describe_device
from brainlm_engine.jobs.store import JobStore, study_path
from brainlm_engine.paths import run_dir
from brainlm_engine.server.configuration import DASK_SETTINGS, LOG_FORMAT, WorkerPlan, job_workers_for, plan_workers
from brainlm_engine.server.credentials import Credentials, remove_leftovers

LOG = logging.getLogger(__name__)
_IDLE_CHECK_S = 0.5


@dataclass(frozen=True)
class ServeOptions:
    """How to serve.

    Attributes
    ----------
    idle_timeout_s : stop after so long without a client or a job; 0 = never
    job_workers : how many jobs run at once; 0 = by the computer's cores
    cancel_grace_s : seconds a cancelled job gets to stop by itself
    """

    idle_timeout_s: float = 60.0
    job_workers: int = 0
    cancel_grace_s: float = 5.0


def serve(options: ServeOptions, say: Callable[[str], None]) -> str:
    """Run an engine until it is told to stop or nobody needs it; return why it stopped. Call with the lock held."""
    import dask

    dask.config.set({**DASK_SETTINGS, "temporary-directory": str(_scratch())})
    _prepare_forks()
    logging.basicConfig(level=logging.INFO, format=LOG_FORMAT, stream=sys.stderr)
    for name in ("distributed", "asyncio", "tornado"):
        logging.getLogger(name).setLevel(logging.WARNING)
    factory = asyncio.SelectorEventLoop if sys.platform == "win32" else None
    with asyncio.Runner(loop_factory=factory) as runner:
        return runner.run(_serve(options, say))


async def _serve(options: ServeOptions, say: Callable[[str], None]) -> str:
    from distributed import Client, Scheduler

    from brainlm_engine.server.office import Office

    engine_id, token = secrets.token_hex(4), secrets.token_urlsafe(32)
    reason: asyncio.Future[str] = asyncio.get_running_loop().create_future()
    _stop_on_signals(reason)
    remove_leftovers(run_dir())
    scratch = _scratch()
    shutil.rmtree(scratch, ignore_errors=True)
    credentials = Credentials.make(run_dir(), engine_id)
    security = credentials.security()
    store = JobStore(study_path())
    _mark_interrupted(store)
    async with contextlib.AsyncExitStack() as stack:
        scheduler = await stack.enter_async_context(
            Scheduler(
                host="127.0.0.1",
                port=0,
                protocol="tls",
                security=security,
                dashboard=False,
                dashboard_address="127.0.0.1:0",
            )
        )
        own = await stack.enter_async_context(
            Client(scheduler.address, security=security, asynchronous=True, name="engine", set_as_default=False)
        )
        device = await asyncio.to_thread(describe_device)
        office = Office(
            scheduler=scheduler,
            client=own,
            store=store,
            engine_id=engine_id,
            token=token,
            device=device,
            on_stop=lambda: _set(reason, "asked to stop"),
            grace_s=options.cancel_grace_s,
        )
        cores = os.cpu_count() or 1
        plans = plan_workers(cores, options.job_workers or job_workers_for(cores))
        nannies = asyncio.create_task(_start_workers(stack, plans, scheduler.address, scratch, security))
        file = _write_run_file(engine_id, token, scheduler.address, credentials)
        say(f"Engine {engine_id} is ready at {file.address} (process {file.pid}).")
        try:
            await nannies
            await _until_unneeded(office, reason, options.idle_timeout_s)
        finally:
            office.closing = True
            remove_engine_file(engine_id)
            await office.queue.stop("The engine was stopped")
    shutil.rmtree(scratch, ignore_errors=True)
    return reason.result()


def _scratch() -> Path:
    return run_dir() / "scratch"


def _prepare_forks() -> None:
    """On Linux, say what the process that workers are forked from has imported (Dask's own choice includes pandas)."""
    import distributed.utils

    if sys.platform == "linux":
        distributed.utils._forkserver_preload_set = True
        ours = ["distributed", "brainlm_engine.server.desk", "brainlm_engine.jobs.run", "brainlm_engine.jobs.worker"]
        multiprocessing.get_context("forkserver").set_forkserver_preload(ours)


async def _start_workers(
    stack: contextlib.AsyncExitStack, plans: list[WorkerPlan], address: str, scratch: Path, security: Any
) -> None:
    """Start all workers at once; each nanny starts its worker again whenever it dies."""
    from distributed import Nanny

    nannies = [Nanny(address, **plan.nanny_options(scratch, security)) for plan in plans]
    for nanny in nannies:
        stack.push_async_callback(nanny.close, timeout=5, reason="engine-stops")
    await asyncio.gather(*nannies)


async def _until_unneeded(office: Any, reason: asyncio.Future[str], idle_timeout_s: float) -> None:
    """Return when ``reason`` is set: by a signal, by a client, or because nobody needed the engine for so long."""
    needed_last = time.monotonic()
    while not reason.done():
        await asyncio.wait({reason}, timeout=_IDLE_CHECK_S)
        if office.needed:
            needed_last = time.monotonic()
        elif idle_timeout_s and time.monotonic() - needed_last > idle_timeout_s:
            _set(reason, "nobody needed it")


def _write_run_file(engine_id: str, token: str, address: str, credentials: Credentials) -> EngineFile:
    process = psutil.Process()
    file = EngineFile(
        engine_id=engine_id,
        address=address,
        token=token,
        version=__version__,
        host=platform.node(),
        pid=process.pid,
        process_started=process.create_time(),
        started=time.time(),
        certificate=str(credentials.certificate),
        key=str(credentials.key),
    )
    write_private(engine_file_path(), file.model_dump_json(indent=1))
    return file


def _mark_interrupted(store: JobStore) -> None:
    """Tell in each record what a killed engine left unfinished."""
    for job in store.interrupt_open_jobs(
        queued="The engine stopped before this job began.",
        running="The engine stopped while this job was running.",
        next_step="Start the job again.",
    ):
        LOG.info("Job %s (%s) was interrupted", job.job_id, job.title)


def _stop_on_signals(reason: asyncio.Future[str]) -> None:
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: loop.call_soon_threadsafe(_set, reason, "stopped by the system"))


def _set(reason: asyncio.Future[str], text: str) -> None:
    if not reason.done():
        reason.set_result(text)
