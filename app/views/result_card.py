"""The result card: the finished model beside the simple methods, with intervals, and the sentence that says who won."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Qt
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QFrame, QGridLayout, QScrollArea, QVBoxLayout, QWidget

from app.text import tr
from app.views.action_button import ActionButton
from app.views.forms import GRID, label, line, restyle

if TYPE_CHECKING:
    from brainlm_engine.api.training import EvaluationInfo

COLUMNS = ("method", "r2", "interval")


class ResultCard(QScrollArea):
    """Verdict, table, whose recordings, what it must not be used for."""

    def __init__(self, evaluate: QAction, lower: QAction, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAccessibleName(tr("train.result.name"))
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setWidgetResizable(True)
        self.setMinimumWidth(282)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        body = QWidget()
        column = QVBoxLayout(body)
        column.setContentsMargins(GRID, 4, GRID + 4, GRID)
        column.setSpacing(GRID)
        self._verdict = label(tr("train.result.waiting"), "muted", wrap=True)
        self._table = QWidget()
        self._grid = QGridLayout(self._table)
        self._grid.setContentsMargins(0, 0, 0, 0)
        self._grid.setHorizontalSpacing(GRID - 2)
        self._grid.setVerticalSpacing(3)
        self._grid.setColumnStretch(0, 1)
        self._button, self._lower = ActionButton(evaluate), ActionButton(lower, primary=True)
        self._rates = label("", "muted", wrap=True)
        self._data, self._simulated = label("", "muted", wrap=True), label("", "warning", wrap=True)
        self._research = label(tr("app.research"), "muted")
        for widget in (
            self._verdict, self._button, self._lower, self._table, self._data, self._rates, self._simulated,
            self._research,
        ):  # fmt: skip
            column.addWidget(widget)
        column.addStretch(1)
        self.setWidget(body)
        self.show_result(None, tr("train.result.waiting"), simulated=False, offered=False)
        self.show_failure("", "", lower=False)

    def show_failure(self, problem: str, rates: str, *, lower: bool) -> None:
        """Show why there is no result, '' = nothing went wrong, with the button that goes on in smaller steps when
        ``lower``; and how the learning rate was changed on the way.
        """
        if problem:
            self._verdict.setText(problem)
            restyle(self._verdict, role="danger")
        self._lower.setVisible(lower)
        self._rates.setText(rates)
        self._rates.setVisible(bool(rates))

    def show_result(self, result: EvaluationInfo | None, waiting: str, *, simulated: bool, offered: bool) -> None:
        """Show a result; without one, the sentence ``waiting`` and, when ``offered``, the button that makes one."""
        while (item := self._grid.takeAt(0)) is not None:
            widget = item.widget()
            if widget is not None:
                widget.hide()
                widget.deleteLater()
        self._verdict.setText(result.verdict if result is not None else waiting)
        restyle(self._verdict, role="" if result is not None else "muted")
        self._button.setVisible(offered)
        self._table.setVisible(result is not None)
        self._data.setVisible(result is not None)
        self._simulated.setText(tr("train.result.simulated"))
        self._simulated.setVisible(simulated and result is not None)
        self._research.setVisible(result is not None)
        if result is not None:
            self._fill(result)
            percent = round(100 * result.mask_ratio)
            self._data.setText(tr("train.result.data", percent=percent, data=result.data))

    def _fill(self, result: EvaluationInfo) -> None:
        for column, name in enumerate(COLUMNS):
            self._put(0, column, tr(f"train.result.{name}"), "muted")
        self._grid.addWidget(line(), 1, 0, 1, len(COLUMNS))
        best = max(row.r2 for row in result.rows)
        for position, row in enumerate(result.rows, start=2):
            won = row.r2 == best
            interval = tr("train.result.one")
            if row.low is not None and row.high is not None:
                interval = tr("train.result.range", low=_number(row.low), high=_number(row.high))
            cells = (f"{'▸ ' if won else ''}{row.title}", _number(row.r2), interval)
            for column, text in enumerate(cells):
                self._put(position, column, text, "success" if won else "")

    def _put(self, row: int, column: int, text: str, role: str) -> None:
        cell = label(text, role, wrap=column == 0)
        side = Qt.AlignmentFlag.AlignLeft if column == 0 else Qt.AlignmentFlag.AlignRight
        cell.setAlignment(side | Qt.AlignmentFlag.AlignTop)
        self._grid.addWidget(cell, row, column)


def _number(value: float) -> str:
    """Three digits with the typographic minus; no minus before a zero."""
    return f"{round(value, 3) + 0.0:.3f}".replace("-", "−")
