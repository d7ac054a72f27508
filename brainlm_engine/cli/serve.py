"""``brainlm-engine serve``: run the engine on this computer, or say that it already runs."""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from typing import Any

import psutil

from brainlm_engine.api.errors import EngineError
from brainlm_engine.api.runfile import EngineFile, find_engine
from brainlm_engine.cli.numbers import not_negative, positive_int
from brainlm_engine.paths import run_dir
from brainlm_engine.server.lock import EngineLock

SUMMARY = "run the engine (one per user; a second one finds the first)"
_WAIT_S = 30.0


def arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options."""
    parser.add_argument("--idle-timeout", type=not_negative, default=60.0, metavar="S",
                        help="stop after S seconds without a client or a job; 0 = never (default 60)")  # fmt: skip
    parser.add_argument("--workers", type=positive_int, default=0, metavar="N",
                        help="how many jobs run at once (default: by the number of cores)")  # fmt: skip
    parser.add_argument("--cancel-grace", type=not_negative, default=5.0, metavar="S",
                        help="seconds a cancelled job gets to stop by itself (default 5)")  # fmt: skip
    parser.add_argument("--stop", action="store_true",
                        help="stop the engine that runs; its unfinished jobs are marked interrupted")  # fmt: skip


def run(args: argparse.Namespace, say: Callable[[str], None]) -> dict[str, Any]:
    """Serve until nobody needs the engine."""
    if args.stop:
        return _stop(say)
    lock = EngineLock(run_dir() / "engine.lock")
    first = _lock_or_first(lock)
    if first is not None:
        say(f"An engine is already running at {first.address} (process {first.pid}).")
        return {"already_running": True, "address": first.address, "pid": first.pid, "engine_id": first.engine_id}
    try:
        from brainlm_engine.server.serve import ServeOptions, serve

        reason = serve(ServeOptions(args.idle_timeout, args.workers, args.cancel_grace), say)
    finally:
        lock.release()
    say(f"The engine stopped: {reason}.")
    return {"stopped": reason}


def _stop(say: Callable[[str], None]) -> dict[str, Any]:
    """Ask the running engine to stop, whatever its version, and wait until it has."""
    found = find_engine()
    if found is None:
        say("No engine is running.")
        return {"stopped": ""}
    psutil.Process(found.pid).terminate()
    deadline = time.monotonic() + _WAIT_S
    while found.alive():
        if time.monotonic() > deadline:
            raise EngineError(f"The engine (process {found.pid}) does not stop.", "End the process by hand.")
        time.sleep(0.05)
    return {"stopped": found.engine_id, "pid": found.pid}


def _lock_or_first(lock: EngineLock) -> EngineFile | None:
    """Take the lock (None), or return the engine that holds it; that one may still be starting, or just stopping."""
    deadline = time.monotonic() + _WAIT_S
    while time.monotonic() < deadline:
        if lock.acquire():
            return None
        found = find_engine()
        if found is not None:
            return found
        time.sleep(0.1)
    raise EngineError(
        "Another engine holds this study folder but does not answer.", f"Stop it, then try again (see {run_dir()})."
    )
