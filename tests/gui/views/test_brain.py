"""The 3D brain: what is clicked is what is there, what is set is what is seen."""

from __future__ import annotations

import os
import subprocess
import sys
import weakref
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PySide6.QtCore import QPoint, Qt
from pytestqt.qtbot import QtBot

from app.theme.tokens import DARK, LIGHT
from app.views.brain import BrainView
from app.views.brain_camera import Camera
from app.widgets.colour_map import hex_rgb
from brainlm_engine.atlas import Atlas

Make = Callable[..., BrainView]
Pixels = Callable[..., Any]


def parcel_in_sight(view: BrainView) -> tuple[int, int, int]:
    """A parcel and a pixel well inside it, near the middle of the large brain."""
    panel = view.canvas.panels()[0]
    x, y, width, height = panel.box
    for step in range(0, 100, 4):
        px, py = round(x + width / 2 + step), round(y + height / 2 - 10)
        around = [view.canvas.parts.pick(panel, px + dx, py + dy) for dx in (-3, 0, 3) for dy in (-3, 0, 3)]
        parcels = {found.parcel if found else -1 for found in around}
        if len(parcels) == 1 and -1 not in parcels:
            return parcels.pop(), px, py
    raise AssertionError("no parcel in sight")


def click(qtbot: QtBot, view: BrainView, x: float, y: float) -> None:
    qtbot.mouseClick(view.canvas, Qt.MouseButton.LeftButton, pos=QPoint(round(x), round(y)))


@pytest.mark.parametrize(("side", "sign"), [("left", "L"), ("right", "R")])
def test_a_click_meets_the_side_that_is_seen(qtbot: QtBot, brain: Make, atlas: Atlas, side: Any, sign: str) -> None:
    view = brain()
    view.view_from(side)
    clicked: list[int] = []
    places: list[tuple[float, ...]] = []
    view.parcel_clicked.connect(clicked.append)
    view.crosshair_requested.connect(lambda *mm: places.append(mm))
    box = view.canvas.panels()[0].box
    for dx in (-60, 0, 60):
        click(qtbot, view, box[2] / 2 + dx, box[3] / 2 - 20)
    assert len(clicked) == 3
    assert {atlas.hemispheres[parcel] for parcel in clicked} == {sign}
    for parcel, mm in zip(clicked, places, strict=True):
        assert np.linalg.norm(atlas.xyz[parcel] - mm) < 40


def test_a_colour_set_is_the_colour_seen(brain: Make, pixels: Pixels, atlas: Atlas) -> None:
    view = brain()
    parcel, x, y = parcel_in_sight(view)
    grey = pixels(view.canvas)[y, x].astype(int)
    assert np.ptp(grey) < 12  # no value: grey
    values = np.full(atlas.n_parcels, np.nan)
    values[parcel] = 2.0
    view.set_values(values, -2, 2, "vik")
    red = pixels(view.canvas)[y, x].astype(int)
    values[parcel] = -2.0
    view.set_values(values, -2, 2, "vik")
    blue = pixels(view.canvas)[y, x].astype(int)
    assert red[0] > red[2] + 30
    assert blue[2] > blue[0] + 30
    values[parcel] = np.nan
    view.set_values(values, -2, 2, "vik")
    np.testing.assert_allclose(pixels(view.canvas)[y, x], grey, atol=2)


def test_colours_of_other_parcels_stay(brain: Make, pixels: Pixels, atlas: Atlas) -> None:
    view = brain()
    values = np.zeros(atlas.n_parcels)
    view.set_values(values, -1, 1, "vik")
    before = pixels(view.canvas).astype(int)
    values[parcel_in_sight(view)[0]] = 1.0
    view.set_values(values, -1, 1, "vik")
    changed = np.abs(pixels(view.canvas).astype(int) - before).max(2) > 8
    assert 0 < changed.mean() < 0.08


def test_deep_parcels_are_seen_and_clicked(qtbot: QtBot, brain: Make, atlas: Atlas) -> None:
    view = brain()
    view.set_layout("panels")
    structures = np.array(atlas.structures)
    for structure in ("subcortex", "cerebellum"):
        panel = next(p for p in view.canvas.panels() if p.parts == (structure,))
        met = set()
        for fx in np.linspace(0.1, 0.9, 17):
            for fy in np.linspace(0.1, 0.9, 17):
                hit = view.canvas.parts.pick(panel, panel.box[0] + fx * panel.box[2], panel.box[1] + fy * panel.box[3])
                if hit is not None:
                    met.add(hit.parcel)
        assert len(met) >= 6
        assert set(structures[list(met)]) == {structure}


