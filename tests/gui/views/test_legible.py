"""Words that must be read are whole: units, captions, names of measures; a minus is a minus."""

from __future__ import annotations

import numpy as np
import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QFontMetrics
from PySide6.QtWidgets import QApplication, QTabBar
from pytestqt.qtbot import QtBot

from app import theme
from app.controllers import display
from app.text import has, tr
from app.views.brain_camera import Camera
from app.views.brain_layout import Panel
from app.views.brain_overlay import CAPTION_GAP, caption_text
from app.views.panels.overlay import OverlayPanel
from app.views.panels.scores import _number
from app.views.traces import TraceView
from app.widgets.colour_bar import ColourBar, small_font, unit_lines
from app.widgets.elided import ElidedLabel
from app.widgets.qc_strip import Line, QCStrip, written


@pytest.mark.parametrize("unit", ["SD", "% signal change", "as measured", "tSNR, no unit", "immeasurability index"])
def test_a_colour_bar_writes_its_whole_unit(qtbot: QtBot, unit: str) -> None:
    bar = ColourBar()
    qtbot.addWidget(bar)
    bar.set_range(-2.5, 2.5, "vik")
    bar.set_unit(unit)
    metrics, width = QFontMetrics(small_font(bar.font())), bar.sizeHint().width()
    lines = unit_lines(unit, metrics, width - 8)
    assert " ".join(lines) == unit
    assert all(metrics.horizontalAdvance(line) <= width - 6 for line in lines)
    assert len(lines) <= 3


@pytest.mark.parametrize("width", [60, 75, 84, 95, 200])
def test_captions_of_neighbours_do_not_touch(qtbot: QtBot, width: int) -> None:
    metrics = QFontMetrics(small_font(QApplication.font()))
    for side in ("left", "right"):
        for view in ("lateral", "medial"):
            caption = f"{side} {view}"
            panel = Panel(caption, (side,), (0, 0, width, 90), Camera(0, 0), caption)  # type: ignore[arg-type]
            text = caption_text(panel, metrics)
            assert metrics.horizontalAdvance(text) <= width - CAPTION_GAP
            assert text == tr(f"brain.{caption}") or width < 200
            assert "…" not in text or width < 80
    assert has("brain.left lateral.short")


def test_the_largest_value_always_says_that_it_is_one(qtbot: QtBot) -> None:
    strip = QCStrip()
    qtbot.addWidget(strip)
    metrics = QFontMetrics(small_font(strip.font()))
    line = Line("DVARS", np.array([1.0, 1.16]), "× median")
    assert written(line, 1.16, metrics, 300) == ["DVARS", "max 1.16 × median"]
    narrow = metrics.horizontalAdvance("1.16 × median") + 2
    assert written(line, 1.16, metrics, narrow) == ["DVARS, max", "1.16 × median"]
    tight = metrics.horizontalAdvance("max 1.16 …") + 1
    name, value = written(line, 1.16, metrics, tight)
    assert name == "DVARS"
    assert value.startswith("max 1.16")
    assert metrics.horizontalAdvance(value) <= tight
    assert written(line, None, metrics, narrow) == ["DVARS"]
    strip.set_lines(line, Line("FD", np.array([np.nan]), "mm"))
    assert strip.toolTip() == "DVARS: max 1.16 × median\nFD"


@pytest.mark.parametrize(("width", "frames"), [(120, 5), (130, 5), (200, 5), (160, 490), (600, 490)])
def test_numbers_of_time_do_not_touch(qtbot: QtBot, width: int, frames: int) -> None:
    view = TraceView()
    qtbot.addWidget(view)
    axis = view.time_axis
    axis.tr_s, axis.unit = 2.0, "clock"
    ((spacing, ticks),) = axis.tickValues(-0.5, frames - 0.5, width)
    metrics = QFontMetrics(axis.font())
    assert len(ticks) >= 2
    widest = max(metrics.horizontalAdvance(text) for text in axis.tickStrings(ticks, 1.0, spacing))
    assert min(np.diff(ticks)) * width / frames > widest + 3


@pytest.mark.parametrize("width", [420, 700, 1200])
def test_the_unit_of_time_keeps_off_the_first_number(qtbot: QtBot, width: int) -> None:
    view = TraceView()
    qtbot.addWidget(view)
    view.resize(width, 240)
    view.show()
    view.set_series(
        np.random.default_rng(0).normal(size=(6, 200)).astype(np.float32), 2.0, [f"r{i}" for i in range(6)], "SD"
    )
    view.set_time_unit("clock")
    area, metrics = view.view.sceneBoundingRect(), QFontMetrics(view.row_axis.type)
    low, high = view.view.viewRange()[0]
    ((_, ticks),) = view.time_axis.tickValues(low, high, area.width())
    first = area.left() + (ticks[0] - low) / (high - low) * area.width() - metrics.horizontalAdvance("0:00") / 2
    assert view._unit_end(metrics, area) <= first - 5


def test_a_tab_is_as_wide_with_the_keyboard_as_without(qtbot: QtBot, qapp: QApplication) -> None:
    theme.apply("dark", qapp)
    bar = QTabBar()
    qtbot.addWidget(bar)
    bar.addTab("Jobs")
    bar.addTab("Log")
    bar.show()
    before = bar.tabRect(0).size(), bar.grab().toImage()
    bar.activateWindow()  # a bare X server has nobody who gives the keyboard to a new window
    bar.setFocus(Qt.FocusReason.TabFocusReason)
    qtbot.waitUntil(bar.hasFocus)
    assert bar.tabSizeHint(0) == before[0]


def test_a_long_name_gives_way_before_the_facts_beside_it(qtbot: QtBot) -> None:
    place = ElidedLabel()
    qtbot.addWidget(place)
    name, facts = f"sub-{'rest' * 60}_bold.nii.gz", " · 5 × 2 s · 424 parcels"
    place.set_sentence(name + facts, name)
    shown = place.shown(600)
    assert shown.endswith(facts)
    assert "…" in shown
    assert place.fontMetrics().horizontalAdvance(shown) <= 600
    assert place.toolTip() == name + facts
    assert place.fontMetrics().horizontalAdvance(place.shown(60)) <= 60
    assert place.shown(10_000) == name + facts


def test_one_minus_everywhere(qtbot: QtBot) -> None:
    assert [display.number(v) for v in (-1.76, -17.64, -176.4, -17640.0, -0.001)] == [
        "−1.76", "−17.6", "−176", "−17 640", "0.00",
    ]  # fmt: skip
    assert [_number(v) for v in (-0.0321, 0.5, -0.0001, float("nan"))] == ["−0.032", "0.500", "0.000", "–"]
    panel = OverlayPanel()
    qtbot.addWidget(panel)
    heard: list[tuple[str, float]] = []
    panel.changed.connect(lambda field, value: heard.append((field, value)))
    for typed, value in (("-1.5", -1.5), ("−2.25", -2.25)):
        panel._low.lineEdit().selectAll()
        panel._low.lineEdit().insert(typed)
        qtbot.keyClick(panel._low, Qt.Key.Key_Return)
        assert panel._low.value() == value
        assert panel._low.text() == typed.replace("-", "−")[:1] + f"{abs(value):.2f}"
    assert [value for field, value in heard if field == "low"][-2:] == [-1.5, -2.25]
