"""Two scans side by side: a second scan on the crosshair and the time cursor of the open one."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from app.controllers.comparison_slices import SecondSlices
from app.controllers.failures import tell_error
from app.services.engine import EngineService
from app.services.tasks import Tasks
from app.state import AppState
from app.state.data import OpenScan
from app.state.notices import Notice
from app.state.stamps import Stamp
from app.text import tr
from brainlm_engine.api.errors import EngineError
from brainlm_engine.api.messages import ScanInfo

if TYPE_CHECKING:
    from app.controllers.pointing import Pointing
    from app.theme import Theme
    from app.views.pages.view import ViewPage

COMPARE_NOTICE = "compare:open"


class CompareController:
    """Opens and closes the second scan; one comparison at a time, and only beside an open 4D scan."""

    def __init__(
        self, state: AppState, engine: EngineService, page: ViewPage, pointing: Pointing, tasks: Tasks
    ) -> None:
        self._state, self._engine, self._tasks = state, engine, tasks
        self._job = ""
        self._shown = SecondSlices(state, engine, page, pointing)
        state.case.on("scan").connect(self._first_changed)
        state.engine.on("status").connect(self._engine_changed)

    # ------------------------------------------------------------ open, close

    async def open_path(self, path: str | Path) -> bool:
        """Show the scan at ``path`` beside the open one; True when it is on screen."""
        path = str(path)
        compare, case = self._state.compare, self._state.case
        if case.scan is None or not case.scan.is_volume:
            return False
        compare.revision += 1
        stamp = Stamp.of(compare.revision)
        self._state.notices.drop(COMPARE_NOTICE)
        compare.put(known=tuple(dict.fromkeys((*compare.known, path))), beside=case.path, wanted=path)
        self._state.work.note(tr("open.busy", name=Path(path).name))
        try:
            await self._engine.ready()
            reply = await self._engine.client.open_scan(path, {})
        except EngineError as error:
            if stamp.fits(compare.revision):
                compare.wanted = ""
                tell_error(self._state, error, COMPARE_NOTICE)
            return False
        if not stamp.fits(compare.revision):
            return False
        compare.wanted = ""
        if reply.message.kind != "volume":
            text = tr("compare.table", name=reply.message.name)
            self._tell(Notice(COMPARE_NOTICE, "warning", text, tr("compare.table_next")))
            return False
        self._show(path, OpenScan(reply.message, reply.arrays["volume"]), stamp)
        return True

    def _show(self, path: str, scan: OpenScan, stamp: Stamp) -> None:
        state = self._state
        self._drop_job()
        state.compare.put(path=path, cached=scan.info.cached, scan=scan)
        state.shell.workspace = "view"
        for line in scan.info.notes:
            state.work.note(line)
        if state.preferences.build_cache and not scan.info.cached:
            self._tasks.start(self._make_quick(stamp, path, scan.info), tr("job.cache", name=scan.info.name))

    def close(self) -> None:
        """Show the open scan alone again; what is on its way for the second is dropped."""
        compare = self._state.compare
        compare.revision += 1
        self._drop_job()
        self._state.notices.drop(COMPARE_NOTICE)
        compare.put(wanted="", path="", beside="", cached=False, scan=None)

    def _first_changed(self, *_: object) -> None:
        """A comparison ends with the scan it was made beside; an answer about that scan does not end it."""
        compare, case = self._state.compare, self._state.case
        if not compare.wished:
            return
        gone = case.scan is None or not case.scan.is_volume
        if gone or case.path != compare.beside:
            self.close()

    def _engine_changed(self, status: str) -> None:
        """A new engine knows nothing of the second scan."""
        path = self._state.compare.path
        if status == "ready" and path:
            self._tasks.start(self.open_path(path), tr("action.compare"))

    # ------------------------------------------------------------ quick copy

    async def _make_quick(self, stamp: Stamp, path: str, info: ScanInfo) -> None:
        """Let the engine make the scan quick to look at; ``FastCopies`` hears when it is."""
        try:
            params = {"path": path, "answers": {}}
            job = await self._engine.submit("cache", params, tr("job.cache", name=info.name))
        except EngineError as error:
            self._state.work.note(str(error))
            return
        if stamp.fits(self._state.compare.revision):
            self._job = job.job_id

    def _drop_job(self) -> None:
        """Ask the job of a scan that is left to stop."""
        record = self._state.work.find(self._job)
        self._job = ""
        if record is not None and not record.state.ended and self._state.engine.status == "ready":
            self._tasks.start(self._engine.client.cancel(record.job_id), record.title)

    # ------------------------------------------------------------ the rest of the program

    async def settled(self) -> None:
        """Wait until no slice of the second scan is on its way."""
        await self._shown.latest.settled()

    async def stop(self) -> None:
        """Give up the request that is on its way."""
        await self._shown.latest.stop()

    def set_theme(self, theme: Theme) -> None:
        """Repaint the second scan."""
        self._shown.set_theme(theme)

    def _tell(self, notice: Notice) -> None:
        self._state.notices.tell(notice)
        self._state.work.note(f"{notice.text} {notice.next_step}".strip())
