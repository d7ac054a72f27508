"""What the question "What would it take?" draws: brain, the search, one region, figures; a piece per turn."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from app.controllers.networks_drawing import called
from app.controllers.question import QuestionView
from app.controllers.veil import veiled, veiled_model
from app.state import AppState
from app.state.steer import Steered
from app.text import tr
from app.widgets.ticks import number

if TYPE_CHECKING:
    from app.views.pages.perturb import PerturbPage

_LEAST_SD = 0.02  # of the colour range: smaller changes stay pale
_TOP = 0.99  # of the regions: the colour range ends there


class SteerDrawing(QuestionView):
    """Shows what the state holds; out of sight nothing is drawn."""

    question = "take"

    def __init__(self, state: AppState, page: PerturbPage) -> None:
        super().__init__(state, page)
        self.follow(state.steer, "result", "running", "outdated", "problem", "shown")
        for field in ("stage", "curve", "growing"):
            state.steer.on(field).connect(self._grown)
        self.follow(state.perturb, "watched", "result")
        self.follow(state.model, "model_id")
        state.view.on("frame").connect(self._frame_changed)
        self.follow_the_rest()

    def pieces(self) -> tuple[Callable[[], object], ...]:
        """Brain, search, one region, figures."""
        return self._brain, self._search, self._watched, self._figures

    def form(self, own: tuple[str, ...], making: int) -> None:
        """Show the form; ``own``: folders a person chose, ``making``: percent of the demo group, -1 = none is made."""
        state, steer = self._state, self._state.steer
        known = {cohort.path: cohort.name for cohort in state.train.cohorts}
        known |= {path: Path(path).name for path in (*own, steer.cohort) if path and path not in known}
        columns = steer.choices.columns if steer.choices is not None else {}
        fields = (
            "aim", "cohort", "column", "first", "second", "state", "form", "where", "sparsity", "restarts", "shuffles",
        )  # fmt: skip
        self._page.aim.show_form(
            {name: getattr(steer, name) for name in fields},
            {path: veiled(state, name) for path, name in known.items()}, columns,
        )  # fmt: skip
        told = tr("steer.making", percent=making) if making >= 0 else ""
        if not told and not steer.cohort:
            told = tr("steer.cohort.empty")
        elif not told and steer.choices is not None and steer.choices.problem:
            told = veiled(state, steer.choices.problem)
        files = veiled(state, steer.named) or tr("steer.files.none")
        self._page.aim.show_told(told, files, tr("steer.activity", count=len(state.perturb.targets)))

    def show(self, *_: object) -> None:
        """Show the question, then draw everything, a piece per turn."""
        if self._page.asked != self._state.steer.question:
            self._page.show_question(self._state.steer.question)
        super().show()

    def _grown(self, *_: object) -> None:
        if self.on_show and self._state.steer.running:
            self.turns.take(self._brain, self._search, self._figures)

    # ------------------------------------------------------------ pieces

    def _brain(self) -> None:
        state, steer, page = self._state, self._state.steer, self._page
        page.brain.set_selected(state.view.selected)
        page.brain.set_grips(())
        page.brain.bar.set_unit(tr("unit.sd"))
        if steer.running and steer.growing is not None:
            values = np.asarray(steer.growing.magnitude, np.float32)
            page.brain.set_values(values, 0.0, _reach(values), "batlow")
            page.brain_box.set_title(tr("steer.brain.growing"))
            return
        if steer.result is None:
            page.brain.set_values(None)
            page.brain_box.set_title(tr("steer.brain"))
            return
        arrays = steer.result.arrays
        if steer.shown == "change":
            place = self._place(steer.result)
            values = np.where(np.isfinite(arrays["magnitude"]), arrays["change"][:, place], np.nan).astype(np.float32)
            reach = _reach(np.abs(arrays["change"]).max(1))
            page.brain.set_values(values, -reach, reach, "vik")
            time = number((steer.result.info.start + place) * state.case.tr_s, 0.1)
            page.brain_box.set_title(tr("steer.brain.change", time=time))
            return
        values = arrays[steer.shown]
        if steer.shown == "sensitivity":
            page.brain.bar.set_unit(tr("steer.unit.sensitivity"))
        top = float(np.nanquantile(values, _TOP)) if np.isfinite(values).any() else 1.0
        page.brain.set_values(values, 0.0, max(top, 1e-6), "batlow")
        page.brain_box.set_title(tr(f"steer.brain.{steer.shown}"))

    def _place(self, result: Steered) -> int:
        """Return the frame of the arrays at the time cursor, at the nearest end where that is outside."""
        frames = result.arrays["change"].shape[1]
        return int(min(max(self._state.view.frame - result.info.start, 0), frames - 1))

    def _search(self) -> None:
        """Draw how near it has come: percent of the distance before, a line per start, and what chance would leave."""
        steer, page, result = self._state.steer, self._page, self._state.steer.result
        curves = (steer.curve,) if steer.running else (result.info.curves if result is not None else ())
        lines = [
            (tr("steer.plot.start", number=place + 1), np.arange(len(curve)), 100 * np.array(curve))
            for place, curve in enumerate(curves) if len(curve)
        ]  # fmt: skip
        page.search_box.set_waiting("" if lines else steer.stage if steer.running else tr("steer.waiting"))
        if lines and result is not None and not steer.running and np.isfinite(result.info.null_left):
            last = max(len(x) - 1 for _, x, _ in lines)
            lines.append((tr("steer.plot.null"), np.array([0, last]), np.full(2, 100 * result.info.null_left)))
        page.search.set_lines(lines, 0)

    def _watched(self) -> None:
        state, page, result = self._state, self._page, self._state.steer.result
        watched = state.perturb.watched
        parcel = watched if watched >= 0 else state.steer.changed_most
        ready = result is not None and parcel >= 0
        page.watched_box.set_waiting("" if ready else tr("steer.waiting"))
        title = tr("steer.watched", region=self.name(parcel)) if ready else tr("perturb.watched.none")
        page.watched_box.set_title(title)
        if not ready or result is None:
            return
        arrays, info = result.arrays, result.info
        times = (info.start + np.arange(arrays["change"].shape[1])) * state.case.tr_s
        measured = arrays["measured"][parcel]
        aimed = {region for target in info.spec.aim.targets for region in target.regions}
        if parcel in aimed and "aimed" in arrays:
            page.watched.set_names()
            page.watched.set_series(times, measured, arrays["aimed"][0], arrays["aimed"][1], None)
        else:
            change = arrays["change"][parcel]
            page.watched.set_names(unperturbed=tr("steer.line.change"))
            page.watched.set_series(times, measured, change, measured + change, None)
        page.watched.set_cursor(state.view.frame * state.case.tr_s)

    def _figures(self) -> None:
        state, steer, take = self._state, self._state.steer, self._page.take
        model = state.model.model
        told = tr("perturb.model", title=veiled_model(state, model).title) if model is not None else tr("reason.model")
        take.show_choices(steer.shown, told)
        doing = ""
        if steer.running:
            doing = steer.stage
            if steer.curve:
                doing = tr("steer.left", percent=round(100 * steer.curve[-1]), stage=steer.stage)
        elif steer.problem:
            doing = veiled(state, steer.problem)
        if steer.result is None:
            take.show_result(state=doing, verdict="", table="", notes="", outdated=False)
            return
        info = steer.result.info
        take.show_result(
            state=doing, verdict=veiled(state, info.verdict), table=_table(steer.result),
            notes="\n".join(veiled(state, note) for note in info.notes), outdated=steer.outdated and not steer.running,
        )  # fmt: skip

    def _frame_changed(self, *_: object) -> None:
        if not self.on_show or self.turns.busy:
            return
        self._page.watched.set_cursor(self._state.view.frame * self._state.case.tr_s)
        if self._state.steer.shown == "change" and self._state.steer.result is not None:
            self._brain()


def _reach(values: np.ndarray[tuple[int], np.dtype[np.float32]]) -> float:
    known = values[np.isfinite(values)]
    return max(_LEAST_SD, float(np.quantile(known, _TOP)) if known.size else 0.0)


def _table(result: Steered) -> str:
    """Return the size of the change in every network as rich text, beside shuffled targets when these were tried."""
    info = result.info
    if not info.networks:
        return ""
    judged = bool(info.spec.shuffles) and np.isfinite(info.networks[0].p)
    columns = ("steer.column.size", "steer.column.share", *(("perturb.column.p",) if judged else ()))
    heads = [f"<th align='left'>{tr('perturb.column.network')}</th>"]
    heads += [f"<th align='right'>&nbsp;{tr(name)}</th>" for name in columns]
    rows = []
    for row in info.networks:
        cells = [number(row.magnitude, 0.001), number(row.share, 0.1), *([number(row.p, 0.01)] if judged else [])]
        told = [f"<td>{called(row.network)}</td>", *(f"<td align='right'>&nbsp;{cell}</td>" for cell in cells)]
        strong = judged and row.p <= 0.05
        rows.append("".join(f"<b>{each}</b>" for each in told) if strong else "".join(told))
    return f"<table><tr>{''.join(heads)}</tr>{''.join(f'<tr>{row}</tr>' for row in rows)}</table>"
