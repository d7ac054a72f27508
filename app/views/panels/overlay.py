"""What is painted over the brain and the slices, and how."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QValidator
from PySide6.QtWidgets import QDoubleSpinBox, QHBoxLayout, QSlider, QVBoxLayout, QWidget

from app.text import tr
from app.views.forms import GRID, Form, choices, choose, label, roomy

if TYPE_CHECKING:
    from app.state.parts import ViewState

OVERLAYS = ("none", "activity", "tsnr", "coverage")
SCALES = ("sd", "percent", "raw")
CMAPS = ("vik", "batlow", "cividis")
SURFACES = ("pial", "inflated")


class SignedBox(QDoubleSpinBox):
    """A number with the same minus as everywhere in the window; the hyphen of the keyboard is taken as well."""

    def textFromValue(self, value: float) -> str:
        """Write ``value``."""
        return super().textFromValue(value).replace("-", "−")

    def valueFromText(self, text: str) -> float:
        """Read what was typed."""
        return super().valueFromText(text.replace("−", "-"))

    def validate(self, text: str, position: int) -> tuple[QValidator.State, str, int]:
        """Take both kinds of minus."""
        state, _, place = super().validate(text.replace("−", "-"), position)
        return state, text, place


class OverlayPanel(QWidget):
    """Emits ``changed(field, value)`` of the view's state; shows what it is told."""

    changed = Signal(str, object)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._overlay = choices((o, tr(f"overlay.{o}")) for o in OVERLAYS)
        self._scale = choices((s, tr(f"unit.{s}")) for s in SCALES)
        self._cmap = choices((c, c) for c in CMAPS)
        self._surface = choices((s, tr(f"surface.{s}")) for s in SURFACES)
        self._low, self._high, self._threshold = _number(), _number(), _number(0.0)
        self._threshold.setToolTip(tr("panel.threshold.tip"))
        self._opacity = QSlider(Qt.Orientation.Horizontal)
        self._opacity.setRange(0, 100)
        self._opacity.setToolTip(tr("panel.opacity.tip"))
        self._low.setToolTip(tr("panel.range.tip"))
        self._high.setToolTip(tr("panel.range.tip"))
        self._unit = label("", "muted")
        for field, box in (
            ("overlay", self._overlay),
            ("scale", self._scale),
            ("cmap", self._cmap),
            ("surface", self._surface),
        ):
            box.activated.connect(lambda _=0, f=field, b=box: self.changed.emit(f, b.currentData()))
        for field, spin in (("low", self._low), ("high", self._high), ("threshold", self._threshold)):
            spin.valueChanged.connect(lambda value, f=field: self.changed.emit(f, float(value)))
        self._opacity.valueChanged.connect(lambda value: self.changed.emit("opacity", value / 100.0))
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(GRID)
        column.addWidget(label(tr("panel.overlay"), "heading"))
        column.addLayout(self._form())

    def _form(self) -> Form:
        form = Form()
        form.row(tr("panel.show"), self._overlay, tip=tr("panel.show.tip"))
        form.row(tr("panel.scale"), self._scale, tip=tr("panel.scale.tip"))
        form.row(tr("panel.cmap"), self._cmap, tip=tr("panel.cmap.tip"))
        ends = QWidget()
        row = QHBoxLayout(ends)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(GRID)
        self._low.setAccessibleName(tr("panel.range_low"))
        self._high.setAccessibleName(tr("panel.range_high"))
        row.addWidget(self._low, 1)
        row.addWidget(label(tr("panel.range_to"), "muted"))
        row.addWidget(self._high, 1)
        ends.setFocusProxy(self._low)
        form.row(tr("panel.range"), ends)
        form.row(tr("panel.threshold"), self._threshold)
        form.row(tr("panel.opacity"), self._opacity)
        form.row(tr("panel.surface"), self._surface, tip=tr("panel.surface.tip"))
        return form

    def show_view(self, view: ViewState, unit: str) -> None:
        """Show the settings as they are; nothing is emitted."""
        for box, value in (
            (self._overlay, view.overlay),
            (self._scale, view.scale),
            (self._cmap, view.cmap),
            (self._surface, view.surface),
        ):
            choose(box, value)
        active = view.overlay != "none"
        self._scale.setEnabled(view.overlay == "activity")
        for spin, number in ((self._low, view.low), (self._high, view.high), (self._threshold, view.threshold)):
            spin.blockSignals(True)
            if abs(spin.value() - number) > 0.5 * 10 ** -spin.decimals():
                spin.setValue(number)
            spin.setEnabled(active)
            spin.blockSignals(False)
        self._high.setToolTip(f"{tr('panel.range.tip')} ({unit})" if unit else tr("panel.range.tip"))
        self._opacity.blockSignals(True)
        self._opacity.setValue(round(100 * view.opacity))
        self._opacity.blockSignals(False)
        self._opacity.setEnabled(active)
        self._cmap.setEnabled(active)


def _number(low: float = -1e6) -> QDoubleSpinBox:
    box = SignedBox()
    box.setRange(low, 1e6)
    box.setDecimals(2)
    box.setSingleStep(0.25)
    box.setKeyboardTracking(False)
    box.setMinimumWidth(60)
    roomy(box)
    return box
