"""The settings of the next training: model, what is hidden, how long; the rest folded away."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QLineEdit, QToolButton, QVBoxLayout, QWidget

from app.text import tr
from app.views.action_button import ActionButton
from app.views.forms import GRID, Form, choices, choose, label, restyle
from app.views.number_boxes import put, real, whole
from app.views.panels.training_compute import ComputePanel

if TYPE_CHECKING:
    from app.state.training import TrainState

MASKS = ("mixed", "mixed-networks", "random", "parcels", "networks", "future")
BUDGETS = ("minutes", "steps")
#: Room for the longer of the two units, with the arrow.
_UNITS = 82


class TrainingPanel(QWidget):
    """Emits ``changed(field, value)`` of a :class:`app.state.training.TrainState`."""

    changed = Signal(str, object)

    def __init__(self, start: QAction, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.title = QLineEdit()
        self.title.setMaxLength(60)
        self.title.editingFinished.connect(self._named)
        self.model_size = choices(())
        self.model_size.activated.connect(lambda _=0: self.changed.emit("size", self.model_size.currentData()))
        self.masks = choices((m, tr(f"train.masks.{m}")) for m in MASKS)
        self.masks.activated.connect(lambda _=0: self.changed.emit("masks", self.masks.currentData()))
        self.budget = choices((b, tr(f"train.budget.{b}")) for b in BUDGETS)
        self.budget.setMinimumWidth(_UNITS)
        self.budget.activated.connect(lambda _=0: self.changed.emit("budget", self.budget.currentData()))
        self.minutes, self.steps = real(0.1, 10_000.0, 1, 5.0), whole(1, 10_000_000, 100)
        self.minutes.valueChanged.connect(lambda value: self.changed.emit("minutes", value))
        self.steps.valueChanged.connect(lambda value: self.changed.emit("steps", value))
        self.seed = whole(0, 2_000_000_000, 1)
        self.seed.valueChanged.connect(lambda value: self.changed.emit("seed", value))
        self._estimate = label("", "muted", wrap=True)
        self._lines = self._estimate.fontMetrics().lineSpacing()
        self._estimate.setMinimumHeight(3 * self._lines)
        self._estimate.setAlignment(Qt.AlignmentFlag.AlignTop | Qt.AlignmentFlag.AlignLeft)
        self._size_facts, self._caution = label("", "muted"), label("", "warning", wrap=True)
        amount = QWidget()
        self.advanced = ComputePanel()
        self.advanced.changed.connect(self.changed)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(GRID)
        column.addWidget(label(tr("train.settings"), "heading"))
        column.addLayout(self._form(amount))
        column.addWidget(self._estimate)
        column.addWidget(self._fold())
        column.addWidget(self.advanced)
        column.addWidget(ActionButton(start, primary=True))

    def _form(self, amount: QWidget) -> Form:
        inside = QVBoxLayout(amount)
        inside.setContentsMargins(0, 0, 0, 0)
        inside.addWidget(self.minutes)
        inside.addWidget(self.steps)
        form = Form()
        form.row(tr("train.title"), self.title)
        form.row(tr("train.size"), self.model_size)
        form.row("", self._size_facts)
        form.whole(self._caution)
        form.row(tr("train.masks"), self.masks)
        form.row(tr("train.budget"), amount, self.budget)
        form.row(tr("train.seed"), self.seed)
        for name, control in (
            ("title", self.title), ("size", self.model_size), ("masks", self.masks), ("budget", self.budget),
            ("seed", self.seed),
        ):  # fmt: skip
            control.setToolTip(tr(f"train.{name}.tip"))
        for box, unit in ((self.minutes, "minutes"), (self.steps, "steps")):
            box.setToolTip(tr("train.budget.tip"))
            box.setAccessibleName(f"{tr('train.budget.amount')}, {tr(f'train.budget.{unit}')}")
        self.budget.setAccessibleName(f"{tr('train.budget')}: {' / '.join(tr(f'train.budget.{b}') for b in BUDGETS)}")
        return form

    def _fold(self) -> QToolButton:
        fold = QToolButton()
        fold.setText(tr("train.advanced"))
        fold.setToolTip(tr("train.advanced.tip"))
        fold.setAccessibleName(tr("train.advanced"))
        fold.setCheckable(True)
        fold.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        fold.setArrowType(Qt.ArrowType.RightArrow)
        fold.toggled.connect(self.advanced.setVisible)
        fold.toggled.connect(lambda on: fold.setArrowType(Qt.ArrowType.DownArrow if on else Qt.ArrowType.RightArrow))
        self.advanced.hide()
        return fold

    def _named(self) -> None:
        """Take the name, if it was changed: leaving a field whose name is hidden changes nothing."""
        if self.title.isModified():
            self.title.setModified(False)
            self.changed.emit("title", self.title.text().strip())

    def show_sizes(self, names: dict[str, str], published: frozenset[str] = frozenset()) -> None:
        """Offer these models, names by id; the ``published`` ones come last, beneath a line."""
        there = [self.model_size.itemData(i) for i in range(self.model_size.count())]
        if [size_id for size_id in there if size_id is not None] != list(names):
            self.model_size.clear()
            for size_id, name in names.items():
                if size_id in published and self.model_size.itemData(self.model_size.count() - 1) not in published:
                    self.model_size.insertSeparator(self.model_size.count())
                self.model_size.addItem(name, size_id)
        self.model_size.setEnabled(bool(names))

    def show_settings(
        self, state: TrainState, default_title: str, estimate: tuple[str, str], caution: str = "", *,
        hidden: bool = False,
    ) -> None:  # fmt: skip
        """Show the form as ``state`` has it, with ``hidden`` without the name that the person gave.

        ``estimate`` is the line about memory and time, or why it cannot be started, and its role of the style sheet.
        """
        if not self.title.hasFocus() or (hidden and not self.title.isModified()):
            self.title.setText("" if hidden else state.title)
        self.title.setPlaceholderText(tr("train.title.hidden") if hidden and state.title else default_title)
        self._size_facts.setText(_facts(state))
        self._caution.setText(caution)
        self._caution.setVisible(bool(caution))
        for box, value in ((self.model_size, state.size), (self.masks, state.masks), (self.budget, state.budget)):
            choose(box, value)
        for number, amount in ((self.minutes, state.minutes), (self.steps, state.steps), (self.seed, state.seed)):
            put(number, amount)
        self.minutes.setVisible(state.budget == "minutes")
        self.steps.setVisible(state.budget == "steps")
        told, role = estimate
        if self._estimate.text() != told:
            self._estimate.setText(told)
        if self._estimate.property("role") != role:
            restyle(self._estimate, role=role)
        self.advanced.show_settings(state)


def _facts(state: TrainState) -> str:
    """Return how many parameters the model has: of a published one only the engine knows, as the cohort decides."""
    size = state.model_size
    if size is None:
        return ""
    known = state.estimate.n_parameters if state.estimate is not None else size.n_parameters
    return tr("train.size.facts", parameters=_counted(known))


def _counted(parameters: int) -> str:
    if parameters >= 1e8:
        return f"{parameters / 1e6:.0f} M"
    return f"{parameters / 1e6:.1f} M" if parameters >= 1e6 else f"{parameters / 1e3:.0f} k"
