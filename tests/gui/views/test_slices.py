"""The three slices: letters, sides, millimetres, parcels."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtGui import QWheelEvent
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from app.views.slice_grid import Grid, border, dark_borders, plane_of
from app.views.slices import SliceView

MNI2 = np.array([[2, 0, 0, -90], [0, 2, 0, -126], [0, 0, 2, -72], [0, 0, 0, 1.0]])
Pixels = Callable[..., Any]


def turned(degrees: float) -> np.ndarray:
    """An oblique scan with 2 x 2 x 4 mm voxels, tilted about x and z."""
    a, b = np.deg2rad(degrees), np.deg2rad(degrees / 2)
    about_x = np.array([[1, 0, 0], [0, np.cos(a), -np.sin(a)], [0, np.sin(a), np.cos(a)]])
    about_z = np.array([[np.cos(b), -np.sin(b), 0], [np.sin(b), np.cos(b), 0], [0, 0, 1]])
    affine = np.eye(4)
    affine[:3, :3] = about_z @ about_x @ np.diag([2.0, 2.0, 4.0])
    affine[:3, 3] = (-60, -70, -50)
    return affine


@pytest.fixture
def view(qtbot: QtBot) -> SliceView:
    made = SliceView()
    qtbot.addWidget(made)
    made.resize(900, 340)
    made.show()
    made.set_grid((91, 109, 91), MNI2)
    return made


def show_half(view: SliceView) -> None:
    """The patient's right half bright, the left half dark."""
    volume = np.zeros((91, 109, 91), np.float32)
    volume[46:] = 1.0
    i, j, k = view.ijk
    view.set_slices(volume[i], volume[:, j], volume[:, :, k], 0, 1)


def sides(view: SliceView, shot: Any, plane: int) -> tuple[float, float]:
    """Brightness a little left and right of the middle of a pane, away from the crosshair."""
    pane = view.panes[plane]
    centre = view.canvas.mapTo(view, view.canvas.mapFromScene(pane.sceneBoundingRect().center()))
    y = centre.y() - 12
    return float(shot[y, centre.x() - 30].mean()), float(shot[y, centre.x() + 30].mean())


def test_radiological_swaps_letters_and_picture(view: SliceView, pixels: Pixels) -> None:
    view.set_crosshair((0, -60, -20))
    show_half(view)
    for radiological, letters in ((False, ("L", "R")), (True, ("R", "L")), (False, ("L", "R"))):
        view.set_radiological(radiological)
        shot = pixels(view)
        for plane in (1, 2):
            assert tuple(item.text() for item in view.panes[plane].letters[:2]) == letters
            left, right = sides(view, shot, plane)
            assert (left > right) == radiological
        assert [item.text() for item in view.panes[0].letters] == ["P", "A", "I", "S"]


@pytest.mark.parametrize("degrees", [0.0, 12.0, 25.0])
def test_millimetres_and_voxels_agree_when_oblique(view: SliceView, degrees: float) -> None:
    affine = turned(degrees)
    grid = Grid((60, 64, 30), affine)
    rng = np.random.default_rng(1)
    for voxel in rng.integers(0, (60, 64, 30), (40, 3)):
        np.testing.assert_allclose(grid.to_voxel(grid.to_mm(voxel)), voxel, atol=1e-9)
        view.set_grid((60, 64, 30), affine)
        view.set_crosshair(grid.to_mm(voxel))
        assert view.ijk == tuple(voxel)
    np.testing.assert_allclose(grid.zooms, (2, 2, 4))
    assert (grid.oblique_deg > 1) == (degrees > 0)


def test_a_click_asks_for_the_place_under_the_mouse(qtbot: QtBot, view: SliceView) -> None:
    affine = turned(15.0)
    view.set_grid((60, 64, 30), affine)
    grid = Grid((60, 64, 30), affine)
    moved: list[tuple[float, ...]] = []
    view.crosshair_moved.connect(lambda *mm: moved.append(mm))
    pane = view.panes[2]
    target = np.array([20, 40, view.ijk[2]], float)
    scene = pane.mapViewToScene(QPointF(target[0] * 2.0, target[1] * 2.0))
    qtbot.mouseClick(view.canvas.viewport(), Qt.MouseButton.LeftButton, pos=view.canvas.mapFromScene(scene))
    np.testing.assert_allclose(moved[-1], grid.to_mm(target), atol=1e-6)
    assert view.ijk == (20, 40, view.ijk[2])


def test_anisotropic_voxels_keep_their_shape(view: SliceView) -> None:
    view.set_grid((60, 64, 30), turned(0.0))
    for pane in view.panes:
        px = pane.viewPixelSize()
        assert px[0] == pytest.approx(px[1], rel=0.02)  # mm per pixel across and up
    assert view.panes[0].area().height() == pytest.approx(30 * 4.0)
    scales = [pane.viewPixelSize()[0] for pane in view.panes]
    assert max(scales) == pytest.approx(min(scales), rel=0.02)  # all three at one scale


def test_wheel_goes_through_the_slices(view: SliceView) -> None:
    view.set_crosshair((0, 0, 0))
    before = view.ijk
    pane = view.panes[2]
    place = view.canvas.mapFromScene(pane.sceneBoundingRect().center())
    viewport = view.canvas.viewport()
    event = QWheelEvent(
        QPointF(place),
        QPointF(viewport.mapToGlobal(place)),
        QPoint(),
        QPoint(0, 120),
        Qt.MouseButton.NoButton,
        Qt.KeyboardModifier.NoModifier,
        Qt.ScrollPhase.NoScrollPhase,
        False,
    )
    QApplication.sendEvent(viewport, event)
    assert view.ijk == (before[0], before[1], before[2] + 1)


