"""Which model, on which window."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QSlider, QSpinBox, QVBoxLayout, QWidget

from app.text import tr
from app.views.action_button import ActionButton
from app.views.forms import GRID, Form, choices, choose, label, roomy

if TYPE_CHECKING:
    from brainlm_engine.api.messages import ModelInfo

SHOWN = ("reconstructed", "difference", "r2")


class ModelPanel(QWidget):
    """Model, its facts and, where there is a choice, how its input is scaled.

    Emits ``model_chosen(id)`` and ``scaling_chosen(key)``.
    """

    model_chosen = Signal(str)
    scaling_chosen = Signal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._models = choices(())
        self._models.activated.connect(lambda _=0: self.model_chosen.emit(str(self._models.currentData())))
        self._facts = label("", "muted", wrap=True)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(GRID)
        column.addWidget(label(tr("model.card"), "heading"))
        self._models.setAccessibleName(tr("model.choose"))
        self._models.setToolTip(tr("model.choose.tip"))
        column.addWidget(self._models)
        column.addWidget(self._facts)
        self._scaling = choices(())
        self._scaling.activated.connect(lambda _=0: self.scaling_chosen.emit(str(self._scaling.currentData())))
        self._choice = QWidget()
        form = Form()
        form.setContentsMargins(0, 0, 0, 0)
        form.row(tr("model.scaling"), self._scaling, tip=tr("model.scaling.tip"))
        self._choice.setLayout(form)
        self._choice.hide()
        column.addWidget(self._choice)

    def set_models(self, models: tuple[ModelInfo, ...], chosen: ModelInfo | None) -> None:
        """Offer ``models``; one that cannot be used is dimmed and says why."""
        self._models.clear()
        for model in models:
            self._models.addItem(model.title, model.model_id)
            if model.problem:
                row = self._models.count() - 1
                self._models.setItemData(row, model.problem, Qt.ItemDataRole.ToolTipRole)
                self._models.setItemData(row, 0, Qt.ItemDataRole.UserRole - 1)
        self._models.setEnabled(bool(models))
        self._models.setToolTip(tr("model.choose.tip") if models else tr("reason.model"))
        self._facts.setText(facts(chosen))
        if chosen is not None:
            choose(self._models, chosen.model_id)

    def show_scalings(self, offered: dict[str, str], chosen: str) -> None:
        """Offer these scalings, names by key; none = there is no choice."""
        self._choice.setVisible(bool(offered))
        if list(offered.items()) != [
            (self._scaling.itemData(i), self._scaling.itemText(i)) for i in range(self._scaling.count())
        ]:
            self._scaling.clear()
            for key, name in offered.items():
                self._scaling.addItem(name, key)
        choose(self._scaling, chosen)


def facts(model: ModelInfo | None) -> str:
    """Return a model's size, window and TR in one line."""
    if model is None:
        return tr("reason.model")
    count = model.n_parameters
    size = f"{count / 1e6:.1f} M" if count >= 1e6 else f"{count / 1e3:.0f} k"
    line = tr("model.facts", parameters=size, window=model.window_frames, tr=f"{model.tr_s:g}")
    return f"{line}\n{model.trained_on}".strip()


class WindowPanel(QWidget):
    """Where the window starts, the Reconstruct button, and what the second brain shows."""

    start_chosen = Signal(int)
    shown_chosen = Signal(str)
    combine_chosen = Signal(str)

    def __init__(self, reconstruct: QAction, another: QAction, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._slider, self._box = QSlider(Qt.Orientation.Horizontal), QSpinBox()
        for control in (self._slider, self._box):
            control.setAccessibleName(f"{tr('model.window')}: {tr('model.start')}")
            control.valueChanged.connect(self.start_chosen.emit)
        self._box.setKeyboardTracking(False)
        roomy(self._box)
        self._text = label("", "muted", wrap=True)
        self._shown = choices((s, tr(f"model.show.{s}")) for s in SHOWN)
        self._shown.activated.connect(lambda _=0: self.shown_chosen.emit(str(self._shown.currentData())))
        form = Form()
        form.row(tr("model.start"), self._slider, self._box, tip=tr("model.start.tip"))
        form.whole(self._text)
        form.row(tr("panel.show"), self._shown, tip=tr("model.shown.tip"))
        self._combine = choices((c, tr(f"model.combine.{c}")) for c in ("first", "mean"))
        self._combine.activated.connect(lambda _=0: self.combine_chosen.emit(str(self._combine.currentData())))
        form.row(tr("model.combine"), self._combine, tip=tr("model.combine.tip"))
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(GRID)
        column.addWidget(label(tr("model.window"), "heading"))
        column.addLayout(form)
        for button in (ActionButton(reconstruct, primary=True), ActionButton(another)):
            column.addWidget(button)  # below each other: side by side they are wider than the panel beside a scroll bar

    def show_window(self, start: int, last: int, text: str, shown: str) -> None:
        """Show the window's start (0..``last``), its time span in words, and what the second brain shows."""
        for control in (self._slider, self._box):
            control.blockSignals(True)
            control.setRange(0, max(last, 0))
            control.setValue(start)
            control.setEnabled(last > 0)
            control.blockSignals(False)
        self._text.setText(text)
        choose(self._shown, shown)

    def show_combine(self, combine: str) -> None:
        """Show which of several predictions of a whole recording is taken."""
        choose(self._combine, combine)
