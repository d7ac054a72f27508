"""Jobs: their life, their order, cancelling them, and the death of the worker that runs one."""

from __future__ import annotations

import asyncio
import time

import psutil
import pytest

from brainlm_engine.api.errors import BadInput
from brainlm_engine.api.messages import JobState

from .conftest import Engine, connected, ended, until


def test_a_job_reports_and_keeps_its_result_and_log(engine: Engine) -> None:
    async def talk() -> None:
        async with connected(engine) as client:
            seen: list[tuple[JobState, str, float]] = []
            client.on_job(lambda job: seen.append((job.state, job.stage, job.fraction)))
            job = await client.submit("self-test", {"seconds": 0.8, "megabytes": 2}, "Check the engine")
            assert job.state is JobState.QUEUED
            done = await ended(client, job.job_id)
            assert done.state is JobState.DONE
            assert done.result is not None
            assert done.result["megabytes"] == 2
            assert done.created <= (done.started or 0) <= (done.finished or 0)
            fractions = [fraction for state, _, fraction in seen if state is JobState.RUNNING]
            assert fractions == sorted(fractions)
            assert len(fractions) >= 4
            assert "Waiting" in {stage for _, stage, _ in seen}
            lines = (await client.job_log(job.job_id)).lines
            assert any("Writing 2 MB" in line for line in lines)
            assert (await client.job_log(job.job_id, start=len(lines))).lines == ()
            assert (await client.jobs()).jobs[0] == done

    asyncio.run(talk())


@pytest.mark.parametrize(
    ("fail", "code", "sentence"),
    [
        ("input", "bad_input", "The self-test was told to fail."),
        ("crash", "failed", "Something unexpected went wrong while running 'X': RuntimeError"),
        ("memory", "out_of_memory", "The computer's memory was not enough while running 'X'."),
    ],
)
def test_a_failure_is_one_sentence_with_details(engine: Engine, fail: str, code: str, sentence: str) -> None:
    async def talk() -> None:
        async with connected(engine) as client:
            job = await client.submit("self-test", {"seconds": 0.1, "megabytes": 1, "fail": fail}, "X")
            failed = await ended(client, job.job_id)
            assert failed.state is JobState.FAILED
            assert failed.error is not None
            assert failed.error.code == code
            assert failed.error.message.startswith(sentence)
            assert failed.error.next_step
            assert fail == "input" or "Traceback" in failed.error.details

    asyncio.run(talk())


def test_an_unknown_kind_is_refused(engine: Engine) -> None:
    async def talk() -> None:
        async with connected(engine) as client:
            with pytest.raises(BadInput, match="no job of the kind 'bake'"):
                await client.submit("bake", {})

    asyncio.run(talk())


def test_cancelling_a_running_and_a_waiting_job(engine: Engine) -> None:
    async def talk() -> None:
        async with connected(engine) as client:
            states: dict[str, list[tuple[JobState, float]]] = {}
            client.on_job(lambda job: states.setdefault(job.job_id, []).append((job.state, time.monotonic())))
            running = await client.submit("self-test", {"seconds": 60, "megabytes": 1})
            waiting = await client.submit("self-test", {"seconds": 60, "megabytes": 1})
            await until(lambda: JobState.RUNNING in [state for state, _ in states.get(running.job_id, [])])
            assert (await client.cancel(waiting.job_id)).state is JobState.CANCELLED
            asked = time.monotonic()
            await client.cancel(running.job_id)
            await until(lambda: states[running.job_id][-1][0] is JobState.CANCELLED)
            assert states[running.job_id][-1][1] - asked < 0.9  # asked for: 0.3 s, on an idle computer
            stopped = await client.job(running.job_id)
            assert stopped.error is not None
            assert stopped.error.message == "Stopped as you asked."
            assert (await client.cancel(running.job_id)).state is JobState.CANCELLED

    asyncio.run(talk())


def test_a_job_that_does_not_listen_is_stopped_by_force(engine: Engine) -> None:
    async def talk() -> None:
        async with connected(engine) as client:
            deaf = await client.submit("self-test", {"seconds": 60, "megabytes": 1, "deaf": True})
            while (await client.job(deaf.job_id)).state is JobState.QUEUED:
                await asyncio.sleep(0.02)
            after = await client.submit("self-test", {"seconds": 0, "megabytes": 1})
            await client.cancel(deaf.job_id)
            stopped = await ended(client, deaf.job_id)
            assert stopped.state is JobState.CANCELLED
            assert stopped.error is not None
            assert "by force" in stopped.error.message
            assert (await ended(client, after.job_id)).state is JobState.DONE

    asyncio.run(talk())


def test_jobs_run_in_the_order_they_were_submitted(engine: Engine) -> None:
    async def talk() -> None:
        async with connected(engine) as client:
            jobs = [await client.submit("self-test", {"seconds": 0, "megabytes": 1}) for _ in range(8)]
            done = [await ended(client, job.job_id) for job in jobs]
            started = [job.started or 0 for job in done]
            assert started == sorted(started)

    asyncio.run(talk())


def test_a_killed_job_worker_fails_its_job_and_no_other(engine: Engine) -> None:
    async def talk() -> None:
        async with connected(engine) as client:
            quick = await client.submit("self-test", {"seconds": 0, "megabytes": 1})
            first = await ended(client, quick.job_id)
            assert first.result is not None
            job = await client.submit("self-test", {"seconds": 60, "megabytes": 1}, "Long work")
            waiting = await client.submit("self-test", {"seconds": 0, "megabytes": 1})
            while not (await client.job(job.job_id)).stage:
                await asyncio.sleep(0.02)
            psutil.Process(first.result["pid"]).kill()
            killed = await ended(client, job.job_id)
            assert killed.state is JobState.FAILED
            assert killed.error is not None
            assert killed.error.message.startswith(
                "The worker process was killed while running 'Long work' (at 'Waiting'"
            )
            after = await ended(client, waiting.job_id)
            assert after.state is JobState.DONE
            assert after.result is not None
            assert after.result["pid"] != first.result["pid"]
            assert (await client.job(quick.job_id)) == first

    asyncio.run(talk())