def test_every_deep_parcel_has_a_surface(brain: Make, atlas: Atlas) -> None:
    view = brain()
    structures = np.array(atlas.structures)
    for part, blob in view.canvas.parts.blobs.items():
        assert set(np.unique(blob.parcel)) == set(np.flatnonzero(structures == part))


def test_inflated_gives_the_same_parcels_and_true_places(qtbot: QtBot, brain: Make, atlas: Atlas) -> None:
    view = brain()
    view.set_surface("inflated")
    places: list[tuple[int, tuple[float, ...]]] = []
    view.parcel_clicked.connect(lambda parcel: places.append((parcel, ())))
    view.crosshair_requested.connect(lambda *mm: places.append((-1, mm)))
    box = view.canvas.panels()[0].box
    click(qtbot, view, box[2] / 2, box[3] / 2)
    (parcel, _), (_, mm) = places
    assert np.linalg.norm(atlas.xyz[parcel] - mm) < 40  # MNI of the pial surface, not of the inflated one


def test_selection_draws_an_outline(brain: Make, pixels: Pixels, atlas: Atlas) -> None:
    view = brain()
    view.set_values(np.zeros(atlas.n_parcels), -1, 1, "vik")
    before = pixels(view.canvas)
    view.set_selected([parcel_in_sight(view)[0]])
    changed = np.abs(pixels(view.canvas).astype(int) - before).max(2) > 20
    assert 40 < changed.sum() < 3000
    view.set_selected([])
    np.testing.assert_array_equal(pixels(view.canvas), before)


def test_crosshair_is_drawn_where_it_was_clicked(qtbot: QtBot, brain: Make, pixels: Pixels) -> None:
    view = brain()
    places: list[tuple[float, ...]] = []
    view.crosshair_requested.connect(lambda *mm: places.append(mm))
    x, y = 200, 160
    click(qtbot, view, x, y)
    before = pixels(view.canvas)
    view.set_crosshair(places[0])
    changed = np.argwhere(np.abs(pixels(view.canvas).astype(int) - before).max(2) > 20)
    np.testing.assert_allclose(changed.mean(0), (y, x), atol=1.5)


def test_keys_do_what_the_mouse_does(qtbot: QtBot, brain: Make, pixels: Pixels) -> None:
    view = brain()
    layouts: list[str] = []
    stepped: list[int] = []
    view.layout_changed.connect(layouts.append)
    view.parcel_clicked.connect(stepped.append)
    for key, view_name in zip((Qt.Key.Key_1, Qt.Key.Key_2, Qt.Key.Key_5), ("left", "right", "top"), strict=True):
        qtbot.keyClick(view.canvas, key)
        assert view.canvas.view == view_name
    before = pixels(view.canvas)
    for key in (Qt.Key.Key_Left, Qt.Key.Key_Plus, Qt.Key.Key_Down):
        qtbot.keyClick(view.canvas, key)
        assert not np.array_equal(pixels(view.canvas), before)
    qtbot.keyClick(view.canvas, Qt.Key.Key_0)
    np.testing.assert_allclose(pixels(view.canvas), before, atol=3)
    qtbot.keyClick(view.canvas, Qt.Key.Key_7)
    qtbot.keyClick(view.canvas, Qt.Key.Key_7)
    assert layouts == ["panels", "whole"]
    qtbot.keyClick(view.canvas, Qt.Key.Key_Period)
    assert stepped == [0]


def test_dragging_turns_and_does_not_click(qtbot: QtBot, brain: Make) -> None:
    view = brain()
    clicked: list[int] = []
    view.parcel_clicked.connect(clicked.append)
    azimuth = view.canvas.panels()[0].camera.azimuth
    qtbot.mousePress(view.canvas, Qt.MouseButton.LeftButton, pos=QPoint(200, 150))
    qtbot.mouseMove(view.canvas, QPoint(215, 150))
    qtbot.mouseMove(view.canvas, QPoint(240, 150))
    qtbot.mouseRelease(view.canvas, Qt.MouseButton.LeftButton, pos=QPoint(240, 150))
    assert clicked == []
    assert abs(view.canvas.panels()[0].camera.azimuth - azimuth) > 5


def test_many_values_cost_one_picture(qtbot: QtBot, brain: Make, pixels: Pixels, atlas: Atlas) -> None:
    view = brain()
    pixels(view.canvas)
    qtbot.wait(300)
    frames = view.canvas._scene.frames
    for level in np.linspace(-1, 1, 50):
        view.set_values(np.full(atlas.n_parcels, level), -1, 1, "vik")
    qtbot.wait(10)
    assert view.canvas._scene.frames - frames <= 2


