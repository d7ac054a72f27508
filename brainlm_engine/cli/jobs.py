"""``brainlm-engine jobs``: what runs, what ran, how it ended."""

from __future__ import annotations

import argparse
import asyncio
import time
from collections.abc import Callable
from typing import Any

from brainlm_engine.api.errors import BadInput
from brainlm_engine.api.messages import JobRecord, JobState
from brainlm_engine.cli.as_text import NOT_KNOWN, columns, lines, number, when
from brainlm_engine.cli.numbers import positive

SUMMARY = "list, show, cancel and resume jobs, read their logs"


def arguments(parser: argparse.ArgumentParser) -> None:
    """Add the actions."""
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    words = {
        "list": "all jobs, newest first", "show": "one job", "log": "what a job wrote", "cancel": "stop a job",
        "resume": "run an interrupted, failed or cancelled job again, with the parameters it had, as a new job",
    }  # fmt: skip
    for name, text in words.items():
        action = actions.add_parser(name, help=text)
        if name != "list":
            action.add_argument("job_id", metavar="ID")
        if name == "resume":
            action.add_argument("--wait", action="store_true", help="return only when the new job has ended")
            action.add_argument(
                "--learning-rate",
                type=positive,
                help="of a training: go on with this one, for example after a NaN loss",
            )
        action.add_argument("--json", action="store_true", default=argparse.SUPPRESS, help="one JSON object on stdout")


def run(args: argparse.Namespace, say: Callable[[str], None]) -> dict[str, Any]:
    """Do one action. Reading works without an engine: the records are in the study's database."""
    if args.action == "list":
        return {"jobs": [_brief(job) for job in _read_jobs()]}
    job = next((job for job in _read_jobs() if job.job_id == args.job_id), None)
    if job is None:
        raise BadInput(f"There is no job {args.job_id}.", "List them: brainlm-engine jobs list")
    if args.action == "cancel":
        if job.state.ended:
            say(f"Job {job.job_id} had ended already ({job.state}); there is nothing to cancel.")
            return job.model_dump(mode="json")
        return asyncio.run(_cancel(job.job_id)).model_dump(mode="json")
    if args.action == "resume":
        return asyncio.run(_resume(job, _changes(args, job), args.wait, say)).model_dump(mode="json")
    if args.action == "log":
        from brainlm_engine.jobs.context import log_path

        path = log_path(job.job_id)
        return {"lines": path.read_text("utf-8", "replace").splitlines() if path.exists() else []}
    return job.model_dump(mode="json")


def as_text(result: dict[str, Any]) -> str:
    """Return jobs, one job or its log as a person reads them."""
    if "lines" in result:
        return "\n".join(result["lines"]) or "It has written nothing."
    if "jobs" not in result:
        return _one(JobRecord.model_validate(result))
    if not result["jobs"]:
        return "There are no jobs."
    rows = [
        (row["id"], row["state"], row["created"], row["kind"], row["title"], _how_far(row)) for row in result["jobs"]
    ]
    return columns(("ID", "State", "Made", "Kind", "Title", ""), rows)


def _how_far(row: dict[str, Any]) -> str:
    if "done" in row:
        return f"{row['done']}  {row['stage']}"
    return str(row.get("error", ""))


def _one(job: JobRecord) -> str:
    told: dict[str, Any] = {
        "ID": job.job_id, "Title": job.title, "Kind": job.kind, "State": str(job.state), "Made": when(job.created),
        "Started": when(job.started), "Ended": when(job.finished),
    }  # fmt: skip
    if job.started is not None and job.finished is not None:
        told["Took"] = f"{number(job.finished - job.started)} s"
    if not job.state.ended:
        told["Done"] = f"{job.fraction:.0%}  {job.stage}".rstrip()
        told["Time left"] = NOT_KNOWN if job.eta_s is None else f"about {number(job.eta_s)} s"
    if job.error is not None:
        told["Error"] = f"{job.error.message} {job.error.next_step}".strip()
    text = "\n".join(f"{name:<11}{value}" for name, value in told.items())
    for name, inside in (("Parameters", job.params), ("Result", job.result)):
        if inside:
            text += f"\n{name}\n{lines(inside, '  ')}"
    return text


def _read_jobs() -> list[JobRecord]:
    from brainlm_engine.jobs.store import JobStore, study_path

    if not study_path().exists():
        return []
    store = JobStore(study_path())
    try:
        return store.newest()
    finally:
        store.close()


def _brief(job: JobRecord) -> dict[str, Any]:
    row: dict[str, Any] = {"id": job.job_id, "state": str(job.state), "kind": job.kind, "title": job.title}
    row["created"] = time.strftime("%Y-%m-%d %H:%M", time.localtime(job.created))
    if job.state is JobState.RUNNING:
        row["done"] = f"{job.fraction:.0%}"
        row["stage"] = job.stage
    if job.error is not None:
        row["error"] = job.error.message
    return row


def _changes(args: argparse.Namespace, job: JobRecord) -> dict[str, Any]:
    """Return the parameters that differ from those the job had."""
    if args.learning_rate is None:
        return {}
    if job.kind != "pretrain":
        raise BadInput(f"Job {job.job_id} is no training, so it has no learning rate.", "Leave --learning-rate out.")
    return {"learning_rate": args.learning_rate}


async def _resume(job: JobRecord, changes: dict[str, Any], wait: bool, say: Callable[[str], None]) -> JobRecord:
    """Submit ``job`` once more; the engine is started when none runs, and goes on by itself until the job has ended."""
    from brainlm_engine.api.client import EngineClient

    client = await EngineClient.connect()
    try:
        known = await client.job(job.job_id)  # an engine that was just started has told what was interrupted
        if not known.state.ended:
            raise BadInput(
                f"Job {job.job_id} has not ended.", f"Stop it first: brainlm-engine jobs cancel {job.job_id}"
            )
        if known.state is JobState.DONE:
            raise BadInput(
                f"Job {job.job_id} is done; there is nothing to resume.",
                f"See its result: brainlm-engine jobs show {job.job_id}",
            )
        new = await client.submit(known.kind, {**known.params, **changes}, known.title)
        say(f"Job {new.job_id} runs “{new.title}” again.")
        stage = ""
        while wait and not new.state.ended:
            await asyncio.sleep(0.2)
            new = await client.job(new.job_id)
            if new.stage != stage:
                stage = new.stage
                say(f"{new.fraction:4.0%}  {stage}")
        return new
    finally:
        await client.close()


async def _cancel(job_id: str) -> JobRecord:
    from brainlm_engine.api.client import EngineClient

    client = await EngineClient.connect(start=False)
    try:
        job = await client.cancel(job_id)
        while not job.state.ended:
            await asyncio.sleep(0.1)
            job = await client.job(job_id)
        return job
    finally:
        await client.close()
