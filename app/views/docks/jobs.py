"""The Jobs dock: every piece of long work with its stage, progress and time left."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from PySide6.QtCore import QModelIndex, QPersistentModelIndex, QRectF, Qt, Signal
from PySide6.QtGui import QAction, QPainter
from PySide6.QtWidgets import (
    QAbstractItemView,
    QHBoxLayout,
    QHeaderView,
    QStackedWidget,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QTableView,
    QVBoxLayout,
    QWidget,
)

from app.text import tr
from app.views.action_button import ActionButton
from app.views.docks.job_model import PROGRESS, RECORD, JobModel
from app.views.forms import GRID, label

if TYPE_CHECKING:
    from brainlm_engine.api.messages import JobRecord


class _Bar(QStyledItemDelegate):
    """Paints the fraction as a bar with its number beside it."""

    def paint(
        self, painter: QPainter, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex
    ) -> None:
        """Paint one cell."""
        job: JobRecord = index.data(RECORD)
        super().paint(painter, option, QModelIndex())
        palette = option.palette
        area = QRectF(option.rect).adjusted(GRID, 0, -GRID, 0)
        bar = QRectF(area.left(), area.center().y() - 3, max(area.width() - 48, 10), 6)
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(palette.alternateBase())
        painter.drawRoundedRect(bar, 3, 3)
        painter.setBrush(palette.accent() if not job.state.ended or job.state.value == "done" else palette.mid())
        painter.drawRoundedRect(QRectF(bar.left(), bar.top(), bar.width() * job.fraction, bar.height()), 3, 3)
        painter.setPen(palette.text().color())
        painter.drawText(area, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter, str(index.data()))
        painter.restore()


class JobsView(QWidget):
    """A table of jobs; beside it what can be done with the selected one.

    ``selected(job_id)`` fires when another job is selected ('' = none), not when the selected one changes.
    """

    selected = Signal(str)

    def __init__(self, actions: Iterable[QAction], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._told = ""
        self._filling = False
        self.model = JobModel(self)
        self._table = QTableView()
        self._table.setModel(self.model)
        self._table.setAccessibleName(tr("jobs.name"))
        self._table.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self._table.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self._table.setItemDelegateForColumn(PROGRESS, _Bar(self._table))
        self._table.setShowGrid(False)
        self._table.setTabKeyNavigation(False)  # Tab leaves the table, the arrows move in it
        self._table.setWordWrap(False)
        self._table.verticalHeader().hide()
        self._table.verticalHeader().setDefaultSectionSize(26)
        header = self._table.horizontalHeader()
        header.setHighlightSections(False)
        header.setSectionResizeMode(QHeaderView.ResizeMode.Interactive)
        header.setSectionResizeMode(0, QHeaderView.ResizeMode.Stretch)
        header.setDefaultAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
        for column, width in ((1, 150), (2, 150), (3, 80)):
            header.resizeSection(column, width)
        self._stack = QStackedWidget()
        empty = label(tr("jobs.empty"), "muted", wrap=True)
        empty.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self._stack.addWidget(empty)
        self._stack.addWidget(self._table)
        buttons = QVBoxLayout()
        for action in actions:
            buttons.addWidget(ActionButton(action))
        buttons.addStretch(1)
        row = QHBoxLayout(self)
        row.setContentsMargins(GRID, 0, GRID, GRID)
        row.addWidget(self._stack, 1)
        row.addLayout(buttons)
        self._table.selectionModel().selectionChanged.connect(lambda *_: self._selection())
        self.model.modelReset.connect(self._selection)

    @property
    def current(self) -> JobRecord | None:
        """The selected job."""
        rows = self._table.selectionModel().selectedRows()
        return self.model.job(rows[0].row()) if rows else None

    def set_jobs(self, jobs: tuple[JobRecord, ...]) -> None:
        """Show ``jobs``, the selection kept."""
        kept = self.current
        self._filling = True
        self.model.set_jobs(jobs)
        self._stack.setCurrentIndex(1 if jobs else 0)
        if kept is not None and self.current is None:
            self.select(kept.job_id)
        self._filling = False
        self._selection()

    def select(self, job_id: str) -> None:
        """Select a job."""
        for row in range(self.model.rowCount()):
            job = self.model.job(row)
            if job is not None and job.job_id == job_id:
                self._table.selectRow(row)

    def _selection(self) -> None:
        job = self.current
        job_id = job.job_id if job is not None else ""
        if not self._filling and job_id != self._told:
            self._told = job_id
            self.selected.emit(job_id)
