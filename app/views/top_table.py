"""The parcels with the largest values: name, network, and the numbers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from PySide6.QtCore import QAbstractTableModel, QModelIndex, QPersistentModelIndex, Qt, Signal
from PySide6.QtWidgets import QAbstractItemView, QHeaderView, QTableView, QVBoxLayout, QWidget

from app.text import tr

Index = QModelIndex | QPersistentModelIndex
_RIGHT = int(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)


@dataclass(frozen=True)
class TopRow:
    """One row: the parcel (-1 = none to go to), its name and network, and the cells of numbers."""

    parcel: int
    name: str
    network: str
    cells: tuple[str, ...]


class TopModel(QAbstractTableModel):
    """Rows as Qt wants them."""

    def __init__(self) -> None:
        super().__init__()
        self.rows: tuple[TopRow, ...] = ()
        self.heads: tuple[str, ...] = ()

    def set_rows(self, rows: tuple[TopRow, ...], heads: tuple[str, ...]) -> None:
        """Show ``rows``; ``heads`` name the columns of numbers."""
        self.beginResetModel()
        self.rows, self.heads = rows, heads
        self.endResetModel()

    def rowCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008
        """Return the number of rows."""
        return 0 if parent.isValid() else len(self.rows)

    def columnCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008
        """Return name, network and the columns of numbers."""
        return 0 if parent.isValid() else 2 + len(self.heads)

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        """Return a column's name, or a row's rank."""
        if orientation != Qt.Orientation.Horizontal:
            return None
        if role == Qt.ItemDataRole.DisplayRole:
            fixed = (tr("attention.top.region"), tr("attention.top.network"))
            return fixed[section] if section < 2 else self.heads[section - 2]
        if role == Qt.ItemDataRole.TextAlignmentRole and section > 1:
            return _RIGHT
        return None

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        """Return what a cell shows."""
        row, column = self.rows[index.row()], index.column()
        if role == Qt.ItemDataRole.DisplayRole:
            return (row.name, row.network, *row.cells)[column]
        if role == Qt.ItemDataRole.TextAlignmentRole and column > 1:
            return _RIGHT
        if role == Qt.ItemDataRole.ToolTipRole:
            return f"{row.name}\n{row.network}".strip()
        return None


class TopTable(QWidget):
    """Emits ``chosen(parcel)`` on a click or Return on a row that has one."""

    chosen = Signal(int)

    def __init__(self) -> None:
        super().__init__()
        self.model = TopModel()
        self.table = table = QTableView()
        table.setModel(self.model)
        table.setAccessibleName(tr("attention.top.name"))
        table.setToolTip(tr("attention.top.tip"))
        table.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        table.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        table.setShowGrid(False)
        table.setTabKeyNavigation(False)
        table.setWordWrap(False)
        table.verticalHeader().hide()
        table.verticalHeader().setDefaultSectionSize(22)
        header = table.horizontalHeader()
        header.setHighlightSections(False)
        header.setDefaultAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
        for signal in (table.clicked, table.activated):
            signal.connect(self._picked)
        self.setFocusProxy(table)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(table)

    def set_rows(self, rows: tuple[TopRow, ...], heads: tuple[str, ...]) -> None:
        """Show ``rows``; ``heads`` name the columns of numbers."""
        fresh = len(heads) != len(self.model.heads)
        self.model.set_rows(rows, heads)
        header = self.table.horizontalHeader()
        if fresh and heads:
            header.setSectionResizeMode(0, QHeaderView.ResizeMode.Stretch)
            for section in range(1, 2 + len(heads)):
                header.setSectionResizeMode(section, QHeaderView.ResizeMode.ResizeToContents)

    def _picked(self, index: QModelIndex) -> None:
        parcel = self.model.rows[index.row()].parcel
        if parcel >= 0:
            self.chosen.emit(parcel)
