"""Opening a scan: first volume at once, questions in the strip, parcel series made by the engine behind it."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from pathlib import Path
from typing import Any

from app.controllers.display import home_of
from app.controllers.failures import tell_error
from app.controllers.preparing import BREATH_S, Preparation
from app.controllers.questions import SCAN_NOTICE, Questions
from app.services.engine import EngineService
from app.services.preferences import save_recent, with_recent
from app.services.shelf import Shelf
from app.services.tasks import Tasks
from app.state import AppState
from app.state.data import OpenScan
from app.state.edits import Request
from app.state.notices import Notice
from app.state.parts import Phase
from app.state.stamps import Stamp
from app.text import tr
from brainlm_engine.api.errors import EngineError, EngineLost


class OpenController:
    """One case at a time; whatever comes back about an earlier one is dropped.

    An answer about the file and a chosen atlas are steps that can be undone: the former state is asked for again.
    """

    def __init__(self, state: AppState, engine: EngineService, shelf: Shelf, tasks: Tasks) -> None:
        self._state, self._engine, self._tasks = state, engine, tasks
        self.questions = Questions(state)
        self.preparation = Preparation(state, engine, shelf, tasks, self.questions)
        self._before: Phase = "none"

    # ------------------------------------------------------------ open

    async def open_path(self, path: str, answers: dict[str, str] | None = None, atlas_id: str = "") -> bool:
        """Open ``path`` and show its first volume; True when it is on screen. Preparation goes on behind it.

        ``atlas_id`` is the atlas for this case; '' takes the preferred one for a new case.
        """
        case = self._state.case
        case.revision += 1
        stamp = Stamp.of(case.revision)
        if case.phase != "opening":  # else another file is on its way and gives way to this one
            self._before = case.phase
        self._state.notices.drop(SCAN_NOTICE)
        case.put(wanted=path, phase="opening")
        self._state.work.note(tr("open.busy", name=Path(path).name))
        try:
            await self._engine.ready()
            reply = await self._engine.client.open_scan(path, answers or {})
        except EngineError as error:
            if stamp.fits(case.revision):
                case.put(wanted="", phase=self._before if case.scan is not None else "none")
                self._not_open(error, path, answers or {})
                if case.phase == "preparing":  # what was under way belonged to the revision before
                    self.preparation.drop()
                    self.preparation.again()
            return False
        if not stamp.fits(case.revision):
            return False
        first = reply.arrays.get("volume", reply.arrays.get("series"))
        assert first is not None
        scan = OpenScan(reply.message, first, dict(answers or {}))
        self._hold(path, scan, atlas_id)
        await asyncio.sleep(BREATH_S)
        self._remember(path)
        if not stamp.fits(case.revision):
            return False
        await asyncio.sleep(BREATH_S)
        if not stamp.fits(case.revision):
            return False
        case.wanted = ""
        self._show(scan)
        if not self.questions.ask():
            self.preparation.start()
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
        self.questions.ask(wrong if told else "", error)

    def _hold(self, path: str, scan: OpenScan, atlas_id: str) -> None:
        """Make ``scan`` the open one."""
        state, case = self._state, self._state.case
        self.preparation.drop()
        again = case.path == path and case.scan is not None
        state.model.put(result=None, outdated=False, start=0, problem="")
        case.put(recording=None, labels=None, atlas=None, cached=scan.info.cached, problem="", path=path, scan=scan)
        case.atlas_id = atlas_id or (case.atlas_id if again else state.preferences.atlas_id)
        if not again:
            state.edits.clear()
            self.questions.dismissed.clear()
            state.view.put(playing=False, frame=0, selected=(), parcel=-1, crosshair_mm=home_of(scan))
        case.phase = "asking" if scan.unanswered else "preparing"

    def _remember(self, path: str) -> None:
        shell = self._state.shell
        shell.recent = with_recent(shell.recent, path)
        save_recent(shell.recent)

    def _show(self, scan: OpenScan) -> None:
        """Go to the page that shows ``scan``, and say what is to say of it."""
        state = self._state
        if state.shell.workspace == "cases":
            state.shell.workspace = "view"
        for line in scan.info.notes:
            state.work.note(line)
        space = scan.info.space
        if space is not None and space.verdict == "not_mni" and not self.questions.asks(scan, "space"):
            buttons = (("atlas", tr("action.choose_atlas")),)
            self._tell(Notice(f"{SCAN_NOTICE}space", "warning", space.text, buttons=buttons))

    # ------------------------------------------------------------ answers and atlas

    async def answer(self, question_id: str, value: str) -> None:
        """Take an answer: the scan is read or its parcel series are made again, as far as the answer changes them."""
        state, case, scan = self._state, self._state.case, self._state.case.scan
        if scan is None:
            return
        path, selected = case.path, state.view.selected
        before, after = dict(scan.answers), {**scan.answers, question_id: value}
        if before == after:
            self.questions.drop(question_id)
            return
        if not await self._read_with(after) or case.path != path:
            return
        state.edits.took(
            Request(
                tr("edit.answer"),
                f"answer:{question_id}",
                lambda: self._start(self._read_with(after)),
                lambda: self._start(self._read_with(before, selected)),
            )
        )

    async def _read_with(self, answers: dict[str, str], selected: tuple[int, ...] | None = None) -> bool:
        """Bring the open scan to ``answers``; True when it is there. ``selected`` None keeps the parcels selected."""
        case, scan = self._state.case, self._state.case.scan
        if scan is None:
            return False
        now, then = scan.read_with(scan.answers), scan.read_with(answers)
        changed = {name for name in now.keys() | then.keys() if now.get(name) != then.get(name)}
        if not changed:
            self.questions.set_answers(answers)  # a default confirmed: what is on screen stays
            return True
        if changed == {"space"}:  # how the regions are found changes nothing of what was read
            self._remake(case.atlas_id, answers, self._state.view.selected if selected is None else selected)
            return True
        if not await self.open_path(case.path, answers):
            return False
        if selected is not None:
            self._state.view.selected = selected
        return True

    def choose_atlas_for_space(self, atlas_id: str) -> None:
        """Answer the question of space with an atlas made for the scan."""
        scan = self._state.case.scan
        if scan is not None:
            self._choose(atlas_id, {**scan.answers, "space": "atlas"}, "answer:space", tr("edit.answer"))

    def choose_atlas(self, atlas_id: str) -> None:
        """Make the parcel series of the open scan anew with another atlas."""
        scan = self._state.case.scan
        if scan is not None and scan.is_volume:
            self._choose(atlas_id, dict(scan.answers), "atlas", tr("edit.atlas"))

    def _choose(self, atlas_id: str, answers: dict[str, str], key: str, label: str) -> None:
        case, scan = self._state.case, self._state.case.scan
        assert scan is not None
        former, before, selected = case.atlas_id, dict(scan.answers), self._state.view.selected
        if (former, before) == (atlas_id, answers):
            self._remake(atlas_id, answers, selected)
            return
        self._state.edits.do(
            Request(
                label,
                key,
                lambda: self._remake(atlas_id, answers, ()),
                lambda: self._remake(former, before, selected),
            )
        )

    def _remake(self, atlas_id: str, answers: dict[str, str], selected: tuple[int, ...]) -> None:
        """Make the parcel series of the scan on screen anew, or wait for what must be answered first."""
        state, case = self._state, self._state.case
        if case.scan is None:
            return
        case.revision += 1
        self.preparation.drop()
        state.model.put(result=None, outdated=False, start=0)
        case.put(recording=None, labels=None, atlas=None, atlas_id=atlas_id)
        state.view.put(playing=False, selected=selected, parcel=-1)
        self.questions.set_answers(answers)
        if case.scan.unanswered:
            case.phase = "asking"
        else:
            self.preparation.start()

    def _start(self, work: Coroutine[Any, Any, Any]) -> None:
        self._tasks.start(work, tr("edit.answer"))

    # ------------------------------------------------------------ close

    def close_case(self) -> None:
        """Forget the open case; its jobs are asked to stop."""
        state = self._state
        state.case.revision += 1
        self.preparation.drop()
        state.notices.drop(SCAN_NOTICE)
        state.view.put(playing=False, frame=0, selected=(), parcel=-1)
        state.model.put(result=None, outdated=False, running=False)
        state.case.put(recording=None, labels=None, atlas=None, scan=None, path="", cached=False, phase="none")
        state.edits.clear()
        state.shell.workspace = "cases"

    async def prepared(self) -> bool:
        """Wait until the open case has its recording; False when it could not be made."""
        return await self.preparation.done()

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
