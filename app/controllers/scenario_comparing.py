"""Scenarios put aside and shown side by side: on the brain one at a time, their networks as bars on one scale."""

from __future__ import annotations

import html
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from app.controllers.networks_drawing import called
from app.controllers.perturb_targets import row_of
from app.controllers.question import QuestionView
from app.controllers.veil import veiled
from app.state import AppState
from app.state.notices import Notice
from app.state.perturb import MOST_KEPT, Kept, Perturbed
from app.text import has, tr
from app.views.compare_plot import Bars
from app.widgets.ticks import number

if TYPE_CHECKING:
    from app.views.pages.perturb import PerturbPage

KEY = "perturb:compare"
_LEAST_SD = 0.3


class ScenarioComparison(QuestionView):
    """Keeps up to four answers of one recording, and draws them."""

    question = "compare"

    def __init__(self, state: AppState, page: PerturbPage) -> None:
        super().__init__(state, page)
        perturb = state.perturb
        self.follow(perturb, "kept", "compared", "watched")
        perturb.on("result").connect(self._judged)
        state.case.on("recording").connect(lambda *_: perturb.put(kept=(), compared=-1))
        page.compare.chosen.connect(lambda place: perturb.put(compared=place))
        page.compare.renamed.connect(self.rename)
        self.follow_the_rest()

    # ------------------------------------------------------------ keep

    def keep(self) -> bool:
        """Put the present answer aside; False when there is none, or no room."""
        state, perturb = self._state, self._state.perturb
        if perturb.result is None:
            return False
        if len(perturb.kept) >= MOST_KEPT:
            state.notices.tell(Notice(KEY, "info", tr("kept.full"), tr("kept.full.next")))
            return False
        taken = {each.name for each in perturb.kept}
        name = next(name for count in range(1, MOST_KEPT + 2) if (name := tr("kept.new", number=count)) not in taken)
        perturb.put(kept=(*perturb.kept, Kept(name, perturb.result)), compared=len(perturb.kept))
        return True

    def _judged(self, result: Perturbed | None) -> None:
        """What was kept before its random regions were drawn is filled in when they are."""
        perturb = self._state.perturb
        if result is None or not result.info.nulls:
            return
        kept = tuple(
            replace(each, result=result) if not each.result.info.nulls and _alike(each.result, result) else each
            for each in perturb.kept
        )
        if any(one is not other for one, other in zip(kept, perturb.kept, strict=True)):
            perturb.put(kept=kept)

    def remove(self) -> None:
        """Take the chosen scenario out."""
        perturb = self._state.perturb
        kept = tuple(each for place, each in enumerate(perturb.kept) if place != perturb.compared)
        perturb.put(kept=kept, compared=min(perturb.compared, len(kept) - 1))

    def rename(self, place: int, name: str) -> None:
        """Call a scenario by another name."""
        kept = list(self._state.perturb.kept)
        if 0 <= place < len(kept) and name.strip():
            kept[place] = replace(kept[place], name=name.strip())
        self._state.perturb.put(kept=tuple(kept))
        self.show()

    # ------------------------------------------------------------ draw

    def pieces(self) -> tuple[Callable[[], object], ...]:
        """List, brain, bars, one region."""
        return self._panel, self._brain, self._bars, self._watched

    def _panel(self) -> None:
        perturb = self._state.perturb
        rows = [(veiled(self._state, each.name), self._said(each)) for each in perturb.kept]
        self._page.compare.show_kept(rows, perturb.compared, kept_table(perturb.kept))

    def _said(self, kept: Kept) -> str:
        tr_s = self._state.case.tr_s
        told = []
        for target in kept.result.info.scenario.targets:
            many = len(target.regions) > 1
            name = tr("perturb.regions", count=len(target.regions)) if many else self.name(target.regions[0])
            told.append(row_of(target, name, tr_s)[1])
        return tr("kept.said", name=kept.name, targets="; ".join(told))

    def _brain(self) -> None:
        page, perturb = self._page, self._state.perturb
        page.brain.set_grips(())
        page.brain.bar.set_unit(tr("unit.sd"))
        if not 0 <= perturb.compared < len(perturb.kept):
            page.brain.set_values(None)
            page.brain_box.set_title(tr("kept.waiting"))
            return
        chosen = perturb.kept[perturb.compared]
        page.brain.set_selected({region for t in chosen.result.info.scenario.targets for region in t.regions})
        tops = [np.nanquantile(np.abs(each.result.arrays["effect"]), 0.98) for each in perturb.kept]
        reach = max(_LEAST_SD, float(np.max(tops)))
        page.brain.set_values(chosen.result.arrays["effect"], -reach, reach, "vik")
        page.brain_box.set_title(tr("kept.brain", name=veiled(self._state, chosen.name)))

    def _bars(self) -> None:
        page, kept = self._page, self._state.perturb.kept
        page.bars_box.set_waiting("" if kept else tr("kept.waiting"))
        names = tuple(dict.fromkeys(row.network for each in kept for row in each.result.info.networks))
        bars = []
        for each in kept:
            found = {row.network: row.specific for row in each.result.info.networks}
            heights = tuple(found.get(name, float("nan")) for name in names)
            bars.append(Bars(veiled(self._state, each.name), heights))
        page.bars.set_bars([_short(name) for name in names], bars)

    def _watched(self) -> None:
        """Draw the difference in one region, of every scenario, from its onset on."""
        state, page, kept = self._state, self._page, self._state.perturb.kept
        parcel = state.perturb.watched
        if parcel < 0 and 0 <= state.perturb.compared < len(kept):
            values = np.abs(kept[state.perturb.compared].result.arrays["specific"])
            parcel = int(np.nanargmax(values)) if np.isfinite(values).any() else -1
        ready = bool(kept) and parcel >= 0
        page.difference_box.set_waiting("" if ready else tr("kept.waiting"))
        if not ready:
            return
        page.difference_box.set_title(tr("kept.watched", region=self.name(parcel)))
        lines = []
        for each in kept:
            arrays, info = each.result.arrays, each.result.info
            apart = arrays["perturbed"][parcel] - arrays["unperturbed"][parcel]
            times = (info.start + np.arange(len(apart))) * info.tr_s
            lines.append((veiled(state, each.name), times[info.onset :], apart[info.onset :]))
        page.difference.set_lines(lines)


