"""The contrast section of the Attention tab: what can be contrasted, the job, its result, its file."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING, Any

from app.controllers.failures import tell_error
from app.controllers.veil import veiled
from app.services.engine import EngineService
from app.services.latest import Latest
from app.state import AppState
from app.state.attention_maps import Contrasted
from app.state.notices import Notice
from app.text import tr
from brainlm_engine.api.contrast import ContrastChoices
from brainlm_engine.api.contrast_table import write_contrast
from brainlm_engine.api.errors import EngineError

if TYPE_CHECKING:
    from app.views.panels.contrast import ContrastPanel

KEY = "attention:contrast"


class ContrastController:
    """The form follows the cohort; one contrast at a time; its result stays until the next."""

    def __init__(self, state: AppState, engine: EngineService, panel: ContrastPanel) -> None:
        self._state, self._engine, self._panel = state, engine, panel
        self._own: tuple[str, ...] = ()
        self.latest: Latest[str, ContrastChoices] = Latest(engine.client.contrast_choices, self._take, self._failed)
        contrast = state.contrast
        for field in ("cohort", "choices", "column", "first", "second", "what", "people", "job_id", "result", "masked"):
            contrast.on(field).connect(self.show)
        contrast.on("shown").connect(self.show)
        contrast.on("cohort").connect(self._cohort_chosen)
        state.train.on("cohorts").connect(self.show)
        state.view.on("names_hidden").connect(self.show)
        state.work.on("jobs").connect(self._progress)
        panel.chosen.connect(self._chosen)
        if contrast.cohort and contrast.choices is None:
            self._cohort_chosen()
        self.show()

    # ------------------------------------------------------------ the form

    def choose(self, folder: str) -> None:
        """Contrast people of another folder."""
        self._own = tuple(dict.fromkeys((*self._own, folder)))
        self._state.contrast.put(cohort=folder)

    def _chosen(self, field: str, value: Any) -> None:
        contrast = self._state.contrast
        contrast.put(**{field: value})
        if field == "column":
            self._first_values()

    def _first_values(self) -> None:
        contrast = self._state.contrast
        values = contrast.choices.columns.get(contrast.column, ()) if contrast.choices is not None else ()
        contrast.put(first=values[0] if values else "", second=values[1] if len(values) > 1 else "")

    def _cohort_chosen(self, *_: object) -> None:
        contrast = self._state.contrast
        contrast.put(choices=None, column="", first="", second="")
        if contrast.cohort and self._engine.state.status == "ready":
            self.latest.wish(contrast.cohort)

    def _take(self, folder: str, choices: ContrastChoices) -> None:
        contrast = self._state.contrast
        if folder != contrast.cohort:
            return
        contrast.put(choices=choices, column=next(iter(choices.columns), ""))
        self._first_values()
        if choices.problem:
            self._state.notices.tell(Notice(KEY, "warning", choices.problem, choices.next_step))
        else:
            self._state.notices.drop(KEY)

    def _failed(self, error: Exception) -> None:
        if not isinstance(error, EngineError):
            raise error
        tell_error(self._state, error, KEY)

    # ------------------------------------------------------------ show

    def show(self, *_: object) -> None:
        """Show form, progress and result."""
        state, contrast = self._state, self._state.contrast
        known = {cohort.path: cohort.name for cohort in state.train.cohorts}
        known |= {path: Path(path).name for path in (*self._own, contrast.cohort) if path and path not in known}
        columns = contrast.choices.columns if contrast.choices is not None else {}
        names = ("cohort", "column", "first", "second", "what", "people", "shown", "masked")
        self._panel.show_form(
            {path: veiled(state, name) for path, name in known.items()}, columns,
            {name: getattr(contrast, name) for name in names}, self._told(),
        )  # fmt: skip
        found = contrast.result
        if found is None:
            self._panel.show_result("", "", there=False)
            return
        info = found.info
        first_n, second_n = info.people
        kind = "paired" if info.paired else "groups"
        who = tr(
            f"contrast.who.{kind}", n=first_n, first=info.first, second=info.second, first_n=first_n, second_n=second_n
        )
        notes = "\n".join(veiled(state, note) for note in info.notes)
        self._panel.show_result(tr("contrast.result", who=who, verdict=info.verdict), notes, there=True)

    def _told(self) -> str:
        contrast = self._state.contrast
        if contrast.job_id:
            job = self._state.work.find(contrast.job_id)
            if job is None or not job.stage:
                return tr("contrast.waiting")
            return tr("contrast.running", percent=round(100 * job.fraction), stage=job.stage)
        if contrast.choices is not None and contrast.choices.problem:
            return veiled(self._state, contrast.choices.problem)
        if contrast.result is None:
            return tr("contrast.empty")
        info = contrast.result.info
        asked = (contrast.column, contrast.first, contrast.second, contrast.what)
        return "" if asked == (info.column, info.first, info.second, info.what) else tr("contrast.other")

    def _progress(self, *_: object) -> None:
        if self._state.contrast.job_id:
            self.show()

    # ------------------------------------------------------------ the job

    async def run(self) -> bool:
        """Contrast by the form, as a job; True when it is done."""
        state, contrast = self._state, self._state.contrast
        if contrast.job_id or not (contrast.first and contrast.second) or state.model.model is None:
            return False
        params: dict[str, Any] = {
            "model": state.model.model_id, "cohort": contrast.cohort, "column": contrast.column,
            "first": contrast.first, "second": contrast.second, "what": contrast.what, "people": contrast.people,
        }  # fmt: skip
        title = tr("contrast.job", first=contrast.first, second=contrast.second, name=Path(contrast.cohort).name)
        try:
            job = await self._engine.submit("contrast", params, title)
            contrast.put(job_id=job.job_id)
            await self._engine.finished(job.job_id)
            reply = await self._engine.client.contrast_result(job.job_id)
        except EngineError as error:
            if error.code != "cancelled":
                tell_error(state, error, KEY)
            return False
        finally:
            contrast.put(job_id="")
        contrast.put(result=Contrasted(reply.message, reply.arrays), shown="model")
        state.notices.tell(Notice(KEY, "success", tr("contrast.done", verdict=reply.message.verdict)))
        return True

    async def export(self, path: str) -> bool:
        """Write all tests as a table; False when it could not be."""
        state, found = self._state, self._state.contrast.result
        if found is None:
            return False
        try:
            await asyncio.to_thread(write_contrast, found.info, found.arrays, Path(path))
        except EngineError as error:
            tell_error(state, error, KEY)
            return False
        state.notices.tell(Notice(KEY, "success", tr("contrast.export.done", name=Path(path).name)))
        return True
