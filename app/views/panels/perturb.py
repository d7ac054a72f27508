"""Targets as a list and a form, what the brain shows, and what came of it."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QCheckBox, QListWidget, QListWidgetItem, QVBoxLayout, QWidget

from app.text import tr
from app.views.action_button import ActionButton
from app.views.forms import GRID, Form, choices, choose, label
from app.views.number_boxes import put, real, whole
from app.views.panels.answer import AnswerPanel
from brainlm_engine.api.perturb import HARD_SD, Target

SHAPES = ("step", "pulse", "ramp", "silence", "draw", "copy")
SHOWN = ("effect", "difference", "activity")
_LIST_HEIGHT = 96


class TargetsPanel(QWidget):
    """Emits ``chosen(place)`` and ``changed(field, value)``; times are in seconds."""

    chosen = Signal(int)
    changed = Signal(str, object)

    def __init__(self, add: QAction, remove: QAction, network: QAction) -> None:
        super().__init__()
        self.list = QListWidget()
        self.list.setAccessibleName(tr("perturb.list.name"))
        self.list.setToolTip(tr("perturb.list.tip"))
        self.list.setFixedHeight(_LIST_HEIGHT)
        self.list.setWordWrap(True)
        self.list.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.list.currentRowChanged.connect(self.chosen.emit)
        self._empty = label(tr("perturb.list.empty"), "muted", wrap=True)
        self.value = real(-HARD_SD, HARD_SD, 2, 0.1)
        self.start, self.stop = real(0, 100_000, 1, 1.0), real(0, 100_000, 1, 1.0)
        self.value.setSuffix(" SD")
        for box in (self.start, self.stop):
            box.setSuffix(" s")
        self.shape = choices((name, tr(f"perturb.shape.{name}")) for name in SHAPES)
        self.strength = whole(0, 100, 10)
        self.strength.setSuffix(" %")
        self.add = QCheckBox(tr("perturb.add"))
        self.add.setToolTip(tr("perturb.add.tip"))
        self.value.valueChanged.connect(lambda value: self.changed.emit("value", value))
        self.start.valueChanged.connect(lambda value: self.changed.emit("start", value))
        self.stop.valueChanged.connect(lambda value: self.changed.emit("stop", value))
        self.shape.activated.connect(lambda _=0: self.changed.emit("shape", str(self.shape.currentData())))
        self.strength.valueChanged.connect(lambda value: self.changed.emit("strength", value / 100))
        self.add.clicked.connect(lambda on: self.changed.emit("add", bool(on)))
        form = Form()
        form.row(tr("perturb.value"), self.value, tip=tr("perturb.value.tip"))
        form.row(tr("perturb.from"), self.start, tip=tr("perturb.time.tip"))
        form.row(tr("perturb.to"), self.stop, tip=tr("perturb.time.tip"))
        form.row(tr("perturb.shape"), self.shape, tip=tr("perturb.shape.tip"))
        form.row(tr("perturb.strength"), self.strength, tip=tr("perturb.strength.tip"))
        form.whole(self.add)
        self._form = QWidget()
        self._form.setLayout(form)
        form.setContentsMargins(0, 0, 0, 0)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(GRID)
        column.addWidget(label(tr("perturb.heading"), "heading"))
        column.addWidget(ActionButton(add, primary=True))
        column.addWidget(self._empty)
        column.addWidget(self.list)
        column.addWidget(self._form)
        for action in (network, remove):
            column.addWidget(ActionButton(action))

    def show_targets(self, rows: Sequence[tuple[str, str]], chosen: int, target: Target | None, tr_s: float) -> None:
        """Show ``(text, what is said of it)`` of every target, and the chosen one in the form."""
        self.list.blockSignals(True)
        if self.list.count() != len(rows):
            self.list.clear()
            self.list.addItems([""] * len(rows))
        for place, (text, said) in enumerate(rows):
            item = self.list.item(place)
            if item is not None:
                _write(item, text, said)
        self.list.setCurrentRow(chosen)
        self.list.blockSignals(False)
        self.list.setVisible(bool(rows))
        self._empty.setVisible(not rows)
        self._form.setEnabled(target is not None)
        if target is not None:
            for box, value in (
                (self.value, target.value), (self.start, target.start * tr_s), (self.stop, target.stop * tr_s),
                (self.strength, round(100 * target.strength)),
            ):  # fmt: skip
                put(box, value)
            choose(self.shape, target.shape)
            self.add.setChecked(target.add)
            self.value.setEnabled(target.shape not in ("silence", "draw"))


def _write(item: QListWidgetItem, text: str, said: str) -> None:
    item.setText(text)
    item.setToolTip(said)
    item.setData(Qt.ItemDataRole.AccessibleTextRole, said)


class FollowsPanel(AnswerPanel):
    """Emits ``shown_chosen(name)``, ``nulls_chosen(draws)``, ``ahead_chosen(seconds)``."""

    shown_chosen = Signal(str)
    nulls_chosen = Signal(int)
    ahead_chosen = Signal(float)

    def __init__(self, run: QAction, *files: QAction) -> None:
        self.shown = choices((name, tr(f"perturb.shown.{name}")) for name in SHOWN)
        self.nulls, self.ahead = whole(0, 999, 20), real(0, 600, 0, 10)
        self.ahead.setSuffix(" s")
        form = Form()
        form.row(tr("perturb.shown"), self.shown, tip=tr("perturb.shown.tip"))
        form.row(tr("perturb.ahead"), self.ahead, tip=tr("perturb.ahead.tip"))
        form.row(tr("perturb.nulls"), self.nulls, tip=tr("perturb.nulls.tip"))
        super().__init__("perturb", form, [ActionButton(run)], files)
        self.shown.activated.connect(lambda _=0: self.shown_chosen.emit(str(self.shown.currentData())))
        self.nulls.valueChanged.connect(self.nulls_chosen.emit)
        self.ahead.valueChanged.connect(self.ahead_chosen.emit)

    def show_choices(self, shown: str, nulls: int, ahead_s: float, model: str) -> None:
        """Show what is chosen, and whose answer it is."""
        choose(self.shown, shown)
        put(self.nulls, nulls)
        put(self.ahead, ahead_s)
        self.show_model(model)
