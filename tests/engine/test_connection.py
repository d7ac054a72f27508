"""Finding, trusting and leaving an engine."""

from __future__ import annotations

import asyncio
import json
import os
import stat
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import psutil
import pytest

from brainlm_engine.api.client import EngineClient
from brainlm_engine.api.errors import BadInput, EngineError, EngineLost
from brainlm_engine.api.launch import reap_ended
from brainlm_engine.api.runfile import EngineFile, find_engine, read_engine_file

from .conftest import Engine, connected, using_home


def test_the_run_file_and_its_credentials_are_private(engine: Engine) -> None:
    for name in ("engine.json", Path(engine.file.certificate).name, Path(engine.file.key).name):
        assert stat.S_IMODE((engine.home / "run" / name).stat().st_mode) == 0o600
    assert stat.S_IMODE((engine.home / "run").stat().st_mode) == 0o700


def test_it_listens_on_this_computer_only(engine: Engine) -> None:
    listening = {c.laddr.ip for p in engine.tree for c in p.net_connections() if c.status == "LISTEN"}
    assert listening == {"127.0.0.1"}


def test_info_and_arrays(engine: Engine) -> None:
    async def talk() -> None:
        async with connected(engine) as client:
            info = await client.info()
            assert (info.pid, info.clients, info.local) == (engine.process.pid, 1, True)
            reply = await client.echo((424, 200))
            expected = np.arange(424 * 200, dtype=np.float32).reshape(424, 200)
            np.testing.assert_array_equal(reply.arrays["array"], expected)

    asyncio.run(talk())


def test_closing_leaves_no_thread(engine: Engine) -> None:
    before = set(threading.enumerate())

    async def talk() -> None:
        async with connected(engine) as client:
            await client.echo((10,))

    asyncio.run(talk())
    assert set(threading.enumerate()) == before


def test_a_long_request_does_not_block_the_others(engine: Engine) -> None:
    async def talk() -> None:
        async with connected(engine) as client:
            slow = asyncio.create_task(client.hold(1.0))
            while "hold" not in (await client.ping()).busy:
                assert not slow.done()
            assert (await slow).seconds >= 1.0

    asyncio.run(talk())


def test_two_clients_are_told_apart_and_both_hear_of_jobs(engine: Engine) -> None:
    async def talk() -> None:
        async with connected(engine) as one, connected(engine) as two:
            heard: dict[str, list[str]] = {"one": [], "two": []}
            one.on_job(lambda job: heard["one"].append(str(job.state)))
            two.on_job(lambda job: heard["two"].append(str(job.state)))
            assert (await one.info()).clients == 2
            job = await one.submit("self-test", {"seconds": 0.1, "megabytes": 1})
            for _ in range(500):
                if all("done" in states for states in heard.values()):
                    break
                await asyncio.sleep(0.02)
            assert heard["one"][0] == "queued"
            assert heard["two"][-1] == "done"
            assert (await two.job(job.job_id)).result is not None

    asyncio.run(talk())


def test_a_wrong_token_is_refused_in_plain_words(engine: Engine, tmp_path: Path) -> None:
    other = _altered(engine, tmp_path, token="wrong")
    with pytest.raises(EngineError, match="the token does not match"):
        asyncio.run(EngineClient.connect(str(other)))


def test_foreign_credentials_are_refused_in_plain_words(engine: Engine, tmp_path: Path) -> None:
    from brainlm_engine.server.credentials import Credentials

    foreign = Credentials.make(tmp_path, "foreign")
    other = _altered(engine, tmp_path, certificate=str(foreign.certificate), key=str(foreign.key))
    with pytest.raises(EngineLost, match="cannot be reached with the credentials"):
        asyncio.run(EngineClient.connect(str(other)))


def test_no_engine_and_not_starting_one_is_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(EngineLost, match="No engine is running"):
        asyncio.run(EngineClient.connect(start=False))


def test_a_second_serve_finds_the_first(engine: Engine) -> None:
    command = [sys.executable, "-m", "brainlm_engine", "serve", "--json"]
    environment = {**os.environ, "BRAINLM_HOME": str(engine.home)}
    answer = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60, check=True)
    assert json.loads(answer.stdout)["pid"] == engine.process.pid
    assert "already running" in answer.stderr


