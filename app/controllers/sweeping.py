"""The question "How much follows?": a sweep as one job, its curves, its map, its file."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from app.controllers.failures import tell_error
from app.controllers.networks_drawing import called
from app.controllers.veil import veiled
from app.services.engine import EngineService
from app.services.turns import Turns
from app.state import AppState
from app.state.notices import Notice
from app.state.sweep import Swept
from app.text import tr
from app.widgets.ticks import number
from brainlm_engine.api.errors import EngineError
from brainlm_engine.api.networks import write_bytes
from brainlm_engine.api.sweep import MOST_CELLS, Place, SweepSpec

if TYPE_CHECKING:
    from app.controllers.modelling import ModelController
    from app.views.pages.perturb import PerturbPage

KEY, FILE = "perturb:sweep", "perturb:sweep_file"
_ANSWER_S = 0.3  # on two cores, shipped model
_LEAST_SD = 0.05


class SweepController:
    """One sweep at a time; its result stays until the next, or another recording."""

    def __init__(self, state: AppState, engine: EngineService, page: PerturbPage, modelling: ModelController) -> None:
        self._state, self._engine, self._page, self._modelling = state, engine, page, modelling
        self.turns = Turns(page)
        sweep = state.sweep
        for field in ("low", "high", "count", "over", "onsets", "job_id", "result", "chosen"):
            sweep.on(field).connect(self.show)
        state.steer.on("question").connect(self.show)
        state.shell.on("workspace").connect(self.show)
        state.view.on("selected").connect(self.show)
        state.view.on("names_hidden").connect(self.show)
        for field in ("targets", "chosen", "watched"):
            state.perturb.on(field).connect(self.show)
        state.work.on("jobs").connect(self._progress)
        state.case.on("recording").connect(lambda *_: sweep.put(result=None, chosen=0))
        page.sweep.chosen.connect(self._chosen)
        self.show()

    def _chosen(self, field: str, value: Any) -> None:
        sweep = self._state.sweep
        if field == "row":
            if sweep.result is not None and 0 <= value < len(sweep.result.order):
                sweep.put(chosen=sweep.result.order[value])
            return
        sweep.put(**{field: value})

    # ------------------------------------------------------------ the job

    def spec(self) -> SweepSpec | None:
        """Return what is asked for; None without a target that can be swept."""
        state, sweep, perturb = self._state, self._state.sweep, self._state.perturb
        recording, atlas = state.case.recording, state.case.atlas
        if recording is None or not state.sweepable:
            return None
        target = perturb.targets[perturb.chosen]

        def name(region: int) -> str:
            return atlas.name(region) if atlas is not None else str(region + 1)

        places: tuple[Place, ...] = ()
        if sweep.over == "networks" and atlas is not None:
            found: dict[str, list[int]] = {}
            for region, network in enumerate(atlas.info.networks):
                if network and not recording.missing[region]:
                    found.setdefault(network, []).append(region)
            places = tuple(Place(name=called(each), regions=tuple(regions)) for each, regions in found.items())
        elif sweep.over == "selected" and state.view.selected:
            places = tuple(Place(name=name(region), regions=(region,)) for region in state.view.selected)
        else:
            many = tr("perturb.regions", count=len(target.regions))
            whose = name(target.regions[0]) if len(target.regions) == 1 else many
            places = (Place(name=whose, regions=target.regions),)
        starts = sweep.starts(target.start, target.stop - target.start, recording.info.n_frames)
        return SweepSpec(
            scenario=perturb.scenario(), target=perturb.chosen, values=sweep.values(), places=places, starts=starts
        )

    async def run(self) -> bool:
        """Ask the grid as a job; True when it is done."""
        state, sweep, spec = self._state, self._state.sweep, self.spec()
        recording = state.case.recording
        if spec is None or recording is None or sweep.job_id or state.model.model is None:
            return False
        recording_id = recording.info.recording_id
        try:
            scaling = await self._modelling.scaling.ready(state.model.scaling_used)
            params = {
                "recording_id": recording_id, "model_id": state.model.model_id, "scaling": scaling,
                "spec": spec.model_dump(mode="json"),
            }  # fmt: skip
            job = await self._engine.submit("perturb_sweep", params, tr("sweep.job", name=spec.places[0].name))
            sweep.put(job_id=job.job_id)
            await self._engine.finished(job.job_id)
            reply = await self._engine.client.sweep_result(job.job_id)
        except EngineError as error:
            if error.code != "cancelled":
                tell_error(state, error, KEY)
            return False
        finally:
            sweep.put(job_id="")
        now = state.case.recording
        if now is None or now.info.recording_id != recording_id:
            return False
        swept = Swept(reply.message, reply.arrays)
        sweep.put(result=swept, chosen=swept.order[0])
        state.notices.drop(KEY)
        self._last = job.job_id
        return True

    _last = ""

    async def export(self, path: str) -> bool:
        """Write the answers by the ending of ``path``; False when it could not be."""
        try:
            reply = await self._engine.client.sweep_file(self._last, Path(path).name)
            await asyncio.to_thread(write_bytes, reply.arrays["content"].tobytes(), Path(path))
        except EngineError as error:
            tell_error(self._state, error, FILE)
            return False
        self._state.notices.tell(Notice(FILE, "success", tr("sweep.export.done", name=Path(path).name)))
        return True

    async def settled(self) -> None:
        """Wait until everything is drawn."""
        while self.turns.busy:
            await asyncio.sleep(0.005)

    # ------------------------------------------------------------ draw

    @property
    def _on_show(self) -> bool:
        return self._state.shell.workspace == "perturb" and self._state.steer.question == "sweep"

    def show(self, *_: object) -> None:
        """Draw everything, a piece per turn."""
        if self._on_show and self._state.case.recording is not None:
            self.turns.take(self._form, self._brain, self._curves, self._watched, self._figures)
        else:
            self.turns.drop()

    def _progress(self, *_: object) -> None:
        if self._state.sweep.job_id and self._on_show:
            self.turns.take(self._form)

    def _form(self) -> None:
        sweep, spec = self._state.sweep, self.spec()
        told = tr("sweep.waiting")
        job = self._state.work.find(sweep.job_id) if sweep.job_id else None
        if job is not None:
            told = tr("sweep.running", percent=round(100 * job.fraction), stage=job.stage)
        elif spec is not None:
            cells = len(spec.places) * len(spec.starts) * len(spec.values)
            told = tr("sweep.cells", count=cells, seconds=max(1, round(_ANSWER_S * cells)))
            if cells > MOST_CELLS:
                told = tr("sweep.too_many", count=cells, most=MOST_CELLS)
        names = ("low", "high", "count", "onsets", "over")
        self._page.sweep.show_form({name: getattr(sweep, name) for name in names}, told)

    def _name(self, swept: Swept, place: int) -> str:
        line = swept.info.lines[place]
        name = swept.info.places[line.place].name
        if len({each.start for each in swept.info.lines}) == 1:
            return name
        return tr("sweep.row", name=name, start=number(line.start * swept.info.tr_s, 1.0))

    def _brain(self) -> None:
        page, sweep, swept = self._page, self._state.sweep, self._state.sweep.result
        page.brain.set_grips(())
        page.brain.bar.set_unit(tr("sweep.unit"))
        if swept is None:
            page.brain.set_selected(self._state.view.selected)
            page.brain.set_values(None)
            page.brain_box.set_title(tr("sweep.brain.none"))
            return
        values = swept.arrays["gain"][sweep.chosen]
        reach = max(_LEAST_SD, float(np.nanquantile(np.abs(values), 0.98)) if np.isfinite(values).any() else 0.0)
        page.brain.set_selected(swept.info.places[swept.info.lines[sweep.chosen].place].regions)
        page.brain.set_values(values, -reach, reach, "vik")
        page.brain_box.set_title(tr("sweep.brain", name=self._name(swept, sweep.chosen)))

    def _curves(self) -> None:
        """Draw reach over value, a line per place and onset."""
        page, swept = self._page, self._state.sweep.result
        page.response_box.set_waiting("" if swept is not None else tr("sweep.waiting"))
        if swept is None:
            return
        order = swept.order
        lines = []
        for place in order:
            values, rows = swept.line(place)
            lines.append((self._name(swept, place), values, np.array([swept.info.cells[row].reach for row in rows])))
        page.response.set_lines(lines, order.index(self._state.sweep.chosen))

    def _watched(self) -> None:
        """Draw the effect in one region over value."""
        state, page, swept = self._state, self._page, self._state.sweep.result
        page.effect_box.set_waiting("" if swept is not None else tr("sweep.waiting"))
        if swept is None:
            return
        parcel, gains = state.perturb.watched, swept.arrays["gain"][state.sweep.chosen]
        if parcel < 0 and np.isfinite(gains).any():
            parcel = int(np.nanargmax(np.abs(gains)))
        lines = []
        for place in swept.order:
            values, rows = swept.line(place)
            lines.append((self._name(swept, place), values, swept.arrays["effect"][rows, parcel]))
        atlas = state.case.atlas
        name = atlas.name(parcel) if atlas is not None else str(parcel + 1)
        page.effect_box.set_title(tr("sweep.watched", region=name))
        page.effect.set_lines(lines, swept.order.index(state.sweep.chosen))

    def _figures(self) -> None:
        page, sweep, swept = self._page, self._state.sweep, self._state.sweep.result
        if swept is None:
            page.sweep.show_result("", (), -1, "")
            return
        rows = []
        for place in swept.order:
            line, name = swept.info.lines[place], swept.info.places[swept.info.lines[place].place].name
            words = {
                "name": name, "start": number(line.start * swept.info.tr_s, 1.0), "slope": number(line.slope, 0.01),
                "straight": number(100 * line.straight, 1.0),
            }  # fmt: skip
            rows.append((f"{self._name(swept, place)}: {words['slope']}", tr("sweep.said", **words)))
        notes = "\n".join(veiled(self._state, note) for note in swept.info.notes)
        page.sweep.show_result(swept.info.verdict, rows, swept.order.index(sweep.chosen), notes)
