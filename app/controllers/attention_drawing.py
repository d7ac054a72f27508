"""What the Attention tab draws: a map on the brain, the matrix, the strongest parcels, or a contrast instead."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from app.controllers.attention_view import TOP, View, chosen_parcel, view_of
from app.controllers.contrast_view import ContrastView, contrast_view
from app.controllers.veil import veiled, veiled_model
from app.services.turns import Turns
from app.state import AppState
from app.state.attention_maps import Array
from app.state.data import Atlas
from app.text import tr
from app.theme import Theme
from app.views.top_table import TopRow
from app.widgets.network_colours import readable
from app.widgets.ticks import number

if TYPE_CHECKING:
    from app.views.pages.attention import AttentionPage

_FIELDS = (
    "whose", "source", "layer", "head", "direction", "scale", "result", "running", "outdated", "problem", "occluded",
    "occluding", "occlusion_problem",
)  # fmt: skip


#: decimals of the columns of the table: times uniform and %; both changes
_STEPS = ((0.01, 0.001), (0.0001, 0.0001))


class AttentionDrawing:
    """Shows what the state holds, a piece per turn; out of sight nothing is drawn."""

    def __init__(self, state: AppState, page: AttentionPage) -> None:
        self._state, self._page = state, page
        self._drawn: Atlas | None = None
        self._matrix: tuple[object, ...] = ()
        self._view: View | ContrastView | None = None
        self._stopped = False
        self.turns = Turns(page)
        for field in _FIELDS:
            state.attention.on(field).connect(self.show)
        for field in ("result", "shown", "masked"):
            state.contrast.on(field).connect(self.show)
        for field in ("recording", "atlas"):
            state.case.on(field).connect(self.show)
        state.view.on("selected").connect(self.show)
        state.view.on("names_hidden").connect(self.show)
        state.view.on("surface").connect(page.brain.set_surface)
        for field in ("workspace", "model_tab"):
            state.shell.on(field).connect(self.show)
        for field in ("model_id", "models"):
            state.model.on(field).connect(self.show)
        state.engine.on("status").connect(self.show)
        self.show()

    @property
    def _on_show(self) -> bool:
        return self._state.shell.workspace == "model" and self._state.shell.model_tab == "attention"

    @property
    def _contrasting(self) -> bool:
        contrast = self._state.contrast
        return contrast.shown != "recording" and contrast.result is not None

    def show(self, *_: object) -> None:
        """Draw everything, a piece per turn."""
        self._page.set_filled(self._state.case.recording is not None or self._contrasting)
        if not self._on_show or self._stopped:
            self.turns.drop()
            return
        self.turns.take(self._look, self._atlas, self._brain, self._draw_matrix, self._top, self._panel, self._list)

    def stop(self) -> None:
        """The window closes: what is left undrawn stays so."""
        self._stopped = True
        self.turns.drop()

    # ------------------------------------------------------------ pieces

    def _look(self) -> None:
        """Work out what is shown, once for all pieces."""
        if self._contrasting:
            self._view = contrast_view(self._state)
        else:
            attention = self._state.attention
            known = attention.result is not None or attention.source in ("occlusion", "error")
            self._view = view_of(self._state) if known and self._state.case.recording is not None else None

    def _panel(self) -> None:
        state, attention, page = self._state, self._state.attention, self._page
        read = attention.result
        layers, heads = (read.info.layers, read.info.heads) if read is not None else (attention.layer, attention.head)
        plain, hides = attention.source == "attention", attention.source in ("occlusion", "error")
        usable = {
            "layer": plain, "head": plain,
            "direction": attention.whose == "parcel" or not plain, "scale": attention.source != "error",
        }  # fmt: skip
        chosen = {name: getattr(attention, name) for name in page.panel.boxes}
        page.panel.show_choices(chosen, layers, heads, usable)
        model = state.model.model
        title = veiled_model(state, model).title if model is not None else ""
        told = tr("attention.model", title=title) if title else tr("reason.model")
        facts, notes = [], ""
        if read is not None:
            info = read.info
            facts.append(
                tr(
                    "attention.facts", windows=info.windows, frames=info.window_frames, layers=info.layers,
                    heads=info.heads, layer=info.layer, agreement=f"{info.agreement:.2f}", near=f"{info.near:.2f}",
                )
            )  # fmt: skip
            notes = "\n".join(veiled(state, note) for note in info.notes)
        if hides and attention.occluded is not None and not attention.occluded.whole:
            hidden = attention.occluded.info
            facts.append(tr("attention.occlusion.cost", runs=hidden.runs, seconds=f"{hidden.seconds:.1f}"))
        page.panel.show_result(told, "\n".join(facts) or self._waiting(), notes, outdated=attention.outdated)

    def _waiting(self) -> str:
        """Return why there is nothing to be seen."""
        state, attention = self._state, self._state.attention
        if attention.problem:
            return veiled(state, attention.problem)
        if state.engine.status != "ready":
            return tr("reason.engine")
        if state.model.model is None:
            return tr("reason.model")
        return tr("attention.running") if attention.running else tr("attention.empty")

    def _brain(self) -> None:
        page, view = self._page, self._view
        square = isinstance(view, ContrastView) and view.matrix is not None
        page.brain_box.setVisible(not square)  # a contrast is either of parcels or a matrix
        page.matrix_box.setVisible(square or not isinstance(view, ContrastView))
        if view is None:
            page.brain_box.set_title(tr("attention.heading"))
            page.brain_box.set_waiting(self._waiting())
            return
        page.brain_box.set_title(self._title(view))
        page.brain_box.set_waiting(view.why)
        if view.values is not None:
            page.brain.set_values(view.values, *view.ends, view.cmap)
            page.brain.set_unit(view.unit)
        page.brain.set_selected(self._state.view.selected)

    def _title(self, view: View | ContrastView) -> str:
        state = self._state
        alone = isinstance(view, View) and state.attention.source == "attention" and not state.view.selected
        if alone and state.attention.whose == "parcel":
            return tr("attention.summary.none")
        return veiled(state, view.title)

    def _draw_matrix(self) -> None:
        page, view = self._page, self._view
        if view is None:
            page.matrix_box.set_title(tr("attention.matrix"))
            page.matrix_box.set_waiting(self._waiting())
            return
        hides = not self._contrasting and self._state.attention.source in ("occlusion", "error")
        page.matrix_box.set_title(tr("attention.matrix.occlusion" if hides else "attention.matrix"))
        page.matrix_box.set_waiting(view.why_matrix if view.matrix is None else "")
        if view.matrix is None:
            return
        groups = self._groups(view, len(view.matrix))
        drawn = self._what(view, groups)
        if drawn != self._matrix:  # another parcel of the same matrix moves the mark only
            self._matrix = drawn
            page.matrix.plot.set_groups(groups)
            page.matrix.set_matrix(view.matrix, *view.matrix_ends, view.cmap, view.unit)
        gives = isinstance(view, View) and self._state.attention.direction == "gives"
        page.matrix.plot.set_chosen(chosen_parcel(self._state) if isinstance(view, View) else -1, column=gives)

    def _what(self, view: View | ContrastView, groups: tuple[str, ...]) -> tuple[object, ...]:
        attention, contrast = self._state.attention, self._state.contrast
        if isinstance(view, ContrastView):
            return ("contrast", id(contrast.result), contrast.shown, contrast.masked)
        return (
            id(attention.result), id(attention.occluded), attention.source, attention.layer, attention.head,
            attention.scale, groups,
        )  # fmt: skip

    def _groups(self, view: View | ContrastView, size: int) -> tuple[str, ...]:
        if isinstance(view, ContrastView):
            return view.groups
        atlas = self._state.case.atlas
        names = tuple(atlas.info.networks) if atlas is not None else ()
        return names if len(names) == size else ("",) * size

    def _top(self) -> None:
        view, page = self._view, self._page
        if isinstance(view, ContrastView):
            page.top.set_rows(view.rows, view.heads)
            page.top_box.set_title(tr("contrast.tests"))
            page.top_box.set_waiting("" if view.rows else self._waiting())
            return
        page.top_box.set_title(tr("attention.top"))
        rows = self._rows(view) if view is not None and view.cells is not None and view.values is not None else ()
        page.top_box.set_waiting("" if rows else (view.why if view is not None else "") or self._waiting())
        if rows and view is not None:
            page.top.set_rows(rows, view.heads)

    def _rows(self, view: View) -> tuple[TopRow, ...]:
        assert view.cells is not None
        assert view.values is not None
        atlas = self._state.case.atlas
        ranked = np.nan_to_num(view.values, nan=-np.inf)
        order = np.argsort(-ranked)[:TOP]
        steps = _STEPS[self._state.attention.source in ("occlusion", "error")]
        return tuple(
            TopRow(
                int(parcel), atlas.name(int(parcel)) if atlas is not None else str(parcel + 1),
                readable(atlas.network(int(parcel))) if atlas is not None else "",
                tuple(number(float(value), step) for value, step in zip(view.cells[parcel], steps, strict=True)),
            )
            for parcel in order if np.isfinite(ranked[parcel])
        )  # fmt: skip

    def _list(self) -> None:
        """Fill the list of all parcels with what the brain shows."""
        view, page = self._view, self._page
        if view is not None and view.values is not None:
            page.parcels.set_values(_written(view.values, max(map(abs, view.ends)) / 100))
        elif self._drawn is not None:
            page.parcels.set_values([""] * len(self._drawn.info.structures))
        page.parcels.set_selected(self._state.view.selected)

    def _atlas(self) -> None:
        atlas = self._state.case.atlas
        if atlas is None or atlas is self._drawn:
            return
        self._drawn, self._matrix = atlas, ()
        self._page.brain.set_atlas(
            atlas.surface_left, atlas.surface_right, atlas.labels, atlas.labels_affine, atlas.info.structures
        )
        names = [atlas.name(parcel) for parcel in range(len(atlas.info.structures))]
        self._page.parcels.set_parcels(names, [readable(network) for network in atlas.info.networks])

    def set_theme(self, theme: Theme) -> None:
        """Repaint the drawings."""
        self._page.set_theme(theme)


def _written(values: Array, step: float) -> list[str]:
    return [number(float(value), step) if np.isfinite(value) else "–" for value in values]
