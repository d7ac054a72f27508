"""Boxes for whole and real numbers as forms have them: narrow, and quiet until a number is complete."""

from __future__ import annotations

from PySide6.QtWidgets import QDoubleSpinBox, QSpinBox

from app.views.forms import roomy

#: A spin box asks for room for its largest number, and that of all steps of a lifetime is wide.
_NARROWEST = 68


def whole(low: int, high: int, step: int) -> QSpinBox:
    """Return a box for whole numbers."""
    box = QSpinBox()
    box.setRange(low, high)
    box.setSingleStep(step)
    box.setKeyboardTracking(False)
    box.setMinimumWidth(_NARROWEST)
    roomy(box)
    return box


def real(low: float, high: float, decimals: int, step: float) -> QDoubleSpinBox:
    """Return a box for real numbers."""
    box = QDoubleSpinBox()
    box.setDecimals(decimals)
    box.setRange(low, high)
    box.setSingleStep(step)
    box.setKeyboardTracking(False)
    box.setMinimumWidth(_NARROWEST)
    roomy(box)
    return box


def put(box: QSpinBox | QDoubleSpinBox, value: float) -> None:
    """Show ``value`` without telling anyone."""
    box.blockSignals(True)
    box.setValue(value)  # type: ignore[arg-type]
    box.blockSignals(False)
