"""What the Networks workspace draws: brain, matrix, courses, figures."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

import numpy as np

from app import theme
from app.controllers.veil import veiled, veiled_model
from app.services.turns import Turns
from app.state import AppState
from app.state.data import Array, Atlas, NetworksFound
from app.text import tr
from app.theme import Theme
from app.widgets.colour_map import hex_rgb
from app.widgets.network_colours import network_colours, network_order, readable

if TYPE_CHECKING:
    from app.views.pages.networks import NetworksPage


class NetworksDrawing:
    """Shows what the state holds, a piece per turn; out of sight nothing is drawn."""

    def __init__(self, state: AppState, page: NetworksPage) -> None:
        self._state, self._page = state, page
        self._drawn: Atlas | None = None
        self.turns = Turns()
        for field in ("source", "count", "shown", "result", "running", "outdated", "problem"):
            state.networks.on(field).connect(self.show)
        for field in ("recording", "atlas"):
            state.case.on(field).connect(self.show)
        state.shell.on("workspace").connect(self.show)
        state.model.on("model_id").connect(self.show)
        state.view.on("names_hidden").connect(self.show)
        state.view.on("frame").connect(self._frame_changed)
        state.view.on("selected").connect(self._selection_changed)
        state.view.on("surface").connect(page.brain.set_surface)

    @property
    def _on_show(self) -> bool:
        return self._state.shell.workspace == "networks"

    def show(self, *_: object) -> None:
        """Draw everything, a piece per turn."""
        recording = self._state.case.recording
        self._page.set_filled(recording is not None)
        if not self._on_show or recording is None:
            self.turns.drop()
            return
        self.turns.take(self._panel, self._atlas, self._brain, self._matrix, self._courses, self._scores)

    # ------------------------------------------------------------ pieces

    def _panel(self) -> None:
        state, chosen = self._state, self._state.networks
        model = state.model.model
        title = veiled_model(state, model).title if model is not None else ""
        told = tr("networks.model", title=title) if title else tr("reason.model")
        self._page.panel.show_choices(chosen.source, chosen.shown, chosen.count, told, outdated=chosen.outdated)

    def _atlas(self) -> None:
        atlas = self._state.case.atlas
        if atlas is None or atlas is self._drawn:
            return
        self._drawn = atlas
        self._page.brain.set_atlas(
            atlas.surface_left, atlas.surface_right, atlas.labels, atlas.labels_affine, atlas.info.structures
        )

    def _waiting(self) -> str:
        networks = self._state.networks
        if networks.problem:
            return veiled(self._state, networks.problem)
        return tr("networks.running") if networks.running else tr("networks.empty")

    def _brain(self) -> None:
        state, page, result = self._state.networks, self._page, self._state.networks.result
        if result is None:
            page.brain.set_values(None)
            page.brain_box.set_title(tr("networks.brain.none"))
            page.brain_box.set_waiting(self._waiting())
            return
        page.brain_box.set_waiting("")
        info = result.info
        page.brain_box.set_title(
            tr(
                f"networks.brain.{state.shown}",
                source=info.reference_from,
                count=info.clusters,
                silhouette=f"{info.silhouette:.2f}",
            )
        )
        page.brain.set_colours(self._parcel_colours(result))
        self._outline()

    def _parcel_colours(self, result: NetworksFound) -> Array:
        now, shown = theme.current(), self._state.networks.shown
        if shown == "right":
            right = result.arrays["labels"] == result.arrays["reference"]
            both = (result.arrays["labels"] >= 0) & (result.arrays["reference"] >= 0)
            words = np.where(both, np.where(right, now.trace[6 if not now.dark else 1], now.trace[0]), now.brain_grey)
        else:
            colours = self._colours(result.names(shown))
            words = np.array([colours.get(name, now.brain_grey) for name in result.names(shown)])
        return np.array([hex_rgb(str(word)) for word in words], np.uint8)

    def _colours(self, names: tuple[str, ...]) -> dict[str, str]:
        """Network -> colour, in the order in which they are shown."""
        ordered = list(dict.fromkeys(names[parcel] for parcel in network_order(names) if names[parcel]))
        if all(name.isdecimal() for name in ordered):
            ordered.sort(key=int)
        return dict(zip(ordered, network_colours(ordered, theme.current()), strict=True))

    def _names(self, result: NetworksFound) -> tuple[str, ...]:
        return result.names(self._state.networks.shown)

    def _matrix(self) -> None:
        page, result, atlas = self._page, self._state.networks.result, self._state.case.atlas
        page.matrix_box.set_waiting("" if result is not None else self._waiting())
        if result is None:
            page.matrix_box.set_title(tr("networks.matrix"))
            return
        source = tr(f"networks.source.{result.info.source}")
        page.matrix_box.set_title(tr("networks.matrix.title", source=source[:1].lower() + source[1:]))
        names = self._names(result)
        regions = [atlas.name(parcel) if atlas is not None else str(parcel + 1) for parcel in range(len(names))]
        page.matrix.matrix.set_matrix(result.arrays["alike"], names, regions, self._colours(names))
        page.matrix.matrix.set_selected(self._state.view.selected)

    def _courses(self) -> None:
        page, result, recording = self._page, self._state.networks.result, self._state.case.recording
        page.trace_box.set_waiting("" if result is not None else self._waiting())
        if result is None or recording is None:
            return
        names = np.array(self._names(result))
        colours = self._colours(tuple(names.tolist()))
        with np.errstate(invalid="ignore"):
            courses = {
                name: np.nan_to_num(recording.sd[(names == name) & ~recording.missing]).mean(0)
                for name in colours
                if ((names == name) & ~recording.missing).any()
            }
        page.trace_box.set_title(tr("networks.traces"))
        page.traces.set_courses(courses, colours, recording.info.tr_s)
        page.traces.set_cursor(self._state.view.frame * recording.info.tr_s)

    def _scores(self) -> None:
        result = self._state.networks.result
        if result is None:
            self._page.scores.show_scores(self._waiting(), "", "", "")
            return
        info = result.info
        told = tr(
            "networks.clusters", count=info.clusters, silhouette=f"{info.silhouette:.2f}", nmi=f"{info.cluster_nmi:.2f}"
        )
        notes = "\n".join(veiled(self._state, note) for note in info.notes)
        self._page.scores.show_scores(f"{info.verdict}\n{told}", _table(result), _recall(result), notes)

    def _frame_changed(self, *_: object) -> None:
        recording = self._state.case.recording
        if self._on_show and recording is not None and not self.turns.busy:
            self._page.traces.set_cursor(self._state.view.frame * recording.info.tr_s)

    def _selection_changed(self, *_: object) -> None:
        if self._on_show:
            self._page.matrix.matrix.set_selected(self._state.view.selected)
            self.turns.take(self._outline)

    def _outline(self) -> None:
        self._page.brain.set_selected(self._state.view.selected)

    def set_theme(self, theme: Theme) -> None:
        """Repaint the drawings."""
        self._page.set_theme(theme)
        self.show()


def _row(cells: tuple[str, ...], tag: str = "td") -> str:
    first, *others = cells
    return (
        f"<tr><{tag} align='left'>{escape(first)}</{tag}>"
        + "".join(f"<{tag} align='right'>&nbsp;{cell}</{tag}>" for cell in others)
        + "</tr>"
    )


def _table(result: NetworksFound) -> str:
    """Return the methods as rich text."""
    rows = [_row(tuple(tr(f"networks.column.{name}") for name in ("method", "right", "nmi")), "th")]
    rows += [_row((score.title, f"{score.accuracy:.0%}", f"{score.nmi:.2f}")) for score in result.info.scores]
    return f"<table width='100%'>{''.join(rows)}</table>"


def _recall(result: NetworksFound) -> str:
    """Return the share found of each network, beside that of connectivity, as rich text."""
    of = {score.method: score.recall for score in result.info.scores}
    first = result.info.scores[0]
    beside = "raw" if first.method == "connectivity" else "connectivity"
    rows = [_row(tuple(tr(f"networks.column.{name}") for name in ("network", "found", "beside")), "th")]
    for place, name in enumerate(result.info.names):
        shares = (first.recall[place], of[beside][place])
        rows.append(_row((readable(name), *(f"{share:.0%}" if np.isfinite(share) else "–" for share in shares))))
    return f"<table width='100%'>{''.join(rows)}</table>"
