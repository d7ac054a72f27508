"""The quality of the recording in a few numbers."""

from __future__ import annotations

from PySide6.QtWidgets import QVBoxLayout, QWidget

from app.text import tr
from app.views.forms import GRID, Form, label

ROWS = ("fd", "dvars", "tsnr", "coverage", "missing")


class QualityPanel(QWidget):
    """Head motion, DVARS, tSNR, coverage and missing parcels."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(GRID)
        column.addWidget(label(tr("panel.quality"), "heading"))
        form = Form()
        form.setVerticalSpacing(4)
        self._values = {name: label(tr("quality.none"), wrap=True) for name in ROWS}
        for name, value in self._values.items():
            form.row(tr(f"quality.{name}"), value, tip=tr(f"quality.{name}.tip") if name in ("fd", "dvars") else "")
        column.addLayout(form)

    def show_values(self, **values: str) -> None:
        """Show the given numbers, already written with their units."""
        for name, text in values.items():
            self._values[name].setText(text or tr("quality.none"))
            self._values[name].setAccessibleName(f"{tr(f'quality.{name}')}: {self._values[name].text()}")
