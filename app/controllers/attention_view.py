"""What the Attention tab shows of its settings: values, colours, units, titles. Nothing is drawn here."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from app.state import AppState
from app.state.attention_maps import Array, AttentionRead, log_times, without_itself
from app.text import tr

TOP = 20
_OCCLUSIONS = ("occlusion", "error")


@dataclass(frozen=True, eq=False)
class View:
    """One map and its matrix, as they are coloured.

    Attributes
    ----------
    values : (P,) on the brain, None = nothing, ``why`` says why
    matrix : (P, P), None = nothing, ``why_matrix`` says why
    ends, matrix_ends : ends of the colour map
    cells : (P, any) raw numbers of the table, ``heads`` name them
    """

    title: str = ""
    values: Array | None = None
    why: str = ""
    matrix: Array | None = None
    why_matrix: str = ""
    ends: tuple[float, float] = (-1.0, 1.0)
    matrix_ends: tuple[float, float] = (-1.0, 1.0)
    cmap: str = "vik"
    unit: str = ""
    cells: Array | None = None
    heads: tuple[str, ...] = ()


def chosen_parcel(state: AppState) -> int:
    """Return the parcel whose attention is on show, -1 = the summary token."""
    selected = state.view.selected
    return selected[0] if state.attention.whose == "parcel" and selected else -1


def view_of(state: AppState) -> View:
    """Return what the settings show of what was read."""
    return _occlusion(state) if state.attention.source in _OCCLUSIONS else _attention(state)


def reach(values: Array) -> float:
    """Return a round end of a colour map that holds 99 % of ``values``."""
    known = np.abs(values[np.isfinite(values)])
    if not known.size:
        return 1.0
    most = float(np.partition(known, int(0.99 * (known.size - 1)))[int(0.99 * (known.size - 1))])
    if most <= 0:
        return 1.0
    power = 10.0 ** np.floor(np.log10(most))
    return float(next(step for step in (1, 1.5, 2, 2.5, 3, 4, 5, 6, 8, 10) if step * power >= most * 0.999) * power)


def _name(state: AppState, parcel: int) -> str:
    atlas = state.case.atlas
    return atlas.name(parcel) if atlas is not None else str(parcel + 1)


def _attention(state: AppState) -> View:
    chosen, read = state.attention, state.attention.result
    assert read is not None
    parcel, share = chosen_parcel(state), chosen.scale == "share"
    matrix = read.matrix(chosen.source, chosen.layer, chosen.head)
    gives, why = chosen.direction == "gives", ""
    if parcel >= 0:
        raw = without_itself(matrix[:, parcel] if gives else matrix[parcel], parcel)
        title = tr(f"attention.title.{chosen.direction}", name=_name(state, parcel))
        if not np.isfinite(raw).any():
            why = tr("attention.no_signal", name=_name(state, parcel))
        if chosen.source == "rollout":
            title = tr("attention.title.rollout", title=title)
    elif chosen.source == "rollout":
        raw, title, why = np.full(len(matrix), np.nan), tr("attention.heading"), tr("attention.rollout.summary")
    else:
        raw, title = read.summary(chosen.layer, chosen.head), tr("attention.title.summary")
    values = log_times(raw, read.uniform) if share else raw * 100
    table, widest = _table(read, chosen.source, chosen.layer, chosen.head, share)
    most = reach(values)
    return View(
        title=title, values=None if why else values, why=why, matrix=table,
        ends=(-most, most) if share else (0.0, most), matrix_ends=(-widest, widest) if share else (0.0, widest),
        cmap="vik" if share else "batlow", unit=tr("attention.unit.share" if share else "attention.unit.raw"),
        cells=np.column_stack([raw / read.uniform, raw * 100]),
        heads=(tr("attention.top.uniform"), tr("attention.top.percent")),
    )  # fmt: skip


@lru_cache(maxsize=2)
def _table(read: AttentionRead, source: str, layer: int, head: int, share: bool) -> tuple[Array, float]:
    """Return the matrix as it is coloured and the end of its colours: the same for every parcel that is chosen."""
    off = np.array(read.matrix(source, layer, head), np.float32)
    np.fill_diagonal(off, np.nan)
    table = log_times(off, read.uniform) if share else off * 100
    return table, reach(table)


def _occlusion(state: AppState) -> View:
    chosen, found = state.attention, state.attention.occluded
    parcel, gives = chosen_parcel(state), state.attention.direction == "gives"
    share = chosen.scale == "share" and chosen.source == "occlusion"
    raw, both, title = None, None, tr("attention.heading")
    why = tr("attention.occlusion.none" if chosen.whose == "parcel" else "attention.occlusion.summary")
    if parcel >= 0:
        title = tr("attention.title.hidden" if gives else "attention.title.changes", name=_name(state, parcel))
        why = _why_not(state, gives)
    if parcel >= 0 and found is not None:
        raw = found.row(chosen.source, parcel, gives=gives)
        both = [found.row(source, parcel, gives=gives) for source in _OCCLUSIONS]
    matrix = found.table(chosen.source) if found is not None and found.whole else None
    unit = tr("attention.unit.usual" if share else "attention.unit.change")
    values, table = raw, matrix
    if share:
        values = log_times(raw, float(np.nanmean(raw))) if raw is not None and np.isfinite(raw).any() else raw
        table = log_times(matrix, float(np.nanmean(matrix))) if matrix is not None else None
    if raw is not None and not np.isfinite(raw).any():
        values, why = None, tr("attention.no_signal", name=_name(state, parcel))
    signed = share or chosen.source == "error"
    most = reach(values) if values is not None else 1.0
    widest = reach(table) if table is not None else 1.0
    cells = np.column_stack([each for each in both if each is not None]) if both and both[0] is not None else None
    return View(
        title=title, values=values, why="" if values is not None else why, matrix=table,
        why_matrix="" if table is not None else _why_not(state, gives=False),
        ends=(-most if signed else 0.0, most), matrix_ends=(-widest if signed else 0.0, widest),
        cmap="vik" if signed else "batlow", unit=unit, cells=cells,
        heads=(tr("attention.top.change"), tr("attention.top.error")),
    )  # fmt: skip


def _why_not(state: AppState, gives: bool) -> str:
    chosen, found = state.attention, state.attention.occluded
    if chosen.occlusion_problem:
        return chosen.occlusion_problem
    if gives:
        return tr("attention.occluding")
    estimate = ""
    if found is not None and not found.whole and found.info.runs and state.case.recording is not None:
        seconds = found.info.seconds / found.info.runs * 2 * state.case.recording.info.n_parcels
        estimate = tr("attention.occlusion.estimate", minutes=max(1, round(seconds / 60)))
    return tr("attention.occlusion.takes", estimate=estimate)
