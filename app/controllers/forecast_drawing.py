"""What the Forecast tab draws: the selected region, the brain at the time cursor, errors, scores."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from app.controllers.veil import veiled, veiled_model
from app.services.turns import Turns
from app.state import AppState
from app.state.data import Array, Atlas, Forecast
from app.text import tr
from app.theme import Theme
from app.views.panels.forecast import BESIDE

if TYPE_CHECKING:
    from app.views.pages.forecast import ForecastPage

LIMIT_SD = 2.5


class ForecastDrawing:
    """Shows what the state holds, a piece per turn; out of sight nothing is drawn."""

    def __init__(self, state: AppState, page: ForecastPage) -> None:
        self._state, self._page = state, page
        self._drawn: Atlas | None = None
        self.turns = Turns(page)
        self._connect()
        self.show()

    def _connect(self) -> None:
        """All connections from the state to the drawings."""
        state = self._state
        for field in ("result", "rolling", "outdated", "running", "origin", "horizon", "beside", "problem"):
            state.forecast.on(field).connect(self.show)
        state.forecast.on("shown").connect(self._brain)
        for field in ("recording", "atlas"):
            state.case.on(field).connect(self.show)
        state.view.on("frame").connect(self._frame_changed)
        state.view.on("selected").connect(self._selection_changed)
        state.view.on("surface").connect(self._page.brain.set_surface)
        state.view.on("names_hidden").connect(self.show)
        for field in ("workspace", "model_tab"):
            state.shell.on(field).connect(self.show)
        state.model.on("model_id").connect(self.show)

    @property
    def _on_show(self) -> bool:
        return self._state.shell.workspace == "model" and self._state.shell.model_tab == "forecast"

    def show(self, *_: object) -> None:
        """Draw everything, a piece per turn."""
        recording = self._state.case.recording
        self._page.set_filled(recording is not None)
        if not self._on_show or recording is None:
            self.turns.drop()
            return
        self.turns.take(self._panel, self._region, self._leads, self._scores, self._atlas, self._brain)

    # ------------------------------------------------------------ pieces

    @property
    def parcel(self) -> int:
        """The region on show: the first one selected, else the first that can be forecast."""
        result, selected = self._state.forecast.result, self._state.view.selected
        if selected:
            return selected[0]
        known = np.flatnonzero(np.isfinite(result.of("forecast")).all(1)) if result is not None else np.zeros(0, int)
        return int(known[0]) if known.size else 0

    def _panel(self) -> None:
        state, forecast, page = self._state, self._state.forecast, self._page
        recording, model = state.case.recording, state.model.model
        if recording is None:
            return
        tr_s, frames = recording.info.tr_s, recording.info.n_frames
        seen = min(forecast.history, forecast.origin)
        if forecast.result is not None and not forecast.outdated:
            seen = forecast.result.info.history
        ends = (forecast.origin * tr_s, (forecast.origin + forecast.horizon) * tr_s, seen * tr_s)
        written = {k: f"{v:.1f}" for k, v in zip(("from_s", "to_s", "history_s"), ends, strict=True)}
        page.panel.show_span(forecast.origin, frames, forecast.horizon, tr("forecast.span", **written))
        title = veiled_model(state, model).title if model is not None else ""
        told = tr("forecast.model", title=title) if title else tr("reason.model")
        page.panel.show_choices(forecast.beside, forecast.shown, told)

    def _region(self) -> None:
        result, page, parcel = self._state.forecast.result, self._page, self.parcel
        if result is None:
            page.plot_box.set_title(tr("forecast.plot.none"))
            page.plot_box.set_waiting(self._waiting())
            return
        page.plot_box.set_waiting("")
        atlas = self._state.case.atlas
        page.plot_box.set_title(tr("forecast.plot", parcel=atlas.name(parcel) if atlas is not None else parcel + 1))
        beside = {name: result.of(name)[parcel] for name in self._beside(result)}
        page.plot.set_region(
            result.arrays["history"][parcel], result.arrays["truth"][parcel], result.of("forecast")[parcel],
            result.arrays["half_width"], beside, result.info.origin, result.info.tr_s,
        )  # fmt: skip
        page.plot.set_cursor(self._state.view.frame)

    def _beside(self, result: Forecast) -> tuple[str, ...]:
        chosen = self._state.forecast.beside
        return tuple(name for name in BESIDE if name in chosen and name in result.methods)

    def _waiting(self) -> str:
        """Return why there is nothing to be seen."""
        forecast = self._state.forecast
        if forecast.problem:
            return veiled(self._state, forecast.problem)
        return tr("forecast.running") if forecast.running else tr("forecast.scores.empty")

    def _leads(self) -> None:
        page, shown = self._page, self._state.forecast.rolling or self._state.forecast.result
        if shown is None:
            page.lead_box.set_title(tr("forecast.lead"))
            page.lead_box.set_waiting(self._waiting())
            return
        page.lead_box.set_waiting("")
        many = shown.info.origins
        page.lead_box.set_title(tr("forecast.lead.rolling", count=many) if many > 1 else tr("forecast.lead"))
        errors = {name: shown.error_by_lead(name) for name in ("forecast", *self._beside(shown))}
        page.lead.set_errors(errors, shown.info.tr_s)

    def _scores(self) -> None:
        state = self._state.forecast
        shown = state.rolling or state.result
        if shown is None:
            self._page.scores.show_scores(tr("forecast.scores"), (), "", "", notes="", outdated=False)
            return
        info = shown.info
        title = tr("forecast.rolling", count=info.origins) if info.origins > 1 else tr("forecast.scores")
        told = [
            tr("forecast.coverage", inside=f"{inside:.0%}", level=f"{level:.0%}")
            for level, inside in zip(info.levels, info.coverage, strict=False)
        ]
        told += [tr("forecast.bands", bands=info.bands_from)] * bool(info.bands_from)
        if info.beats_mean_s is not None:
            told.append(tr("forecast.beats", seconds=f"{info.beats_mean_s:.1f}"))
        notes = "\n".join(veiled(self._state, note) for note in info.notes)
        self._page.scores.show_scores(
            title, info.methods, info.verdict, "\n".join(told), notes=notes, outdated=state.outdated
        )  # fmt: skip

    def _frame_changed(self, *_: object) -> None:
        if self._on_show and not self.turns.busy:
            self._page.plot.set_cursor(self._state.view.frame)
            self._brain()

    def _selection_changed(self, *_: object) -> None:
        if self._on_show:
            self.turns.take(self._region, self._outline)

    def _outline(self) -> None:
        self._page.brain.set_selected(self._state.view.selected)

    def _brain(self, *_: object) -> None:
        """Colour the brain at the time cursor, held inside what is forecast."""
        state, page, result = self._state.forecast, self._page, self._state.forecast.result
        if not self._on_show:
            return
        if result is None:
            page.brain.set_values(None)
            return
        lead = int(np.clip(self._state.view.frame - result.info.origin, 0, result.info.horizon - 1))
        page.brain.set_values(self._values(result, lead), -LIMIT_SD, LIMIT_SD, "vik")
        page.brain.set_unit("SD")
        seconds = f"{(lead + 1) * result.info.tr_s:.1f}"
        page.brain_box.set_title(tr("forecast.brain.title", shown=tr(f"forecast.shown.{state.shown}"), seconds=seconds))
        self._outline()

    def _values(self, result: Forecast, lead: int) -> Array:
        made, truth = result.of("forecast")[:, lead], np.asarray(result.arrays["truth"])[:, lead]
        shown = self._state.forecast.shown
        chosen: Array = {"forecast": made, "followed": truth}.get(shown, made - truth)
        return chosen

    def _atlas(self) -> None:
        atlas = self._state.case.atlas
        if atlas is None or atlas is self._drawn:
            return
        self._drawn = atlas
        self._page.brain.set_atlas(
            atlas.surface_left, atlas.surface_right, atlas.labels, atlas.labels_affine, atlas.info.structures
        )

    def set_theme(self, theme: Theme) -> None:
        """Repaint the drawings."""
        self._page.set_theme(theme)
