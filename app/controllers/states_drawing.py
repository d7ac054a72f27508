"""What the States tab draws: windows as dots, states over time, their statistics."""

from __future__ import annotations

from typing import TYPE_CHECKING

from app.controllers.veil import veiled, veiled_model
from app.state import AppState
from app.text import tr
from app.theme import Theme
from app.views.panels.states import SOURCES
from app.views.window_colours import Colouring, by_activity, by_condition, by_state, by_time
from app.widgets.ticks import number

if TYPE_CHECKING:
    from app.state.data import StatesFound
    from app.views.pages.states import StatesPage
    from brainlm_engine.api.states import StateSet


class StatesDrawing:
    """Shows what the state holds; out of sight nothing is drawn."""

    def __init__(self, state: AppState, page: StatesPage) -> None:
        self._state, self._page = state, page
        for field in ("k", "source", "colour", "result", "running", "outdated", "problem"):
            state.states.on(field).connect(self.show)
        for field in ("workspace", "model_tab"):
            state.shell.on(field).connect(self.show)
        state.case.on("recording").connect(self.show)
        state.model.on("model_id").connect(self.show)
        state.view.on("names_hidden").connect(self.show)
        state.view.on("frame").connect(self._frame_changed)
        self.show()

    @property
    def _on_show(self) -> bool:
        return self._state.shell.workspace == "model" and self._state.shell.model_tab == "states"

    def show(self, *_: object) -> None:
        """Draw everything."""
        state, page, states = self._state, self._page, self._state.states
        page.set_filled(state.case.recording is not None)
        if not self._on_show or state.case.recording is None:
            return
        model = state.model.model
        title = veiled_model(state, model).title if model is not None else ""
        told = tr("states.model", title=title) if title else tr("reason.model")
        result = states.result
        networks, with_conditions = (result.info.networks, bool(result.info.conditions)) if result else ((), False)
        page.panel.show_colours(networks, conditions=with_conditions)
        page.panel.show_choices(states.k, states.source, states.colour, told)
        page.plot_box.set_waiting("" if result is not None else self._waiting())
        page.strip_box.set_waiting("" if result is not None else tr("states.waiting"))
        if result is None:
            page.plot_box.set_title(tr("states.plot.none"))
            page.panel.show_result("" if states.problem else self._waiting(), "", outdated=False)
            return
        info = result.info
        window_s = info.window_frames * info.tr_s
        shares = " + ".join(f"{share:.0%}" for share in getattr(info, states.source).explained)
        source = tr(f"states.source.{states.source}")
        page.plot_box.set_title(tr("states.plot", source=source, seconds=f"{window_s:.1f}", shares=shares))
        page.plot.set_windows(
            result.arrays[f"{states.source}_xy"], result.arrays[f"{states.source}_states"], self._colouring(result)
        )
        ours, plain = (result.arrays[f"{name}_states"] for name in SOURCES)
        page.strip.set_states(ours, plain, result.arrays.get("condition"), info.conditions, window_s)
        tables = [_table(tr(f"states.source.{name}"), getattr(info, name)) for name in SOURCES]
        tables.append(tr("states.agreement", value=number(info.agreement, 0.01)))
        if agreed := info.with_conditions:
            tables.append(tr("states.with_conditions", **{name: number(agreed[name], 0.01) for name in SOURCES}))
        notes = "\n".join(veiled(state, note) for note in info.notes)
        page.panel.show_result("<br>".join(tables), notes, outdated=states.outdated)
        self._frame_changed()

    def _colouring(self, result: StatesFound) -> Colouring:
        """Return what colours say; by state where what was chosen is not known of this recording."""
        states, info, arrays = self._state.states, result.info, result.arrays
        if states.colour == "time":
            return by_time(info.windows)
        if states.colour == "condition" and info.conditions:
            return by_condition(arrays["condition"], info.conditions)
        if states.colour in info.networks:
            return by_activity(arrays["activity"][info.networks.index(states.colour)])
        return by_state(arrays[f"{states.source}_states"])

    def _waiting(self) -> str:
        states = self._state.states
        if states.problem:
            return veiled(self._state, states.problem)
        return tr("states.running") if states.running else tr("states.empty")

    def _frame_changed(self, *_: object) -> None:
        result = self._state.states.result
        if self._on_show and result is not None:
            frame, info = self._state.view.frame, result.info
            self._page.plot.set_window(min(frame // info.window_frames, info.windows - 1))
            self._page.strip.set_cursor(frame * info.tr_s)

    def set_theme(self, theme: Theme) -> None:
        """Repaint the drawings."""
        self._page.set_theme(theme)


def _then(state: int, follow: tuple[int, ...]) -> str:
    """Return the states that follow most often, the state itself left out."""
    others = {other + 1: count for other, count in enumerate(follow) if other != state and count}
    return ", ".join(str(other) for other, count in others.items() if count == max(others.values())) or "–"


def _table(source: str, found: StateSet) -> str:
    """Return one set of states as rich text: a row per state."""
    columns = ("state", "occupancy", "dwell", "visits", "then")
    rows = ["".join(f"<th align='right'>{tr(f'states.column.{name}')}&nbsp;</th>" for name in columns)]
    for state in range(found.k):
        cells = (
            state + 1, f"{found.occupancy[state]:.0%}", f"{found.dwell_s[state]:.0f}", found.visits[state],
            _then(state, found.transitions[state]),
        )  # fmt: skip
        rows.append("".join(f"<td align='right'>{cell}&nbsp;</td>" for cell in cells))
    head = tr("states.found", source=source, k=found.k, silhouette=number(found.silhouette, 0.01))
    return f"<b>{head}</b><table>{''.join(f'<tr>{row}</tr>' for row in rows)}</table>"
