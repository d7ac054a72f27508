"""Cohorts to train on: those known here, the demo cohort, a folder the person chooses."""

from __future__ import annotations

from typing import TYPE_CHECKING

from app.controllers.failures import tell_error
from app.controllers.veil import veiled
from app.services.engine import EngineService
from app.services.tasks import Tasks
from app.state import AppState
from app.state.notices import Notice
from app.text import tr
from brainlm_engine.api.errors import EngineError
from brainlm_engine.api.training import CohortInfo

if TYPE_CHECKING:
    from app.views.panels.cohort import CohortPanel

KEY = "train:cohort"


class CohortController:
    """Lists, makes, looks at; a folder that is no cohort becomes one sentence and changes nothing."""

    def __init__(self, state: AppState, engine: EngineService, panel: CohortPanel, tasks: Tasks) -> None:
        self._state, self._engine, self._panel, self._tasks = state, engine, panel, tasks
        self._looked: dict[str, CohortInfo] = {}
        train = state.train
        for field in ("cohorts", "cohort", "making"):
            train.on(field).connect(self.show)
        state.work.on("jobs").connect(self._progress)
        state.view.on("names_hidden").connect(self.show)
        panel.cohort_chosen.connect(lambda path: state.edits.set(tr("edit.training"), train, cohort=path))
        self.show()

    def show(self, *_: object) -> None:
        """Show list, facts, and how far a demo cohort is."""
        train = self._state.train
        job, making = self._state.work.find(train.making), ""
        if job is not None:
            making = tr("train.cohort.making", title=job.title, percent=round(100 * job.fraction))
        named = {cohort.path: veiled(self._state, cohort.name) for cohort in train.cohorts}
        self._panel.show_cohorts(named, train.chosen, making)

    def _progress(self, *_: object) -> None:
        if self._state.train.making:
            self.show()

    async def load(self) -> None:
        """List the cohorts; a chosen one that is not among them is looked at, and the first takes the place of none."""
        known = (await self._engine.client.cohorts()).cohorts
        paths = {cohort.path for cohort in known}
        train = self._state.train
        train.cohorts = (*known, *(info for path, info in self._looked.items() if path not in paths))
        if train.chosen is None and train.cohort:  # remembered from an earlier day
            info = await self._engine.client.inspect_cohort(train.cohort)
            if not info.problem:
                self._looked[info.path] = info
                train.cohorts = (*train.cohorts, info)
        if train.chosen is None and train.cohorts:
            train.cohort = train.cohorts[0].path

    async def make(self, size: str) -> bool:
        """Make a demo cohort and choose it; True when it is there."""
        train, state = self._state.train, self._state
        try:
            job = await self._engine.submit("demo_cohort", {"size": size}, tr("job.demo_cohort"))
            train.making = job.job_id
            done = await self._engine.finished(job.job_id)
            result = done.result or {}
            await self.load()
            train.cohort = str(result["out"])
            state.notices.tell(Notice(KEY, "success", tr("train.cohort.made", n=result["n_people"])))
        except EngineError as error:
            if error.code != "cancelled":
                tell_error(state, error, KEY)
            return False
        finally:
            train.making = ""
        return True

    async def choose(self, path: str) -> bool:
        """Look at a folder and choose it; False, and one sentence, when nothing can be trained on it."""
        state = self._state
        state.train.wanted = path
        try:
            info = await self._engine.client.inspect_cohort(path)
        except EngineError as error:
            tell_error(state, error, KEY)
            return False
        if info.problem:
            state.notices.tell(Notice(KEY, "warning", info.problem, info.next_step))
            return False
        state.notices.drop(KEY)
        self._looked[info.path] = info
        rest = tuple(cohort for cohort in state.train.cohorts if cohort.path != info.path)
        state.train.cohorts = (*rest, info)
        state.edits.set(tr("edit.training"), state.train, cohort=info.path)
        return True