@pytest.mark.parametrize("pid", [2**22 - 3, os.getpid()], ids=["dead", "reused"])
def test_a_stale_run_file_is_not_an_engine(engine: Engine, tmp_path: Path, pid: int) -> None:
    home = tmp_path / "stale"
    (home / "run").mkdir(parents=True)
    stale = engine.file.model_copy(update={"pid": pid, "process_started": 1000.0})
    (home / "run" / "engine.json").write_text(stale.model_dump_json())
    with using_home(home):
        assert find_engine() is None


def test_a_new_engine_replaces_a_stale_run_file_and_removes_its_own(make_engine: Callable[..., Engine]) -> None:
    first = make_engine()
    first.process.kill()
    first.process.wait()
    run = first.home / "run"
    assert (run / "engine.json").exists()
    second = make_engine()
    assert second.file.engine_id != first.file.engine_id
    assert not Path(first.file.key).exists()
    second.process.terminate()
    assert second.process.wait(20) == 0
    assert sorted(path.name for path in run.iterdir()) == ["engine.lock"]


def test_it_stops_when_nobody_needs_it(make_engine: Callable[..., Engine]) -> None:
    engine = make_engine("--idle-timeout", "1")

    async def talk() -> None:
        async with connected(engine) as client:
            await asyncio.sleep(2.5)  # a connected client is a need
            await client.submit("self-test", {"seconds": 2.5, "megabytes": 1})

    asyncio.run(talk())
    with pytest.raises(subprocess.TimeoutExpired):  # and so is a job that runs
        engine.process.wait(1.8)
    assert engine.process.wait(20) == 0
    assert "nobody needed it" in engine.log()


def test_giving_up_while_connecting_leaves_no_thread(tmp_path: Path) -> None:
    before = set(threading.enumerate())

    async def talk() -> None:
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(EngineClient.connect(), 0.2)
        for _ in range(1000):
            if set(threading.enumerate()) <= before:
                return
            await asyncio.sleep(0.02)

    with using_home(tmp_path):
        asyncio.run(talk())
        assert set(threading.enumerate()) <= before
        for _ in range(300):  # the engine it started goes on starting
            if find_engine() is not None:
                break
            time.sleep(0.1)
        command = [sys.executable, "-m", "brainlm_engine", "serve", "--stop", "--json"]
        answer = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)
        reap_ended()
        assert not psutil.pid_exists(json.loads(answer.stdout)["pid"])


def test_an_engine_of_another_version_is_a_sentence(engine: Engine, tmp_path: Path) -> None:
    other = _altered(engine, tmp_path, version="0.0.1")
    with pytest.raises(EngineError, match=r"The engine that runs is version 0\.0\.1, this program is"):
        asyncio.run(EngineClient.connect(str(other)))


def test_a_file_name_that_is_no_text_is_a_sentence(engine: Engine) -> None:
    async def talk() -> None:
        async with connected(engine) as client:
            with pytest.raises(BadInput, match="unknown encoding"):
                await client.open_scan(os.fsdecode(b"/scans/sub-\xff.nii"))

    asyncio.run(talk())


def test_importing_the_client_imports_nothing_heavy() -> None:
    code = (
        "import sys, brainlm_engine.api.client; "
        "print([m for m in ('distributed', 'torch', 'nibabel', 'nilearn', 'sklearn', 'pandas') if m in sys.modules])"
    )
    answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    assert answer.stdout.strip() == "[]"


def test_a_client_process_never_imports_what_only_the_engine_needs(engine: Engine) -> None:
    code = (
        "import asyncio, sys\n"
        "from brainlm_engine.api.client import EngineClient\n"
        "async def main():\n"
        "    client = await EngineClient.connect(start=False)\n"
        "    await client.echo((3,)); await client.jobs(); await client.close()\n"
        "asyncio.run(main())\n"
        "print([m for m in ('torch', 'nibabel', 'nilearn', 'sklearn', 'pandas', 'PySide6') if m in sys.modules])\n"
    )
    environment = {**os.environ, "BRAINLM_HOME": str(engine.home)}
    command = [sys.executable, "-W", "error", "-c", code]
    answer = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60, check=False)
    assert (answer.stdout.strip(), answer.stderr) == ("[]", "")


def _altered(engine: Engine, folder: Path, **changes: object) -> Path:
    file = read_engine_file(engine.home / "run" / "engine.json")
    assert isinstance(file, EngineFile)
    path = folder / "other.json"
    path.write_text(file.model_copy(update=changes).model_dump_json())
    return path
