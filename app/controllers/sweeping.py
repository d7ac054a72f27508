"""The question "How much follows?": a sweep as one job, its curves, its map, its file."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from app.controllers.networks_drawing import called
from app.controllers.question import QuestionView
from app.controllers.question_job import QuestionJob
from app.controllers.veil import veiled
from app.services.engine import EngineService
from app.state import AppState
from app.state.sweep import Swept
from app.text import tr
from app.widgets.ticks import number
from brainlm_engine.api.sweep import MOST_CELLS, MOST_NETWORKS, Place, SweepInfo, SweepSpec

if TYPE_CHECKING:
    from app.controllers.modelling import ModelController
    from app.views.pages.perturb import PerturbPage

KEY = "perturb:sweep"
_ANSWER_S = 0.3  # on two cores, shipped model
_LEAST_SD = 0.05


class SweepController(QuestionView):
    """One sweep at a time; its result stays until the next, or another recording."""

    question = "sweep"

    def __init__(self, state: AppState, engine: EngineService, page: PerturbPage, modelling: ModelController) -> None:
        super().__init__(state, page)
        self._engine = engine
        sweep = state.sweep
        self.job: QuestionJob[SweepInfo] = QuestionJob(state, engine, modelling, sweep, KEY)
        self.follow(sweep, "low", "high", "count", "over", "onsets", "job_id", "result", "chosen")
        self.follow(state.perturb, "targets", "chosen", "watched")
        state.work.on("jobs").connect(self._progress)
        state.case.on("recording").connect(lambda *_: sweep.put(result=None, chosen=0))
        page.sweep.chosen.connect(self._chosen)
        self.follow_the_rest()

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
        recording = state.case.recording
        if recording is None or not state.sweepable:
            return None
        target = perturb.targets[perturb.chosen]
        places: tuple[Place, ...] = ()
        if sweep.over == "selected":
            places = tuple(Place(name=self.name(region), regions=(region,)) for region in state.view.selected)
        return SweepSpec(
            scenario=perturb.scenario(), target=perturb.chosen, values=sweep.values(), places=places,
            networks=sweep.over == "networks",
            starts=sweep.starts(target.start, target.stop - target.start, recording.info.n_frames),
        )  # fmt: skip

    async def run(self) -> bool:
        """Ask the grid as a job; True when it is done."""
        sweep, spec = self._state.sweep, self.spec()
        if spec is None:
            return False
        reply = await self.job.find(
            "perturb_sweep", {"spec": spec.model_dump(mode="json")}, tr("sweep.job"), self._engine.client.sweep_result
        )
        if reply is None:
            return False
        swept = Swept(reply.message, reply.arrays)
        sweep.put(result=swept, chosen=swept.order[0])
        return True

    async def export(self, path: str) -> bool:
        """Write the answers by the ending of ``path``; False when it could not be."""
        return await self.job.export(path, self._engine.client.sweep_file, "sweep.export.done")

    # ------------------------------------------------------------ draw

    def pieces(self) -> tuple[Callable[[], object], ...]:
        """Form, brain, both drawings of curves, figures."""
        return self._form, self._brain, self._curves, self._watched, self._figures

    def _progress(self, *_: object) -> None:
        if self.on_show and self._state.sweep.job_id:
            self.turns.take(self._form)

    def _form(self) -> None:
        sweep, spec = self._state.sweep, self.spec()
        told = tr("sweep.waiting")
        running = self.job.told()
        if running is not None:
            told = tr("sweep.running", percent=running[0], stage=running[1])
        elif spec is not None:
            places = MOST_NETWORKS if spec.networks else max(1, len(spec.places))
            cells = places * len(spec.starts) * len(spec.values)
            told = tr("sweep.cells", count=cells, seconds=max(1, round(_ANSWER_S * cells)))
            if cells > MOST_CELLS:
                told = tr("sweep.too_many", count=cells, most=MOST_CELLS)
        names = ("low", "high", "count", "onsets", "over")
        self._page.sweep.show_form({name: getattr(sweep, name) for name in names}, told)

    @staticmethod
    def _place(swept: Swept, place: int) -> str:
        name = swept.info.places[swept.info.lines[place].place].name
        return called(name) if swept.info.spec.networks else name

    def _name(self, swept: Swept, place: int) -> str:
        line = swept.info.lines[place]
        name = self._place(swept, place)
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
        page.effect_box.set_title(tr("sweep.watched", region=self.name(parcel)))
        page.effect.set_lines(lines, swept.order.index(state.sweep.chosen))

    def _figures(self) -> None:
        page, sweep, swept = self._page, self._state.sweep, self._state.sweep.result
        if swept is None:
            page.sweep.show_result("", (), -1, "")
            return
        rows = []
        for place in swept.order:
            line, name = swept.info.lines[place], self._place(swept, place)
            words = {
                "name": name, "start": number(line.start * swept.info.tr_s, 1.0), "slope": number(line.slope, 0.01),
                "straight": number(100 * line.straight, 1.0),
            }  # fmt: skip
            rows.append((f"{self._name(swept, place)}: {words['slope']}", tr("sweep.said", **words)))
        notes = "\n".join(veiled(self._state, note) for note in swept.info.notes)
        page.sweep.show_result(swept.info.verdict, rows, swept.order.index(sweep.chosen), notes)
