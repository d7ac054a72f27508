"""A job that checks the engine itself: it writes a file, reads it back, and takes as long as it is told to."""

from __future__ import annotations

import hashlib
import os
import time
from pathlib import Path
from typing import Any

from brainlm_engine.api.errors import BadInput, EngineError
from brainlm_engine.files import written_whole
from brainlm_engine.jobs.context import JobContext
from brainlm_engine.progress import Progress

_CHUNK = os.urandom(1 << 20)


def run(params: dict[str, Any], progress: Progress, job: JobContext) -> dict[str, Any]:
    """Write and read back ``megabytes`` of random bytes, spread over ``seconds``.

    Parameters
    ----------
    params
        ``seconds`` (default 0.2), ``megabytes`` (default 4), ``fail`` ('', 'input', 'crash', 'memory'): which failure
        to produce half-way, to see that it is told well; ``deaf`` (bool): do not listen to Cancel, as a library that
        computes for long without reporting would.
    """
    seconds, megabytes = float(params.get("seconds", 0.2)), int(params.get("megabytes", 4))
    if seconds < 0 or not 1 <= megabytes <= 4096:
        raise BadInput("A self-test takes 0 or more seconds and 1 to 4096 megabytes.", "Choose other values.")
    path = job.folder() / "self-test.bin"
    progress.log(f"Writing {megabytes} MB to {path}")
    begin = time.monotonic()
    with written_whole(path) as temporary:
        written = _write(temporary, megabytes)
    try:
        _spend(seconds, begin, str(params.get("fail", "")), bool(params.get("deaf")), progress)
        progress(1.0, "Reading back")
        if hashlib.sha256(path.read_bytes()).hexdigest() != written:
            raise EngineError(f"What was written to {path} was read back differently.", "Check this disk.")
    finally:
        path.unlink(missing_ok=True)
        path.parent.rmdir()
    elapsed = time.monotonic() - begin
    progress.log(f"Read back unchanged after {elapsed:.2f} s")
    return {"megabytes": megabytes, "sha256": written, "seconds": round(elapsed, 3), "pid": os.getpid()}


def _write(path: Path, megabytes: int) -> str:
    digest = hashlib.sha256()
    with path.open("wb") as file:
        for _ in range(megabytes):
            file.write(_CHUNK)
            digest.update(_CHUNK)
    return digest.hexdigest()


def _spend(seconds: float, begin: float, fail: str, deaf: bool, progress: Progress) -> None:
    """Report until ``seconds`` are over; fail half-way when told to."""
    while (elapsed := time.monotonic() - begin) < seconds or fail:
        if fail and elapsed >= seconds / 2:
            _fail(fail)
        if not deaf:
            progress(min(elapsed / seconds, 1.0) if seconds else 0.0, "Waiting")
        time.sleep(0.02)


def _fail(how: str) -> None:
    if how == "input":
        raise BadInput("The self-test was told to fail.", "Run it without 'fail'.")
    if how == "memory":
        raise MemoryError
    raise RuntimeError("the self-test was told to crash")
