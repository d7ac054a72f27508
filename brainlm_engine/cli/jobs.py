"""``brainlm-engine jobs``: what runs, what ran, how it ended."""

from __future__ import annotations

import argparse
import asyncio
import time
from collections.abc import Callable
from typing import Any

from brainlm_engine.api.errors import BadInput
from brainlm_engine.api.messages import JobRecord, JobState

SUMMARY = "list, show and cancel jobs, read their logs"


def arguments(parser: argparse.ArgumentParser) -> None:
    """Add the actions."""
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    words = {"list": "all jobs, newest first", "show": "one job", "log": "what a job wrote", "cancel": "stop a job"}
    for name, text in words.items():
        action = actions.add_parser(name, help=text)
        if name != "list":
            action.add_argument("job_id", metavar="ID")
        action.add_argument("--json", action="store_true", default=argparse.SUPPRESS, help="one JSON object on stdout")


def run(args: argparse.Namespace, say: Callable[[str], None]) -> dict[str, Any]:
    """Do one action. Reading works without an engine: the records are in the study's database."""
    if args.action == "list":
        return {"jobs": [_brief(job) for job in _read_jobs()]}
    if args.action == "cancel":
        return asyncio.run(_cancel(args.job_id)).model_dump(mode="json")
    job = next((job for job in _read_jobs() if job.job_id == args.job_id), None)
    if job is None:
        raise BadInput(f"There is no job {args.job_id}.", "List them: brainlm-engine jobs list")
    if args.action == "log":
        from brainlm_engine.jobs.context import log_path

        path = log_path(job.job_id)
        return {"lines": path.read_text("utf-8", "replace").splitlines() if path.exists() else []}
    return job.model_dump(mode="json")


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
