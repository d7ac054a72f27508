"""What would it take: where the state is to go, what may be changed, and what came of it."""

from __future__ import annotations

from collections.abc import Mapping

from PySide6.QtCore import Signal
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QComboBox, QVBoxLayout, QWidget

from app.text import tr
from app.views.action_button import ActionButton
from app.views.forms import GRID, Form, choices, choose, label
from app.views.number_boxes import put, real, whole
from app.views.panels.answer import AnswerPanel
from brainlm_engine.api.steer import FORMS, STATES

QUESTIONS = ("follows", "take", "sweep", "map", "compare")
AIMS = ("contrast", "recordings", "activity")
SHOWN = ("magnitude", "change", "sensitivity")
_COHORT = ("cohort", "column", "first", "second")


class QuestionRow(QWidget):
    """Which of both questions is asked. Emits ``chosen(name)``."""

    chosen = Signal(str)

    def __init__(self) -> None:
        super().__init__()
        self.box = choices((name, tr(f"steer.question.{name}")) for name in QUESTIONS)
        self.box.activated.connect(lambda _=0: self.chosen.emit(str(self.box.currentData())))
        form = Form()
        form.setContentsMargins(0, 0, 0, 0)
        form.row(tr("steer.question"), self.box, tip=tr("steer.question.tip"))
        self.setLayout(form)


class AimPanel(QWidget):
    """Where to, and what may be changed. Emits ``chosen(field, value)`` of :class:`app.state.steer.SteerState`."""

    chosen = Signal(str, object)

    def __init__(self, actions: Mapping[str, QAction]) -> None:
        super().__init__()
        self.aim = choices((name, tr(f"steer.aim.{name}")) for name in AIMS)
        self.cohort, self.column, self.first, self.second = (choices(()) for _ in range(4))
        self.state = choices((name, tr(f"steer.state.{name}")) for name in STATES)
        self.form = choices((name, tr(f"steer.form.{name}")) for name in FORMS)
        self.where = choices((name, tr(f"steer.where.{name}")) for name in ("all", "selected"))
        self.sparsity, self.restarts, self.shuffles = real(0, 100, 1, 1.0), whole(1, 20, 1), whole(0, 999, 19)
        self.restarts.valueChanged.connect(lambda count: self.chosen.emit("restarts", count))
        self.sparsity.valueChanged.connect(lambda value: self.chosen.emit("sparsity", value))
        self.shuffles.valueChanged.connect(lambda count: self.chosen.emit("shuffles", count))
        top, self._cohort, below = Form(), Form(), Form()
        for form, names in ((top, ("aim",)), (self._cohort, _COHORT), (below, ("state", "form", "where"))):
            form.setContentsMargins(0, 0, 0, 0)
            for name in names:
                box: QComboBox = getattr(self, name)
                box.activated.connect(lambda _=0, n=name, b=box: self.chosen.emit(n, b.currentData()))
                form.row(tr(f"steer.{name}"), box, tip=tr(f"steer.{name}.tip"))
        below.row(tr("steer.sparsity"), self.sparsity, tip=tr("steer.sparsity.tip"))
        below.row(tr("steer.restarts"), self.restarts, tip=tr("steer.restarts.tip"))
        below.row(tr("steer.shuffles"), self.shuffles, tip=tr("steer.shuffles.tip"))
        self._people, self._files = QWidget(), QWidget()
        self._told, self._named, self._targets = (label("", "muted", wrap=True) for _ in range(3))
        _fill(self._people, self._cohort, self._told, ActionButton(actions["steer_cohort"]),
              ActionButton(actions["steer_demo"]))  # fmt: skip
        _fill(self._files, None, self._named, ActionButton(actions["steer_file"]))
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(GRID)
        column.addWidget(label(tr("steer.heading"), "heading"))
        column.addLayout(top)
        for widget in (self._people, self._files, self._targets):
            column.addWidget(widget)
        column.addWidget(label(tr("steer.how"), "heading"))
        column.addLayout(below)

    def show_form(
        self, values: Mapping[str, object], cohorts: Mapping[str, str], columns: Mapping[str, tuple[str, ...]]
    ) -> None:
        """Show what is chosen; cohorts are names by folder, columns have their values."""
        offered = {value: value for value in columns.get(str(values["column"]), ())}
        names = {name: tr("contrast.column.task") if name == "task" else name for name in columns}
        for box, pairs in (
            (self.cohort, dict(cohorts)), (self.column, names), (self.first, offered), (self.second, offered)
        ):  # fmt: skip
            if [(box.itemData(i), box.itemText(i)) for i in range(box.count())] != list(pairs.items()):
                box.clear()
                for value, text in pairs.items():
                    box.addItem(text, value)
            box.setEnabled(bool(pairs))
        for name in ("aim", *_COHORT, "state", "form", "where"):
            box = getattr(self, name)
            if box.findData(values[name]) < 0:
                box.setCurrentIndex(-1)
            choose(box, values[name])
        put(self.sparsity, float(str(values["sparsity"])))
        put(self.restarts, int(str(values["restarts"])))
        put(self.shuffles, int(str(values["shuffles"])))
        aim = values["aim"]
        self._people.setVisible(aim == "contrast")
        self._files.setVisible(aim == "recordings")
        self._targets.setVisible(aim == "activity")
        self.state.setEnabled(aim != "activity")

    def show_told(self, cohort: str, files: str, targets: str) -> None:
        """Say what goes on with the cohort, which recordings are chosen, and how many targets there are."""
        self._told.setText(cohort)
        self._told.setVisible(bool(cohort))
        self._named.setText(files)
        self._targets.setText(targets)


class TakePanel(AnswerPanel):
    """The search and its answer. Emits ``shown_chosen(name)``."""

    shown_chosen = Signal(str)

    def __init__(self, actions: Mapping[str, QAction]) -> None:
        self.shown = choices((name, tr(f"steer.shown.{name}")) for name in SHOWN)
        form = Form()
        form.row(tr("steer.shown"), self.shown, tip=tr("steer.shown.tip"))
        buttons = [ActionButton(actions["steer"], primary=True), ActionButton(actions["steer_stop"])]
        super().__init__("steer", form, buttons, [actions["steer_export"], actions["perturb_report"]])
        self.shown.activated.connect(lambda _=0: self.shown_chosen.emit(str(self.shown.currentData())))

    def show_choices(self, shown: str, model: str) -> None:
        """Show what the brain shows, and whose answer it is."""
        choose(self.shown, shown)
        self.show_model(model)


def _fill(holder: QWidget, form: Form | None, *widgets: QWidget) -> None:
    column = QVBoxLayout(holder)
    column.setContentsMargins(0, 0, 0, 0)
    column.setSpacing(GRID)
    if form is not None:
        column.addLayout(form)
    for widget in widgets:
        column.addWidget(widget)
