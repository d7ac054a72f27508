"""Making the parcel series of the open scan: the engine's jobs, what they leave on screen, what is told if not."""

from __future__ import annotations

import asyncio

from app.controllers.display import default_look
from app.controllers.failures import tell_error
from app.controllers.questions import SCAN_NOTICE, Questions
from app.services.engine import EngineService
from app.services.shelf import Shelf
from app.services.tasks import Tasks
from app.state import AppState
from app.state.data import LabelGrid, OpenScan, Recording
from app.state.notices import Notice
from app.state.stamps import Stamp
from app.text import tr
from brainlm_engine.api.errors import Cancelled, EngineError, EngineLost
from brainlm_engine.api.messages import JobRecord

BREATH_S = 0.02  # the window paints one thing before the next one comes
NOT_PREPARED = f"{SCAN_NOTICE}prepare"


class Preparation:
    """Makes the recording of the case that is open; what comes back about an earlier case is dropped."""

    def __init__(
        self, state: AppState, engine: EngineService, shelf: Shelf, tasks: Tasks, questions: Questions
    ) -> None:
        self._state, self._engine, self._shelf, self._tasks = state, engine, shelf, tasks
        self._questions = questions
        self._jobs: tuple[str, ...] = ()
        self._task: asyncio.Task[None] | None = None
        self._keep_look = False

    # ------------------------------------------------------------ begin, end

    def start(self) -> None:
        """Make the recording of the scan that is open now."""
        case = self._state.case
        self._state.notices.drop(NOT_PREPARED)
        case.put(phase="preparing", problem="")
        self._task = self._tasks.start(self._guarded(Stamp.of(case.revision)), tr("caption.stage"))

    def again(self) -> None:
        """Start anew: the engine came back, or the person stopped it before."""
        case = self._state.case
        if case.scan is not None and not case.scan.unanswered and case.recording is None:
            self.start()

    def takes(self, job: JobRecord) -> bool:
        """Make the recording again when ``job`` was to make it; False when that job is about something else."""
        mine = job.job_id in self._jobs and job.kind in ("parcellate", "table")
        if mine and self._state.case.phase == "failed":
            self.again()
            return True
        return False

    async def done(self) -> bool:
        """Wait until the open case has its recording; False when it could not be made."""
        if self._task is not None:
            await asyncio.wait([self._task])
        return self._state.case.recording is not None

    def keep_look(self) -> None:
        """Leave colours and range as they are when the recording arrives: they were restored."""
        self._keep_look = True

    def drop(self) -> None:
        """Ask the jobs of the case that is left to stop."""
        for job_id in self._jobs:
            record = self._state.work.find(job_id)
            if record is not None and not record.state.ended and self._state.engine.status == "ready":
                self._tasks.start(self._engine.client.cancel(job_id), record.title)
        self._jobs = ()

    # ------------------------------------------------------------ what may go wrong

    async def _guarded(self, stamp: Stamp) -> None:
        case = self._state.case
        try:
            await self._make_recording(stamp)
        except EngineError as error:
            if stamp.fits(case.revision):
                self._not_prepared(error)

    def _not_prepared(self, error: EngineError) -> None:
        """Tell why there is no recording; positions that do not fit the table are asked for again."""
        case = self._state.case
        if isinstance(error, EngineLost):
            case.phase = "failed"
            return
        table = case.scan is not None and not case.scan.is_volume
        if table and error.code == "bad_input" and self._questions.take_back("positions", error):
            case.put(phase="asking", problem="")
            return
        case.put(phase="failed", problem=str(error))
        again = (("prepare", tr("action.prepare")),)
        if isinstance(error, Cancelled):
            self._state.notices.tell(
                Notice(NOT_PREPARED, "info", tr("prepare.cancelled"), tr("prepare.cancelled_next"), "", again)
            )
        else:
            tell_error(self._state, error, NOT_PREPARED, again)

    # ------------------------------------------------------------ the work

    async def _make_recording(self, stamp: Stamp) -> None:
        case, scan = self._state.case, self._state.case.scan
        assert scan is not None
        if scan.is_volume:
            job = await self._volume_job(stamp, scan, scan.answers.get("atlas") or case.atlas_id)
        else:
            job = await self._table_job(scan)
        if job is None or not stamp.fits(case.revision):
            return
        record = await self._engine.finished(job.job_id)
        recording_id = str((record.result or {}).get("recording_id", ""))
        reply = await self._engine.client.recording(recording_id)
        recording = await asyncio.to_thread(Recording.of, reply.message, dict(reply.arrays))
        await self._show_recording(stamp, scan, recording)

    async def _volume_job(self, stamp: Stamp, scan: OpenScan, atlas_id: str) -> JobRecord | None:
        case, name, client = self._state.case, scan.info.name, self._engine.client
        parcels = {"path": case.path, "answers": scan.answers, "atlas_id": atlas_id}
        job = await self._engine.submit("parcellate", parcels, tr("job.parcellate", name=name))
        ids = [job.job_id]
        if self._state.preferences.build_cache and not case.cached:
            params = {"path": case.path, "answers": scan.answers}
            ids.append((await self._engine.submit("cache", params, tr("job.cache", name=name))).job_id)
        self._jobs = tuple(ids)
        atlas = await self._shelf.atlas(atlas_id)
        grid = await client.atlas_on_scan(scan.info.scan_id, atlas_id)
        if not stamp.fits(case.revision):
            return None
        case.put(atlas=atlas, labels=LabelGrid(grid.arrays["labels"], scan.affine))
        return job

    async def _table_job(self, scan: OpenScan) -> JobRecord:
        params: dict[str, object] = {"path": self._state.case.path, "answers": scan.answers}
        places = scan.answers.get("positions", "")
        if places and not any(a.atlas_id == places for a in self._state.shell.atlases):
            params["coordinates_path"] = places
        else:
            params["atlas_id"] = places or scan.info.atlas_id or self._state.case.atlas_id
        job = await self._engine.submit("table", params, tr("job.table", name=scan.info.name))
        self._jobs = (job.job_id,)
        return job

    async def _show_recording(self, stamp: Stamp, scan: OpenScan, recording: Recording) -> None:
        state, case = self._state, self._state.case
        atlas = case.atlas
        if recording.info.atlas_id:
            atlas = await self._shelf.atlas(recording.info.atlas_id)
        elif not scan.is_volume:
            names = tuple(str(n) for n in recording.info.provenance.get("names", ()))
            atlas = await self._shelf.atlas_of_positions(recording.xyz, names, state.preferences.atlas_id)
        if not stamp.fits(case.revision):
            return
        case.atlas = atlas
        await asyncio.sleep(BREATH_S)
        if stamp.fits(case.revision) and not scan.is_volume and atlas is not None:
            case.labels = LabelGrid(atlas.labels, atlas.labels_affine)
            await asyncio.sleep(BREATH_S)
        if not stamp.fits(case.revision):
            return
        if not self._keep_look:
            state.view.put(**default_look(recording, state.view.overlay, state.view.scale))
        self._keep_look = False
        # a selection that was restored or undone to may be of an atlas with more parcels
        state.view.selected = tuple(p for p in state.view.selected if p < recording.info.n_parcels)
        case.put(recording=recording, phase="ready")
        for line in recording.info.notes:
            state.work.note(line)
