"""Start ``brainlm-engine serve`` so that it outlives the program that started it."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from brainlm_engine.api.errors import EngineError
from brainlm_engine.api.runfile import LOG_NAME, EngineFile, find_engine
from brainlm_engine.paths import run_dir

_LOG_EXCERPT = 4000  # characters
_children: set[int] = set()  # process ids of engines this process started and has not seen end


def engine_command() -> list[str]:
    """Return the command that runs an engine verb, in an installation as well as in a bundle."""
    if getattr(sys, "frozen", False):
        suffix = ".exe" if sys.platform == "win32" else ""
        return [str(Path(sys.executable).with_name(f"brainlm-engine{suffix}"))]
    return [sys.executable, "-m", "brainlm_engine"]


def start_engine(*options: str) -> subprocess.Popen[bytes]:
    """Start an engine in a session of its own; what it prints goes to ``run_dir()/engine.log``."""
    detached = 0
    if sys.platform == "win32":
        detached = subprocess.DETACHED_PROCESS | subprocess.CREATE_NEW_PROCESS_GROUP
    handle = os.open(run_dir() / LOG_NAME, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    try:
        return subprocess.Popen(
            [*engine_command(), "serve", *options],
            stdin=subprocess.DEVNULL,
            stdout=handle,
            stderr=handle,
            start_new_session=True,
            creationflags=detached,
        )
    except OSError as error:
        raise EngineError(
            "The engine could not be started on this computer.",
            "Install the program again, or start it by hand: brainlm-engine serve",
            str(error),
        ) from error
    finally:
        os.close(handle)


def find_or_start(give_up: Callable[[], bool], timeout: float = 60.0) -> EngineFile:
    """Return the running engine of this computer, starting one when there is none. Blocks; call it off the GUI thread.

    Parameters
    ----------
    give_up
        Asked now and then; True ends the waiting (the engine that was started stops by itself).
    timeout
        Seconds to wait for the engine.

    Raises
    ------
    EngineError
        When the engine stops before it answers, or does not answer within ``timeout`` seconds.
    """
    reap_ended()
    found = find_engine()
    if found is not None:
        return found
    process = start_engine()
    deadline = time.monotonic() + timeout
    while time.monotonic() < deadline and not give_up():
        found = find_engine()
        if found is not None:
            _forget(process)
            return found
        if process.poll() is not None:
            break
        time.sleep(0.03)
    found = find_engine()  # the process may have ended because another engine was faster
    if found is not None:
        return found
    ended = process.poll() is not None
    cause = "stopped while starting" if ended else f"did not answer within {timeout:.0f} seconds"
    _forget(process)
    raise EngineError(f"The engine {cause}.", "Look at the details, then try again.", _log_excerpt())


def reap_ended() -> None:
    """Collect engines that this process started and that ended since: no zombie stays behind."""
    if sys.platform == "win32":
        return
    for pid in tuple(_children):
        try:
            if os.waitpid(pid, os.WNOHANG)[0] == 0:
                continue
        except ChildProcessError:
            pass
        _children.discard(pid)


def _forget(process: subprocess.Popen[bytes]) -> None:
    """Let the engine outlive us without a warning; :func:`reap_ended` collects it if it ends before us."""
    if process.poll() is None:
        _children.add(process.pid)
        process.returncode = 0


def _log_excerpt() -> str:
    try:
        return (run_dir() / LOG_NAME).read_text("utf-8", "replace")[-_LOG_EXCERPT:]
    except OSError:
        return ""
