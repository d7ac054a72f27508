"""The Perturb workspace: asks what follows, quickly while a target is dragged, exactly when it is let go.

Three questions, each with one request in flight: previews; the exact answer; and the same with random regions, which
takes seconds, begins by itself when the exact answer is there, and ends when anything else is asked for.
"""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING

from app.controllers.failures import tell_error
from app.controllers.perturb_drawing import PerturbDrawing
from app.controllers.perturb_targets import TargetEditor, whose
from app.controllers.question_job import export_file
from app.services.engine import EngineService
from app.services.latest import Latest
from app.state import AppState
from app.state.notices import Notice
from app.state.perturb import Perturbed, Previewed
from app.text import tr
from brainlm_engine.api.errors import EngineError
from brainlm_engine.api.messages import Reply
from brainlm_engine.api.perturb import PerturbInfo, PreviewInfo, Scenario, Target
from brainlm_engine.api.scenario_file import ScenarioFile, read_scenario, write_scenario

if TYPE_CHECKING:
    from app.controllers.modelling import ModelController
    from app.controllers.player import Player
    from app.controllers.pointing import Pointing
    from app.views.pages.perturb import PerturbPage

KEY, FILE = "perturb:one", "perturb:file"
#: SD that a pixel of a drag on the brain is worth; with Shift a fifth of it
SD_PER_PIXEL = 0.02
#: recording, model, scenario, scaling
Wish = tuple[str, str, Scenario, str]
#: what is asked for, and the place of the target that moves
Drag = tuple[Wish, int]


