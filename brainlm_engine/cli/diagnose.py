"""``brainlm-engine diagnose``: what a bug report needs, and nothing private."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import Any

SUMMARY = "print versions, hardware, folders and the engine's state"
_PACKAGES = (
    "numpy", "torch", "safetensors", "nibabel", "nilearn", "scipy", "scikit-learn", "pandas", "h5py", "isal", "dask",
    "distributed", "cryptography", "pydantic", "psutil", "PySide6-Essentials", "pyqtgraph", "vtk", "qasync",
)  # fmt: skip


def arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options."""
    parser.add_argument("--check", action="store_true", help="also start the engine and run a self-test in it")


def run(args: argparse.Namespace, say: Callable[[str], None]) -> dict[str, Any]:
    """Look, and with ``--check`` try."""
    result = report()
    if args.check:
        import asyncio

        say("Running a self-test in the engine …")
        result["check"] = asyncio.run(_check())
    return result


def report() -> dict[str, Any]:
    """Return what a bug report needs. The home folder is written as ``~``."""
    from brainlm_engine import __version__
    from brainlm_engine.hardware import gib, hardware, installed_version
    from brainlm_engine.paths import cache_dir, data_dir, run_dir

    machine = hardware(data_dir())
    return {
        "version": __version__,
        "licence": "BSD-3-Clause",
        "system": machine.system,
        "python": machine.python,
        "processor": f"{machine.processor}, {machine.cores} cores, {machine.threads} threads",
        "memory": f"{gib(machine.memory_total)}, {gib(machine.memory_free)} free",
        "disk_free": gib(machine.disk_free),
        "gpus": [f"{gpu.name}, {gib(gpu.memory_total)}, driver {gpu.driver}" for gpu in machine.gpus],
        "folders": {"data": _shown(data_dir()), "cache": _shown(cache_dir()), "run": _shown(run_dir())},
        "engine": _engine_state(),
        "packages": {name: installed_version(name) or "not installed" for name in _PACKAGES},
    }


def _engine_state() -> dict[str, Any]:
    from brainlm_engine.api.runfile import engine_file_path, find_engine

    found = find_engine()
    if found is None:
        return {"running": False, "stale_file": engine_file_path().exists()}
    return {"running": True, "pid": found.pid, "address": found.address, "version": found.version}


def _shown(path: Path) -> str:
    try:
        return str(Path("~") / path.relative_to(Path.home()))
    except ValueError:
        return str(path)


async def _check() -> dict[str, Any]:
    """Start or find the engine, run a self-test job, and measure the line."""
    import asyncio
    import time

    from brainlm_engine.api.client import EngineClient

    begin = time.perf_counter()
    client = await EngineClient.connect()
    try:
        connected = time.perf_counter() - begin
        begin = time.perf_counter()
        await client.echo((424, 200))
        times = []
        for _ in range(20):
            begin = time.perf_counter()
            await client.echo((424, 200))
            times.append(time.perf_counter() - begin)
        job = await client.submit("self-test", {"seconds": 0.2}, "Self-test")
        while not job.state.ended:
            await asyncio.sleep(0.05)
            job = await client.job(job.job_id)
        told = job.error.message if job.error else "passed"
        round_trip = f"{1000 * sorted(times)[10]:.1f} ms"
        return {"connected_s": round(connected, 2), "round_trip": round_trip, "self_test": told}
    finally:
        await client.close()
