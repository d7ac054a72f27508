"""Opening a scan: first volume at once, questions in the strip, parcel series made by the engine behind it."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from pathlib import Path

from app.controllers.display import default_look, home_of
from app.controllers.failures import tell_error
from app.controllers.questions import SCAN_NOTICE, Questions
from app.services.engine import EngineService
from app.services.preferences import save_recent, with_recent
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


@dataclass(frozen=True)
class _Work:
    """The jobs of the open case."""

    ids: tuple[str, ...] = ()


class OpenController:
    """One case at a time; whatever comes back about an earlier one is dropped."""

    def __init__(self, state: AppState, engine: EngineService, shelf: Shelf, tasks: Tasks) -> None:
        self._state, self._engine, self._shelf, self._tasks = state, engine, shelf, tasks
        self.questions = Questions(state)
        self._work = _Work()
        self._preparing: asyncio.Task[None] | None = None
        self._keep_look = False

    # ------------------------------------------------------------ open

    async def open_path(self, path: str, answers: dict[str, str] | None = None) -> bool:
        """Open ``path`` and show its first volume; True when it is on screen. Preparation goes on behind it."""
        case = self._state.case
        case.revision += 1
        stamp = Stamp.of(case.revision)
        before = case.phase
        self._state.notices.drop(SCAN_NOTICE)
        case.put(wanted=path, phase="opening")
        self._state.work.note(tr("open.busy", name=Path(path).name))
        try:
            await self._engine.ready()
            reply = await self._engine.client.open_scan(path, answers or {})
        except EngineError as error:
            if stamp.fits(case.revision):
                case.put(wanted="", phase=before if case.scan is not None else "none")
                self._not_open(error, path, answers or {})
            return False
        if not stamp.fits(case.revision):
            return False
        first = reply.arrays.get("volume", reply.arrays.get("series"))
        assert first is not None
        case.wanted = ""
        self._show(path, OpenScan(reply.message, first, dict(answers or {})))
        if not self.questions.ask():
            self._prepare(stamp)
        return True

    def _not_open(self, error: EngineError, path: str, answers: dict[str, str]) -> None:
        """Tell why a file did not open; the questions of the one that stays open are asked again."""
        case = self._state.case
        held = case.scan.answers if case.scan is not None else {}
        fresh = [name for name, value in answers.items() if held.get(name) != value]
        wrong = fresh[0] if path == case.path and fresh and not isinstance(error, EngineLost) else ""
        told = case.scan is not None and wrong not in held and self.questions.asks(case.scan, wrong)
        if not told:
            tell_error(self._state, error, f"{SCAN_NOTICE}open")
        if case.phase == "asking" or told:
            self.questions.ask(wrong, error)

    def _show(self, path: str, scan: OpenScan) -> None:
        state, case = self._state, self._state.case
        self._drop_jobs()
        again = case.path == path and case.scan is not None
        state.model.put(result=None, outdated=False, start=0, problem="")
        case.put(recording=None, labels=None, atlas=None, cached=scan.info.cached, problem="", path=path, scan=scan)
        if not again:
            state.edits.clear()
            state.view.put(playing=False, frame=0, selected=(), parcel=-1, crosshair_mm=home_of(scan))
        state.shell.recent = with_recent(state.shell.recent, path)
        save_recent(state.shell.recent)
        case.phase = "asking" if scan.unanswered else "preparing"
        if state.shell.workspace == "cases":
            state.shell.workspace = "view"
        for line in scan.info.notes:
            state.work.note(line)
        space = scan.info.space
        if space is not None and space.verdict == "not_mni" and not self.questions.asks(scan, "space"):
            buttons = (("atlas", tr("action.choose_atlas")),)
            self._tell(Notice(f"{SCAN_NOTICE}space", "warning", space.text, buttons=buttons))

    async def answer(self, question_id: str, value: str) -> None:
        """Open the scan again with one more answer; how the regions are found changes nothing of what was read."""
        case, scan = self._state.case, self._state.case.scan
        if scan is None:
            return
        if question_id != "space":
            await self.open_path(case.path, {**scan.answers, question_id: value})
            return
        self.questions.remember(question_id, value)
        if case.phase == "asking" and not scan.unanswered:
            self._prepare(Stamp.of(case.revision))

    def choose_atlas_for_space(self, atlas_id: str) -> None:
        """Answer the question of space with an atlas made for the scan."""
        self.questions.remember("space", "atlas")
        self.choose_atlas(atlas_id)

    def choose_atlas(self, atlas_id: str) -> None:
        """Make the parcel series of the open scan anew with another atlas."""
        case, scan = self._state.case, self._state.case.scan
        case.atlas_id = atlas_id
        if scan is None or scan.unanswered or not scan.is_volume:
            return
        case.revision += 1
        self._drop_jobs()
        self._state.model.put(result=None, outdated=False, start=0)
        self._state.view.put(playing=False, selected=(), parcel=-1)
        case.put(recording=None, labels=None, atlas=None)
        self._prepare(Stamp.of(case.revision))

    def keep_look(self) -> None:
        """Leave colours and range as they are when the recording arrives: they were restored."""
        self._keep_look = True

    def close_case(self) -> None:
        """Forget the open case; its jobs are asked to stop."""
        state = self._state
        state.case.revision += 1
        self._drop_jobs()
        state.notices.drop(SCAN_NOTICE)
        state.view.put(playing=False, frame=0, selected=(), parcel=-1)
        state.model.put(result=None, outdated=False, running=False)
        state.case.put(recording=None, labels=None, atlas=None, scan=None, path="", cached=False, phase="none")
        state.edits.clear()
        state.shell.workspace = "cases"

    # ------------------------------------------------------------ prepare

    async def prepared(self) -> bool:
        """Wait until the open case has its recording; False when it could not be made."""
        task = self._preparing
        if task is not None:
            await asyncio.wait([task])
        return self._state.case.recording is not None

    def _prepare(self, stamp: Stamp) -> None:
        self._state.case.phase = "preparing"
        self._preparing = self._tasks.start(self._guarded(stamp), tr("caption.stage"))

    def prepare_again(self) -> None:
        """Start the preparation anew, after the engine came back or another atlas was chosen."""
        case = self._state.case
        if case.scan is not None and not case.scan.unanswered and case.recording is None:
            self._prepare(Stamp.of(case.revision))

    async def _guarded(self, stamp: Stamp) -> None:
        case = self._state.case
        try:
            await self._make_recording(stamp)
        except Cancelled:
            if stamp.fits(case.revision):
                case.phase = "failed"
        except EngineLost:
            if stamp.fits(case.revision):
                case.phase = "failed"
        except EngineError as error:
            if stamp.fits(case.revision):
                self._not_prepared(error)

    def _not_prepared(self, error: EngineError) -> None:
        """Tell why there is no recording; positions that do not fit the table are asked for again."""
        case = self._state.case
        table = case.scan is not None and not case.scan.is_volume
        if table and error.code == "bad_input" and self.questions.take_back("positions", error):
            case.put(phase="asking", problem="")
            return
        case.put(phase="failed", problem=str(error))
        tell_error(self._state, error, f"{SCAN_NOTICE}prepare")

    async def _make_recording(self, stamp: Stamp) -> None:
        case, scan = self._state.case, self._state.case.scan
        assert scan is not None
        atlas_id = scan.answers.get("atlas") or case.atlas_id
        if scan.is_volume:
            job = await self._volume_job(stamp, scan, atlas_id)
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
        if self._state.preferences.build_cache and not scan.info.cached:
            params = {"path": case.path, "answers": scan.answers}
            cache = await self._engine.submit("cache", params, tr("job.cache", name=name))
            ids.append(cache.job_id)
            self._tasks.start(self._follow_cache(stamp, cache.job_id), tr("job.cache", name=name))
        self._work = _Work(tuple(ids))
        atlas = await self._shelf.atlas(atlas_id)
        grid = await client.atlas_on_scan(scan.info.scan_id, atlas_id)
        if not stamp.fits(case.revision):
            return None
        case.put(atlas=atlas, labels=LabelGrid(grid.arrays["labels"], scan.affine))
        return job

    async def _follow_cache(self, stamp: Stamp, job_id: str) -> None:
        try:
            await self._engine.finished(job_id)
        except EngineError as error:
            self._state.work.note(str(error))
            return
        if stamp.fits(self._state.case.revision):
            self._state.case.cached = True

    async def _table_job(self, scan: OpenScan) -> JobRecord:
        params: dict[str, object] = {"path": self._state.case.path, "answers": scan.answers}
        places = scan.answers.get("positions", "")
        if places and not any(a.atlas_id == places for a in self._state.shell.atlases):
            params["coordinates_path"] = places
        else:
            params["atlas_id"] = places or scan.info.atlas_id or self._state.case.atlas_id
        job = await self._engine.submit("table", params, tr("job.table", name=scan.info.name))
        self._work = _Work((job.job_id,))
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
        case.put(recording=recording, phase="ready")
        self.questions.settle()
        for line in recording.info.notes:
            state.work.note(line)

    def _drop_jobs(self) -> None:
        """Ask the jobs of the case that is left to stop."""
        for job_id in self._work.ids:
            record = self._state.work.find(job_id)
            if record is not None and not record.state.ended and self._state.engine.status == "ready":
                self._tasks.start(self._engine.client.cancel(job_id), record.title)
        self._work = _Work()

    def _tell(self, notice: Notice) -> None:
        self._state.notices.tell(notice)
        self._state.work.note(f"{notice.text} {notice.next_step}".strip())

    # ------------------------------------------------------------ demo

    async def open_demo(self, n_frames: int = 490) -> bool:
        """Make the demo case (once) and open it."""
        await self._engine.ready()
        job = await self._engine.submit("demo", {"n_frames": n_frames}, tr("job.demo"))
        try:
            record = await self._engine.finished(job.job_id)
        except EngineError as error:
            if error.code != "cancelled":
                tell_error(self._state, error, f"{SCAN_NOTICE}demo")
            return False
        return await self.open_path(str((record.result or {})["path"]))
