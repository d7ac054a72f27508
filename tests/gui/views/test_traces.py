"""Traces and carpet: right rows, right times, masked patches, missing parcels."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtGui import QFont, QFontMetricsF
from pytestqt.qtbot import QtBot

from app.theme.tokens import DARK, LIGHT
from app.views.carpet import CarpetView
from app.views.time_axes import TimeAxis
from app.views.trace_raster import count_lines
from app.views.traces import TraceView
from app.widgets.colour_map import hex_rgb

Pixels = Callable[..., Any]
V, T = 60, 200


@pytest.fixture
def series() -> np.ndarray:
    values = np.random.default_rng(3).normal(size=(V, T)).astype(np.float32)
    values[4] = np.nan
    return values


@pytest.fixture
def view(qtbot: QtBot, series: np.ndarray) -> TraceView:
    made = TraceView()
    qtbot.addWidget(made)
    made.resize(700, 400)
    made.show()
    made.set_series(series, 2.0, [f"Region {i}" for i in range(V)], "SD")
    made.show_start()
    return made


def at(view: TraceView, frame: float, row: float) -> QPoint:
    """Widget pixel of a frame and a row."""
    return view.mapFromScene(view.view.mapViewToScene(QPointF(frame, row)))


def test_a_click_gives_frame_and_parcel(qtbot: QtBot, view: TraceView) -> None:
    order = np.random.default_rng(0).permutation(V)
    view.set_order(order, ["Visual"] * V)
    frames: list[int] = []
    parcels: list[int] = []
    view.frame_requested.connect(frames.append)
    view.parcel_clicked.connect(parcels.append)
    qtbot.mouseClick(view.viewport(), Qt.MouseButton.LeftButton, pos=at(view, 120, 3.5))
    assert parcels == [order[3]]
    assert frames[0] == pytest.approx(120, abs=1)
    label = QPoint(30, at(view, 0, 5.5).y())
    qtbot.mouseClick(view.viewport(), Qt.MouseButton.LeftButton, pos=label)
    assert parcels[-1] == order[5]
    assert len(frames) == 1  # a click on a name does not move time


def test_the_cursor_stands_at_its_frame(view: TraceView, pixels: Pixels) -> None:
    before = pixels(view).astype(int)
    view.set_cursor(50)
    changed = np.argwhere(np.abs(pixels(view).astype(int) - before).max(2) > 20)
    assert np.unique(changed[:, 1]).size <= 2
    assert changed[:, 1].mean() == pytest.approx(at(view, 50, 0).x(), abs=1.5)


def test_masked_patches_are_shaded_and_predicted_lines_drawn(
    view: TraceView, series: np.ndarray, pixels: Pixels
) -> None:
    flat = np.zeros_like(series)
    view.set_series(flat, 2.0, ["a"] * V, "SD")
    view.set_time_range(0, 100)
    view.view.setYRange(0, 10, padding=0)
    mask = np.zeros((V, 4), bool)
    mask[2, 1] = True
    before = pixels(view).astype(int)
    view.set_predicted(np.full((V, 80), 0.4, np.float32), 10, mask, 20)
    shot = pixels(view).astype(int)
    inside, outside = at(view, 40, 2.85), at(view, 40, 3.85)
    tint = shot[inside.y(), inside.x()] - before[inside.y(), inside.x()]
    assert tint[2] > 8  # the accent is blue
    np.testing.assert_array_equal(shot[outside.y(), outside.x()], before[outside.y(), outside.x()])
    for frame, there in ((5, False), (60, True), (95, False)):
        column = shot[at(view, 0, 7.02).y() : at(view, 0, 7.95).y(), at(view, frame, 0).x()]
        accent = np.abs(column - np.array(hex_rgb(DARK.accent))).max(1).min() < 40
        assert accent == there
    view.clear_predicted()
    np.testing.assert_array_equal(pixels(view), before)


def test_missing_rows_are_dashed_and_named(view: TraceView, pixels: Pixels) -> None:
    shot = pixels(view).astype(int)
    y = at(view, 0, 4.5).y()
    row = shot[y - 1 : y + 2, at(view, 60, 0).x() : at(view, 190, 0).x()]
    drawn = (np.abs(row - np.array(hex_rgb(DARK.canvas))).max(2) > 25).any(0)
    assert 0.3 < drawn.mean() < 0.7
    box = shot[y - 6 : y + 6, at(view, 0, 0).x() + 10 : at(view, 0, 0).x() + 70]
    assert (box.max(2) > 100).sum() > 30  # the word


def test_selection_is_lit_and_can_stand_alone(view: TraceView, pixels: Pixels) -> None:
    before = pixels(view).astype(int)
    view.set_selected([2, 7])
    assert (pixels(view).astype(int) != before).any()
    view.set_only_selected(True)
    assert list(view.rows()) == [2, 7]
    view.set_only_selected(False)
    assert len(view.rows()) == V


def test_keys(qtbot: QtBot, view: TraceView) -> None:
    frames: list[int] = []
    parcels: list[int] = []
    view.frame_requested.connect(frames.append)
    view.parcel_clicked.connect(parcels.append)
    view.set_cursor(10)
    for key in (Qt.Key.Key_Right, Qt.Key.Key_Left, Qt.Key.Key_End, Qt.Key.Key_Home):
        qtbot.keyClick(view, key)
    assert frames == [11, 9, T - 1, 0]
    view.set_selected([5])
    qtbot.keyClick(view, Qt.Key.Key_Down)
    assert parcels == [6]
    qtbot.keyClick(view, Qt.Key.Key_0)
    assert view.view.viewRange()[1] == pytest.approx([0, V])
    qtbot.keyClick(view, Qt.Key.Key_Plus)
    span = view.view.viewRange()[0]
    assert span[1] - span[0] < T - 1


def test_time_units(view: TraceView) -> None:
    axis = view.time_axis
    view.set_time_unit("s")
    assert axis.tickStrings([0, 50], 1, 50) == ["0", "100"]  # TR 2 s
    view.set_time_unit("TR")
    assert axis.tickStrings([0, 50], 1, 50) == ["0", "50"]
    view.set_time_unit("clock")
    assert axis.tickStrings([0, 50], 1, 50) == ["0:00", "1:40"]


def test_scrolling_stays_inside(view: TraceView) -> None:
    view.scroll(1e6, 1e6)
    assert view.view.viewRange()[0][1] <= T - 0.5 + 1e-6
    assert view.view.viewRange()[1][1] <= V + 1e-6
    view.scroll(-1e6, -1e6)
    assert view.view.viewRange()[1][0] == pytest.approx(0)


def test_crowded_rows_are_counted_like_lines() -> None:
    y = np.array([[2.0, 2.0, 2.0, 2.0], [5.0, 9.0, 5.0, 9.0]], np.float32)
    counts = count_lines(y, np.array([0.0, 3.0, 6.0, 9.0]), (12, 9))
    assert (counts[2] == 1).all()
    assert counts[5:10].any(axis=0).all()
    assert counts[3:5].sum() == 0
    assert counts[10:].sum() == 0
    y[0, 1] = np.nan
    assert count_lines(y, np.array([0.0, 3.0, 6.0, 9.0]), (12, 9))[2].tolist() == [0] * 6 + [1] * 3


def test_every_peak_survives_when_frames_outnumber_pixels() -> None:
    y = np.full((1, 5000), 50.0, np.float32)
    y[0, 1234] = 10.0
    counts = count_lines(y, np.linspace(0, 100, 5000), (100, 100))
    assert counts[10].sum() == 1


def test_crowded_view_is_a_picture(view: TraceView, pixels: Pixels) -> None:
    view.resize(700, 220)
    view.show_all()
    assert view.measured.getData()[0] is None or len(view.measured.getData()[0]) == 0
    shot = pixels(view).astype(int)
    inside = shot[20:120, at(view, 20, 0).x() : at(view, 180, 0).x()]
    assert (np.abs(inside - np.array(hex_rgb(DARK.canvas))).max(2) > 25).mean() > 0.3


@pytest.mark.parametrize("theme", [DARK, LIGHT])
def test_themes(view: TraceView, pixels: Pixels, theme: Any) -> None:
    view.set_theme(theme)
    np.testing.assert_array_equal(pixels(view)[12, -5], hex_rgb(theme.canvas))


@pytest.fixture
def carpet(qtbot: QtBot, series: np.ndarray) -> CarpetView:
    made = CarpetView()
    qtbot.addWidget(made)
    made.resize(700, 400)
    made.show()
    steps = np.where(np.arange(V)[:, None] < V // 2, np.sign(np.arange(T) - T / 2), -np.sign(np.arange(T) - T / 2))
    steps = steps.astype(np.float32) + 0 * np.nan_to_num(series)
    steps[4] = np.nan
    made.set_series(steps, 2.0, np.arange(V), unit="SD")
    return made


def test_carpet_colours_order_and_missing(carpet: CarpetView, pixels: Pixels) -> None:
    plot = carpet.plot

    def colour(frame: float, row: float) -> Any:
        spot = plot.mapTo(carpet, plot.mapFromScene(plot.view.mapViewToScene(QPointF(frame, row))))
        return pixels(carpet)[spot.y(), spot.x()].astype(int)

    early, late = colour(20, 10.5), colour(180, 10.5)
    assert early[2] > early[0]
    assert late[0] > late[2]
    assert np.ptp(colour(100, 4.5)) < 12
    carpet.set_order(np.arange(V)[::-1], ["x"] * V)
    np.testing.assert_array_equal(colour(20, 10.5), late)
    mask = np.zeros((V, 4), bool)
    mask[V - 1 - 10, 0] = True
    carpet.set_mask(mask, 0, 50)
    assert (colour(20, 10.5) != late).any()
    np.testing.assert_array_equal(colour(20, 12.5), late)
    carpet.set_mask(None, 0, 1)
    np.testing.assert_array_equal(colour(20, 10.5), late)


def test_carpet_click(qtbot: QtBot, carpet: CarpetView) -> None:
    got: list[tuple[str, int]] = []
    carpet.frame_requested.connect(lambda frame: got.append(("frame", frame)))
    carpet.parcel_clicked.connect(lambda parcel: got.append(("parcel", parcel)))
    plot = carpet.plot
    spot = plot.mapFromScene(plot.view.mapViewToScene(QPointF(77, 33.5)))
    qtbot.mouseClick(plot.viewport(), Qt.MouseButton.LeftButton, pos=spot)
    assert got[0][1] == pytest.approx(77, abs=1)
    assert got[1] == ("parcel", 33)


def test_rows_stand_by_network_whatever_is_set_first(qtbot: QtBot, series: np.ndarray) -> None:
    networks = ["Default", "Visual", "", "Somatomotor", ""] * (V // 5)
    structures = ["cortex", "cortex", "cerebellum", "cortex", "subcortex"] * (V // 5)
    made = TraceView()
    qtbot.addWidget(made)
    made.set_networks(networks, structures)
    made.set_series(series, 2.0, [], "SD")
    rows = [networks[p] for p in made.rows()]
    assert rows == sorted(networks, key=("Visual", "Somatomotor", "Default", "").index)
    groups = [(label, colour) for label, colour, *_ in made.row_axis.groups]
    assert groups[:3] == [
        ("Visual", DARK.networks[0]),
        ("Somatomotor", DARK.networks[1]),
        ("Default", DARK.networks[6]),
    ]
    assert set(groups[3:]) == {("Cerebellum", DARK.no_network), ("Subcortex", DARK.no_network)}


def test_a_window_keeps_the_time_of_its_recording(view: TraceView) -> None:
    view.set_first_frame(100)
    (_spacing, ticks), *_ = view.time_axis.tickValues(0, 100, 600)
    texts = view.time_axis.tickStrings(ticks, 1, _spacing)
    assert float(texts[0]) == pytest.approx((ticks[0] + 100) * 2.0)  # TR 2 s
    assert float(texts[0]) >= 200


def test_the_scale_bar_covers_no_trace(view: TraceView, pixels: Pixels) -> None:
    area = view.view.sceneBoundingRect()
    before = pixels(view)
    view.set_gain(3.0)
    view.set_series(np.zeros((V, T), np.float32), 2.0, [f"Region {i}" for i in range(V)], "SD")
    flat = pixels(view).astype(int)
    text = np.array(hex_rgb(DARK.text))
    bright = (np.abs(flat - text).sum(2) < 60).nonzero()
    places = bright[1][bright[1] > area.left()]
    assert places.size > 20, "there is no scale bar"
    assert places.min() >= area.right()
    assert (before[:, : int(area.left())] == pixels(view)[:, : int(area.left())]).mean() > 0.9


@pytest.mark.parametrize("unit", ["s", "TR", "clock"])
@pytest.mark.parametrize("width", [130, 200, 400, 1200])
@pytest.mark.parametrize(("tr_s", "frames"), [(0.72, 490), (2.0, 200), (2.5, 40), (0.8, 1200)])
def test_a_time_axis_has_three_ticks_however_narrow(unit: Any, width: int, tr_s: float, frames: int) -> None:
    axis = TimeAxis()
    axis.tr_s, axis.unit = tr_s, unit
    spacing, ticks = axis.tickValues(-0.5, frames - 0.5, width)[0]
    assert len(ticks) >= 3
    assert np.allclose(np.diff(ticks), spacing)
    words = axis.tickStrings(ticks, 1.0, spacing)
    assert len(set(words)) == len(words)
    metrics = QFontMetricsF(QFont())
    assert max(metrics.horizontalAdvance(word) for word in words) < spacing * width / frames


def test_the_unit_of_time_stands_left_of_its_numbers(view: TraceView, pixels: Pixels) -> None:
    area = view.view.sceneBoundingRect()
    shots = {}
    for unit in ("s", "TR"):
        view.set_time_unit(unit)
        shots[unit] = pixels(view).astype(int)[int(area.bottom()) + 2 :, : int(area.left()) - 10]
    assert (shots["s"] != shots["TR"]).any()
    assert view.height() - area.bottom() < 32  # no row of its own
