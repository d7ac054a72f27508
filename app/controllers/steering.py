"""The question "What would it take?": the form, a search that is watched while it runs, its answer, its file."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING, Any

from app.controllers.failures import tell_error
from app.controllers.other_recording import read_other
from app.controllers.question_job import export_file
from app.controllers.steer_drawing import SteerDrawing
from app.services.engine import EngineService
from app.services.latest import Latest
from app.state import AppState
from app.state.notices import Notice
from app.state.steer import Growing, Steered
from app.text import tr
from brainlm_engine.api.contrast import ContrastChoices
from brainlm_engine.api.errors import Cancelled, EngineError
from brainlm_engine.api.steer import SteerSpec

if TYPE_CHECKING:
    from app.controllers.modelling import ModelController
    from app.views.pages.perturb import PerturbPage

KEY, FILE, COHORT = "steer:one", "steer:file", "steer:cohort"
_LOOK_S = 0.25
#: recording, model, question, scaling
Wish = tuple[str, str, SteerSpec, str]


class SteerController:
    """One search at a time; what is on screen belongs to the form, or says that it does not."""

    def __init__(self, state: AppState, engine: EngineService, page: PerturbPage, modelling: ModelController) -> None:
        self._state, self._engine, self._page, self._modelling = state, engine, page, modelling
        self._own: tuple[str, ...] = ()
        self._answered: Wish | None = None
        self._task: asyncio.Task[None] | None = None
        self._ending: asyncio.Task[None] | None = None
        self._making = ""
        self.drawing = SteerDrawing(state, page)
        self.choices: Latest[str, ContrastChoices] = Latest(
            engine.client.contrast_choices, self._take_choices, self._no_choices
        )
        steer = state.steer
        steer.on("cohort").connect(self._cohort_chosen)
        for field in (
            "question", "aim", "files", "named", "cohort", "choices", "column", "first", "second", "state", "form",
            "where", "sparsity", "restarts", "shuffles",
        ):  # fmt: skip
            steer.on(field).connect(self.show)
        state.perturb.on("targets").connect(self.show)
        state.view.on("selected").connect(self._look_again)
        state.view.on("names_hidden").connect(self.show)
        state.train.on("cohorts").connect(self.show)
        state.work.on("jobs").connect(self._progress)
        state.model.on("model_id").connect(self._look_again)
        state.model.on("scaling").connect(self._look_again)
        state.case.on("recording").connect(self._recording_changed)
        page.question.chosen.connect(lambda name: steer.put(question=name))
        page.aim.chosen.connect(self._chosen)
        page.take.shown_chosen.connect(lambda name: steer.put(shown=name))
        if steer.cohort and steer.choices is None:
            self._cohort_chosen()
        self.show()

    # ------------------------------------------------------------ the form

    def choose_cohort(self, folder: str) -> None:
        """Ask people of another folder."""
        self._own = tuple(dict.fromkeys((*self._own, folder)))
        if folder == self._state.steer.cohort:
            self._cohort_chosen()
        self._state.steer.put(cohort=folder, aim="contrast")

    async def choose_file(self, path: str) -> bool:
        """Aim at the state of the recording at ``path``; False when it cannot be read."""
        state, recording = self._state, self._state.case.recording
        if recording is None:
            return False
        state.notices.drop(FILE)
        state.steer.put(files=(), named=tr("steer.files.reading"), aim="recordings")
        try:
            found = await read_other(state, self._engine, path, recording.info.atlas_id)
        except EngineError as error:
            state.steer.put(named="")
            tell_error(state, error, FILE)
            return False
        if state.case.recording is not recording:
            return False
        state.steer.put(files=(found,), named=Path(path).name)
        return True

    async def make_demo(self) -> bool:
        """Make people at rest and in a visual task, and aim at what it does to them; True when they are there."""
        state = self._state
        try:
            job = await self._engine.submit("demo_cohort", {"size": "tasks"}, tr("job.demo_group"))
            self._making = job.job_id
            record = await self._engine.finished(job.job_id)
        except EngineError as error:
            if error.code != "cancelled":
                tell_error(state, error, COHORT)
            return False
        finally:
            self._making = ""
            self.show()
        self.choose_cohort(str((record.result or {})["out"]))
        await self.choices.settled()
        return True

    def _chosen(self, field: str, value: Any) -> None:
        self._state.steer.put(**{field: value})
        if field == "column":
            self._first_values()

    def _first_values(self) -> None:
        steer = self._state.steer
        values = steer.choices.columns.get(steer.column, ()) if steer.choices is not None else ()
        steer.put(first=values[0] if values else "", second=values[1] if len(values) > 1 else "")

    def _cohort_chosen(self, *_: object) -> None:
        steer = self._state.steer
        steer.put(choices=None, column="", first="", second="")
        if steer.cohort and self._engine.state.status == "ready":
            self.choices.wish(steer.cohort)

    def _take_choices(self, folder: str, choices: ContrastChoices) -> None:
        steer = self._state.steer
        if folder != steer.cohort:
            return
        steer.put(choices=choices, column=next(iter(choices.columns), ""))
        self._first_values()
        if choices.problem:
            self._state.notices.tell(Notice(COHORT, "warning", choices.problem, choices.next_step))
        else:
            self._state.notices.drop(COHORT)

    def _no_choices(self, error: Exception) -> None:
        if not isinstance(error, EngineError):
            raise error
        tell_error(self._state, error, COHORT)

    def show(self, *_: object) -> None:
        """Show the form, and whether the answer still belongs to it."""
        self.drawing.form(self._own, self._job())
        self._look_again()

    def _job(self) -> int:
        """Return how far the demo group is, percent; -1 = it is not being made."""
        job = self._state.work.find(self._making) if self._making else None
        return round(100 * job.fraction) if job is not None else (0 if self._making else -1)

    def _progress(self, *_: object) -> None:
        if self._making:
            self.drawing.form(self._own, self._job())

    def _look_again(self, *_: object) -> None:
        steer = self._state.steer
        steer.put(outdated=steer.result is not None and self.wish() != self._answered)

    def _recording_changed(self, *_: object) -> None:
        self._answered = None
        self.give_up()
        self._state.notices.drop("steer:")
        self._state.steer.put(result=None, curve=(), growing=None, problem="", outdated=False, files=(), named="")

    # ------------------------------------------------------------ the search

    def wish(self) -> Wish | None:
        """Return what the form asks for; None while something is missing."""
        state, recording = self._state, self._state.case.recording
        if recording is None or state.model.model is None or not state.steer.ready:
            return None
        if state.steer.aim == "activity" and not state.perturb.targets:
            return None
        spec = state.steer.spec(state.perturb.targets, state.view.selected)
        return (recording.info.recording_id, state.model.model_id, spec, state.model.scaling_used)

    async def search(self) -> Steered | None:
        """Search by the form; None when nothing came of it."""
        steer, wish = self._state.steer, self.wish()
        if wish is None or steer.running:
            return None
        self._state.notices.drop(KEY)
        steer.put(running=True, stage=tr("steer.reading"), curve=(), growing=None, problem="")
        self._task = asyncio.get_running_loop().create_task(self._search(wish))
        await asyncio.shield(self._task)
        return steer.result if not steer.outdated and not steer.problem else None

    async def _search(self, wish: Wish) -> None:
        steer = self._state.steer
        recording_id, model_id, spec, scaling = wish
        watching = asyncio.get_running_loop().create_task(self._watch())
        try:
            ready = await self._modelling.scaling.ready(scaling)
            reply = await self._engine.client.steer(recording_id, model_id, spec, ready)
        except EngineError as error:
            if not isinstance(error, Cancelled):
                steer.put(problem=error.message)
                tell_error(self._state, error, KEY)
            return
        finally:
            watching.cancel()
            steer.put(running=False, stage="", growing=None)
        recording = self._state.case.recording
        if recording is None or recording.info.recording_id != recording_id:
            return  # its recording is gone
        self._answered = wish
        self._state.perturb.put(watched=-1)
        steer.put(result=Steered(reply.message, reply.arrays), outdated=self.wish() != wish)

    async def _watch(self) -> None:
        """Look where the search is, a few times a second."""
        steer = self._state.steer
        while True:
            await asyncio.sleep(_LOOK_S)
            try:
                reply = await self._engine.client.steer_so_far()
            except EngineError:
                return  # the search itself tells what is wrong
            if reply.message.running:
                values = reply.arrays["magnitude"]
                growing = Growing(values) if values.size else None
                steer.put(stage=reply.message.stage, curve=reply.message.curve, growing=growing)

    async def enough(self) -> None:
        """End the search: the best so far is the answer."""
        if self._state.steer.running:
            await self._end(keep=True)

    def give_up(self) -> None:
        """End the search without an answer."""
        if self._state.steer.running:
            self._ending = asyncio.get_running_loop().create_task(self._end(keep=False))

    async def _end(self, *, keep: bool) -> None:
        try:
            await self._engine.client.steer_end(keep=keep)
        except EngineError as error:
            tell_error(self._state, error, KEY)

    async def settled(self) -> None:
        """Wait until nothing is on its way."""
        await self.choices.settled()
        if self._task is not None and not self._task.done():
            await asyncio.shield(self._task)
        await self.drawing.settled()

    async def stop(self) -> None:
        """Give up what is on its way."""
        await self.choices.stop()
        if self._task is not None and not self._task.done():
            await self._end(keep=False)
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    # ------------------------------------------------------------ files

    async def export(self, path: str) -> bool:
        """Write the change by the ending of ``path``; False when it could not be."""
        content = self._engine.client.steer_file(Path(path).name)
        return await export_file(self._state, content, path, (FILE, "steer.export.done"))
