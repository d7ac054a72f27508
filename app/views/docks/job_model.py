"""The table of jobs as Qt wants it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QAbstractTableModel, QModelIndex, QObject, QPersistentModelIndex, Qt

from app.text import tr

if TYPE_CHECKING:
    from brainlm_engine.api.messages import JobRecord

Index = QModelIndex | QPersistentModelIndex
COLUMNS = ("title", "stage", "progress", "eta")
PROGRESS = COLUMNS.index("progress")
RECORD = Qt.ItemDataRole.UserRole


def time_left(seconds: float | None) -> str:
    """Return '40 s', '3 min' or ''."""
    if seconds is None:
        return ""
    return tr("jobs.eta_s", n=round(seconds)) if seconds < 90 else tr("jobs.eta_min", n=round(seconds / 60))


class JobModel(QAbstractTableModel):
    """Jobs, newest first. Rows are updated in place, so that a selection stays."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._jobs: list[JobRecord] = []

    def set_jobs(self, jobs: tuple[JobRecord, ...]) -> None:
        """Show ``jobs``."""
        if [j.job_id for j in jobs] == [j.job_id for j in self._jobs]:
            changed = [row for row, (new, old) in enumerate(zip(jobs, self._jobs, strict=True)) if new != old]
            self._jobs = list(jobs)
            for row in changed:
                self.dataChanged.emit(self.index(row, 0), self.index(row, len(COLUMNS) - 1))
            return
        self.beginResetModel()
        self._jobs = list(jobs)
        self.endResetModel()

    def job(self, row: int) -> JobRecord | None:
        """Return the job in ``row``."""
        return self._jobs[row] if 0 <= row < len(self._jobs) else None

    def rowCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008
        """Return the number of jobs."""
        return 0 if parent.isValid() else len(self._jobs)

    def columnCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008
        """Return the number of columns."""
        return 0 if parent.isValid() else len(COLUMNS)

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        """Return a column's name."""
        if orientation == Qt.Orientation.Horizontal and role == Qt.ItemDataRole.DisplayRole:
            return tr(f"jobs.{COLUMNS[section]}")
        return None

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        """Return what a cell shows."""
        job = self.job(index.row())
        if job is None:
            return None
        if role == RECORD:
            return job
        if role == Qt.ItemDataRole.DisplayRole:
            return _text(job, COLUMNS[index.column()])
        if role == Qt.ItemDataRole.ToolTipRole:
            return f"{job.error.message} {job.error.next_step}".strip() if job.error else job.title
        return None


def _text(job: JobRecord, column: str) -> str:
    state = tr(f"jobs.state.{job.state.value}")
    if column == "title":
        return job.title
    if column == "stage":
        return job.stage if job.state.value == "running" and job.stage else state
    if column == "progress":
        return f"{100 * job.fraction:.0f} %"
    return time_left(job.eta_s) if not job.state.ended else ""
