"""A real engine for every test module, in a home of its own, and proof that nothing of it is left behind."""

from __future__ import annotations

import asyncio
import contextlib
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import psutil
import pytest

from brainlm_engine.api.client import EngineClient
from brainlm_engine.api.messages import JobRecord
from brainlm_engine.api.runfile import EngineFile, find_engine

START_TIMEOUT_S = 60.0


@dataclass
class Engine:
    """One ``brainlm-engine serve`` process tree."""

    home: Path
    process: subprocess.Popen[bytes]
    file: EngineFile

    @property
    def tree(self) -> list[psutil.Process]:
        """The serve process and everything under it."""
        top = psutil.Process(self.process.pid)
        return [top, *top.children(recursive=True)]

    def log(self) -> str:
        """What it printed."""
        return (self.home / "serve.log").read_text()


def start_engine(home: Path, *options: str) -> Engine:
    """Start an engine in ``home`` and wait until it answers."""
    home.mkdir(parents=True, exist_ok=True)
    environment = {**os.environ, "BRAINLM_HOME": str(home)}
    with (home / "serve.log").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "brainlm_engine", "serve", "--idle-timeout", "120", *options],
            env=environment, stdout=log, stderr=log, stdin=subprocess.DEVNULL,
        )  # fmt: skip
    deadline = time.monotonic() + START_TIMEOUT_S
    while time.monotonic() < deadline:
        with using_home(home):
            found = find_engine()
        if found is not None and found.pid == process.pid:
            return Engine(home, process, found)
        if process.poll() is not None:
            break
        time.sleep(0.05)
    process.kill()
    process.wait()
    raise AssertionError(f"the engine did not start: {(home / 'serve.log').read_text()}")


def stop_engine(engine: Engine) -> None:
    """Stop an engine, whatever state it is in, and make sure that none of its processes stays."""
    tree = []
    with contextlib.suppress(psutil.Error):
        tree = engine.tree
    engine.process.terminate()
    try:
        engine.process.wait(20)
    except subprocess.TimeoutExpired:
        engine.process.kill()
        engine.process.wait()
    _, left = psutil.wait_procs(tree, timeout=10)
    for process in left:
        process.kill()
    assert not left, f"left behind: {left}\n{engine.log()}"


@contextlib.contextmanager
def using_home(home: Path) -> Iterator[None]:
    """Point this process to ``home`` for a moment."""
    before = os.environ.get("BRAINLM_HOME")
    os.environ["BRAINLM_HOME"] = str(home)
    try:
        yield
    finally:
        if before is None:
            del os.environ["BRAINLM_HOME"]
        else:
            os.environ["BRAINLM_HOME"] = before


@pytest.fixture(scope="module")
def engine() -> Iterator[Engine]:
    """One engine for all tests of a module."""
    with tempfile.TemporaryDirectory(prefix="brainlm-engine-") as folder:
        running = start_engine(Path(folder) / "home", "--cancel-grace", "1", "--workers", "1")
        yield running
        stop_engine(running)


@pytest.fixture
def make_engine(tmp_path: Path) -> Iterator[Callable[..., Engine]]:
    """Start engines of one's own: ``make_engine(*options)``. All in the same home, as a person would."""
    started: list[Engine] = []

    def make(*options: str) -> Engine:
        started.append(start_engine(tmp_path / "own-home", *options))
        return started[-1]

    yield make
    for running in started:
        stop_engine(running)


@contextlib.asynccontextmanager
async def connected(engine: Engine | Path, *, start: bool = False) -> AsyncIterator[EngineClient]:
    """Connect to an engine (or to the one of a home) and close the connection afterwards."""
    with using_home(engine.home if isinstance(engine, Engine) else engine):
        client = await EngineClient.connect(start=start)
    try:
        yield client
    finally:
        await client.close()


async def until(condition: Callable[[], bool], timeout: float = 20.0) -> float:
    """Wait until ``condition()`` holds; return how long it took."""
    begin = time.monotonic()
    while not condition():
        assert time.monotonic() - begin < timeout, "waited in vain"
        await asyncio.sleep(0.01)
    return time.monotonic() - begin


async def ended(client: EngineClient, job_id: str, timeout: float = 60.0) -> JobRecord:
    """Wait until a job has ended and return its record."""
    deadline = time.monotonic() + timeout
    while time.monotonic() < deadline:
        job = await client.job(job_id)
        if job.state.ended:
            return job
        await asyncio.sleep(0.03)
    raise AssertionError(f"job {job_id} did not end: {job}")
