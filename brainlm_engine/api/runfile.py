"""How a program on this computer finds the running engine: a small private file beside its credentials.

``run_dir()/engine.json`` is written by ``brainlm-engine serve`` once it answers and removed when it stops. What a
killed engine leaves behind is told apart by process id *and* start time, so a process id that another program got
meanwhile does not fool anybody.
"""

from __future__ import annotations

import contextlib
import json
import os
import platform
import secrets
from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from brainlm_engine.files import writing_to
from brainlm_engine.paths import run_dir

FILE_NAME = "engine.json"
LOG_NAME = "engine.log"
_START_TOLERANCE_S = 5.0  # the clock may be set while the engine runs


class EngineFile(BaseModel):
    """What a client needs to know to reach an engine."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    engine_id: str
    address: str
    token: str
    version: str
    host: str
    pid: int
    process_started: float
    started: float
    certificate: str
    key: str

    @property
    def local(self) -> bool:
        """True when the engine runs on this computer."""
        return self.host == platform.node()

    def alive(self) -> bool:
        """Tell whether the process that wrote this file still runs on this computer (cheap: one look at its id)."""
        return self.local and process_alive(self.pid, self.process_started)


def process_alive(pid: int, started: float) -> bool:
    """Tell whether process ``pid`` is the one that began at ``started`` (seconds since the epoch) and still runs."""
    import psutil

    try:
        process = psutil.Process(pid)
        same = abs(process.create_time() - started) < _START_TOLERANCE_S
        return same and process.status() != psutil.STATUS_ZOMBIE
    except psutil.Error:
        return False


def engine_file_path() -> Path:
    """Where the running engine of this user writes its file."""
    return run_dir() / FILE_NAME


def read_engine_file(path: Path) -> EngineFile | None:
    """Read an engine's file; ``None`` when there is none or it is not readable."""
    try:
        return EngineFile.model_validate(json.loads(path.read_text("utf-8")))
    except (OSError, ValueError, ValidationError):
        return None


def find_engine() -> EngineFile | None:
    """Return the engine running on this computer for this user, or ``None`` (a stale file is not an engine)."""
    found = read_engine_file(engine_file_path())
    return found if found is not None and found.alive() else None


def write_private(path: Path, text: str) -> None:
    """Write a file that only this user can read (mode 0600), whole or not at all."""
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    with writing_to(path):
        handle = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        try:
            with os.fdopen(handle, "w", encoding="utf-8") as file:
                file.write(text)
                file.flush()
                os.fsync(file.fileno())
            temporary.replace(path)
        finally:
            temporary.unlink(missing_ok=True)


def remove_engine_file(engine_id: str) -> None:
    """Remove the file of engine ``engine_id`` and its credentials; another engine's file is left alone."""
    path = engine_file_path()
    found = read_engine_file(path)
    if found is None or found.engine_id != engine_id:
        return
    for name in (path, Path(found.certificate), Path(found.key)):
        with contextlib.suppress(OSError):
            name.unlink()
