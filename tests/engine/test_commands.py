"""``diagnose`` and ``jobs`` on the command line, and what the records keep without an engine."""

from __future__ import annotations

import asyncio
import json
import os
import sqlite3
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from brainlm_engine.api.errors import EngineError
from brainlm_engine.api.messages import JobRecord, JobState
from brainlm_engine.jobs.eta import Eta
from brainlm_engine.jobs.store import JobStore

from .conftest import Engine, connected, ended


def _run(engine: Engine, *arguments: str, code: int = 0) -> dict[str, Any]:
    command = [sys.executable, "-m", "brainlm_engine", *arguments, "--json"]
    environment = {**os.environ, "BRAINLM_HOME": str(engine.home), "HOME": str(engine.home.parent)}
    answer = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=90, check=False)
    assert answer.returncode == code, answer.stderr
    found: dict[str, Any] = json.loads(answer.stdout)
    return found


def test_diagnose_tells_what_a_bug_report_needs(engine: Engine) -> None:
    told = _run(engine, "diagnose", "--check")
    assert told["engine"]["pid"] == engine.process.pid
    assert told["check"]["self_test"] == "passed"
    assert told["packages"]["distributed"]
    assert told["folders"] == {name: str(Path("~", engine.home.name, name)) for name in ("data", "cache", "run")}


def test_jobs_list_show_log_and_cancel(engine: Engine) -> None:
    async def submit() -> JobRecord:
        async with connected(engine) as client:
            done = await client.submit("self-test", {"seconds": 0, "megabytes": 1}, "Quick")
            await ended(client, done.job_id)
            return await client.submit("self-test", {"seconds": 60, "megabytes": 1}, "Slow")

    slow = asyncio.run(submit())
    listed = _run(engine, "jobs", "list")["jobs"]
    assert [job["title"] for job in listed[:2]] == ["Slow", "Quick"]
    assert _run(engine, "jobs", "show", listed[1]["id"])["state"] == "done"
    assert any("Read back" in line for line in _run(engine, "jobs", "log", listed[1]["id"])["lines"])
    assert _run(engine, "jobs", "cancel", slow.job_id)["state"] == "cancelled"
    assert _run(engine, "jobs", "show", "nonesuch", code=2)["error"]["code"] == "bad_input"


def test_a_cancelled_job_is_resumed_with_its_parameters(engine: Engine) -> None:
    async def submit() -> JobRecord:
        async with connected(engine) as client:
            job = await client.submit("self-test", {"seconds": 0.5, "megabytes": 1}, "Resumed")
            return await client.cancel(job.job_id)

    stopped = asyncio.run(submit())
    again = _run(engine, "jobs", "resume", stopped.job_id, "--wait")
    assert again["job_id"] != stopped.job_id
    assert (again["kind"], again["title"], again["params"]) == (stopped.kind, stopped.title, stopped.params)
    assert again["state"] == "done"
    assert _run(engine, "jobs", "show", stopped.job_id)["state"] == "cancelled"
    refused = _run(engine, "jobs", "resume", again["job_id"], code=2)["error"]
    assert "nothing to resume" in refused["message"]
    assert _run(engine, "jobs", "resume", "nonesuch", code=2)["error"]["code"] == "bad_input"


def _record(job_id: str = "a", **values: Any) -> JobRecord:
    return JobRecord(job_id=job_id, kind="self-test", title="T", state=JobState.QUEUED, created=1.0, **values)


def test_records_come_back_as_they_were(tmp_path: Path) -> None:
    store = JobStore(tmp_path / "study.sqlite")
    first = _record(params={"path": "/ä ö\n.nii"}, result={"x": [1, 2.5, None]})
    store.add(first)
    store.add(_record("b", fraction=0.5))
    store.close()
    again = JobStore(tmp_path / "study.sqlite")
    assert again.get("a") == first
    assert [job.job_id for job in again.newest()] == ["b", "a"]
    assert [job.job_id for job in again.open_jobs()] == ["a", "b"]
    again.close()


def test_a_damaged_database_is_moved_aside(tmp_path: Path) -> None:
    path = tmp_path / "study.sqlite"
    path.write_bytes(b"this is no database, and longer than a header " * 100)
    store = JobStore(path)
    store.add(_record())
    store.close()
    assert len(list(tmp_path.glob("study.sqlite.damaged-*"))) == 1


def test_a_database_of_a_newer_version_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "study.sqlite"
    db = sqlite3.connect(path)
    db.execute("PRAGMA user_version = 999")
    db.close()
    with pytest.raises(EngineError, match="newer version"):
        JobStore(path)
    assert list(tmp_path.iterdir()) == [path]


def test_time_left_follows_the_present_speed() -> None:
    eta = Eta()
    assert eta.update(0.0, 0.0) is None
    for step in range(1, 11):
        left = eta.update(step / 100, float(step))
    assert left == pytest.approx(90.0)
    for step in range(1, 31):
        left = eta.update(0.1 + 2 * step / 100, 10.0 + step)
    assert left == pytest.approx(15.0, rel=0.1)