def _alike(one: Perturbed, other: Perturbed) -> bool:
    """Return True for answers to one scenario by one model, whatever was drawn beside them."""
    asked = [each.info.scenario.model_copy(update={"nulls": 0}) for each in (one, other)]
    return asked[0] == asked[1] and one.info.model_id == other.info.model_id


def kept_table(kept: tuple[Kept, ...]) -> str:
    """Return the scenarios as rich text."""
    if not kept:
        return ""
    heads = "".join(
        f"<th align='{'left' if name == 'name' else 'right'}'>{tr(f'kept.column.{name}')}</th>"
        for name in ("name", "reach", "null", "p", "most")
    )
    rows = []
    for each in kept:
        name, *cells = kept_cells(each)
        rows.append(f"<td>{html.escape(name)}</td>" + "".join(f"<td align='right'>&nbsp;{cell}</td>" for cell in cells))
    return f"<table><tr>{heads}</tr>{''.join(f'<tr>{row}</tr>' for row in rows)}</table>"


def _short(network: str) -> str:
    """Return a network's name as briefly as the literature writes it."""
    key = f"kept.short.{network}"
    return tr(key) if has(key) else called(network)


def kept_cells(kept: Kept) -> tuple[str, str, str, str, str]:
    """Return name, reach, random reach, p, and the network that moves most."""
    info = kept.result.info
    most = max(info.networks, key=lambda row: abs(row.specific), default=None)
    return (
        kept.name, number(info.reach, 0.01), number(info.null_reach, 0.01) if info.nulls else "–",
        number(info.p, 0.01) if info.nulls else "–", _short(most.network) if most is not None else "–",
    )  # fmt: skip
