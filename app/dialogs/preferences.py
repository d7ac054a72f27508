"""Preferences: every change holds at once; there is nothing to confirm."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QCheckBox, QComboBox, QDialog, QPushButton, QSpinBox, QVBoxLayout, QWidget

from app.text import tr
from app.views.forms import GRID, Form, choices, choose, label, roomy

if TYPE_CHECKING:
    from app.state.preferences import Preferences
    from brainlm_engine.api.messages import AtlasInfo


class PreferencesDialog(QDialog):
    """Emits ``changed(field, value)``."""

    changed = Signal(str, object)

    def __init__(self, preferences: Preferences, atlases: tuple[AtlasInfo, ...], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle(tr("preferences.title"))
        self.setModal(False)
        self.setMinimumWidth(440)
        self._preferences = preferences
        column = QVBoxLayout(self)
        column.setContentsMargins(2 * GRID, 2 * GRID, 2 * GRID, 2 * GRID)
        column.setSpacing(GRID)
        column.addWidget(label(tr("preferences.look"), "heading"))
        look = Form()
        self._choice(look, "theme", [(t, tr(f"preferences.theme.{t}")) for t in ("dark", "light")])
        self._choice(look, "scale", [(s, tr(f"unit.{s}")) for s in ("sd", "percent", "raw")])
        self._choice(look, "time_unit", [("s", "s"), ("TR", "TR"), ("clock", "min:s")], "preferences.time")
        self._number(look, "frame_limit", "preferences.play", 5, 60)
        column.addLayout(look)
        for field in ("radiological", "names_hidden", "enable_3d"):
            column.addWidget(self._check(field, f"preferences.{field}"))
        column.addSpacing(GRID)
        column.addWidget(label(tr("preferences.data"), "heading"))
        data = Form()
        installed = [(a.atlas_id, a.title) for a in atlases if a.installed]
        self._choice(data, "atlas_id", installed or [(preferences.atlas_id, preferences.atlas_id)], "preferences.atlas")
        column.addLayout(data)
        column.addWidget(self._check("build_cache", "preferences.cache"))
        column.addWidget(self._check("offer_session", "preferences.session"))
        column.addStretch(1)
        close = QPushButton(tr("close"))
        close.setToolTip(tr("close.tip"))
        close.clicked.connect(lambda _=False: self.reject())
        column.addSpacing(GRID)
        column.addWidget(close, 0, Qt.AlignmentFlag.AlignRight)

    def _choice(self, form: Form, field: str, pairs: list[tuple[str, str]], text: str = "") -> None:
        box = choices(pairs)
        box.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToContents)
        choose(box, getattr(self._preferences, field))
        box.activated.connect(lambda _=0: self.changed.emit(field, box.currentData()))
        text = text or f"preferences.{field}"
        form.row(tr(text), box, tip=tr(f"{text}.tip"))

    def _number(self, form: Form, field: str, text: str, low: int, high: int) -> None:
        box = QSpinBox()
        roomy(box)
        box.setRange(low, high)
        box.setValue(getattr(self._preferences, field))
        box.valueChanged.connect(lambda value: self.changed.emit(field, value))
        form.row(tr(text), box, tip=tr(f"{text}.tip"))

    def _check(self, field: str, text: str) -> QCheckBox:
        box = QCheckBox(tr(text))
        box.setToolTip(tr(f"{text}.tip"))
        box.setChecked(bool(getattr(self._preferences, field)))
        box.checkStateChanged.connect(lambda state: self.changed.emit(field, state == Qt.CheckState.Checked))
        return box
