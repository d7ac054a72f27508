"""The model beside the simple methods, and the sentence that says who won."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QGridLayout, QVBoxLayout, QWidget

from app.text import tr
from app.views.forms import GRID, label, line
from app.widgets.ticks import number

if TYPE_CHECKING:
    from brainlm_engine.api.messages import Score

COLUMNS = ("method", "r2", "r", "mse")


class ScorePanel(QWidget):
    """A small table, best R² marked by an arrow and a word, the verdict under it."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAccessibleName(tr("model.scores.name"))
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(GRID)
        column.addWidget(label(tr("model.scores"), "heading", wrap=True))
        self._body = QWidget()
        self._grid = QGridLayout(self._body)
        self._grid.setContentsMargins(0, 0, 0, 0)
        self._grid.setHorizontalSpacing(GRID)
        self._grid.setVerticalSpacing(4)
        self._grid.setColumnStretch(0, 1)
        self._verdict = label(tr("model.scores.empty"), "muted", wrap=True)
        self._outdated = label(tr("model.outdated"), "warning", wrap=True)
        self._outdated.hide()
        self._took = label("", "muted", wrap=True)
        self._notes = label("", "warning", wrap=True)
        self._notes.hide()
        for widget in (self._outdated, self._verdict, self._body, self._notes, self._took):
            column.addWidget(widget)

    def show_scores(
        self, scores: tuple[Score, ...], verdict: str, took: str, outdated: bool, notes: tuple[str, ...] = ()
    ) -> None:
        """Show the scores of one reconstruction, and what to bear in mind with them; empty = none yet."""
        while (item := self._grid.takeAt(0)) is not None:
            widget = item.widget()
            if widget is not None:
                widget.hide()
                widget.deleteLater()
        if scores:
            self._fill(scores)
        self._outdated.setVisible(outdated)
        self._body.setEnabled(not outdated)
        self._verdict.setText(verdict or tr("model.scores.empty"))
        self._verdict.setProperty("role", "" if verdict else "muted")
        self._verdict.style().unpolish(self._verdict)
        self._verdict.style().polish(self._verdict)
        self._notes.setText("\n".join(notes))
        self._notes.setVisible(bool(notes))
        self._took.setText(took)
        self._took.setVisible(bool(took))

    def _fill(self, scores: tuple[Score, ...]) -> None:
        for column, name in enumerate(COLUMNS):
            head = label(tr(f"model.scores.{name}"), "muted")
            head.setAlignment(_side(column))
            self._grid.addWidget(head, 0, column)
        self._grid.addWidget(line(), 1, 0, 1, len(COLUMNS))
        best = max((s.r2 for s in scores if not math.isnan(s.r2)), default=float("nan"))
        for row, score in enumerate(scores, start=2):
            won = score.r2 == best
            cells = (score.title, *(_number(value) for value in (score.r2, score.r, score.mse)))
            for column, text in enumerate(cells):
                mark = "▸ " if won and column == 0 else ""
                cell = label(mark + text, "success" if won else "", wrap=column == 0)
                cell.setAlignment(_side(column))
                self._grid.addWidget(cell, row, column)


def _number(value: float) -> str:
    """Three digits; a dash where there is no number, no minus before a zero."""
    return tr("probe.none") if math.isnan(value) else number(value, 0.001)


def _side(column: int) -> Qt.AlignmentFlag:
    return (Qt.AlignmentFlag.AlignLeft if column == 0 else Qt.AlignmentFlag.AlignRight) | Qt.AlignmentFlag.AlignTop
