"""What the Attention tab shows of a contrast: t on the brain or between networks, and the table of tests."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from app.controllers.attention_view import TOP, reach
from app.state import AppState
from app.state.attention_maps import Array, Contrasted
from app.text import tr
from app.views.top_table import TopRow
from app.widgets.network_colours import readable
from app.widgets.ticks import number
from brainlm_engine.api.contrast import ALPHA


@dataclass(frozen=True, eq=False)
class ContrastView:
    """Like :class:`app.controllers.attention_view.View`; ``groups`` name the rows of the matrix, ``rows`` the table."""

    title: str
    values: Array | None
    why: str
    matrix: Array | None
    why_matrix: str
    ends: tuple[float, float]
    matrix_ends: tuple[float, float]
    unit: str
    groups: tuple[str, ...]
    rows: tuple[TopRow, ...]
    heads: tuple[str, ...]
    cmap: str = "vik"


def contrast_view(state: AppState) -> ContrastView:
    """Return what is shown of the contrast that was made."""
    contrast, found = state.contrast, state.contrast.result
    assert found is not None
    info, method = found.info, found.method(contrast.shown)
    t, corrected = found.of(method, "t"), found.of(method, "p_family")
    shown = np.where(corrected < ALPHA, t, np.nan) if contrast.masked else t
    most = reach(t)
    atlas = state.case.atlas
    here = len(atlas.info.structures) if atlas is not None else 0
    values: Array | None = None
    matrix: Array | None = None
    groups: tuple[str, ...] = ()
    why = ""
    if not method.of_parcels:
        square = info.what == "networks"
        said = tr(f"contrast.what.said.{info.what}")
        why = tr("contrast.brain.none", what=said, matrix=tr("contrast.brain.matrix") if square else "")
        if square:
            size = round(len(t) ** 0.5)
            matrix = shown.reshape(size, size)
            groups = tuple(name.split(" from ")[-1] for name in method.names[:size])
    elif not here:
        why = tr("contrast.brain.closed")
    elif len(t) != here:
        why = tr("contrast.brain.other", cohort=len(t), here=here)
    elif contrast.masked and not np.isfinite(shown).any():
        why = tr("contrast.nothing")
    else:
        values = shown
    title = tr(
        "contrast.title.masked" if contrast.masked else "contrast.title", first=info.first, second=info.second,
        title=tr(f"contrast.short.{method.method}"),
    )  # fmt: skip
    test = {"attention": "parcel", "embedding": "dimension"}.get(info.what, "network")
    return ContrastView(
        title=title, values=values, why=why, matrix=matrix, why_matrix=tr("attention.matrix.none", what=test),
        ends=(-most, most), matrix_ends=(-most, most), unit=tr("contrast.unit", df=info.df), groups=groups,
        rows=_rows(state, found, contrast.shown, here), heads=_heads(found),
    )  # fmt: skip


def _heads(found: Contrasted) -> tuple[str, ...]:
    return (
        tr("contrast.unit", df=found.info.df), tr("contrast.p"), tr("contrast.q"),
        "dz [95 %]" if found.info.paired else "d [95 %]",
    )  # fmt: skip


def _said(name: str) -> str:
    """Return the name of a test as it is read: networks of one between two networks are written out."""
    one, between, other = name.partition(" from ")
    return tr("contrast.from", one=readable(one), other=readable(other)) if between else name


def _rows(state: AppState, found: Contrasted, shown: str, here: int) -> tuple[TopRow, ...]:
    method, atlas = found.method(shown), state.case.atlas
    t, corrected, q, effect, low, high = (
        found.of(method, field) for field in ("t", "p_family", "q", "effect", "low", "high")
    )
    order = np.argsort(-np.nan_to_num(np.abs(t), nan=-1.0))[:TOP]
    fits = method.of_parcels and len(t) == here
    return tuple(
        TopRow(
            int(at) if fits else -1, _said(method.names[at]),
            readable(atlas.network(int(at))) if fits and atlas is not None else "",
            (
                number(float(t[at]), 0.01), number(float(corrected[at]), 0.0001), number(float(q[at]), 0.0001),
                f"{number(float(effect[at]), 0.01)} [{number(float(low[at]), 0.01)}, {number(float(high[at]), 0.01)}]",
            ),
        )
        for at in order if np.isfinite(t[at])
    )  # fmt: skip