def test_keys_move_the_crosshair_as_seen(qtbot: QtBot, view: SliceView) -> None:
    view.set_crosshair((0, 0, 0))
    i, j, k = view.ijk
    qtbot.keyClick(view, Qt.Key.Key_Z)
    qtbot.keyClick(view, Qt.Key.Key_Right)
    assert view.ijk == (i + 1, j, k)
    view.set_radiological(True)
    qtbot.keyClick(view, Qt.Key.Key_Right)  # to the right of the picture is the patient's left now
    assert view.ijk == (i, j, k)
    qtbot.keyClick(view, Qt.Key.Key_PageUp)
    qtbot.keyClick(view, Qt.Key.Key_X)
    qtbot.keyClick(view, Qt.Key.Key_Up)
    assert view.ijk == (i, j, k + 2)


def test_overlay_threshold_and_selection(view: SliceView, pixels: Pixels) -> None:
    labels = np.zeros((91, 109, 91), np.int16)
    labels[20:45] = 1
    labels[46:70] = 2
    view.set_crosshair((0, -60, -20))
    i, j, k = view.ijk
    view.set_slices(*(np.zeros(labels.shape)[s] for s in ((i,), (slice(None), j), (slice(None), slice(None), k))), 0, 1)
    view.set_labels(labels)
    view.set_overlay(np.array([-2.0, 2.0]), -2, 2, "vik", opacity=1.0)
    centre = view.canvas.mapTo(view, view.canvas.mapFromScene(view.panes[2].sceneBoundingRect().center()))

    def colours() -> tuple[Any, Any]:
        shot = pixels(view).astype(int)
        return shot[centre.y() - 12, centre.x() - 20], shot[centre.y() - 12, centre.x() + 20]

    left, right = colours()
    assert left[2] > left[0]
    assert right[0] > right[2]
    view.set_overlay(np.array([-0.5, 2.0]), -2, 2, "vik", threshold=1.0, opacity=1.0)
    left, right = colours()
    assert left.sum() == 0
    view.set_overlay(np.array([np.nan, 2.0]), -2, 2, "vik", opacity=1.0)
    assert colours()[0].sum() == 0
    view.set_overlay(None)
    before = pixels(view)
    view.set_selected([1])
    assert (pixels(view) != before).any()
    view.set_selected([])
    np.testing.assert_array_equal(pixels(view), before)


def test_border_runs_between_inside_and_outside() -> None:
    region = np.zeros((4, 5), bool)
    region[1:3, 2] = True
    x, y = border(region)
    assert len(x) == 2 * 6  # two pixels side by side have six outer edges
    assert x.min() == 0.5
    assert x.max() == 2.5
    assert y.min() == 1.5
    assert y.max() == 2.5


def head(shape: tuple[int, int, int] = (91, 109, 91)) -> np.ndarray:
    """A bright ellipsoid in faintly noisy air, lower than the middle, as heads lie in MNI space."""
    grid = np.stack(np.meshgrid(*[np.arange(n) for n in shape], indexing="ij"), -1)
    inside = (((grid - (45, 54, 37)) / (36, 44, 36)) ** 2).sum(-1) < 1
    return np.where(inside, 100.0, 4.0).astype(np.float32)


def test_dark_borders_are_measured_in_mm() -> None:
    borders = np.array(dark_borders(head(), 0.0, 100.0, MNI2))
    expected = np.array([(10, 10), (11, 11), (2, 18)]) * 2.0
    assert (borders <= expected).all()  # never more than there is
    assert (borders >= expected - 4.0).all()
    assert dark_borders(np.zeros((4, 4, 4), np.float32), 0.0, 1.0, np.eye(4)) == ((0.0, 0.0),) * 3


@pytest.mark.parametrize("size", [(540, 394), (900, 340), (420, 700)])
def test_letters_stand_in_the_dark_and_the_brain_is_larger_for_it(view: SliceView, size: tuple[int, int]) -> None:
    volume = head()
    view.resize(*size)
    view.set_grid(volume.shape, MNI2)
    before = view.panes[0].viewPixelSize()[0]
    view.set_grid(volume.shape, MNI2, dark_borders(volume, 0.0, 100.0, MNI2))
    view.set_slices(*(plane_of(volume, plane, view.ijk) for plane in range(3)), 0, 100)
    QApplication.processEvents()
    assert view.panes[0].viewPixelSize()[0] < before * 0.97  # mm per pixel
    for pane in view.panes:
        picture = np.asarray(pane.image.image)
        whole = pane.mapRectToParent(pane.rect())
        for letter in pane.letters:
            box = letter.boundingRect().adjusted(1, 3, -1, -3).translated(letter.pos())
            assert whole.contains(pane.mapRectToParent(box)), "a letter is cut by the edge of its pane"
            low, high = (pane.mapToView(point) for point in (box.bottomLeft(), box.topRight()))
            columns = slice(max(int(low.x() / 2), 0), max(int(high.x() / 2) + 1, 0))
            rows = slice(max(int(low.y() / 2), 0), max(int(high.y() / 2) + 1, 0))
            assert (picture[columns, rows] < 100).all(), f"{letter.text()} covers the brain"
    sizes = [pane.viewPixelSize()[0] for pane in view.panes]
    assert max(sizes) == pytest.approx(min(sizes), rel=0.02)
