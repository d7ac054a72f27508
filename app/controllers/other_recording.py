"""A recording beside the one that is open: read into the study, with the same atlas."""

from __future__ import annotations

from typing import TYPE_CHECKING

from app.text import tr

if TYPE_CHECKING:
    from app.services.engine import EngineService
    from app.state import AppState


async def read_other(state: AppState, engine: EngineService, path: str, atlas_id: str) -> str:
    """Return the id of the recording made of the file at ``path``.

    What was answered about the open scan is taken as true of this one too.

    Raises
    ------
    EngineError
        When it cannot be read.
    """
    scan = (await engine.client.open_scan(path, {})).message
    mine = state.case.scan
    known = mine.answers if mine is not None else {}
    asked = (each.question_id for each in scan.questions if each.required)
    answers = {name: known[name] for name in asked if name in known}
    kind = "parcellate" if scan.kind == "volume" else "table"
    params = {"path": path, "answers": answers, "atlas_id": atlas_id}
    job = await engine.submit(kind, params, tr(f"job.{kind}", name=scan.name))
    record = await engine.finished(job.job_id)
    return str((record.result or {}).get("recording_id", ""))
