"""The question "Who moves whom?": a job over all regions, its matrix, a region's row or column on the brain."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from app.controllers.failures import tell_error
from app.controllers.veil import veiled
from app.services.engine import EngineService
from app.services.turns import Turns
from app.state import AppState
from app.state.effective import EffectiveMap
from app.state.notices import Notice
from app.text import tr
from app.widgets.ticks import number
from brainlm_engine.api.errors import EngineError
from brainlm_engine.api.networks import write_bytes

if TYPE_CHECKING:
    from app.controllers.modelling import ModelController
    from app.controllers.pointing import Pointing
    from app.views.pages.perturb import PerturbPage

KEY, FILE = "perturb:map", "perturb:map_file"
ROWS = ("with_connectivity", "with_distance", "with_noise", "symmetry")
_TOP, _LEAST_SD = 0.99, 0.02


class EffectiveController:
    """One map at a time; it stays until the next, or another recording."""

    def __init__(
        self, state: AppState, engine: EngineService, page: PerturbPage, modelling: ModelController, pointing: Pointing
    ) -> None:
        self._state, self._engine, self._page, self._modelling = state, engine, page, modelling
        self._job, self._drawn = "", (None, "")
        self.turns = Turns(page)
        effective = state.effective
        for field in ("control", "shown", "direction", "job_id", "result"):
            effective.on(field).connect(self.show)
        state.steer.on("question").connect(self.show)
        state.shell.on("workspace").connect(self.show)
        state.view.on("selected").connect(self.show)
        state.view.on("names_hidden").connect(self.show)
        state.work.on("jobs").connect(self._progress)
        state.case.on("recording").connect(lambda *_: effective.put(result=None))
        page.effective.chosen.connect(lambda field, value: effective.put(**{field: value}))
        page.matrix.plot.parcel_clicked.connect(pointing.pick)
        self.show()

    # ------------------------------------------------------------ the job

    async def run(self) -> bool:
        """Move every region as a job; True when it is done."""
        state, effective, recording = self._state, self._state.effective, self._state.case.recording
        if recording is None or effective.job_id or state.model.model is None:
            return False
        recording_id = recording.info.recording_id
        try:
            params = {
                "recording_id": recording_id, "model_id": state.model.model_id, "control": effective.control,
                "scaling": await self._modelling.scaling.ready(state.model.scaling_used),
            }  # fmt: skip
            job = await self._engine.submit("perturb_effective", params, tr("effective.job"))
            effective.put(job_id=job.job_id)
            await self._engine.finished(job.job_id)
            reply = await self._engine.client.effective_result(job.job_id)
        except EngineError as error:
            if error.code != "cancelled":
                tell_error(state, error, KEY)
            return False
        finally:
            effective.put(job_id="")
        now = state.case.recording
        if now is None or now.info.recording_id != recording_id:
            return False
        self._job = job.job_id
        effective.put(result=EffectiveMap(reply.message, reply.arrays))
        return True

    async def export(self, path: str) -> bool:
        """Write all maps; False when it could not be."""
        try:
            reply = await self._engine.client.effective_file(self._job, Path(path).name)
            await asyncio.to_thread(write_bytes, reply.arrays["content"].tobytes(), Path(path))
        except EngineError as error:
            tell_error(self._state, error, FILE)
            return False
        self._state.notices.tell(Notice(FILE, "success", tr("effective.export.done", name=Path(path).name)))
        return True

    async def settled(self) -> None:
        """Wait until everything is drawn."""
        while self.turns.busy:
            await asyncio.sleep(0.005)

    # ------------------------------------------------------------ draw

    @property
    def _on_show(self) -> bool:
        return self._state.shell.workspace == "perturb" and self._state.steer.question == "map"

    def show(self, *_: object) -> None:
        """Draw everything, a piece per turn."""
        if self._on_show and self._state.case.recording is not None:
            self.turns.take(self._panel, self._brain, self._matrix, self._mark)
        else:
            self.turns.drop()

    def _progress(self, *_: object) -> None:
        if self._state.effective.job_id and self._on_show:
            self.turns.take(self._panel)

    def _panel(self) -> None:
        effective, found = self._state.effective, self._state.effective.result
        job = self._state.work.find(effective.job_id) if effective.job_id else None
        told = tr("effective.time", minutes=2 if effective.control else 1)
        if job is not None:
            told = tr("effective.running", percent=round(100 * job.fraction), stage=job.stage)
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
        atlas = state.case.atlas
        name = atlas.name(parcel) if atlas is not None else str(parcel + 1)
        page.brain_box.set_title(tr(f"effective.brain.{state.effective.direction}", region=name))

    def _matrix(self) -> None:
        state, page, effective = self._state, self._page, self._state.effective
        table = effective.on_show
        waiting = tr("effective.waiting") if effective.result is None else tr("effective.none")
        page.matrix_box.set_waiting("" if table is not None else waiting)
        page.matrix_box.set_title(tr("effective.matrix"))
        now = (effective.result, effective.shown)
        if table is None or now == self._drawn:
            return
        self._drawn = now  # type: ignore[assignment]
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
