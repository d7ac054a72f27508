"""Crashes: of the engine, of its interactive worker, of the app. What is noticed, what is told, what goes on."""

from __future__ import annotations

import asyncio
import contextlib
import os
import subprocess
import sys
import time
from collections.abc import Callable

import psutil
import pytest

from brainlm_engine.api.client import EngineClient
from brainlm_engine.api.errors import EngineError, EngineLost
from brainlm_engine.api.messages import JobState

from .conftest import Engine, connected, ended, until, using_home


def gone(process: psutil.Process) -> bool:
    """Ended, whether or not its parent has been told already."""
    try:
        return process.status() == psutil.STATUS_ZOMBIE or not process.is_running()
    except psutil.NoSuchProcess:
        return True


@pytest.mark.parametrize("whole_tree", [False, True], ids=["serve", "tree"])
def test_a_killed_engine_is_noticed_and_its_successor_tells_what_happened(
    make_engine: Callable[..., Engine], whole_tree: bool
) -> None:
    engine = make_engine("--workers", "1")

    async def talk() -> None:
        async with connected(engine) as client:
            lost: list[tuple[EngineLost, float]] = []
            client.on_lost(lambda error: lost.append((error, time.monotonic())))
            done = await client.submit("self-test", {"seconds": 0, "megabytes": 1}, "Done")
            await ended(client, done.job_id)
            running = await client.submit("self-test", {"seconds": 60, "megabytes": 1}, "Running")
            queued = await client.submit("self-test", {"seconds": 60, "megabytes": 1}, "Queued")
            while (await client.job(running.job_id)).state is JobState.QUEUED:
                await asyncio.sleep(0.02)
            slow = asyncio.create_task(client.hold(30.0))
            await asyncio.sleep(0.2)
            tree = engine.tree
            for process in tree if whole_tree else tree[:1]:
                with contextlib.suppress(psutil.NoSuchProcess):
                    process.kill()
            killed = time.monotonic()
            await until(lambda: bool(lost), timeout=10)
            assert lost[0][1] - killed < 2.0
            assert "has stopped" in lost[0][0].message
            with pytest.raises(EngineLost):
                await slow
            with pytest.raises(EngineLost):
                await client.info()
            engine.process.wait()
            await until(lambda: not any(process.is_running() for process in tree), timeout=15)
        async with connected(engine.home, start=True) as client:
            told = {job.job_id: job for job in (await client.jobs()).jobs}
            assert told[done.job_id].state is JobState.DONE
            for job_id, sentence in (
                (running.job_id, "The engine stopped while this job was running."),
                (queued.job_id, "The engine stopped before this job began."),
            ):
                job = told[job_id]
                assert job.state is JobState.INTERRUPTED
                assert job.error is not None
                assert job.error.message == sentence
            successor = psutil.Process((await client.info()).pid)
            await client.stop_engine()
            await until(lambda: gone(successor))

    asyncio.run(talk())


def test_a_killed_interactive_worker_fails_its_request_and_comes_back(engine: Engine) -> None:
    async def talk() -> None:
        async with connected(engine) as client:
            desk = (await client.ping()).pid
            slow = asyncio.create_task(client.hold(30.0))
            await asyncio.sleep(0.2)
            psutil.Process(desk).kill()
            with pytest.raises(EngineError, match="interactive worker was killed while it answered 'hold'"):
                await slow
            assert (await client.echo((5,))).arrays["array"].shape == (5,)
            assert (await client.info()).engine_id == engine.file.engine_id

    asyncio.run(talk())


def test_the_engine_survives_the_app_and_the_next_app_sees_the_running_job(engine: Engine) -> None:
    code = (
        "import asyncio\n"
        "from brainlm_engine.api.client import EngineClient\n"
        "async def main():\n"
        "    client = await EngineClient.connect(start=False)\n"
        "    job = await client.submit('self-test', {'seconds': 3, 'megabytes': 1}, 'Survivor')\n"
        "    print(job.job_id, flush=True)\n"
        "    await asyncio.sleep(60)\n"
        "asyncio.run(main())\n"
    )
    environment = {**os.environ, "BRAINLM_HOME": str(engine.home)}
    with subprocess.Popen([sys.executable, "-c", code], env=environment, stdout=subprocess.PIPE, text=True) as app:
        assert app.stdout is not None
        job_id = app.stdout.readline().strip()
        app.kill()

    async def talk() -> None:
        async with connected(engine) as client:
            assert (await client.job(job_id)).state in (JobState.QUEUED, JobState.RUNNING)
            assert (await ended(client, job_id)).state is JobState.DONE
            for _ in range(100):
                if (await client.info()).clients == 1:
                    break
                await asyncio.sleep(0.05)
            assert (await client.info()).clients == 1

    asyncio.run(talk())


def test_an_engine_started_by_an_app_outlives_it(tmp_path_factory: pytest.TempPathFactory) -> None:
    home = tmp_path_factory.mktemp("detached")
    code = (
        "import asyncio, os\n"
        "from brainlm_engine.api.client import EngineClient\n"
        "async def main():\n"
        "    client = await EngineClient.connect()\n"
        "    print((await client.info()).pid, flush=True)\n"
        "    os.kill(os.getpid(), 9)\n"
        "asyncio.run(main())\n"
    )
    environment = {**os.environ, "BRAINLM_HOME": str(home)}
    answer = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, timeout=60, check=False
    )
    pid = int(answer.stdout)

    async def talk() -> None:
        async with connected(home) as client:
            assert (await client.info()).pid == pid
            await client.stop_engine()

    asyncio.run(talk())
    assert psutil.wait_procs([psutil.Process(pid)] if psutil.pid_exists(pid) else [], timeout=20)[1] == []


def test_callbacks_come_in_the_loop_that_connected(engine: Engine) -> None:
    async def talk() -> None:
        import threading

        with using_home(engine.home):
            client = await EngineClient.connect(start=False)
        here, heard = threading.get_ident(), []
        client.on_job(lambda _: heard.append(threading.get_ident()))
        await client.submit("self-test", {"seconds": 0, "megabytes": 1})
        await until(lambda: len(heard) > 2)
        assert set(heard) == {here}
        await client.close()

    asyncio.run(talk())
