"""What the Perturb workspace draws: brain, both plots, list of targets, figures; a piece per turn."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import numpy as np

from app.controllers.networks_drawing import called
from app.controllers.perturb_targets import row_of
from app.controllers.veil import veiled, veiled_model
from app.services.turns import Turns
from app.state import AppState
from app.state.data import Array, Atlas
from app.state.perturb import Perturbed, Previewed
from app.text import tr
from app.theme import Theme
from app.widgets.ticks import number

if TYPE_CHECKING:
    from app.views.pages.perturb import PerturbPage

_LEAST_SD = 0.3  # of the colour range: smaller effects stay pale
_LEAST_APART_SD = 0.1  # of the axis of a difference
_STRIDE = 4  # frames that the range of differences is read from


class PerturbDrawing:
    """Shows what the state holds; out of sight nothing is drawn."""

    def __init__(self, state: AppState, page: PerturbPage) -> None:
        self._state, self._page = state, page
        self._drawn: Atlas | None = None
        self.turns = Turns(page)
        perturb = state.perturb
        for field in (
            "targets", "chosen", "shown", "result", "running", "judging", "outdated", "problem", "ahead", "nulls",
            "watched", "apart",
        ):  # fmt: skip
            perturb.on(field).connect(self.show)
        perturb.on("dragged").connect(self._dragged)
        perturb.on("preview").connect(self._previewed)
        for field in ("recording", "atlas", "phase"):
            state.case.on(field).connect(self.show)
        state.shell.on("workspace").connect(self.show)
        state.steer.on("question").connect(self.show)
        state.model.on("model_id").connect(self.show)
        state.view.on("names_hidden").connect(self.show)
        state.view.on("frame").connect(self._frame_changed)
        state.view.on("surface").connect(page.brain.set_surface)
        self.show()

    @property
    def _on_show(self) -> bool:
        return self._state.shell.workspace == "perturb"

    @property
    def _asked(self) -> bool:
        """True when "What follows if?" is the question on show."""
        return self._on_show and self._state.steer.question == "follows"

    async def settled(self) -> None:
        """Wait until everything is drawn."""
        while self.turns.busy:
            await asyncio.sleep(0.005)

    def show(self, *_: object) -> None:
        """Draw everything, a piece per turn."""
        case, page = self._state.case, self._page
        page.set_filled(case.recording is not None)
        if not self._on_show or case.recording is None:
            self.turns.drop()
            if self._on_show:
                self._panel()
            return
        if not self._asked:  # the brain is another question's
            page.watched.set_scale()
            self.turns.take(self._panel, self._atlas)
            return
        self.turns.take(self._panel, self._atlas, self._brain, self._target, self._watched, self._figures)

    def _dragged(self, *_: object) -> None:
        """Follow the hand; what follows from it comes with the preview."""
        if self._asked and self._state.case.recording is not None:
            self.turns.take(self._target, self._panel, self._figures)

    def _previewed(self, *_: object) -> None:
        if self._asked and self._state.case.recording is not None:
            self.turns.take(self._brain, self._target, self._watched, self._panel)

    # ------------------------------------------------------------ what is on show

    @property
    def answer(self) -> Perturbed | Previewed | None:
        """What is drawn: while a target is dragged its preview, else the exact answer."""
        perturb = self._state.perturb
        return perturb.preview if perturb.dragged is not None and perturb.preview is not None else perturb.result

    def name(self, parcel: int) -> str:
        """Return what a parcel is called."""
        atlas = self._state.case.atlas
        return atlas.name(parcel) if atlas is not None else str(parcel + 1)

    def names(self, regions: tuple[int, ...]) -> str:
        """Return what the regions of a target are called on one line."""
        return self.name(regions[0]) if len(regions) == 1 else tr("perturb.regions", count=len(regions))

    def watched(self) -> int:
        """Parcel of the second plot, -1 = none yet."""
        perturb = self._state.perturb
        return perturb.watched if perturb.watched >= 0 else perturb.moved_most

    # ------------------------------------------------------------ pieces

    def _panel(self) -> None:
        state, perturb, page = self._state, self._state.perturb, self._page
        tr_s = state.case.tr_s
        targets = perturb.scenario().targets
        rows = [row_of(target, self.names(target.regions), tr_s) for target in targets]
        page.panel.show_targets(rows, perturb.chosen, perturb.target, tr_s)
        model = state.model.model
        told = tr("perturb.model", title=veiled_model(state, model).title) if model is not None else tr("reason.model")
        page.follows.show_choices(perturb.shown, perturb.nulls, perturb.ahead * tr_s, told)

    def _atlas(self) -> None:
        atlas = self._state.case.atlas
        if atlas is None or atlas is self._drawn:
            return
        self._drawn = atlas
        self._page.brain.set_atlas(
            atlas.surface_left, atlas.surface_right, atlas.labels, atlas.labels_affine, atlas.info.structures
        )

    def _brain(self) -> None:
        page, perturb, answer = self._page, self._state.perturb, self.answer
        target = perturb.target
        regions = target.regions if target is not None else ()
        page.brain.set_selected(regions or self._state.view.selected)
        page.brain.set_grips(regions)
        if answer is None:
            page.brain.set_values(None)
            page.brain_box.set_title(tr("perturb.waiting") if not perturb.targets else tr("perturb.brain"))
            return
        values = self._values(answer)
        if perturb.shown == "activity":
            reach = 2.5
        else:
            result = perturb.result
            known = np.abs(result.arrays["effect"]) if result is not None else np.abs(values)
            if perturb.shown == "difference" and result is not None:
                apart = result.arrays["perturbed"] - result.arrays["unperturbed"]
                known = np.abs(apart[:, result.info.onset :: _STRIDE])
            reach = max(_LEAST_SD, float(np.nanquantile(known, 0.98)) if np.isfinite(known).any() else 0.0)
        page.brain.bar.set_unit(tr("unit.sd"))
        page.brain.set_values(values, -reach, reach, "vik")
        time = number(self._frame_in(answer)[1], 0.1)
        title = tr(f"perturb.brain.{perturb.shown}", time=time)
        page.brain_box.set_title(tr("perturb.preview", title=title) if isinstance(answer, Previewed) else title)

    def _frame_in(self, answer: Perturbed | Previewed) -> tuple[int, float]:
        """Return the frame of the window at the time cursor, at its nearest end where that is outside, and seconds."""
        frames = answer.arrays["perturbed"].shape[1]
        place = min(max(self._state.view.frame - answer.info.start, 0), frames - 1)
        return place, (place + answer.info.start) * self._state.case.tr_s

    def _values(self, answer: Perturbed | Previewed) -> Array:
        shown, arrays = self._state.perturb.shown, answer.arrays
        if shown == "effect":
            return np.asarray(arrays["effect"], np.float32)
        place, _ = self._frame_in(answer)
        now = arrays["perturbed"][:, place]
        return np.asarray(now if shown == "activity" else now - arrays["unperturbed"][:, place], np.float32)

    def _target(self) -> None:
        page, target = self._page, self._state.perturb.target
        region = target.regions[0] if target is not None else -1
        page.target_box.set_waiting("" if target is not None else tr("perturb.waiting"))
        page.target.set_target(target, self._state.case.tr_s)
        if target is None:
            page.target_box.set_title(tr("perturb.set.none"))
            return
        page.target_box.set_title(tr("perturb.set", region=self.names(target.regions)))
        self._lines(page.target, region, band=False)

    def _watched(self) -> None:
        page, parcel = self._page, self.watched()
        ready = parcel >= 0 and self.answer is not None
        page.watched_box.set_waiting("" if ready else self._waiting())
        page.watched_box.set_title(
            tr("perturb.watched", region=self.name(parcel)) if ready else tr("perturb.watched.none")
        )
        if ready and self._state.perturb.apart:
            self._apart(parcel)
        elif ready:
            page.watched.set_scale()
            self._lines(page.watched, parcel, band=True)

    def _apart(self, parcel: int) -> None:
        """Draw the difference alone, on a scale of its own."""
        plot, answer, tr_s = self._page.watched, self.answer, self._state.case.tr_s
        assert answer is not None
        self._page.watched_box.set_title(tr("perturb.watched.apart", region=self.name(parcel)))
        apart = answer.arrays["perturbed"][parcel] - answer.arrays["unperturbed"][parcel]
        frames = np.arange(len(apart))
        plot.set_names(perturbed=tr("perturb.line.difference"))
        plot.set_scale(_LEAST_APART_SD)
        times = (answer.info.start + frames) * tr_s
        plot.set_series(times, None, None, np.where(frames < answer.info.onset - 1, np.nan, apart), None)
        plot.set_cursor(self._state.view.frame * tr_s)

    def _lines(self, plot: object, parcel: int, *, band: bool) -> None:
        """Draw one parcel over the window of the answer; without one, around the target."""
        from app.views.perturb_plot import PerturbPlot

        assert isinstance(plot, PerturbPlot)
        recording, answer, tr_s = self._state.case.recording, self.answer, self._state.case.tr_s
        assert recording is not None
        target = self._state.perturb.target
        if answer is None:
            start = max(0, (target.start if target is not None else 0) - 100)
            measured = recording.sd[parcel, start : start + 200]
            plot.set_series((start + np.arange(len(measured))) * tr_s, measured, None, None, None)
            return
        start, arrays = answer.info.start, answer.arrays
        frames = arrays["perturbed"].shape[1]
        measured = np.full(frames, np.nan, np.float32)
        there = recording.sd[parcel, start : start + frames]
        measured[: len(there)] = there
        before = np.arange(frames) < answer.info.onset - 1
        unperturbed, perturbed = (
            np.where(before, np.nan, arrays[name][parcel]) for name in ("unperturbed", "perturbed")
        )
        result = self._state.perturb.result
        half = None
        if band and result is not None and result.arrays["half_width"].shape[1] == frames:
            half = result.arrays["half_width"][1]
        times = (start + np.arange(frames)) * tr_s
        plot.set_names()
        plot.set_series(times, measured, unperturbed, perturbed, half)
        plot.set_cursor(self._state.view.frame * tr_s)

    def _waiting(self) -> str:
        perturb = self._state.perturb
        if perturb.problem:
            return veiled(self._state, perturb.problem)
        if perturb.running:
            return tr("perturb.running")
        return tr("perturb.waiting") if not perturb.targets else tr("perturb.running")

    def _figures(self) -> None:
        state, perturb, result = self._state, self._state.perturb, self._state.perturb.result
        told = tr("perturb.running") if perturb.running else ""
        if perturb.judging:
            told = tr("perturb.judging", count=perturb.nulls)
        if perturb.dragged is not None:
            told = tr("perturb.dragging")
        if perturb.problem and not perturb.running:
            told = veiled(state, perturb.problem)
        if result is None:
            self._page.follows.show_result(state=told, verdict="", table="", notes="", outdated=False)
            return
        info = result.info
        self._page.follows.show_result(
            state=told, verdict=info.verdict, table=_table(result),
            notes="\n".join(veiled(state, note) for note in info.notes),
            outdated=perturb.dragged is not None or (perturb.outdated and not perturb.running),
        )  # fmt: skip

    # ------------------------------------------------------------ small changes

    def _frame_changed(self, *_: object) -> None:
        if not self._asked or self.turns.busy:
            return
        seconds = self._state.view.frame * self._state.case.tr_s
        self._page.target.set_cursor(seconds)
        self._page.watched.set_cursor(seconds)
        if self._state.perturb.shown != "effect":
            self._brain()

    def set_theme(self, theme: Theme) -> None:
        """Repaint the drawings."""
        self._page.set_theme(theme)
        self.show()


def _table(result: Perturbed) -> str:
    """Return the effect on every network as rich text, beside random regions when these were set."""
    info = result.info
    if not info.networks:
        return ""
    columns = ("effect", "specific", *(("p",) if info.nulls else ()))
    heads = [f"<th align='left'>{tr('perturb.column.network')}</th>"]
    heads += [f"<th align='right'>&nbsp;{tr(f'perturb.column.{name}')}</th>" for name in columns]
    rows = []
    for row in info.networks:
        cells = [_signed(row.effect), _signed(row.specific)]
        if info.nulls:
            cells.append(number(row.p, 0.01))
        strong = info.nulls and row.p <= 0.05
        told = [f"<td>{called(row.network)}</td>", *(f"<td align='right'>&nbsp;{cell}</td>" for cell in cells)]
        rows.append("".join(told) if not strong else "".join(f"<b>{each}</b>" for each in told))
    return f"<table><tr>{''.join(heads)}</tr>{''.join(f'<tr>{row}</tr>' for row in rows)}</table>"


def _signed(value: float) -> str:
    return ("+" if value > 0 else "") + number(value, 0.01)
