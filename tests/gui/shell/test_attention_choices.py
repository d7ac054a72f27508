"""Choices of the Attention tab: kept with the session; what they show of maps that are known."""

from __future__ import annotations

import numpy as np
import pytest

from app.controllers.attention_view import chosen_parcel, reach, view_of
from app.controllers.contrast_view import contrast_view
from app.state import AppState
from app.state.attention_maps import AttentionRead, Contrasted, Occluded, log_times
from app.state.session import Session, restore_settings, snapshot
from brainlm_engine.api.attention import AttentionInfo
from brainlm_engine.api.contrast import ContrastInfo, ContrastMethod
from brainlm_engine.api.occlusion import OcclusionInfo

PARCELS = 6


def read() -> AttentionRead:
    maps = np.random.default_rng(0).dirichlet(np.ones(PARCELS), (2, 3, PARCELS))
    maps[..., 4, :] = maps[..., 4] = np.nan
    summary = np.random.default_rng(1).dirichlet(np.ones(PARCELS), (2, 3))
    info = AttentionInfo(windows=1, window_frames=20, layers=2, heads=3, agreement=0.1, near=0.2)
    arrays = {"maps": maps.astype(np.float16), "summary": summary.astype(np.float16), "rollout": maps[0, 0]}
    return AttentionRead.of(info, arrays)


def test_choices_come_back_with_the_session() -> None:
    state, later = AppState(), AppState()
    state.attention.put(whose="summary", source="rollout", layer=2, head=1, direction="gives", scale="raw")
    state.shell.put(model_tab="attention")
    saved = Session.model_validate_json(snapshot(state, saved=0.0, pid=0, closed=True).model_dump_json())
    restore_settings(saved, later)
    assert later.shell.model_tab == "attention"
    names = ("whose", "source", "layer", "head", "direction", "scale")
    assert [getattr(later.attention, name) for name in names] == ["summary", "rollout", 2, 1, "gives", "raw"]
    other = saved.model_copy(update={"attention": {"source": "gradients", "layer": -3, "else": 1}})
    fresh = AppState()
    restore_settings(other, fresh)
    assert (fresh.attention.source, fresh.attention.layer) == ("attention", 0), "of another version: left as it was"


def test_a_parcel_takes_and_gives() -> None:
    state, known = AppState(), read()
    state.attention.put(result=known, scale="raw")
    assert chosen_parcel(state) == -1
    state.view.put(selected=(2,))
    rows = known.arrays["maps"].astype(np.float32)
    for layer, head, expected in (
        (0, 0, rows.mean((0, 1))),
        (2, 0, rows[1].mean(0)),
        (0, 3, rows[:, 2].mean(0)),
        (1, 1, rows[0, 0]),
    ):
        state.attention.put(layer=layer, head=head, direction="takes")
        takes, others = view_of(state), [0, 1, 3, 5]
        assert takes.values is not None
        assert np.allclose(takes.values[others], 100 * expected[2][others], atol=1e-4)
        assert np.isnan(takes.values[[2, 4]]).all()
        state.attention.put(direction="gives")
        gives = view_of(state).values
        assert gives is not None
        assert np.allclose(gives[others], 100 * expected[:, 2][others], atol=1e-4)
    state.view.put(selected=(4,))
    assert "holds no signal" in view_of(state).why
    state.attention.put(whose="summary", scale="share", layer=0, head=0)
    values = view_of(state).values
    assert values is not None
    assert np.allclose(values, np.log2(known.arrays["summary"].astype(np.float32).mean((0, 1)) * 5), atol=1e-3)


def test_occlusion_of_one_and_of_all() -> None:
    state = AppState()
    state.attention.put(source="occlusion", direction="gives", scale="raw", result=read())
    assert "Select a parcel" in view_of(state).why
    state.view.put(selected=(1,))
    change = np.random.default_rng(2).uniform(size=(PARCELS, PARCELS)).astype(np.float32)
    one = OcclusionInfo(parcels=(1,), windows=1, window_frames=20, hidden=0.5, runs=4, seconds=1.0)
    state.attention.put(occluded=Occluded(one, {"change": change[:, 1:2], "error": -change[:, 1:2]}))
    shown = view_of(state)
    assert np.array_equal(shown.values, change[:, 1])
    assert shown.matrix is None
    assert "Occlude Every Parcel" in shown.why_matrix
    state.attention.put(direction="takes")
    assert view_of(state).values is None
    every = one.model_copy(update={"parcels": tuple(range(PARCELS))})
    state.attention.put(occluded=Occluded(every, {"change": change, "error": -change}))
    assert np.array_equal(view_of(state).values, change[1])
    state.attention.put(source="error")
    shown = view_of(state)
    assert np.array_equal(shown.values, -change[1])
    assert shown.ends[0] == -shown.ends[1]


def test_a_contrast_between_networks_is_a_matrix() -> None:
    names = tuple(f"{one} from {other}" for one in ("Visual", "Default") for other in ("Visual", "Default"))
    t, p = np.array([3.0, -1.0, 0.5, -4.0], np.float32), np.array([0.03, 0.9, 1.0, 0.001], np.float32)
    method = ContrastMethod(
        method="networks", title="T", names=names, of_parcels=False, tested=4, significant=2, discovered=2
    )
    info = ContrastInfo(
        data="c", what="networks", column="task", first="a", second="b", paired=True, people=(9, 9), recordings=18,
        permutations=100, df=8, methods=(method, method), agreement=0.0,
    )  # fmt: skip
    arrays = {
        f"networks_{name}": p if name == "p_family" else t for name in ("t", "p_family", "q", "effect", "low", "high")
    }
    state = AppState()
    state.contrast.put(result=Contrasted(info, arrays), shown="model")
    shown = contrast_view(state)
    assert shown.groups == ("Visual", "Default")
    assert shown.values is None
    assert np.array_equal(shown.matrix, [[3.0, np.nan], [np.nan, -4.0]], equal_nan=True)
    assert [row.name for row in shown.rows][:2] == ["Default from Default", "Visual from Visual"]
    state.contrast.put(masked=False)
    assert np.array_equal(contrast_view(state).matrix, t.reshape(2, 2))


@pytest.mark.parametrize(("values", "end"), [([0.13, -0.26], 0.3), ([np.nan], 1.0), ([0.0], 1.0), ([70.0, 1.0], 80.0)])
def test_colours_end_at_round_numbers(values: list[float], end: float) -> None:
    assert reach(np.array([*values, values[-1]] * 60)) == pytest.approx(end)


def test_logarithms_of_nothing_are_numbers() -> None:
    assert np.allclose(log_times(np.array([0.5, 0.25, 0.0]), 0.25), [1, 0, -8])
    assert np.isnan(log_times(np.array([np.nan]), 0.25)).all()
