"""A searchable list of parcels; choosing one moves the crosshair there."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from PySide6.QtCore import (
    QAbstractTableModel,
    QItemSelection,
    QItemSelectionModel,
    QModelIndex,
    QPersistentModelIndex,
    QSortFilterProxyModel,
    Qt,
    Signal,
)
from PySide6.QtWidgets import QAbstractItemView, QHBoxLayout, QHeaderView, QLineEdit, QTableView, QVBoxLayout, QWidget

from app.text import tr
from app.views.forms import GRID, label

if TYPE_CHECKING:
    from collections.abc import Sequence

Index = QModelIndex | QPersistentModelIndex


class ParcelModel(QAbstractTableModel):
    """Rows of region and present value."""

    def __init__(self) -> None:
        super().__init__()
        self._names: list[str] = []
        self._extra: list[str] = []
        self._values: list[str] = []

    def set_parcels(self, names: list[str], networks: list[str]) -> None:
        """Show these parcels, without values yet."""
        self.beginResetModel()
        self._names, self._extra = names, networks
        self._values = [""] * len(names)
        self.endResetModel()

    def set_values(self, values: list[str]) -> None:
        """Show the parcels' present values."""
        if len(values) == len(self._names) and values:
            self._values = values
            self.dataChanged.emit(self.index(0, 1), self.index(len(values) - 1, 1), [Qt.ItemDataRole.DisplayRole])

    def rowCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008
        """Return the number of parcels."""
        return 0 if parent.isValid() else len(self._names)

    def columnCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008
        """Return 2: name and value."""
        return 0 if parent.isValid() else 2

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        """Return a column's name."""
        if orientation == Qt.Orientation.Horizontal and role == Qt.ItemDataRole.DisplayRole:
            return (tr("parcels.column.name"), tr("parcels.column.value"))[section]
        return None

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        """Return what a cell shows; the network is part of what a search finds."""
        row, column = index.row(), index.column()
        if role == Qt.ItemDataRole.DisplayRole:
            return self._names[row] if column == 0 else self._values[row]
        if role == Qt.ItemDataRole.ToolTipRole:
            return f"{self._names[row]}\n{self._extra[row]}".strip()
        if role == Qt.ItemDataRole.UserRole:
            return f"{row + 1} {self._names[row]} {self._extra[row]}"
        if role == Qt.ItemDataRole.TextAlignmentRole and column == 1:
            return Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
        return None


class ParcelPanel(QWidget):
    """Emits ``chosen(parcels)`` when a person picks rows."""

    chosen = Signal(object)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._model = ParcelModel()
        self._filter = QSortFilterProxyModel()
        self._filter.setSourceModel(self._model)
        self._filter.setFilterRole(Qt.ItemDataRole.UserRole)
        self._filter.setFilterCaseSensitivity(Qt.CaseSensitivity.CaseInsensitive)
        self._search = QLineEdit()
        self._search.setPlaceholderText(tr("parcels.search"))
        self._search.setAccessibleName(tr("parcels.search"))
        self._search.setToolTip(tr("parcels.search.tip"))
        self._search.setClearButtonEnabled(True)
        self._search.textChanged.connect(self._searched)
        self._count = label("", "muted")
        self._table = self._make_table()
        heading = QHBoxLayout()
        heading.addWidget(label(tr("panel.parcels"), "heading"), 1)
        heading.addWidget(self._count)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(GRID)
        column.addLayout(heading)
        column.addWidget(self._search)
        column.addWidget(self._table, 1)

    def _make_table(self) -> QTableView:
        table = QTableView()
        table.setModel(self._filter)
        table.setAccessibleName(tr("parcels.name"))
        table.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        table.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        table.setShowGrid(False)
        table.setTabKeyNavigation(False)  # Tab leaves the list, the arrows move in it
        table.setWordWrap(False)
        table.verticalHeader().hide()
        table.verticalHeader().setDefaultSectionSize(22)
        header = table.horizontalHeader()
        header.setHighlightSections(False)
        header.setSectionResizeMode(0, QHeaderView.ResizeMode.Stretch)
        header.setSectionResizeMode(1, QHeaderView.ResizeMode.Fixed)
        header.resizeSection(1, 64)
        header.setDefaultAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
        table.setMinimumHeight(96)
        table.selectionModel().selectionChanged.connect(lambda *_: self._picked())
        return table

    def set_parcels(self, names: Sequence[str], networks: Sequence[str]) -> None:
        """Show these parcels."""
        self._model.set_parcels(list(names), list(networks))
        self._searched(self._search.text())

    def set_values(self, values: list[str]) -> None:
        """Show the values of this moment, in the order of the parcels."""
        if self.isVisible():
            self._model.set_values(values)

    def set_selected(self, parcels: tuple[int, ...]) -> None:
        """Select the rows of ``parcels`` and scroll to the first; nothing is emitted."""
        selection = QItemSelection()
        first: QModelIndex | None = None
        for parcel in parcels:
            index = self._filter.mapFromSource(self._model.index(parcel, 0))
            if index.isValid():
                selection.select(index, index)
                first = first or index
        model = self._table.selectionModel()
        model.blockSignals(True)
        flags = QItemSelectionModel.SelectionFlag
        model.select(selection, flags.ClearAndSelect | flags.Rows)
        model.blockSignals(False)
        if first is not None:
            self._table.scrollTo(first)
        self._table.viewport().update()

    def _searched(self, text: str) -> None:
        self._filter.setFilterFixedString(text)
        shown, everything = self._filter.rowCount(), self._model.rowCount()
        self._count.setText(tr("parcels.count", shown=shown, all=everything) if everything else "")

    def _picked(self) -> None:
        rows = self._table.selectionModel().selectedRows()
        self.chosen.emit(tuple(sorted(self._filter.mapToSource(row).row() for row in rows)))
