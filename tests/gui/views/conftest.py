"""The real atlas and surfaces, and views that are closed the way VTK wants it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PySide6.QtGui import QImage
from PySide6.QtWidgets import QWidget
from pytestqt.qtbot import QtBot

from app.views.brain import BrainView
from app.views.brain_canvas import BrainCanvas
from brainlm_engine.atlas import Atlas, load_atlas, load_surfaces


@pytest.fixture(scope="session")
def atlas() -> Atlas:
    return load_atlas("mni424")


@pytest.fixture(scope="session")
def surfaces() -> dict[str, NDArray[Any]]:
    return load_surfaces()


def _pixels(widget: QWidget) -> NDArray[np.uint8]:
    """(height, width, 3) what the person sees once nothing moves any more."""
    for canvas in (widget, *widget.findChildren(BrainCanvas)):
        if isinstance(canvas, BrainCanvas):
            canvas.sharpen()
            for _turn in range(3):  # take what was begun, begin what is wanted now, take it
                canvas.draw_waiting()
    image = widget.grab().toImage().convertToFormat(QImage.Format.Format_RGB888)
    flat = np.frombuffer(image.constBits(), np.uint8).reshape(image.height(), image.bytesPerLine())
    return flat[:, : 3 * image.width()].reshape(image.height(), image.width(), 3).copy()


@pytest.fixture
def pixels() -> Callable[[QWidget], NDArray[np.uint8]]:
    """Draws a widget and gives its pixels, (height, width, 3)."""
    return _pixels


@pytest.fixture
def brain(qtbot: QtBot, atlas: Atlas, surfaces: dict[str, NDArray[Any]]) -> Callable[..., BrainView]:
    """Makes a brain view with everything loaded."""

    def make(size: tuple[int, int] = (520, 400), no_3d: bool = False) -> BrainView:
        view = BrainView(no_3d=no_3d)
        qtbot.addWidget(view, before_close_func=lambda widget: widget.finalize())
        view.resize(*size)
        view.show()
        view.set_surfaces(surfaces)
        view.set_atlas(atlas.surface_left, atlas.surface_right, atlas.labels, atlas.affine, atlas.structures)
        if not no_3d:
            qtbot.waitUntil(lambda: bool(view.canvas.parts.blobs) and view.driver != "", timeout=20_000)
        return view

    return make
