"""Fast copies of compressed scans: one that is there makes the scan on show quick; one that failed is told calmly."""

from __future__ import annotations

from app.controllers.questions import SCAN_NOTICE
from app.services.engine import EngineService
from app.state import AppState
from app.state.compare import CompareState
from app.state.notices import Notice
from app.state.parts import CaseState
from app.text import tr
from brainlm_engine.api.messages import JobRecord, JobState


class FastCopies:
    """Listens to the jobs that copy; whoever started them, also in another window."""

    def __init__(self, state: AppState, engine: EngineService) -> None:
        self._state = state
        engine.job_changed.connect(self._heard)

    def _heard(self, job: JobRecord) -> None:
        if job.kind != "cache" or job.state not in (JobState.DONE, JobState.FAILED):
            return
        for shown in (self._state.case, self._state.compare):
            if job.state is JobState.DONE:
                self._there(shown, job)
            elif shown.scan is not None and shown.path == job.params.get("path"):
                self._missing(shown.scan.info.name, job)

    def _there(self, shown: CaseState | CompareState, job: JobRecord) -> None:
        if shown.scan is not None and shown.scan.info.scan_id == (job.result or {}).get("scan_id"):
            shown.cached = True
            self._state.notices.drop(_key(job))

    def _missing(self, name: str, job: JobRecord) -> None:
        if job.error is None:
            return
        again = ((f"again:{job.job_id}", tr("copy.again")),)
        details = f"{job.error.message}\n{job.error.details}".strip()
        next_step = f"{tr('copy.next')} {job.error.next_step}".strip()
        self._state.notices.tell(Notice(_key(job), "info", tr("copy.failed", name=name), next_step, details, again))


def _key(job: JobRecord) -> str:
    return f"{SCAN_NOTICE}copy:{job.params.get('path')}"
