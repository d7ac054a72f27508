"""The Model workspace: one window, one mask, one answer; what is on screen always belongs to the settings on screen."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import numpy as np

from app.controllers.failures import tell_error
from app.controllers.input_scaling import ScalingController
from app.controllers.model_drawing import ModelDrawing
from app.controllers.painting import MaskPainting
from app.controllers.pointing import Pointing
from app.controllers.veil import veiled, veiled_model
from app.services.engine import EngineService
from app.state import AppState
from app.state.data import Reconstruction
from app.text import tr
from brainlm_engine.api.errors import EngineError
from brainlm_engine.api.messages import MaskSpec, ReconstructionInfo, Reply

if TYPE_CHECKING:
    from app.controllers.player import Player
    from app.views.pages.model import ModelPage


class ModelController:
    """Asks for reconstructions; the panels say what was asked, :class:`ModelDrawing` shows what came."""

    def __init__(
        self, state: AppState, engine: EngineService, page: ModelPage, player: Player, pointing: Pointing
    ) -> None:
        self._state, self._engine, self._page, self._player, self._pointing = state, engine, page, player, pointing
        self._asked: tuple[Any, ...] = ()
        self.drawing = ModelDrawing(state, page)
        self.scaling = ScalingController(state, engine, page.model)
        self.painting = MaskPainting(state, page, self.drawing)
        self._connect()
        self._panels()

    def _connect(self) -> None:
        """All connections of this page."""
        state, page, model, case, view = self._state, self._page, self._state.model, self._state.case, self._state.view
        for field in ("models", "model_id", "mask", "scaling", "start"):
            model.on(field).connect(self._settings_changed)
        for field in ("outdated", "running", "problem"):
            model.on(field).connect(self._scores)
        for field in ("result", "shown", "combine"):
            model.on(field).connect(self._panels)
        case.on("recording").connect(self._recording_changed)
        case.on("atlas").connect(self._panels)
        view.on("selected").connect(self._selection_changed)
        view.on("names_hidden").connect(self._panels)
        page.model.model_chosen.connect(lambda key: state.edits.set(tr("edit.model"), model, model_id=key))
        page.mask_panel.changed.connect(self._mask_wanted)
        page.window_panel.start_chosen.connect(lambda start: state.edits.set(tr("edit.window"), model, start=start))
        page.window_panel.shown_chosen.connect(lambda shown: model.put(shown=shown))
        for brain in (page.measured, page.answer):
            brain.parcel_clicked.connect(self._pointing.pick)
            brain.crosshair_requested.connect(self._pointing.point)
        page.window_panel.combine_chosen.connect(lambda combine: model.put(combine=combine))
        page.errors.frame_requested.connect(lambda frame: self._player.go(self.drawing.start + frame))
        for drawing in (page.traces, page.carpet):
            drawing.frame_requested.connect(lambda frame: self._player.go(self.drawing.start + frame))
            drawing.parcel_clicked.connect(self._pointing.pick)

    # ------------------------------------------------------------ ask

    def settings(self) -> tuple[Any, ...]:
        """Return what a reconstruction depends on."""
        state = self._state
        recording = state.case.recording
        mask = state.model.mask
        if mask.kind == "parcels":
            mask = mask.model_copy(update={"parcels": state.view.selected})
        recording_id = recording.info.recording_id if recording else ""
        return (recording_id, state.model.model_id, state.model.start, mask, state.model.scaling_used)

    async def reconstruct(self) -> Reconstruction | None:
        """Ask for the present settings. An answer that was overtaken is dropped and None is returned."""
        state, asked, recording = self._state, self.settings(), self._state.case.recording
        if recording is None or state.model.model is None:
            return None
        self._asked = asked
        state.model.put(running=True, problem="")
        try:
            recording_id, model_id, start, mask, scaling = asked
            ready = await self.scaling.ready(scaling)
            reply = await self._engine.client.reconstruct(recording_id, model_id, start, mask, ready)
        except EngineError as error:
            if self._asked == asked and state.case.recording is recording:
                state.model.put(running=False, problem=str(error))
                tell_error(state, error, "model:reconstruct")
            return None
        if self._asked != asked or state.case.recording is not recording:
            return None
        state.notices.drop("model:reconstruct")
        return self.take(reply, asked)

    def take(self, reply: Reply[ReconstructionInfo], asked: tuple[Any, ...]) -> Reconstruction:
        """Show an answer to the settings ``asked``; it is marked when they have changed since."""
        state, result = self._state, _result(reply)
        self._asked = asked
        state.model.put(running=False, outdated=asked != self.settings(), result=result)
        if not result.info.start <= state.view.frame < result.info.start + result.info.n_frames:
            self._player.go(result.info.start)
        return result

    def another_mask(self) -> None:
        """Draw the next mask of the same kind."""
        mask = self._state.model.mask
        changed = mask.model_copy(update={"seed": mask.seed + 1})
        self._state.edits.set(tr("edit.mask"), self._state.model, mask=changed)

    def _mask_wanted(self, field: str, value: object) -> None:
        mask = self._state.model.mask
        update: dict[str, Any] = {field: value}
        if field == "kind" and value == "span" and mask.span is None:
            update["span"] = (self._patches() // 2, self._patches() // 2 + 2)
        if field == "kind" and value == "painted" and not mask.patches:
            shown = self.painting.on_screen()  # begin with what is hidden just now
            update["patches"] = tuple(map(tuple, np.argwhere(shown).tolist())) if shown is not None else ()
        if field == "kind" and value == "network" and not mask.network:
            update["network"] = next(iter(self._networks()), "")
        changed = MaskSpec.model_validate({**mask.model_dump(), **update})
        self._state.edits.set(tr("edit.mask"), self._state.model, mask=changed)

    # ------------------------------------------------------------ panels

    def _used(self) -> int:
        """Frames of the window that the model really sees: whole patches, or as the answer on screen says."""
        state = self._state.model
        if state.result is not None and not state.outdated:
            return state.result.info.n_frames
        patch = self._patch()
        return max(self.drawing.window // patch * patch, min(patch, self.drawing.window))

    def _patch(self) -> int:
        """Frames of a time patch of the chosen model in this recording."""
        model = self._state.model.model
        return model.frames_per_patch(self._state.case.tr_s) if model is not None else 1

    def _patches(self) -> int:
        """Time patches of a window; a recording shorter than one patch is one."""
        return max(1, self.drawing.window // self._patch()) if self._state.model.model is not None else 0

    def _networks(self) -> tuple[str, ...]:
        atlas = self._state.case.atlas
        return atlas.info.network_names if atlas is not None else ()

    def _recording_changed(self, *_: object) -> None:
        """What was asked about another recording is of no interest any more, nor what was told about it."""
        self._asked = ()
        self._state.model.put(running=False, problem="")
        self._state.notices.drop("model:")
        self._settings_changed()

    def _settings_changed(self, *_: object) -> None:
        model = self._state.model
        model.outdated = model.result is not None and self.settings() != self._asked
        if model.result is None:
            self.drawing.show()
        self._panels()

    def _panels(self) -> None:
        state, page = self._state, self._page
        recording = state.case.recording
        chosen = state.model.model
        shown = tuple(veiled_model(state, model) for model in state.model.models)
        page.model.set_models(shown, veiled_model(state, chosen) if chosen is not None else None)
        parcels = recording.info.n_parcels if recording is not None else 0
        page.mask_panel.set_choices(self._networks(), self._patches(), parcels)
        page.mask_panel.show_mask(state.model.mask, self._selected_names())
        frames = recording.info.n_frames if recording is not None else 0
        tr_s, window, start = state.case.tr_s, self.drawing.window, state.model.start
        text, result = "", state.model.result
        if frames and result is not None and result.info.whole and not state.model.outdated:
            text = tr("model.whole_text", frames=result.info.n_frames)
        elif frames:
            used = self._used()
            ends = (start * tr_s, (start + used) * tr_s, (frames - 1) * tr_s)
            written = {k: f"{round(v, 1):g}" for k, v in zip(("from_s", "to_s", "of_s"), ends, strict=True)}
            text = tr("model.window_text", frames=used, **written)
        page.window_panel.show_window(start, frames - window, text, state.model.shown)
        page.window_panel.show_combine(state.model.combine)
        self._scores()

    def _selected_names(self) -> str:
        atlas, selected = self._state.case.atlas, self._state.view.selected
        names = [atlas.name(p) for p in selected[:3]] if atlas is not None else []
        more = f" + {len(selected) - 3}" if len(selected) > 3 else ""
        return ", ".join(names) + more

    def _scores(self, *_: object) -> None:
        state = self._state.model
        result = state.result
        if result is None:
            empty = tr("model.running") if state.running else veiled(self._state, state.problem)
            self._page.scores.show_scores((), empty, "", False)
            self._page.network_scores.show_networks((), False)
            return
        took = tr("model.running") if state.running else tr("model.took", seconds=f"{result.info.seconds:.2f}")
        info = result.info
        if info.scaling and state.model is not None and len(state.model.scalings) > 1:
            took = f"{veiled(self._state, tr('model.scaled', scaling=info.scaling))}\n{took}"
        notes = tuple(veiled(self._state, note) for note in info.notes)
        self._page.scores.show_scores(info.scores, info.verdict, took, state.outdated, notes)
        self._page.network_scores.show_networks(info.networks, state.outdated)

    def _selection_changed(self, *_: object) -> None:
        if self._state.model.mask.kind == "parcels":
            self._settings_changed()

    async def load_models(self) -> None:
        """List the models and choose the preferred one."""
        listed, state = await self._engine.client.models(), self._state.model
        models = listed.models
        usable = [m.model_id for m in models if not m.problem]
        wanted = state.model_id or self._state.preferences.model_id
        chosen = wanted if wanted in usable else next(iter(usable), "")
        state.put(own=listed.own, models=models, model_id=chosen)
        await asyncio.sleep(0)


def _result(reply: Reply[ReconstructionInfo]) -> Reconstruction:
    a = reply.arrays
    none = np.zeros((0, 3, 0), np.float32)  # of a job by an earlier version
    return Reconstruction(
        reply.message, a["measured"], a["predicted"], np.asarray(a["mask"], bool), a["r2_parcel"], a["r2_frame"],
        a.get("by_parcel", none), a.get("by_frame", none),
    )  # fmt: skip
