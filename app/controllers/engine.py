"""The engine's life as a person sees it: the chip, the banner when it is lost, its jobs."""

from __future__ import annotations

from app.controllers.failures import LOST, tell_error
from app.controllers.opening import OpenController
from app.controllers.veil import veiled, veiled_job
from app.services.engine import EngineService
from app.services.tasks import Tasks
from app.state import AppState
from app.state.notices import Notice
from app.text import tr
from app.views.main_window import MainWindow
from brainlm_engine.api.errors import EngineError, EngineLost
from brainlm_engine.api.messages import JobRecord, JobState


class EngineController:
    """Connects, notices the end, restarts, follows jobs."""

    def __init__(
        self, state: AppState, engine: EngineService, window: MainWindow, tasks: Tasks, opening: OpenController
    ) -> None:
        self._state, self._engine, self._window, self._tasks, self._opening = state, engine, window, tasks, opening
        self._connect()

    def _connect(self) -> None:
        """All connections of the engine."""
        state, window, engine = self._state, self._window, self._engine
        engine.lost.connect(self._lost)
        engine.job_changed.connect(self._job_changed)
        for field in ("status", "info"):
            state.engine.on(field).connect(lambda _: window.status.chip.set_engine(state.engine))
        state.work.on("jobs").connect(self._jobs_changed)
        state.work.on("log").connect(self._log_changed)
        state.view.on("names_hidden").connect(lambda _: self._jobs_changed(state.work.jobs))
        state.view.on("names_hidden").connect(lambda _: self._log_changed(state.work.log))
        window.jobs.selected.connect(lambda job_id: state.work.put(selected=job_id))

    async def start(self, address: str | None = None) -> bool:
        """Connect, or say why not."""
        state = self._state
        if not await self._engine.connect(address or state.engine.address):
            message = Notice(LOST, "danger", tr("lost.failed"), tr("lost.failed_next"), state.engine.problem)
            state.notices.tell(Notice(**{**message.__dict__, "buttons": (("restart", tr("notice.restart")),)}))
            return False
        state.notices.drop(LOST)
        client = self._engine.client
        state.work.jobs = (await client.jobs()).jobs
        await self.list_atlases()
        return True

    async def list_atlases(self) -> None:
        """Ask which atlases there are; one may have been added from the command line."""
        self._state.shell.atlases = (await self._engine.client.atlases()).atlases

    async def restart(self) -> bool:
        """Bring the engine back and go on with the open case."""
        await self._engine.close()
        if not await self.start():
            return False
        self._state.notices.tell(Notice("engine:back", "success", tr("lost.back")))
        await self._open_again()
        self._opening.preparation.again()
        return True

    async def _open_again(self) -> None:
        """Give the new engine the scan that is on screen, and ask for its slices once more."""
        state, scan = self._state, self._state.case.scan
        if scan is None:
            return
        try:
            await self._engine.client.open_scan(state.case.path, scan.answers)
        except EngineError as error:
            tell_error(state, error, "scan:open")
            return
        if state.case.scan is scan:
            state.view.on("frame").emit(state.view.frame, state.view.frame)

    async def cancel(self, job_id: str) -> None:
        """Ask a job to stop."""
        await self._engine.client.cancel(job_id)

    async def run_again(self, job_id: str) -> None:
        """Start a job that has ended once more, with the parameters it had."""
        job = self._state.work.find(job_id) or await self._engine.client.job(job_id)
        if job.state.ended and not self._opening.preparation.takes(job):
            await self._engine.submit(job.kind, job.params, job.title)

    async def show_log(self, job_id: str) -> None:
        """Put a job's log lines into the Log dock."""
        job = self._state.work.find(job_id)
        log = await self._engine.client.job_log(job_id)
        self._state.work.note(tr("jobs.log_of", title=job.title if job else job_id))
        for line in log.lines:
            self._state.work.note(f"    {line}")
        self._window.show_dock("log", True)

    def _job_changed(self, record: JobRecord) -> None:
        before = self._state.work.find(record.job_id)
        self._state.work.hear(record)
        if before is None or before.state != record.state:
            self._state.work.note(f"{record.title}: {tr(f'jobs.state.{record.state.value}').lower()}")

    def _log_changed(self, lines: tuple[str, ...]) -> None:
        self._window.log.set_lines(tuple(veiled(self._state, line) for line in lines))

    def _jobs_changed(self, jobs: tuple[JobRecord, ...]) -> None:
        if self._state.view.names_hidden:
            jobs = tuple(veiled_job(self._state, job) for job in jobs)
        self._window.jobs.set_jobs(jobs)
        running = [job for job in jobs if job.state is JobState.RUNNING]
        if not running:
            self._window.status.set_work("", None)
            return
        job = running[-1]
        text = tr("job.busy", title=job.title, stage=job.stage, percent=round(100 * job.fraction))
        self._window.status.set_work(text, job.fraction)

    def _lost(self, error: EngineLost) -> None:
        state = self._state
        open_jobs = [job for job in state.work.jobs if not job.state.ended]
        for job in open_jobs:
            state.work.hear(job.model_copy(update={"state": JobState.INTERRUPTED}))
        if not open_jobs:
            what = tr("lost.no_jobs")
        elif len(open_jobs) == 1:
            what = tr("lost.one", title=open_jobs[0].title)
        else:
            what = tr("lost.many", n=len(open_jobs))
        state.model.running = False
        details = "\n".join([str(error), error.details, *(f"{job.title}: {job.stage}" for job in open_jobs)])
        restart = (("restart", tr("notice.restart")),)
        state.notices.tell(Notice(LOST, "danger", tr("lost.text", jobs=what), tr("lost.next"), details, restart))
        state.work.note(str(error))

    def failed(self, error: BaseException, what: str) -> None:
        """Tell of a failure that nobody else took."""
        if isinstance(error, EngineLost):
            return
        if isinstance(error, EngineError):
            tell_error(self._state, error)
            return
        import traceback

        details = "".join(traceback.format_exception(error))
        self._state.work.note(details)
        self._state.notices.tell(
            Notice(f"failed:{what}", "danger", tr("fail.unknown", what=what), tr("fail.unknown_next"), details)
        )
