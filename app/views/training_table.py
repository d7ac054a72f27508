"""The trainings there are, newest first, and what can be done with the selected one."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QAbstractTableModel, QModelIndex, QObject, QPersistentModelIndex, Qt, Signal
from PySide6.QtGui import QAction, QResizeEvent
from PySide6.QtWidgets import QAbstractItemView, QHBoxLayout, QHeaderView, QTableView, QVBoxLayout, QWidget

from app.text import tr
from app.views.action_button import ActionButton
from app.views.forms import GRID

if TYPE_CHECKING:
    from brainlm_engine.api.training import TrainingInfo

Index = QModelIndex | QPersistentModelIndex
COLUMNS = ("title", "cohort", "state", "step", "r2", "when")
NUMBERS = ("step", "r2")
#: least room of the first column, and that of the others
NAME_WIDTH, WIDTHS = 100, {1: 150, 2: 110, 3: 72, 4: 72, 5: 112}
RIGHT = int(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)


class TrainingModel(QAbstractTableModel):
    """Trainings as Qt wants them."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.trainings: tuple[TrainingInfo, ...] = ()

    def set_trainings(self, trainings: tuple[TrainingInfo, ...]) -> None:
        """Show ``trainings``; rows that stay are changed in place."""
        if [t.out for t in trainings] == [t.out for t in self.trainings]:
            self.trainings = trainings
            if trainings:
                self.dataChanged.emit(self.index(0, 0), self.index(len(trainings) - 1, len(COLUMNS) - 1))
            return
        self.beginResetModel()
        self.trainings = trainings
        self.endResetModel()

    def rowCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008
        """Return the number of trainings."""
        return 0 if parent.isValid() else len(self.trainings)

    def columnCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008
        """Return the number of columns."""
        return 0 if parent.isValid() else len(COLUMNS)

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        """Return a column's name."""
        if orientation != Qt.Orientation.Horizontal:
            return None
        if role == Qt.ItemDataRole.DisplayRole:
            return tr(f"train.table.{COLUMNS[section]}")
        if role == Qt.ItemDataRole.TextAlignmentRole and COLUMNS[section] in NUMBERS:
            return RIGHT
        return None

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        """Return what a cell shows."""
        training, column = self.trainings[index.row()], COLUMNS[index.column()]
        if role == Qt.ItemDataRole.DisplayRole:
            return cell(training, column)
        if role == Qt.ItemDataRole.TextAlignmentRole and column in NUMBERS:
            return RIGHT
        if role == Qt.ItemDataRole.ToolTipRole:
            return training.problem or f"{training.title}\n{training.cohort}"
        return None


def cell(training: TrainingInfo, column: str) -> str:
    """Return the text of one cell."""
    if column == "state":
        return tr(f"train.state.{training.state.value}")
    if column == "step":
        return f"{training.step}"
    if column == "r2":
        return "" if training.validation_r2 is None else f"{training.validation_r2:.3f}".replace("-", "−")
    if column == "when":
        return datetime.fromtimestamp(training.created).strftime("%d %b %H:%M")
    return training.title if column == "title" else training.cohort_name


class _Table(QTableView):
    """Where all columns have no room, those that matter least go: a table is not read sideways."""

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Choose the columns anew."""
        super().resizeEvent(event)
        room, widths = self.viewport().width() - NAME_WIDTH, dict(WIDTHS)
        for column in (1, 5, 4):
            gone = sum(widths.values()) > room
            self.setColumnHidden(column, gone)
            if gone:
                del widths[column]


class TrainingTable(QWidget):
    """Emits ``chosen(folder)``."""

    chosen = Signal(str)

    def __init__(self, actions: dict[str, QAction], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.model = TrainingModel(self)
        self.table = _Table()
        self.table.setModel(self.model)
        self.table.setAccessibleName(tr("train.table"))
        self.table.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.table.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.table.setTabKeyNavigation(False)
        self.table.setShowGrid(False)
        self.table.setWordWrap(False)
        self.table.verticalHeader().hide()
        self.table.verticalHeader().setDefaultSectionSize(26)
        header = self.table.horizontalHeader()
        header.setHighlightSections(False)
        header.setSectionResizeMode(QHeaderView.ResizeMode.Interactive)
        header.setSectionResizeMode(0, QHeaderView.ResizeMode.Stretch)
        header.setDefaultAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
        for column, width in WIDTHS.items():
            header.resizeSection(column, width)
        buttons = QVBoxLayout()
        buttons.setSpacing(6)
        for name in ("train_open", "train_clone"):
            buttons.addWidget(ActionButton(actions[name]))
        buttons.addStretch(1)
        row = QHBoxLayout(self)
        row.setContentsMargins(GRID, 0, GRID, GRID)
        row.setSpacing(GRID)
        row.addWidget(self.table, 1)
        row.addLayout(buttons)
        self.setMinimumHeight(92)
        self.table.selectionModel().selectionChanged.connect(lambda *_: self._selected())

    def show_trainings(self, trainings: tuple[TrainingInfo, ...], chosen: str) -> None:
        """Show ``trainings`` with the one in the folder ``chosen`` selected; tells nobody."""
        selection = self.table.selectionModel()
        selection.blockSignals(True)
        self.model.set_trainings(trainings)
        row = next((row for row, training in enumerate(trainings) if training.out == chosen), -1)
        rows = selection.selectedRows()
        if row < 0:
            self.table.clearSelection()
        elif not rows or rows[0].row() != row:
            self.table.selectRow(row)
        selection.blockSignals(False)
        self.table.viewport().update()

    def _selected(self) -> None:
        rows = self.table.selectionModel().selectedRows()
        if rows:
            self.chosen.emit(self.model.trainings[rows[0].row()].out)
