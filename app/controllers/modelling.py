"""The Model workspace: one window, one mask, one answer; what is on screen always belongs to the settings on screen."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import numpy as np

from app.controllers.failures import tell_error
from app.controllers.pointing import Pointing
from app.services.engine import EngineService
from app.services.turns import Turns
from app.state import AppState
from app.state.data import Array, Atlas, Reconstruction
from app.text import tr
from app.theme import Theme
from brainlm_engine.api.errors import EngineError
from brainlm_engine.api.messages import MaskSpec, ReconstructionInfo, Reply

if TYPE_CHECKING:
    from app.controllers.player import Player
    from app.views.carpet import CarpetView
    from app.views.pages.model import ModelPage
    from app.views.traces import TraceView

LIMIT_SD = 2.5


class ModelController:
    """Asks for reconstructions and shows them."""

    def __init__(
        self, state: AppState, engine: EngineService, page: ModelPage, player: Player, pointing: Pointing
    ) -> None:
        self._state, self._engine, self._page, self._player, self._pointing = state, engine, page, player, pointing
        self._asked: tuple[Any, ...] = ()
        self._stale = False
        self._drawn: Atlas | None = None
        self.turns = Turns()
        self._connect()
        self._panels()
        self._show()

    def _connect(self) -> None:
        """All connections of this page."""
        state, page, model, case, view = self._state, self._page, self._state.model, self._state.case, self._state.view
        for field in ("models", "model_id", "mask", "start"):
            model.on(field).connect(self._settings_changed)
        for field in ("outdated", "running"):
            model.on(field).connect(self._scores)
        model.on("result").connect(self._show)
        model.on("result").connect(self._panels)
        model.on("shown").connect(self._shown_changed)
        case.on("recording").connect(self._show)
        case.on("recording").connect(self._settings_changed)
        case.on("atlas").connect(self._atlas_changed)
        view.on("frame").connect(self._frame_changed)
        view.on("selected").connect(self._selection_changed)
        view.on("surface").connect(self._surface_changed)
        view.on("time_unit").connect(self._unit_changed)
        state.shell.on("workspace").connect(self._entered)
        page.model.model_chosen.connect(lambda key: state.edits.set(tr("edit.model"), model, model_id=key))
        page.mask_panel.changed.connect(self._mask_wanted)
        page.window_panel.start_chosen.connect(lambda start: state.edits.set(tr("edit.window"), model, start=start))
        page.window_panel.shown_chosen.connect(lambda shown: model.put(shown=shown))
        for brain in (page.measured, page.answer):
            brain.parcel_clicked.connect(self._pointing.pick)
            brain.crosshair_requested.connect(self._pointing.point)
        for drawing in (page.traces, page.carpet):
            drawing.frame_requested.connect(lambda frame: self._player.go(self._start + frame))
            drawing.parcel_clicked.connect(self._pointing.pick)

    # ------------------------------------------------------------ ask

    def settings(self) -> tuple[Any, ...]:
        """Return what a reconstruction depends on."""
        state = self._state
        recording = state.case.recording
        mask = state.model.mask
        if mask.kind == "parcels":
            mask = mask.model_copy(update={"parcels": state.view.selected})
        return (recording.info.recording_id if recording else "", state.model.model_id, state.model.start, mask)

    async def reconstruct(self) -> Reconstruction | None:
        """Ask for the present settings. An answer that was overtaken is dropped and None is returned."""
        state, asked = self._state, self.settings()
        if state.case.recording is None or state.model.model is None:
            return None
        self._asked = asked
        state.model.put(running=True, problem="")
        try:
            reply = await self._engine.client.reconstruct(*asked)
        except EngineError as error:
            if self._asked == asked:
                state.model.put(running=False, problem=str(error))
                tell_error(state, error, "model:reconstruct")
            return None
        if self._asked != asked:
            return None
        state.notices.drop("model:reconstruct")
        result = _result(reply)
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
        if field == "kind" and value == "network" and not mask.network:
            update["network"] = next(iter(self._networks()), "")
        changed = MaskSpec.model_validate({**mask.model_dump(), **update})
        self._state.edits.set(tr("edit.mask"), self._state.model, mask=changed)

    # ------------------------------------------------------------ show

    @property
    def _start(self) -> int:
        result = self._state.model.result
        return result.info.start if result is not None else self._state.model.start

    def _window(self) -> int:
        """Frames of a window of the chosen model in this recording."""
        model, recording = self._state.model.model, self._state.case.recording
        frames = recording.info.n_frames if recording is not None else 0
        return min(model.window_frames, frames) if model is not None else frames

    def _used(self) -> int:
        """Frames of the window that the model really sees: whole patches, or as the answer on screen says."""
        state = self._state.model
        if state.result is not None and not state.outdated:
            return state.result.info.n_frames
        patch = max(state.model.patch_frames, 1) if state.model is not None else 1
        return max(self._window() // patch * patch, min(patch, self._window()))

    def _patches(self) -> int:
        model = self._state.model.model
        return self._window() // max(model.patch_frames, 1) if model is not None else 0

    def _networks(self) -> tuple[str, ...]:
        atlas = self._state.case.atlas
        return atlas.info.network_names if atlas is not None else ()

    def _settings_changed(self, *_: object) -> None:
        model = self._state.model
        model.outdated = model.result is not None and self.settings() != self._asked
        if model.result is None:
            self._show()
        self._panels()

    def _panels(self) -> None:
        state, page = self._state, self._page
        recording = state.case.recording
        page.model.set_models(state.model.models, state.model.model)
        page.mask_panel.set_choices(self._networks(), self._patches())
        page.mask_panel.show_mask(state.model.mask, self._selected_names())
        frames = recording.info.n_frames if recording is not None else 0
        tr_s, window, start = state.case.tr_s, self._window(), state.model.start
        text = ""
        if frames:
            used = self._used()
            ends = (start * tr_s, (start + used) * tr_s, (frames - 1) * tr_s)
            written = {k: f"{round(v, 1):g}" for k, v in zip(("from_s", "to_s", "of_s"), ends, strict=True)}
            text = tr("model.window_text", frames=used, **written)
        page.window_panel.show_window(start, frames - window, text, state.model.shown)
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
            empty = tr("model.running") if state.running else state.problem
            self._page.scores.show_scores((), empty, "", False)
            return
        took = tr("model.running") if state.running else tr("model.took", seconds=f"{result.info.seconds:.2f}")
        self._page.scores.show_scores(result.info.scores, result.info.verdict, took, state.outdated)

    def _show(self, *_: object) -> None:
        page, recording = self._page, self._state.case.recording
        page.set_filled(recording is not None)
        self._stale = self._state.shell.workspace != "model"
        if recording is None or self._stale:
            return
        self.turns.take(
            lambda: self._show_plot(page.traces),
            lambda: self._show_plot(page.carpet),
            self._head,
            self._paint_measured,
            self._paint_answer,
            self._rest,
        )

    def _show_plot(self, plot: TraceView | CarpetView) -> None:
        """Draw the window as measured, and the model's answer when there is one."""
        recording, result, atlas = self._state.case.recording, self._state.model.result, self._state.case.atlas
        if recording is None:
            return
        window, unit = recording.sd[:, self._start : self._start + self._window()], "SD"
        if result is not None:
            window, unit = result.measured, result.info.unit
        with plot.at_once():
            self._fill_plot(plot, window, unit)
            plot.set_first_frame(self._start)
            if atlas is not None:
                plot.set_networks(atlas.info.networks, atlas.info.structures)

    def _fill_plot(self, plot: TraceView | CarpetView, window: Array, unit: str) -> None:
        recording, result, atlas = self._state.case.recording, self._state.model.result, self._state.case.atlas
        assert recording is not None
        if plot is self._page.traces:
            names = [atlas.name(p) for p in range(recording.info.n_parcels)] if atlas is not None else []
            self._page.traces.clear_predicted()
            self._page.traces.set_series(window, recording.info.tr_s, names, unit)
            if result is not None:
                self._page.traces.set_predicted(result.predicted, 0, result.mask, result.info.patch_frames)
        else:
            self._page.carpet.set_series(window, recording.info.tr_s)
            mask, patch = (result.mask, result.info.patch_frames) if result is not None else (None, 1)
            self._page.carpet.set_mask(mask, 0, patch)

    def _rest(self) -> None:
        self._unit_changed()
        self._selection_changed()
        self._scores()

    def _entered(self, *_: object) -> None:
        """Draw what was left undrawn while the page was out of sight."""
        if self._stale:
            self._show()
        self._frame_changed()

    def _atlas_changed(self, *_: object) -> None:
        atlas = self._state.case.atlas
        if atlas is not None:
            self.draw_atlas(atlas)
            self._panels()

    def draw_atlas(self, atlas: Atlas) -> None:
        """Give both brains their parcels; the same atlas again costs nothing."""
        if atlas is self._drawn:
            return
        self._drawn = atlas
        for brain in (self._page.measured, self._page.answer):
            brain.set_atlas(
                atlas.surface_left, atlas.surface_right, atlas.labels, atlas.labels_affine, atlas.info.structures
            )

    def _shown_changed(self, *_: object) -> None:
        self._head()
        self._frame_changed()

    def _head(self) -> None:
        self._page.answer_box.set_title(tr(f"model.{self._state.model.shown}"))
        self._panels()

    def _frame_changed(self, *_: object) -> None:
        if self._state.shell.workspace != "model" or self._state.case.recording is None or self.turns.busy:
            return  # what waits for its turn paints the frame as well
        self._paint_measured()
        self._paint_answer()

    def _paint_measured(self) -> None:
        page, frame = self._page, self._state.view.frame - self._start
        page.traces.set_cursor(frame)
        page.carpet.set_cursor(frame)
        page.measured.set_values(self._values(max(frame, 0))[0], -LIMIT_SD, LIMIT_SD, "vik")
        page.measured.set_unit(self._unit())

    def _paint_answer(self) -> None:
        page = self._page
        answer = self._values(max(self._state.view.frame - self._start, 0))[1]
        if self._state.model.shown == "r2":
            page.answer.set_values(answer, 0.0, 1.0, "batlow")
            page.answer.set_unit(tr("unit.r2"))
        else:
            page.answer.set_values(answer, -LIMIT_SD, LIMIT_SD, "vik")
            page.answer.set_unit(self._unit())

    def _unit(self) -> str:
        return self._state.model.result.info.unit if self._state.model.result is not None else "SD"

    def _values(self, frame: int) -> tuple[Array, Array | None]:
        result, recording = self._state.model.result, self._state.case.recording
        if result is None:
            assert recording is not None
            at = min(self._start + frame, recording.info.n_frames - 1)
            return recording.sd[:, at], None
        at = min(frame, result.info.n_frames - 1)
        measured, predicted = result.measured[:, at], result.predicted[:, at]
        shown = self._state.model.shown
        if shown == "r2":
            return measured, result.r2_parcel
        return measured, np.asarray(predicted - measured if shown == "difference" else predicted, np.float32)

    def _selection_changed(self, *_: object) -> None:
        selected, page = self._state.view.selected, self._page
        for drawing in (page.measured, page.answer, page.traces):
            drawing.set_selected(selected)
        if selected:
            page.traces.reveal(selected[0])
        if self._state.model.mask.kind == "parcels":
            self._settings_changed()

    def _surface_changed(self, name: str) -> None:
        for brain in (self._page.measured, self._page.answer):
            brain.set_surface(name)  # type: ignore[arg-type]

    def _unit_changed(self, *_: object) -> None:
        for drawing in (self._page.traces, self._page.carpet):
            drawing.set_time_unit(self._state.view.time_unit)

    def set_theme(self, theme: Theme) -> None:
        """Repaint the drawings."""
        page = self._page
        for drawing in (page.measured, page.answer, page.traces, page.carpet, page.time_bar):
            drawing.set_theme(theme)

    async def load_models(self) -> None:
        """List the models and choose the preferred one."""
        models = (await self._engine.client.models()).models
        state = self._state.model
        usable = [m.model_id for m in models if not m.problem]
        wanted = state.model_id or self._state.preferences.model_id
        chosen = wanted if wanted in usable else next(iter(usable), "")
        state.put(models=models, model_id=chosen)
        await asyncio.sleep(0)


def _result(reply: Reply[ReconstructionInfo]) -> Reconstruction:
    a = reply.arrays
    return Reconstruction(
        reply.message, a["measured"], a["predicted"], np.asarray(a["mask"], bool), a["r2_parcel"], a["r2_frame"]
    )
