"""The data probe: what is under the crosshair, with units."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QLabel, QVBoxLayout, QWidget

from app.text import tr
from app.views.forms import GRID, Form, label
from app.widgets.elided import ElidedLabel

ROWS = ("region", "network", "mm", "voxel", "value", "second", "parcel")


class ProbePanel(QWidget):
    """Region, network, position, voxel value and parcel value at the crosshair."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(GRID)
        column.addWidget(label(tr("panel.probe"), "heading"))
        form = Form()
        form.setVerticalSpacing(4)
        self._values = {name: _value() for name in ROWS}
        self._names = {name: form.row(tr(f"probe.{name}"), value) for name, value in self._values.items()}
        for value in self._values.values():
            value.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.show_second(False)
        spaces = (tr("probe.mm"), tr("probe.scanner_mm"))
        form.setColumnMinimumWidth(
            0, max(label(text).sizeHint().width() for text in spaces)
        )  # neither jumps nor is cut
        column.addLayout(form)

    def show_values(self, **values: str) -> None:
        """Show the given rows; the others keep what they have."""
        for name, text in values.items():
            self._values[name].setText(text or tr("probe.none"))
            self._values[name].setAccessibleName(f"{self._heard(name)}: {self._values[name].text()}")

    def _heard(self, name: str) -> str:
        """What a screen reader says before the value."""
        return self._names[name].text().replace("\n", " ")

    def show_second(self, shown: bool) -> None:
        """Show the row of the second scan while two stand side by side."""
        for row in (self._names, self._values):
            row["second"].setVisible(shown)

    def set_space(self, mni: bool) -> None:
        """Say whether the millimetres are MNI's or the scanner's."""
        self._names["mm"].setText(tr("probe.mm") if mni else tr("probe.scanner_mm"))


def _value() -> QLabel:
    """Return the place of one value; one that is too long is shortened in the middle rather than cut at the border."""
    place = ElidedLabel()
    place.setText(tr("probe.none"))
    return place
