"""Dask settings of the engine, and the two kinds of workers it has."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

INTERACTIVE = "INTERACTIVE"
JOB = "JOB"
LOG_FORMAT = "%(asctime)s %(levelname)s %(name)s: %(message)s"

#: Settings shared by the scheduler and, through the nannies, by every worker.
DASK_SETTINGS: dict[str, Any] = {
    # A job runs once: what a killed worker was doing is reported, never silently started again.
    "distributed.scheduler.allowed-failures": 0,
    "distributed.scheduler.work-stealing": False,
    # A worker that computes without letting its event loop run is busy, not dead; the nanny sees real deaths.
    "distributed.scheduler.worker-ttl": None,
    # No page of the engine is served over plain HTTP.
    "distributed.scheduler.http.routes": [],
    "distributed.worker.http.routes": [],
    # A worker is forked from a clean process that has Dask imported already: up (again) in a fifth of the time.
    # Jobs may start processes of their own (data loaders, torchrun).
    "distributed.worker.daemon": False,
    "distributed.worker.multiprocessing-method": "forkserver" if sys.platform == "linux" else "spawn",
    "distributed.worker.profile.enabled": False,
    "distributed.worker.memory.target": False,
    "distributed.worker.memory.spill": False,
    "distributed.worker.memory.pause": False,
    "distributed.worker.memory.terminate": False,
    "distributed.nanny.pre-spawn-environ": {
        "DASK_LOGGING__DISTRIBUTED": "warning",
        # Dask's choice gives every freed megabyte back to the system at once, and slices cost ten times as much.
        "MALLOC_TRIM_THRESHOLD_": None,
        # Each worker gets threads of its own, see WorkerPlan and brainlm_engine.server.threads.
        "OPENBLAS_NUM_THREADS": 1,
        "OMP_NUM_THREADS": None,
        "MKL_NUM_THREADS": None,
    },
    "distributed.comm.require-encryption": True,
    "distributed.comm.compression": None,
    "distributed.diagnostics.nvml": False,
    "distributed.admin.tick.limit": "1 hour",
    "distributed.admin.log-format": LOG_FORMAT,
    "logging": {"distributed": "warning", "tornado.application": "error"},
}


@dataclass(frozen=True)
class WorkerPlan:
    """One worker process: what it is for and how many threads its numerical libraries get."""

    name: str
    resource: str
    preload: str
    threads: int
    environment: tuple[tuple[str, str], ...] = ()

    def nanny_options(self, scratch: Path, security: Any) -> dict[str, Any]:
        """Return the keyword arguments of :class:`distributed.Nanny`."""
        numeric = dict.fromkeys(("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"), str(self.threads))
        return {
            "name": self.name,
            "nthreads": 1,
            "resources": {self.resource: 1},
            "preload": [self.preload],
            "env": {**numeric, **dict(self.environment)},
            "memory_limit": 0,
            "local_directory": str(scratch),
            "security": security,
            "host": "127.0.0.1",
            "protocol": "tls",
            "dashboard": False,
            "dashboard_address": "127.0.0.1:0",
        }


def plan_workers(cores: int, job_workers: int) -> list[WorkerPlan]:
    """Return one interactive worker and ``job_workers`` workers for jobs on a computer with ``cores`` cores.

    Both kinds may use all cores: job workers run at a lower priority (see :mod:`brainlm_engine.jobs.worker`), so a
    click is answered at once, and a job has the whole machine while nobody clicks.
    """
    share = max(min(cores, 2), cores // job_workers)
    plans = [WorkerPlan("interactive", INTERACTIVE, "brainlm_engine.server.desk", min(cores, 8))]
    plans += [WorkerPlan(f"job-{i}", JOB, "brainlm_engine.jobs.worker", share) for i in range(job_workers)]
    return plans


def job_workers_for(cores: int) -> int:
    """Return how many jobs run at once by default: two, up to four on large computers.

    Never one: while a model is trained for hours, a scan can still be opened.
    """
    return max(2, min(4, cores // 4))