class PerturbController:
    """One scenario, one answer; what is on screen always belongs to the targets on screen, or says that it does not."""

    def __init__(  # noqa: PLR0917  (what it joins)
        self, state: AppState, engine: EngineService, page: PerturbPage, modelling: ModelController,
        pointing: Pointing, player: Player,
    ) -> None:  # fmt: skip
        self._state, self._engine, self.page, self._modelling = state, engine, page, modelling
        self._asked: Wish | None = None
        self._pulled_from = 0.0
        self.editor = TargetEditor(state)
        self.latest: Latest[Wish, Reply[PerturbInfo]] = Latest(self._ask, self._take, self._failed)
        self.judged: Latest[Wish, Reply[PerturbInfo]] = Latest(self._ask_judged, self._take, self._not_judged)
        self.previews: Latest[Drag, Reply[PreviewInfo]] = Latest(self._ask_preview, self._take_preview, self._failed)
        self.drawing = PerturbDrawing(state, page)
        self._connect(pointing, player)
        self._recording_changed()

    def _connect(self, pointing: Pointing, player: Player) -> None:
        """All connections of this page."""
        state, page, perturb = self._state, self.page, self._state.perturb
        for field in ("targets", "ahead", "nulls"):
            perturb.on(field).connect(self.want)
        for field in ("model_id", "scaling", "models"):
            state.model.on(field).connect(self.want)
        state.case.on("recording").connect(self._recording_changed)
        state.shell.on("workspace").connect(self.want)
        state.steer.on("question").connect(self.want)
        state.engine.on("status").connect(self.want)
        state.view.on("selected").connect(self._watch)
        page.panel.chosen.connect(lambda place: perturb.put(chosen=place))
        page.panel.changed.connect(self.editor.typed)
        page.follows.shown_chosen.connect(lambda name: perturb.put(shown=name))
        page.follows.nulls_chosen.connect(lambda count: perturb.put(nulls=count))
        page.follows.ahead_chosen.connect(
            lambda seconds: state.edits.set(tr("perturb.edit"), perturb, ahead=round(seconds / state.case.tr_s))
        )
        page.target.dragged.connect(lambda *moved: self.drag(self.editor.dragged(*moved)))
        page.target.released.connect(self.editor.let_go)
        page.target.nudged.connect(self.editor.nudge)
        page.brain.parcel_clicked.connect(pointing.pick)
        page.brain.crosshair_requested.connect(pointing.point)
        page.brain.grip_pulled.connect(self._pulled)
        page.brain.grip_released.connect(self.editor.let_go)
        for plot in (page.target, page.watched):
            plot.frame_chosen.connect(player.go)

    # ------------------------------------------------------------ drag

    def drag(self, target: Target | None) -> None:
        """Show the chosen target as ``target`` for now, and ask quickly what follows."""
        perturb = self._state.perturb
        if target is None or target == perturb.target:
            return
        perturb.dragged = target
        wish = self.wish()
        if wish is not None and self._engine.state.status == "ready":
            self.previews.wish((wish, perturb.chosen))

    def _pulled(self, pixels: float, fine: bool) -> None:
        """A region that is set was pulled up by so many pixels since it was grasped."""
        perturb = self._state.perturb
        target = perturb.target
        if target is None:
            return
        if perturb.dragged is None:
            self._pulled_from = target.value
        value = self._pulled_from + pixels * SD_PER_PIXEL * (0.2 if fine else 1.0)
        tr_s = self._state.case.tr_s
        self.drag(self.editor.dragged(value, target.start * tr_s, target.stop * tr_s))

    # ------------------------------------------------------------ ask

    def wish(self) -> Wish | None:
        """Return what is asked for by the targets and settings; None while something is missing."""
        state, recording = self._state, self._state.case.recording
        if recording is None or state.model.model is None or not state.perturb.targets:
            return None
        return (
            recording.info.recording_id, state.model.model_id, state.perturb.scenario(), state.model.scaling_used
        )  # fmt: skip

    def want(self, *_: object) -> None:
        """Ask what follows, unless that was asked last."""
        perturb, wish = self._state.perturb, self.wish()
        if wish is None:
            self._asked = None
            perturb.put(result=None, preview=None, running=False, judging=False, outdated=False, problem="")
            return
        if perturb.dragged is not None:
            return
        if wish == self._asked:
            perturb.put(outdated=False, preview=None)
            return
        on_show = self._state.shell.workspace == "perturb" and self._state.steer.question == "follows"
        if not on_show or self._engine.state.status != "ready":
            perturb.put(outdated=perturb.result is not None)
            return
        self._asked = wish
        self.previews.forget()
        self.judged.forget()
        perturb.put(running=True, judging=False, problem="", outdated=perturb.result is not None)
        self.latest.wish(wish)

    async def find(self) -> Perturbed | None:
        """Ask what follows, also when that was asked before; None when it could not be done."""
        self._asked = None
        self.want()
        await self.settled()
        perturb = self._state.perturb
        return None if perturb.outdated or perturb.problem else perturb.result

    async def settled(self) -> None:
        """Wait until no question and no piece of drawing is on its way."""
        await self.previews.settled()
        await self.latest.settled()
        await self.judged.settled()
        await self.drawing.settled()

    async def stop(self) -> None:
        """Give up what is on its way."""
        for questions in (self.previews, self.latest, self.judged):
            await questions.stop()

    async def _ask(self, wish: Wish) -> Reply[PerturbInfo]:
        recording_id, model_id, scenario, scaling = wish
        ready = await self._modelling.scaling.ready(scaling)
        return await self._engine.client.perturb(recording_id, model_id, scenario, ready)

    async def _ask_judged(self, wish: Wish) -> Reply[PerturbInfo]:
        recording_id, model_id, scenario, scaling = wish
        ready = await self._modelling.scaling.ready(scaling)
        return await self._engine.client.perturb(recording_id, model_id, scenario, ready, judged=True)

    async def _ask_preview(self, drag: Drag) -> Reply[PreviewInfo]:
        (recording_id, model_id, scenario, scaling), moving = drag
        ready = await self._modelling.scaling.ready(scaling)
        return await self._engine.client.perturb_preview(recording_id, model_id, scenario, moving, ready)

    def _take(self, wish: Wish, reply: Reply[PerturbInfo]) -> None:
        if wish != self.wish():
            return  # overtaken: another wish is on its way, or its recording is gone
        self._state.notices.drop(KEY)
        judge = reply.message.nulls < wish[2].nulls
        self._state.perturb.put(
            running=False, judging=judge, outdated=False, problem="", preview=None,
            result=Perturbed(reply.message, reply.arrays),
        )  # fmt: skip
        if judge:
            self.judged.wish(wish)

    def _take_preview(self, drag: Drag, reply: Reply[PreviewInfo]) -> None:
        perturb = self._state.perturb
        if perturb.dragged is not None and perturb.chosen == drag[1]:
            perturb.preview = Previewed(reply.message, reply.arrays)

    def _failed(self, error: Exception) -> None:
        if not isinstance(error, EngineError):
            raise error
        if self._asked == self.wish() or self._state.perturb.dragged is not None:
            self._state.perturb.put(running=False, problem=str(error))
            tell_error(self._state, error, KEY)

    def _not_judged(self, error: Exception) -> None:
        """Without random regions the answer stays; that it was overtaken is no failure."""
        if not isinstance(error, EngineError):
            raise error
        if error.code != "cancelled":
            self._state.perturb.judging = False
            tell_error(self._state, error, KEY)
        elif self._asked == self.wish():
            self._state.perturb.judging = False

    def _watch(self, selected: tuple[int, ...]) -> None:
        """Watch the region that was selected, unless it is one that is set."""
        target = self._state.perturb.target
        others = [parcel for parcel in selected if target is None or parcel not in target.regions]
        if others:
            self._state.perturb.watched = others[0]

    def _recording_changed(self, *_: object) -> None:
        for questions in (self.previews, self.latest, self.judged):
            questions.forget()
        self._asked = None
        state, perturb = self._state, self._state.perturb
        state.notices.drop("perturb:")
        perturb.put(
            dragged=None, watched=-1, result=None, preview=None, running=False, judging=False, outdated=False,
            problem="",
        )  # fmt: skip
        if perturb.whose != whose(state):  # those of a session that came back stay
            perturb.put(targets=(), chosen=-1)
        self.want()

    # ------------------------------------------------------------ files

    async def export(self, path: str) -> bool:
        """Write the effect by the ending of ``path``; False when it could not be."""
        content = self._engine.client.perturb_file(Path(path).name)
        return await export_file(self._state, content, path, (FILE, "perturb.export.done"))

    async def save(self, path: str) -> bool:
        """Write the scenario; False when it could not be."""
        state, recording, atlas = self._state, self._state.case.recording, self._state.case.atlas
        if recording is None:
            return False
        scenario = state.perturb.scenario()
        regions = {region for target in scenario.targets for region in target.regions}
        names = {region: atlas.name(region) for region in sorted(regions)} if atlas is not None else {}
        file = ScenarioFile(
            scenario=scenario, recording=recording.info.name, parcels=recording.info.n_parcels, tr_s=state.case.tr_s,
            regions=names, model_id=state.model.model_id,
        )  # fmt: skip
        if state.view.names_hidden:
            file = file.model_copy(update={"recording": ""})
        try:
            await asyncio.to_thread(write_scenario, file, Path(path))
        except EngineError as error:
            tell_error(state, error, FILE)
            return False
        state.notices.tell(Notice(FILE, "success", tr("perturb.save.done", name=Path(path).name)))
        return True

    async def open(self, path: str) -> bool:
        """Bring a saved scenario back; False when it does not fit."""
        state, recording = self._state, self._state.case.recording
        if recording is None:
            return False
        try:
            scenario = await asyncio.to_thread(
                read_scenario, Path(path), recording.info.n_parcels, state.case.tr_s
            )  # fmt: skip
        except EngineError as error:
            tell_error(state, error, FILE)
            return False
        state.notices.drop(FILE)
        self.editor.open(scenario.targets, scenario.ahead)
        return True
