"""The question "Who moves whom?": a job over all regions, its matrix, a region's row or column on the brain."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np

from app.controllers.question import QuestionView
from app.controllers.question_job import QuestionJob
from app.controllers.veil import veiled
from app.services.engine import EngineService
from app.state import AppState
from app.state.effective import EffectiveMap
from app.text import tr
from app.widgets.ticks import number
from brainlm_engine.api.effective import EffectiveInfo

if TYPE_CHECKING:
    from app.controllers.modelling import ModelController
    from app.controllers.pointing import Pointing
    from app.views.pages.perturb import PerturbPage

KEY = "perturb:map"
ROWS = ("with_connectivity", "with_distance", "with_noise", "symmetry")
_TOP, _LEAST_SD = 0.99, 0.02


class EffectiveController(QuestionView):
    """One map at a time; it stays until the next, or another recording."""

    question = "map"

    def __init__(
        self, state: AppState, engine: EngineService, page: PerturbPage, modelling: ModelController, pointing: Pointing
    ) -> None:
        super().__init__(state, page)
        self._engine = engine
        self._drawn: tuple[EffectiveMap | None, str] = (None, "")
        effective = state.effective
        self.job: QuestionJob[EffectiveInfo] = QuestionJob(state, engine, modelling, effective, KEY)
        self.follow(effective, "control", "shown", "direction", "job_id", "result")
        state.work.on("jobs").connect(self._progress)
        state.case.on("recording").connect(lambda *_: effective.put(result=None))
        page.effective.chosen.connect(lambda field, value: effective.put(**{field: value}))
        page.matrix.plot.parcel_clicked.connect(pointing.pick)
        self.follow_the_rest()

    async def run(self) -> bool:
        """Move every region as a job; True when it is done."""
        effective = self._state.effective
        reply = await self.job.find(
            "perturb_effective", {"control": effective.control}, tr("effective.job"),
            self._engine.client.effective_result,
        )  # fmt: skip
        if reply is not None:
            effective.put(result=EffectiveMap(reply.message, reply.arrays))
        return reply is not None

    async def export(self, path: str) -> bool:
        """Write all maps; False when it could not be."""
        return await self.job.export(path, self._engine.client.effective_file, "effective.export.done")

    def pieces(self) -> tuple[Callable[[], object], ...]:
        """Panel, brain, matrix, and what is marked in it."""
        return self._panel, self._brain, self._matrix, self._mark

    def _progress(self, *_: object) -> None:
        if self.on_show and self._state.effective.job_id:
            self.turns.take(self._panel)

    def _panel(self) -> None:
        effective, found = self._state.effective, self._state.effective.result
        told, running = tr("effective.time", minutes=2 if effective.control else 1), self.job.told()
        if running is not None:
            told = tr("effective.running", percent=running[0], stage=running[1])
        notes = "" if found is None else "\n".join(veiled(self._state, note) for note in found.info.notes)
        values = {name: getattr(effective, name) for name in ("control", "shown", "direction")}
        self._page.effective.show_all(values, told, "" if found is None else _table(found), notes)

    def _chosen(self) -> int:
        selected = self._state.view.selected
        return selected[0] if selected else -1

    def _brain(self) -> None:
        state, page, table = self._state, self._page, self._state.effective.on_show
        parcel = self._chosen()
        page.brain.set_selected(state.view.selected)
        page.brain.set_grips(())
        page.brain.bar.set_unit(tr("effective.unit"))
        if table is None or parcel < 0:
            page.brain.set_values(None)
            page.brain_box.set_title(tr("effective.brain.none"))
            return
        out = state.effective.direction == "out"
        values = np.asarray(table[parcel] if out else table[:, parcel], np.float32)
        reach = _reach(values)
        page.brain.set_values(values, -reach, reach, "vik")
        page.brain_box.set_title(tr(f"effective.brain.{state.effective.direction}", region=self.name(parcel)))

    def _matrix(self) -> None:
        state, page, effective = self._state, self._page, self._state.effective
        table = effective.on_show
        waiting = tr("effective.waiting") if effective.result is None else tr("effective.none")
        page.matrix_box.set_waiting("" if table is not None else waiting)
        page.matrix_box.set_title(tr("effective.matrix"))
        now = (effective.result, effective.shown)
        if table is None or now == self._drawn:
            return
        self._drawn = now
        atlas = state.case.atlas
        names = tuple(atlas.info.networks) if atlas is not None else ()
        page.matrix.plot.set_groups(names if len(names) == len(table) else ("",) * len(table))
        reach = _reach(table)
        unit = tr("effective.unit") if effective.shown != "connectivity" else "r"
        page.matrix.set_matrix(np.asarray(table, np.float32), -reach, reach, "vik", unit)

    def _mark(self) -> None:
        if self._state.effective.on_show is not None:
            self._page.matrix.plot.set_chosen(self._chosen(), column=self._state.effective.direction == "into")


def _reach(values: np.ndarray[tuple[int, ...], np.dtype[np.float32]]) -> float:
    known = np.abs(values[np.isfinite(values)])
    return max(_LEAST_SD, float(np.quantile(known, _TOP)) if known.size else 0.0)


def _table(found: EffectiveMap) -> str:
    heads = (("left", "with"), ("right", "rho"))
    head = "".join(f"<th align='{side}'>{tr(f'effective.column.{name}')}</th>" for side, name in heads)
    rows = [
        f"<tr><td>{tr(f'effective.row.{name}')}</td><td align='right'>&nbsp;{number(value, 0.01)}</td></tr>"
        for name in ROWS
        if np.isfinite(value := getattr(found.info, name))
    ]
    return f"<table><tr>{head}</tr>{''.join(rows)}</table>"
