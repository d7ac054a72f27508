"""What the Networks workspace draws: brain, matrix, mean activity, scores, a piece per turn."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from app.controllers.veil import veiled, veiled_model
from app.services.turns import Turns
from app.state import AppState
from app.state.data import Array, Atlas, NetworksFound
from app.text import has, tr
from app.theme import Theme, current
from app.views.network_matrix import Group
from app.views.network_traces import Row
from app.views.panels.networks import percent
from app.widgets.colour_map import hex_rgb
from app.widgets.network_colours import network_colours, readable

if TYPE_CHECKING:
    from app.views.pages.networks import NetworksPage


@dataclass(frozen=True, eq=False)
class Grouping:
    """Which network each parcel is in: ``labels (parcels,)`` with -1 = none, and the networks' names and colours."""

    labels: Array
    names: tuple[str, ...]
    colours: tuple[str, ...]

    def members(self, network: int) -> Array:
        """Parcels of one network."""
        return np.flatnonzero(self.labels == network)


def called(network: str) -> str:
    """Return a network's name as there is room for it."""
    short = f"networks.short.{network}"
    return tr(short) if has(short) else readable(network)


class NetworksDrawing:
    """Shows what the state holds; out of sight nothing is drawn."""

    def __init__(self, state: AppState, page: NetworksPage) -> None:
        self._state, self._page = state, page
        self._drawn: Atlas | None = None
        self.turns, self._again = Turns(page), Turns(page)
        networks = state.networks
        for field in ("source", "into", "shown", "result", "running", "controlling", "outdated", "problem", "people"):
            networks.on(field).connect(self.show)
        for field in ("recording", "atlas", "phase"):
            state.case.on(field).connect(self.show)
        state.shell.on("workspace").connect(self.show)
        state.model.on("model_id").connect(self.show)
        state.view.on("names_hidden").connect(self.show)
        state.view.on("frame").connect(self._frame_changed)
        state.view.on("selected").connect(self._selection_changed)
        state.view.on("surface").connect(page.brain.set_surface)
        self.show()

    @property
    def _on_show(self) -> bool:
        return self._state.shell.workspace == "networks"

    async def settled(self) -> None:
        """Wait until everything is drawn."""
        while self.turns.busy or self._again.busy:
            await asyncio.sleep(0.005)

    def show(self, *_: object) -> None:
        """Draw everything, a piece per turn."""
        case, page = self._state.case, self._page
        page.set_filled(case.recording is not None)
        page.set_empty(tr("networks.nothing.asking" if case.phase == "asking" else "networks.nothing"))
        if not self._on_show or case.recording is None:
            self.turns.drop()
            if self._on_show:
                self._panel()
                page.scores.show_words(tr("networks.nothing"), outdated=False)
                page.scores.show_tables((), (), -1)
            return
        self.turns.take(self._panel, self._words, self._atlas, self._brain, self._matrix, self._traces, self._tables)

    # ------------------------------------------------------------ what is on show

    def grouping(self, result: NetworksFound, theme: Theme) -> Grouping:
        """Return the networks that the matrix and the traces are ordered by."""
        networks, info = self._state.networks, result.info
        if networks.shown == "found" and networks.into != "labels":
            colours = (*theme.networks, *theme.trace)
            names = tuple(tr("networks.cluster", number=each + 1) for each in range(info.clusters))
            chosen = tuple(colours[each % len(colours)] for each in range(info.clusters))
            return Grouping(result.arrays["clusters"], names, chosen)
        which = "labels" if networks.shown == "found" else "reference"
        names = tuple(called(name) for name in info.names)
        return Grouping(result.arrays[which], names, tuple(network_colours(info.names, theme)))

    def painted(self, result: NetworksFound, theme: Theme) -> Grouping:
        """Return what the brain is coloured by."""
        if self._state.networks.shown != "right":
            return self.grouping(result, theme)
        found, reference = result.arrays["labels"], result.arrays["reference"]
        judged = np.where((found < 0) | (reference < 0), -1, found != reference)
        return Grouping(
            judged, (tr("networks.right"), tr("networks.wrong")), (theme.networks[1], theme.networks[5])
        )  # fmt: skip

    @property
    def _source(self) -> str:
        result = self._state.networks.result
        name = result.info.source if result is not None else self._state.networks.source
        return tr(f"networks.source.{name}").lower()

    def _waiting(self) -> str:
        networks = self._state.networks
        if networks.problem:
            return veiled(self._state, networks.problem)
        if networks.running:
            return tr("networks.running.job" if networks.source == "responses" else "networks.running")
        if self._state.model.model is None:
            return tr("reason.model")
        return tr("networks.empty.job" if networks.source == "responses" else "networks.empty")

    # ------------------------------------------------------------ pieces

    def _panel(self) -> None:
        state, networks = self._state, self._state.networks
        model = state.model.model
        title = veiled_model(state, model).title if model is not None else ""
        told = tr("networks.told", title=title) if title else tr("reason.model")
        self._page.panel.show_choices(networks.source, networks.into, networks.shown, told)
        self._page.group.show_people(networks.people)

    def _words(self) -> None:
        networks, result, page = self._state.networks, self._state.networks.result, self._page
        for box in (page.brain_box, page.matrix_box, page.trace_box):
            box.set_waiting("" if result is not None else self._waiting())
        if result is None:
            page.scores.show_words(self._waiting(), outdated=False)
            for box, name in ((page.brain_box, "brain"), (page.matrix_box, "matrix"), (page.trace_box, "traces")):
                box.set_title(tr(f"networks.{name}"))
            return
        info = result.info
        told = [tr("networks.reference", count=info.parcels, how=info.reference_from)]
        written = {"silhouette": f"{info.silhouette:.2f}", "nmi": f"{info.cluster_nmi:.2f}"}
        told.append(tr("networks.groups", count=info.clusters, **written))
        told += [tr("networks.groups.weak")] * (info.silhouette < 0.25)
        state = self._waiting() if networks.running else tr("networks.controls") * networks.controlling
        if networks.outdated and not networks.running and networks.source == "responses":
            state = tr("networks.empty.job")
        page.scores.show_words(
            info.verdict, state=state, notes="\n".join(veiled(self._state, note) for note in info.notes),
            told="\n".join(told), outdated=networks.outdated,
        )  # fmt: skip

    def _atlas(self) -> None:
        atlas = self._state.case.atlas
        if atlas is None or atlas is self._drawn:
            return
        self._drawn = atlas
        self._page.brain.set_atlas(
            atlas.surface_left, atlas.surface_right, atlas.labels, atlas.labels_affine, atlas.info.structures
        )

    def _brain(self) -> None:
        result, page, theme = self._state.networks.result, self._page, current()
        if result is None:
            page.swatches.set_entries(())
            page.brain.set_values(None)
            return
        group = self.painted(result, theme)
        table = np.array([hex_rgb(theme.brain_grey), *map(hex_rgb, group.colours)], np.uint8)
        page.brain.set_colours(table[np.asarray(group.labels, np.intp) + 1])
        page.brain.set_selected(self._state.view.selected)
        pairs = list(zip(group.names, group.colours, strict=True))
        last = tr("networks.unknown" if self._state.networks.shown == "right" else "networks.none")
        counted = [*((name, colour, group.members(place)) for place, (name, colour) in enumerate(pairs)),
                   (last, theme.brain_grey, group.members(-1))]  # fmt: skip
        page.swatches.set_entries([
            (tr("networks.counted", name=name, count=len(members)), colour)
            for name, colour, members in counted if len(members)
        ])  # fmt: skip
        shown = self._state.networks.shown
        if shown != "reference" and result.info.people > 1:
            told = {"shown": tr(f"networks.shown.{shown}"), "people": result.info.people, "source": self._source}
            page.brain_box.set_title(tr("networks.group.brain", **told))
        elif shown == "reference":
            page.brain_box.set_title(tr("networks.brain.plain", how=result.info.reference_from))
        else:
            page.brain_box.set_title(
                tr("networks.brain.title", shown=tr(f"networks.shown.{shown}"), source=self._source)
            )  # fmt: skip

    def _matrix(self) -> None:
        result, page = self._state.networks.result, self._page
        if result is None:
            page.bar.clear()
            return
        group, alike = self.grouping(result, current()), result.arrays["alike"]
        known = np.asarray(np.isfinite(alike).any(1))
        order: list[int] = []
        groups: list[Group] = []
        ends = [*enumerate(zip(group.names, group.colours, strict=True)), (-1, (tr("networks.none"), ""))]
        for network, (name, colour) in ends:
            members = [int(parcel) for parcel in group.members(network) if known[parcel]]
            if members:
                groups.append(Group(name, colour or current().no_network, len(order), len(order) + len(members)))
                order += members
        page.matrix.set_matrix(alike, np.array(order, int), groups, self._names())
        page.matrix.set_marked(self._state.view.selected)
        page.bar.set_range(*page.matrix.range, page.matrix.cmap)
        page.matrix_box.set_title(tr("networks.matrix.title", source=self._source))

    def _names(self) -> list[str]:
        atlas, recording = self._state.case.atlas, self._state.case.recording
        count = recording.info.n_parcels if recording is not None else 0
        return [atlas.name(parcel) if atlas is not None else str(parcel + 1) for parcel in range(count)]

    def _traces(self) -> None:
        result, recording, page = self._state.networks.result, self._state.case.recording, self._page
        if result is None or recording is None:
            return
        group, theme = self.grouping(result, current()), current()
        selected = [parcel for parcel in self._state.view.selected if parcel < len(group.labels)][:2]
        inside = {int(group.labels[parcel]) for parcel in selected}
        rows = []
        for network, (name, colour) in enumerate(zip(group.names, group.colours, strict=True)):
            members = [parcel for parcel in group.members(network) if not recording.missing[parcel]]
            if members:
                values = np.nanmean(recording.sd[members], 0)
                rows.append(Row(name, colour, values, strong=network in inside))
        names = self._names()
        rows += [Row(names[parcel], theme.text, recording.sd[parcel], mean=False) for parcel in selected]
        page.traces.set_rows(rows, recording.info.tr_s)
        page.traces.set_frame(self._state.view.frame)
        page.trace_box.set_title(tr("networks.traces"))

    def _tables(self) -> None:
        result = self._state.networks.result
        if result is None:
            self._page.scores.show_tables((), (), -1)
            return
        info = result.info
        scores = [(score.title, percent(score.accuracy), f"{score.nmi:.2f}") for score in info.scores]
        best = int(np.argmax([score.accuracy for score in info.scores]))
        of = {score.method: score for score in info.scores}
        beside = (info.scores[0], of["connectivity"], of["mirrored"])
        recall = [
            (called(name), *(percent(score.recall[network]) for score in beside))
            for network, name in enumerate(info.names)
        ]
        self._page.scores.show_tables(scores, recall, best)

    # ------------------------------------------------------------ small changes

    def _frame_changed(self, *_: object) -> None:
        if self._on_show and not self.turns.busy:
            self._page.traces.set_frame(self._state.view.frame)

    def _selection_changed(self, *_: object) -> None:
        if self._on_show and self._state.networks.result is not None:
            self._page.matrix.set_marked(self._state.view.selected)
            self._page.brain.set_selected(self._state.view.selected)
            self._again.take(self._traces)

    def set_theme(self, theme: Theme) -> None:
        """Repaint the drawings."""
        self._page.set_theme(theme)
        self.show()
