"""Colour maps, colours of the themes, colour bar, time bar, quality strip."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from PySide6.QtCore import QPoint, Qt
from pytestqt.qtbot import QtBot

from app.theme.tokens import DARK, LIGHT, Theme
from app.views.clock import clock
from app.views.timebar import TimeBar
from app.widgets.colour_bar import ColourBar
from app.widgets.colour_map import NAMES, colour_map, hex_rgb, symmetric
from app.widgets.network_colours import network_colours, readable
from app.widgets.qc_strip import Line, QCStrip
from app.widgets.ticks import number, round_ticks

Pixels = Callable[..., Any]


def luminance(colour: str) -> float:
    share = np.array(hex_rgb(colour)) / 255
    linear = np.where(share <= 0.04045, share / 12.92, ((share + 0.055) / 1.055) ** 2.4)
    return float(linear @ (0.2126, 0.7152, 0.0722))


def contrast(one: str, other: str) -> float:
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("theme", [DARK, LIGHT], ids=lambda theme: theme.name)
def test_contrast_of_the_themes(theme: Theme) -> None:
    for back in (theme.canvas, theme.window, theme.panel):
        assert contrast(theme.text, back) >= 4.5
        assert contrast(theme.muted, back) >= 4.5
        assert contrast(theme.border, back) >= 3.0
    for colour in (*theme.trace, *theme.networks, theme.no_network, theme.accent):
        assert contrast(colour, theme.canvas) >= 3.0
    assert contrast(theme.slice_text, theme.slice_canvas) >= 4.5
    assert contrast(theme.accent_text, theme.accent) >= 4.5


@pytest.mark.parametrize("name", NAMES)
def test_palettes_have_256_colours(name: str) -> None:
    assert colour_map(name).table.shape == (256, 3)


def test_sequential_maps_get_lighter_and_diverging_ones_turn_in_the_middle() -> None:
    def lightness(name: str) -> Any:
        return colour_map(name).table.astype(float) @ (0.2126, 0.7152, 0.0722)

    for name in ("cividis", "batlow"):
        assert np.corrcoef(lightness(name), np.arange(256))[0, 1] > 0.98
    assert 120 <= lightness("vik").argmax() <= 136
    wrap = colour_map("vikO").table.astype(int)
    assert np.abs(wrap[0] - wrap[-1]).max() < 8


def test_values_out_of_range_and_unknown() -> None:
    rgb = colour_map("vik").rgb(np.array([-9.0, 0.0, 9.0, np.nan, np.inf, -np.inf]), -1, 1, nan=(1, 2, 3))
    table = colour_map("vik").table
    for got, wanted in ((0, 0), (1, 127), (2, 255), (4, 255), (5, 0)):
        np.testing.assert_allclose(rgb[got].astype(int), table[wanted].astype(int), atol=3)
    assert tuple(rgb[3]) == (1, 2, 3)
    assert symmetric(-1, 3) == (-3, 3)
    assert symmetric(0, 0) == (-1, 1)
    cyclic = colour_map("vikO")
    assert cyclic.indices(np.array([0.25]), 0, 1) == cyclic.indices(np.array([1.25]), 0, 1)
    with pytest.raises(KeyError):
        colour_map("jet")


def test_round_numbers() -> None:
    np.testing.assert_allclose(round_ticks(-1, 1, 4), [-1, -0.5, 0, 0.5, 1], atol=1e-12)
    assert round_ticks(0, 0) == []
    assert round_ticks(float("nan"), 1) == []
    assert number(-0.5, 0.5) == "−0.5"
    assert number(-1e-17, 0.5) == "0.0"
    assert clock(3725) == "1:02:05"


def test_network_colours_keep_their_hue() -> None:
    names = ["Default", "Visual", "", "SalienceVentralAttention", "Default"]
    colours = network_colours(names, DARK)
    assert colours[0] == colours[4] == DARK.networks[6]
    assert colours[1] == DARK.networks[0]
    assert colours[2] == DARK.no_network
    assert colours[3] == DARK.networks[3]
    assert readable("DorsalAttention") == "Dorsal attention"
    assert readable("Frontoparietal") == "Frontoparietal"


def test_colour_bar_is_low_at_the_bottom(qtbot: QtBot, pixels: Pixels) -> None:
    bar = ColourBar()
    qtbot.addWidget(bar)
    bar.resize(80, 240)
    bar.set_range(-2, 2, "vik")
    bar.set_unit("SD")
    shot = pixels(bar).astype(int)
    column = shot[:, 12]
    low, high = column[-20], column[40]
    assert low[2] > low[0]
    assert high[0] > high[2]
    assert bar.accessibleName() == "Colour bar, −2 to 2 SD"
    bar.clear()
    assert bar.accessibleName() == "Colour bar, empty"


def test_time_bar_asks_and_shows(qtbot: QtBot) -> None:
    bar = TimeBar()
    qtbot.addWidget(bar)
    bar.show()
    assert not bar.play.isEnabled()
    assert bar.play.toolTip() != ""  # why not
    bar.set_range(490, 0.72)
    asked: list[object] = []
    bar.frame_requested.connect(asked.append)
    bar.play_toggled.connect(asked.append)
    bar.speed_changed.connect(asked.append)
    bar.set_frame(100)
    bar.set_speed(2.0)
    bar.set_playing(False)
    assert asked == []
    assert bar.where.text() == "72.0 / 352.1 s   frame 101 of 490"
    qtbot.keyClick(bar.slider, Qt.Key.Key_Right)
    qtbot.mouseClick(bar.play, Qt.MouseButton.LeftButton)
    assert asked == [101, True]
    bar.set_playing(True)
    assert bar.play.accessibleName() == "Pause"
    qtbot.mouseClick(bar.play, Qt.MouseButton.LeftButton)
    assert asked[-1] is False
    bar.set_time_unit("clock")
    assert bar.where.text().startswith("1:12 / 5:52")
    bar.set_time_unit("TR")
    assert bar.where.text() == "frame 102 of 490"


def test_quality_strip(qtbot: QtBot, pixels: Pixels) -> None:
    strip = QCStrip()
    qtbot.addWidget(strip)
    strip.set_lines(Line("DVARS", np.r_[np.ones(50), 9.0, np.ones(49)], "%", 2.5), Line("FD", np.full(100, np.nan)))
    strip.resize(400, strip.sizeHint().height())
    strip.show()
    asked: list[int] = []
    strip.frame_requested.connect(asked.append)
    before = pixels(strip).astype(int)
    strip.set_cursor(50)
    changed = np.argwhere((pixels(strip).astype(int) != before).any(2))
    x = int(changed[:, 1].mean())
    qtbot.mouseClick(strip, Qt.MouseButton.LeftButton, pos=QPoint(x, 10))
    assert asked == [50]
    qtbot.keyClick(strip, Qt.Key.Key_Right)
    assert asked == [50, 51]


def test_words_of_the_quality_strip_leave_the_line_free(qtbot: QtBot, pixels: Pixels) -> None:
    strip = QCStrip()
    qtbot.addWidget(strip)
    strip.set_gutter(120, 30)
    strip.set_lines(Line("Voxel", np.r_[np.zeros(199), -9.0], "% signal change"), Line("FD", np.zeros(200), "mm", 0.5))
    strip.resize(500, strip.sizeHint().height())
    strip.show()
    shot = pixels(strip).astype(int)
    canvas = np.array(hex_rgb(DARK.canvas))
    drawn = (np.abs(shot - canvas).sum(2) > 30).nonzero()
    band = strip.height() // 2
    upper = drawn[1][drawn[0] < band - 4]
    inside = upper[(upper >= 122)]
    assert (upper < 116).any(), "name and peak are missing"
    assert inside.size
    assert inside.max() <= 500 - 30 + 1, "something is drawn beyond the end of the traces"
    rows = drawn[0][(drawn[1] > 380) & (drawn[1] < 465) & (drawn[0] < band - 6)]
    assert np.unique(rows).size <= 3, "words stand over the line"
