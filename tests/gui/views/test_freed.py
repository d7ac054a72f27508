"""A closed view is gone, with all it held."""

from __future__ import annotations

import weakref
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from PySide6.QtWidgets import QWidget
from pytestqt.qtbot import QtBot

from app.views.carpet import CarpetView
from app.views.slices import SliceView
from app.views.timebar import TimeBar
from app.views.traces import TraceView


def slices() -> QWidget:
    view = SliceView()
    view.set_grid((20, 24, 20), np.eye(4))
    view.set_labels(np.ones((20, 24, 20), np.int16))
    view.set_overlay(np.ones(3))
    return view


def traces() -> QWidget:
    view = TraceView()
    view.set_series(np.ones((40, 50), np.float32), 1.0, [], "SD")
    return view


def carpet() -> QWidget:
    view = CarpetView()
    view.set_series(np.ones((40, 50), np.float32), 1.0)
    return view


@pytest.mark.parametrize("make", [slices, traces, carpet, TimeBar])
def test_closed_views_are_freed(qtbot: QtBot, make: Callable[[], Any], delete_now: Callable[[], None]) -> None:
    views = [make()]
    views[0].show()
    gone = weakref.ref(views[0])
    views[0].grab()
    views[0].close()
    views[0].deleteLater()
    views.clear()
    delete_now()
    assert gone() is None
