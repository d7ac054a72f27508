"""Where things are when the brain is looked at from the six sides."""

from __future__ import annotations

import numpy as np
import pytest

from app.views.brain_camera import VIEWS, Camera, pick


@pytest.mark.parametrize(
    ("view", "right", "up"),
    [
        ("left", (0, -1, 0), (0, 0, 1)),
        ("right", (0, 1, 0), (0, 0, 1)),
        ("front", (-1, 0, 0), (0, 0, 1)),
        ("back", (1, 0, 0), (0, 0, 1)),
        ("top", (1, 0, 0), (0, 1, 0)),
        ("bottom", (1, 0, 0), (0, -1, 0)),
    ],
)
def test_each_side_has_its_right_and_up(view: str, right: tuple[int, ...], up: tuple[int, ...]) -> None:
    azimuth, elevation = VIEWS[view]
    axes = Camera(azimuth=azimuth, elevation=elevation).axes()
    if view == "bottom":  # seen from below with the front up, the patient's left is at the right
        right, up = (-1, 0, 0), (0, 1, 0)
    np.testing.assert_allclose(axes[0], right, atol=1e-12)
    np.testing.assert_allclose(axes[1], up, atol=1e-12)
    np.testing.assert_allclose(np.cross(axes[0], axes[1]), axes[2], atol=1e-12)


def test_fitting_keeps_every_point_inside() -> None:
    points = np.random.default_rng(0).normal(size=(500, 3)) * (60, 90, 40) + (5, -20, 10)
    for azimuth, elevation in VIEWS.values():
        camera = Camera(azimuth=azimuth, elevation=elevation).fitted(points, 300, 200)
        seen = camera.to_pixels(points, 300, 200)
        assert seen[:, 0].min() >= 0
        assert seen[:, 0].max() <= 300
        assert seen[:, 1].min() >= 0
        assert seen[:, 1].max() <= 200


def test_tilting_stops_above() -> None:
    assert Camera().turned(0, 500).elevation == 90


def test_picking_meets_the_nearest_face() -> None:
    square = np.array([[0, 0, 0], [0, 10, 0], [0, 0, 10]], float)
    vertices = np.concatenate([square, square + np.array([30, 0, 0])])
    faces = np.array([[0, 1, 2], [3, 4, 5]])
    for azimuth, nearest in ((180.0, 0), (0.0, 1)):
        camera = Camera(azimuth=azimuth, focus=(0, 3, 3), scale=20)
        found = pick(camera, vertices, faces, (100, 100), (200, 200))
        assert found is not None
        assert found.face == nearest
        np.testing.assert_allclose(found.weights @ vertices[faces[found.face], 1:], (3, 3), atol=1e-9)
    assert pick(Camera(), vertices, faces, (0, 0), (200, 200)) is None