def test_themes_change_the_background(brain: Make, pixels: Pixels) -> None:
    view = brain()
    for theme in (DARK, LIGHT):
        view.set_theme(theme)
        np.testing.assert_array_equal(pixels(view.canvas)[60, view.canvas.width() - 6], hex_rgb(theme.canvas))


def test_colour_bar_says_range_and_unit(brain: Make, atlas: Atlas) -> None:
    view = brain()
    view.set_values(np.zeros(atlas.n_parcels), -1, 3, "vik")
    view.set_unit("SD")
    assert view.bar.accessibleName() == "Colour bar, −3 to 3 SD"  # diverging: zero in the middle


def test_without_3d_it_opens_and_says_so(qtbot: QtBot, brain: Make, pixels: Pixels, atlas: Atlas) -> None:
    view = brain(no_3d=True)
    assert not view.available
    assert "--no-3d" in view.reason
    assert view.flat.isVisible()
    assert "3D is switched off" in view.flat.message
    view.set_values(np.where(np.arange(atlas.n_parcels) == 5, 1.0, np.nan), -1, 1, "vik")
    clicked: list[int] = []
    view.parcel_clicked.connect(clicked.append)
    _parcel, centre, _radius = next(spot for spot in reversed(view.flat.spots()) if spot[0] == 5)
    colour = pixels(view.flat)[round(centre.y()), round(centre.x())]
    qtbot.mouseClick(view.flat, Qt.MouseButton.LeftButton, pos=centre.toPoint())
    assert clicked == [5] or len(clicked) == 1
    assert clicked != [5] or colour[0] > colour[2]


NO_DRIVER = """
import numpy as np
from PySide6.QtWidgets import QApplication
from app.views.brain import BrainView
from app.views.brain_camera import Camera
app = QApplication([])
view = BrainView()
view.show()
view.set_atlas(np.zeros(4), np.zeros(4), np.arange(8).reshape(2, 2, 2), np.eye(4), ["cortex"] * 7)
while view.available and not view.driver:
    app.processEvents()
print(view.available, view.flat.isVisible(), view.flat.message, len(view.flat.spots()) > 7)
print(view.reason)
"""


@pytest.mark.skipif(
    not sys.platform.startswith("linux"), reason="the driver is hidden through Mesa's and GLVND's variables"
)
def test_without_opengl_it_opens_and_says_so() -> None:
    hidden = {"__EGL_VENDOR_LIBRARY_FILENAMES": "/nonexistent", "LIBGL_DRIVERS_PATH": "/nonexistent"}
    environment = {**os.environ, **hidden, "QT_QPA_PLATFORM": "offscreen"}
    environment.pop("DISPLAY", None)
    command = [sys.executable, "-c", NO_DRIVER]
    ran = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60, check=False)
    assert ran.returncode == 0, ran.stderr
    shown, reason = ran.stdout.strip().splitlines()[-2:]
    assert shown == "False True This computer cannot draw in 3D. Regions are shown as discs instead. True"
    assert reason.startswith("OpenGL 3.2 is not available: ")


def test_a_closed_view_is_freed(
    qtbot: QtBot, atlas: Atlas, surfaces: dict[str, NDArray[Any]], delete_now: Callable[[], None]
) -> None:
    views = [BrainView()]
    views[0].show()
    views[0].set_surfaces(surfaces)
    views[0].set_atlas(atlas.surface_left, atlas.surface_right, atlas.labels, atlas.affine, atlas.structures)
    qtbot.waitUntil(lambda: views[0].driver != "", timeout=20_000)
    views[0]._loader.wait()
    scenes = [views[0]._scene]
    close, closed = scenes[0].close, []
    scenes[0].close = lambda: (closed.append(True), close())
    gone = weakref.ref(views[0].canvas.parts)
    views[0].close()
    views[0].deleteLater()
    views.clear()
    scenes.clear()
    delete_now()
    assert closed == [True]
    assert gone() is None


def test_light_is_smooth_on_the_inflated_surface(brain: Make) -> None:
    view = brain()
    view.set_surface("inflated")
    for azimuth, elevation in ((180.0, 0.0), (0.0, 0.0), (-90.0, 90.0), (130.0, 20.0)):
        axes = Camera(azimuth=azimuth, elevation=elevation).axes()
        for part in ("left", "right"):
            faces = view.canvas.parts.mesh(part).faces
            light = view.canvas.parts.brightness(part, axes)[:, 0].astype(int)
            assert light.max() <= 256
            assert np.ptp(light[faces], axis=1).max() < 90  # no black dot on a bright gyrus
