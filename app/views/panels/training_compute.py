"""What few people change of a training: how far a step goes, what computes, and where."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QCheckBox, QComboBox, QLineEdit, QVBoxLayout, QWidget

from app.text import tr
from app.views.forms import GRID, Form, choices, choose, label
from app.views.number_boxes import put, real, whole

if TYPE_CHECKING:
    from app.state.training import TrainState

PRECISIONS, SCALINGS, LAUNCHES = ("32", "bf16"), ("recording", "population"), ("here", "slurm", "dask")
#: Processes that may train together on another computer.
_MANY = 64


class ComputePanel(QWidget):
    """Emits ``changed(field, value)`` of a :class:`app.state.training.TrainState`."""

    changed = Signal(str, object)

    def __init__(self) -> None:
        super().__init__()
        self.learning_rate = real(0.00001, 0.1, 5, 0.0005)
        self.batch, self.threads, self.devices = whole(1, 512, 1), whole(1, 1, 1), whole(1, 1, 1)
        self.batch.setSuffix(tr("train.batch.unit"))
        for name, box in (
            ("learning_rate", self.learning_rate), ("batch", self.batch), ("threads", self.threads),
            ("devices", self.devices),
        ):  # fmt: skip
            box.valueChanged.connect(lambda value, field=name: self.changed.emit(field, value))
        self.device, self.precision = choices(()), self._choice("precision", PRECISIONS)
        self.device.activated.connect(lambda _=0: self.changed.emit("device", self.device.currentData()))
        self.scaling, self.launch = self._choice("scaling", SCALINGS), self._choice("launch", LAUNCHES)
        self.variety = QCheckBox(tr("train.variety"))
        self.variety.clicked.connect(lambda on: self.changed.emit("variety", bool(on)))
        self.variety.setToolTip(tr("train.variety.tip"))
        form = Form()
        form.setContentsMargins(0, 0, 0, 0)
        rows = {}
        for name in (
            "learning_rate", "batch", "scaling", "device", "precision", "threads", "devices", "launch",
        ):  # fmt: skip
            rows[name] = form.row(tr(f"train.{name}"), getattr(self, name), tip=tr(f"train.{name}.tip", n=1))
        self._precision_name, self._threads_name = rows["precision"], rows["threads"]
        self.cluster = ClusterFields()
        self.cluster.changed.connect(self.changed)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(GRID)
        column.addLayout(form)
        column.addWidget(self.cluster)
        column.addWidget(self.variety)

    def _choice(self, name: str, values: tuple[str, ...]) -> QComboBox:
        box = choices((value, tr(f"train.{name}.{value}")) for value in values)
        box.activated.connect(lambda _=0: self.changed.emit(name, box.currentData()))
        return box

    def show_settings(self, state: TrainState) -> None:
        """Show the form as ``state`` has it."""
        here = state.launch == "here"
        processors = state.choices.threads if state.choices is not None else state.threads
        self.threads.blockSignals(True)
        self.threads.setRange(1, max(processors if here else _MANY, state.threads))
        self.threads.blockSignals(False)
        self.threads.setSuffix(tr("train.threads.unit", n=processors) if here else "")
        tip = tr("train.threads.tip", n=processors) if here else tr("train.threads.tip.elsewhere")
        for widget in (self.threads, self._threads_name):
            widget.setToolTip(tip)
        self._offer(state, here)
        self.devices.blockSignals(True)
        self.devices.setRange(1, max(self._most(state, processors), state.devices))
        self.devices.blockSignals(False)
        for box, value in (
            (self.device, state.device), (self.precision, state.precision), (self.scaling, state.scaling),
            (self.launch, state.launch),
        ):  # fmt: skip
            choose(box, value)
        for number, amount in (
            (self.learning_rate, state.learning_rate), (self.batch, state.batch), (self.threads, state.threads),
            (self.devices, state.devices),
        ):  # fmt: skip
            put(number, amount)
        for part in (self.precision, self._precision_name):
            part.setVisible(state.device == "cuda")
        published = state.model_size is not None and state.model_size.published
        self.variety.setChecked(state.variety and not published)
        self.variety.setEnabled(not published)
        self.variety.setToolTip(tr("train.variety.published" if published else "train.variety.tip"))
        self.cluster.show_settings(state)

    def _offer(self, state: TrainState, here: bool) -> None:
        """Offer the devices of this computer; elsewhere there may be a graphics card that is not here."""
        devices = state.choices.devices if state.choices is not None else ("cpu",)
        if not here and "cuda" not in devices:
            devices = (*devices, "cuda")
        if [self.device.itemData(i) for i in range(self.device.count())] != list(devices):
            self.device.clear()
            for device in devices:
                self.device.addItem(tr(f"train.device.{device}"), device)

    @staticmethod
    def _most(state: TrainState, processors: int) -> int:
        """Return how many processes can train together."""
        if state.launch != "here":
            return _MANY
        if state.device == "cuda":
            return max(1, state.choices.graphics if state.choices is not None else 1)
        return processors if state.device == "cpu" else 1


class ClusterFields(QWidget):
    """The few things that a cluster wants to know; only those of the chosen one are shown. Emits as the panel does."""

    changed = Signal(str, object)

    def __init__(self) -> None:
        super().__init__()
        self.slurm, self.dask = QWidget(), QWidget()
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(6)
        self.nodes, self.time_limit, self.memory_gb = whole(1, 64, 1), whole(1, 100_000, 60), whole(0, 4096, 8)
        self.time_limit.setSuffix(tr("train.time_limit.unit"))
        self.memory_gb.setSuffix(tr("train.memory_gb.unit"))
        self.memory_gb.setSpecialValueText(tr("train.memory_gb.default"))
        self._numbers = {"nodes": self.nodes, "time_limit": self.time_limit, "memory_gb": self.memory_gb}
        for name, box in self._numbers.items():
            box.valueChanged.connect(lambda value, field=name: self.changed.emit(field, value))
        self._words = {name: self._line(name) for name in ("partition", "account", "address")}
        for holder, names, note in (
            (self.slurm, ("partition", "account", "nodes", "time_limit", "memory_gb"), "train.launch.slurm.note"),
            (self.dask, ("address",), "train.launch.dask.note"),
        ):
            form = Form()
            form.setContentsMargins(0, 0, 0, 0)
            for name in names:
                control: QWidget = self._numbers.get(name) or self._words[name]
                form.row(tr(f"train.{name}"), control, tip=tr(f"train.{name}.tip"))
            form.whole(label(tr(note), "muted", wrap=True))
            holder.setLayout(form)
            column.addWidget(holder)

    def _line(self, name: str) -> QLineEdit:
        line = QLineEdit()
        line.setMaxLength(200)
        line.setPlaceholderText(tr(f"train.{name}.default"))
        line.editingFinished.connect(lambda: self.changed.emit(name, line.text().strip()))
        return line

    def show_settings(self, state: TrainState) -> None:
        """Show the fields of the chosen launch as ``state`` has them."""
        self.setVisible(state.launch != "here")
        self.slurm.setVisible(state.launch == "slurm")
        self.dask.setVisible(state.launch == "dask")
        for name, box in self._numbers.items():
            put(box, getattr(state, name))
        for name, line in self._words.items():
            if not line.hasFocus():
                line.setText(getattr(state, name))
