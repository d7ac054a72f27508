"""The Jobs dock: every piece of long work with its stage, progress and time left."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QModelIndex, QPersistentModelIndex, QRectF, Qt, Signal
from PySide6.QtGui import QPainter
from PySide6.QtWidgets import (
    QAbstractItemView,
    QHBoxLayout,
    QHeaderView,
    QPushButton,
    QStackedWidget,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QTableView,
    QVBoxLayout,
    QWidget,
)

from app.text import tr
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
    """A table of jobs; below it what can be done with the selected one."""

    cancel_wanted = Signal(str)
    log_wanted = Signal(str)
    selected = Signal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.model = JobModel(self)
        self._table = QTableView()
        self._table.setModel(self.model)
        self._table.setAccessibleName(tr("jobs.name"))
        self._table.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self._table.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self._table.setItemDelegateForColumn(PROGRESS, _Bar(self._table))
        self._table.setShowGrid(False)
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
        self._cancel, self._log = QPushButton(tr("jobs.cancel")), QPushButton(tr("jobs.log"))
        self._cancel.clicked.connect(lambda _=False: self._emit(self.cancel_wanted))
        self._log.clicked.connect(lambda _=False: self._emit(self.log_wanted))
        self._stack = QStackedWidget()
        empty = label(tr("jobs.empty"), "muted", wrap=True)
        empty.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self._stack.addWidget(empty)
        self._stack.addWidget(self._table)
        buttons = QVBoxLayout()
        buttons.addWidget(self._log)
        buttons.addWidget(self._cancel)
        buttons.addStretch(1)
        row = QHBoxLayout(self)
        row.setContentsMargins(GRID, 0, GRID, GRID)
        row.addWidget(self._stack, 1)
        row.addLayout(buttons)
        self._table.selectionModel().selectionChanged.connect(lambda *_: self._selection())
        self.model.modelReset.connect(self._selection)
        self._selection()

    @property
    def current(self) -> JobRecord | None:
        """The selected job."""
        rows = self._table.selectionModel().selectedRows()
        return self.model.job(rows[0].row()) if rows else None

    def set_jobs(self, jobs: tuple[JobRecord, ...]) -> None:
        """Show ``jobs``, the selection kept."""
        kept = self.current
        self.model.set_jobs(jobs)
        self._stack.setCurrentIndex(1 if jobs else 0)
        if kept is not None and self.current is None:
            for row, job in enumerate(jobs):
                if job.job_id == kept.job_id:
                    self._table.selectRow(row)
        self._selection()

    def _selection(self) -> None:
        job = self.current
        stoppable = job is not None and not job.state.ended
        self._cancel.setEnabled(stoppable)
        self._cancel.setToolTip(tr("jobs.cancel.tip") if stoppable else tr("jobs.cancel.reason"))
        self._log.setEnabled(job is not None)
        self._log.setToolTip(tr("jobs.log.tip") if job else tr("jobs.log.reason"))
        if job is not None:
            self.selected.emit(job.job_id)

    def _emit(self, signal: object) -> None:
        if self.current is not None:
            signal.emit(self.current.job_id)  # type: ignore[attr-defined]
