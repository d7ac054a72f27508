"""What the Model workspace draws: both brains, traces and carpet of one window, a piece at a time."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np

from app.services.turns import Turns
from app.state import AppState
from app.state.data import Array, Atlas, Recording
from app.text import tr
from app.theme import Theme
from app.widgets.qc_strip import Line

if TYPE_CHECKING:
    from app.views.carpet import CarpetView
    from app.views.pages.model import ModelPage
    from app.views.traces import TraceView

LIMIT_SD = 2.5


class ModelDrawing:
    """Shows what the state holds: the window as measured, and the model's answer when there is one."""

    def __init__(self, state: AppState, page: ModelPage) -> None:
        self._state, self._page = state, page
        self._stale = False
        self._drawn: Atlas | None = None
        self.painted: Callable[[], tuple[Array, int] | None] = lambda: None
        self.turns = Turns(page)
        self._connect()
        self.show()

    def _connect(self) -> None:
        """All connections from the state to the drawings."""
        state, case, view = self._state, self._state.case, self._state.view
        state.model.on("result").connect(self.show)
        state.model.on("shown").connect(self._shown_changed)
        case.on("recording").connect(self.show)
        case.on("atlas").connect(self._atlas_changed)
        view.on("frame").connect(self._frame_changed)
        view.on("selected").connect(self._selection_changed)
        view.on("surface").connect(self._surface_changed)
        view.on("time_unit").connect(self._unit_changed)
        state.shell.on("workspace").connect(self._entered)
        self._page.traces.time_range_changed.connect(self._page.errors.set_time_range)
        self._page.traces.view.sigResized.connect(self.align_errors)

    # ------------------------------------------------------------ the window on show

    @property
    def start(self) -> int:
        """First frame of the window on show, in the recording."""
        result = self._state.model.result
        return result.info.start if result is not None else self._state.model.start

    @property
    def window(self) -> int:
        """Frames of a window of the chosen model in this recording."""
        model, recording = self._state.model.model, self._state.case.recording
        frames = recording.info.n_frames if recording is not None else 0
        return min(model.window_frames, frames) if model is not None else frames

    # ------------------------------------------------------------ draw

    def show(self, *_: object) -> None:
        """Draw everything, a piece per turn; what is out of sight is drawn when the page is entered."""
        page, recording = self._page, self._state.case.recording
        page.set_filled(recording is not None)
        self._stale = self._state.shell.workspace != "model"
        if recording is None or self._stale:
            self.turns.drop()  # pieces of a window that is no longer there
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
        window, unit = recording.sd[:, self.start : self.start + self.window], "SD"
        if result is not None:
            window, unit = result.measured, result.info.unit
        with plot.at_once():
            self._fill_plot(plot, window, unit)
            self._shade(plot)
            plot.set_first_frame(self.start)
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
                none = np.zeros_like(result.mask)  # what is shaded comes after
                self._page.traces.set_predicted(result.predicted, 0, none, result.info.patch_frames)
        else:
            self._page.carpet.set_series(window, recording.info.tr_s)

    def shade(self) -> None:
        """Shade what is hidden: as it is painted, else as it was for the answer on show."""
        for plot in (self._page.traces, self._page.carpet):
            self._shade(plot)

    def _shade(self, plot: TraceView | CarpetView) -> None:
        result, painted = self._state.model.result, self.painted()
        mask, patch = painted if painted is not None else (None, 1)
        if painted is None and result is not None and not result.info.whole:
            mask, patch = result.mask, result.info.patch_frames
        (plot.set_shaded if plot is self._page.traces else plot.set_mask)(mask, 0, patch)

    def _rest(self) -> None:
        self._show_errors()
        self._unit_changed()
        self._selection_changed()

    def _entered(self, *_: object) -> None:
        """Draw what was left undrawn while the page was out of sight."""
        if self._stale:
            self.show()
        self._frame_changed()

    def _shown_changed(self, *_: object) -> None:
        self._head()
        self._frame_changed()

    def _head(self) -> None:
        self._page.answer_box.set_title(tr(f"model.{self._state.model.shown}"))

    def _frame_changed(self, *_: object) -> None:
        if self._state.shell.workspace != "model" or self._state.case.recording is None or self.turns.busy:
            return  # what waits for its turn paints the frame as well
        self._paint_measured()
        self._paint_answer()

    def _paint_measured(self) -> None:
        if self._state.case.recording is None:
            return
        page, frame = self._page, self._state.view.frame - self.start
        page.traces.set_cursor(frame)
        page.carpet.set_cursor(frame)
        page.errors.set_cursor(frame)
        page.measured.set_values(self._values(self._state.case.recording, max(frame, 0))[0], -LIMIT_SD, LIMIT_SD, "vik")
        page.measured.set_unit(self._unit())

    def _paint_answer(self) -> None:
        page, recording = self._page, self._state.case.recording
        if recording is None:
            return
        answer = self._values(recording, max(self._state.view.frame - self.start, 0))[1]
        if self._state.model.shown == "r2":
            page.answer.set_values(answer, 0.0, 1.0, "batlow")
            page.answer.set_unit(tr("unit.r2"))
        else:
            page.answer.set_values(answer, -LIMIT_SD, LIMIT_SD, "vik")
            page.answer.set_unit(self._unit())

    def _unit(self) -> str:
        return self._state.model.result.info.unit if self._state.model.result is not None else "SD"

    def _values(self, recording: Recording, frame: int) -> tuple[Array, Array | None]:
        """Measured and second values of a frame of the window; None before there is an answer."""
        result = self._state.model.result
        if result is None:
            at = min(self.start + frame, recording.info.n_frames - 1)
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

    def _show_errors(self) -> None:
        """Error over time: the model, and the simple method that errs least over all, on one scale."""
        result, strip = self._state.model.result, self._page.errors
        if result is None or len(result.by_frame) == 0:
            strip.set_lines()
            strip.hide()
            return
        scores = result.info.scores
        best = min(range(1, len(scores)), key=lambda at: scores[at].mse, default=0)
        kept = dict.fromkeys((0, best))
        values = [result.by_frame[at, 2] for at in kept]
        known = np.concatenate(values)
        top = float(np.nanmax(known)) if np.isfinite(known).any() else 1.0
        names = [tr(f"model.error.{scores[at].method}") for at in kept]
        strip.set_lines(*(Line(n, v, tr("unit.sd2"), top=top) for n, v in zip(names, values, strict=True)))
        strip.show()
        self.align_errors()

    def align_errors(self, *_: object) -> None:
        """Begin and end the strip where the traces above it do."""
        traces, area = self._page.traces, self._page.traces.view.sceneBoundingRect()
        self._page.errors.set_gutter(round(area.left()), round(traces.viewport().width() - area.right()))

    def _surface_changed(self, name: str) -> None:
        for brain in (self._page.measured, self._page.answer):
            brain.set_surface(name)  # type: ignore[arg-type]

    def _unit_changed(self, *_: object) -> None:
        for drawing in (self._page.traces, self._page.carpet):
            drawing.set_time_unit(self._state.view.time_unit)

    def set_theme(self, theme: Theme) -> None:
        """Repaint the drawings."""
        page = self._page
        for drawing in (page.measured, page.answer, page.traces, page.carpet, page.errors, page.time_bar):
            drawing.set_theme(theme)

    def _atlas_changed(self, *_: object) -> None:
        atlas = self._state.case.atlas
        if atlas is not None:
            self.draw_atlas(atlas)

    def draw_atlas(self, atlas: Atlas) -> None:
        """Give both brains their parcels; the same atlas again costs nothing."""
        if atlas is self._drawn:
            return
        self._drawn = atlas
        for brain in (self._page.measured, self._page.answer):
            brain.set_atlas(
                atlas.surface_left, atlas.surface_right, atlas.labels, atlas.labels_affine, atlas.info.structures
            )
