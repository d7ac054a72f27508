"""Repair of the open recording: what counts as bad, what was found, how far off each method probably is."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import (
    QCheckBox,
    QDialog,
    QDoubleSpinBox,
    QGridLayout,
    QHBoxLayout,
    QLineEdit,
    QPushButton,
    QScrollArea,
    QVBoxLayout,
    QWidget,
)

from app.text import tr
from app.views.forms import GRID, Form, choices, choose, label, line
from app.widgets.ticks import number

if TYPE_CHECKING:
    from brainlm_engine.api.repair import RepairInfo, RepairKind

METHODS = ("model", "ridge", "kriging", "interpolation")
SIGNS = ("empty", "dvars", "spikes", "motion", "selected")


class RepairDialog(QDialog):
    """Left what to look for; right what was found and the errors to expect.

    Emits ``changed()`` when a setting was changed, ``look_wanted()``, ``stop_wanted()`` and ``write_wanted()``.
    """

    changed = Signal()
    look_wanted = Signal()
    stop_wanted = Signal()
    write_wanted = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle(tr("repair.title"))
        self.setModal(False)
        self.resize(860, 560)
        row = QHBoxLayout()
        row.setSpacing(3 * GRID)
        row.addWidget(self._settings())
        row.addWidget(self._results(), 1)
        column = QVBoxLayout(self)
        column.setContentsMargins(2 * GRID, 2 * GRID, 2 * GRID, 2 * GRID)
        column.setSpacing(2 * GRID)
        column.addLayout(row, 1)
        column.addLayout(self._buttons())
        self.show_motion(False)
        self.show_selection(0)
        self.show_found(None)

    # ------------------------------------------------------------ build

    def _settings(self) -> QWidget:
        holder = QWidget()
        holder.setFixedWidth(300)
        column = QVBoxLayout(holder)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(GRID)
        column.addWidget(label(tr("repair.look_for"), "heading"))
        self.signs = {name: self._check(name) for name in SIGNS}
        for name in ("empty", "dvars", "spikes"):
            self.signs[name].setChecked(True)
        self.spikes = _number(3.0, 20.0, 6.0, tr("repair.spikes.limit"), tr("repair.spikes.tip"))
        self.motion = _number(0.1, 5.0, 0.5, tr("repair.motion.limit"), tr("repair.motion.tip"))
        self.frames = QLineEdit()
        self.frames.setPlaceholderText(tr("repair.frames.example"))
        limits = {"spikes": (self.spikes, "SD"), "motion": (self.motion, "mm")}
        for name, box in self.signs.items():
            if name not in limits:
                column.addWidget(box)
                continue
            control, unit = limits[name]
            row = QHBoxLayout()
            row.addWidget(box, 1)
            row.addWidget(control)
            row.addWidget(label(unit, "muted"))
            column.addLayout(row)
        form = Form()
        form.row(tr("repair.frames"), self.frames, tip=tr("repair.frames.tip"))
        column.addLayout(form)
        column.addSpacing(GRID)
        column.addWidget(label(tr("repair.fill"), "heading"))
        self.method = choices((m, tr(f"repair.{m}")) for m in (*METHODS, "best"))
        fill = Form()
        fill.row(tr("repair.method"), self.method, tip=tr("repair.method.tip"))
        column.addLayout(fill)
        self._model = label("", "muted", wrap=True)
        column.addWidget(self._model)
        column.addStretch(1)
        for number_box in (self.spikes, self.motion):
            number_box.valueChanged.connect(lambda _=0: self.changed.emit())
        self.frames.textEdited.connect(lambda _="": self.changed.emit())
        self.method.activated.connect(lambda _=0: self.changed.emit())
        return holder

    def _check(self, name: str) -> QCheckBox:
        box = QCheckBox(tr(f"repair.{name}"))
        box.setToolTip(tr(f"repair.{name}.tip"))
        box.toggled.connect(lambda _=False: self.changed.emit())
        return box

    def _results(self) -> QWidget:
        body = QWidget()
        column = QVBoxLayout(body)
        column.setContentsMargins(0, 0, GRID, 0)
        column.setSpacing(GRID)
        column.addWidget(label(tr("repair.found"), "heading"))
        self._outdated = label(tr("repair.outdated"), "warning", wrap=True)
        self._found = label("", wrap=True)
        self._table = QWidget()
        self._grid = QGridLayout(self._table)
        self._grid.setContentsMargins(0, GRID, 0, GRID)
        self._grid.setHorizontalSpacing(2 * GRID)
        self._grid.setVerticalSpacing(4)
        self._grid.setColumnStretch(0, 1)
        self._table.setAccessibleName(tr("repair.table"))
        self._verdict, self._notes = label("", wrap=True), label("", "muted", wrap=True)
        for widget in (self._outdated, self._found, self._table, self._verdict, self._notes):
            column.addWidget(widget)
        column.addStretch(1)
        scroll = QScrollArea()
        scroll.setAccessibleName(tr("repair.found"))
        scroll.setFrameShape(QScrollArea.Shape.NoFrame)
        scroll.setWidgetResizable(True)
        scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        scroll.setWidget(body)
        return scroll

    def _buttons(self) -> QHBoxLayout:
        row = QHBoxLayout()
        self._stage = label("", "muted")
        row.addWidget(self._stage, 1)
        self.look, self.write, self.close_button = (
            QPushButton(tr("repair.look")), QPushButton(tr("repair.write")), QPushButton(tr("close")),
        )  # fmt: skip
        self.look.setProperty("role", "primary")
        self.look.setDefault(True)
        self.write.setToolTip(tr("repair.write.tip"))
        self.close_button.setToolTip(tr("close.tip"))
        for button in (self.look, self.write, self.close_button):
            row.addWidget(button)
        self._running = False
        self.look.clicked.connect(lambda _=False: (self.stop_wanted if self._running else self.look_wanted).emit())
        self.write.clicked.connect(lambda _=False: self.write_wanted.emit())
        self.close_button.clicked.connect(lambda _=False: self.reject())
        self.show_running("")
        return row

    # ------------------------------------------------------------ show

    def show_model(self, title: str) -> None:
        """Say which model fills in."""
        self._model.setText(tr("repair.with", title=title))

    def show_motion(self, known: bool) -> None:
        """Offer head motion as a sign only where it is known."""
        self.signs["motion"].setEnabled(known)
        self.motion.setEnabled(known)
        self.signs["motion"].setToolTip(tr("repair.motion.tip" if known else "repair.motion.unknown"))

    def show_selection(self, n: int) -> None:
        """Say how many parcels are selected."""
        self.signs["selected"].setEnabled(n > 0)
        self.signs["selected"].setText(tr("repair.selected_n", n=n) if n else tr("repair.selected"))

    def show_running(self, stage: str) -> None:
        """Show what is being done, '' when nothing is; the first button stops it meanwhile."""
        self._running = bool(stage)
        self._stage.setText(stage)
        self.look.setText(tr("repair.stop" if stage else "repair.look"))
        self.look.setToolTip(tr("repair.stop.tip" if stage else "repair.look.tip"))

    def show_found(self, info: RepairInfo | None, problem: str = "", *, outdated: bool = False) -> None:
        """Show what was found, or why nothing is; a result of other settings is marked and cannot be written."""
        self._outdated.setVisible(outdated and info is not None)
        while (item := self._grid.takeAt(0)) is not None:
            widget = item.widget()
            if widget is not None:
                widget.hide()
                widget.deleteLater()
        self._table.setVisible(info is not None)
        self.write.setEnabled(info is not None and not outdated and not self._running)
        if info is None:
            self._found.setText(problem or tr("repair.nothing_yet"))
            self._verdict.setText("")
            self._notes.setText("")
            return
        share = 100 * info.n_values / max(info.n_parcels * info.n_frames, 1)
        self._found.setText("\n".join((*info.found, tr("repair.share", n=info.n_values, share=f"{share:.1f}"))))
        self._verdict.setText(info.verdict)
        level = (tr("repair.level", off=number(info.level_error, 0.01)),) if info.level_error is not None else ()
        self._notes.setText("\n".join((*level, *info.notes)))
        self._fill(info.kinds)

    def _fill(self, kinds: tuple[RepairKind, ...]) -> None:
        heads = ("", *(tr(f"repair.{method}") for method in METHODS))
        self._grid.addWidget(label(tr("repair.errors"), "muted", wrap=True), 0, 0, 1, len(heads))
        for column, text in enumerate(heads):
            head = label(text, "muted")
            head.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignBottom)
            self._grid.addWidget(head, 1, column)
        self._grid.addWidget(line(), 2, 0, 1, len(heads))
        for row, kind in enumerate(kinds, start=3):
            name = label(tr("repair.kind_n", kind=tr(f"repair.kind.{kind.kind}"), n=kind.n_values), wrap=True)
            self._grid.addWidget(name, row, 0)
            least = min((score.mse for score in kind.scores), default=None)
            for column, method in enumerate(METHODS, start=1):
                score = next((each for each in kind.scores if each.method == method), None)
                won = score is not None and score.mse == least
                text = tr("probe.none") if score is None else ("▸ " if won else "") + number(score.mse**0.5, 0.01)
                cell = label(text, "success" if won else "")
                cell.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignTop)
                if score is not None:
                    cell.setToolTip(tr("repair.cell", r2=number(score.r2, 0.001), n=kind.n_tested))
                self._grid.addWidget(cell, row, column)

    def choose_method(self, method: str) -> None:
        """Show the method that fills in."""
        choose(self.method, method)


def _number(low: float, high: float, value: float, name: str, tip: str) -> QDoubleSpinBox:
    box = QDoubleSpinBox()
    box.setRange(low, high)
    box.setDecimals(1)
    box.setSingleStep(0.5 if high > 10 else 0.1)
    box.setValue(value)
    box.setAccessibleName(name)
    box.setToolTip(tip)
    box.setFixedWidth(72)
    return box
