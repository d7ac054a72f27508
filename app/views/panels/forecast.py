"""From where and how far is forecast, what is drawn beside it, and how far off every method was."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QCheckBox, QGridLayout, QSlider, QVBoxLayout, QWidget

from app.text import tr
from app.views.action_button import ActionButton
from app.views.forms import GRID, Form, choices, choose, label, line
from app.views.number_boxes import put, whole
from app.widgets.ticks import number

if TYPE_CHECKING:
    from brainlm_engine.api.forecasting import ForecastScore

SHOWN = ("forecast", "followed", "error")
BESIDE = ("model", "shared", "var", "ar", "lstm", "persistence")
LONGEST = 200


class ForecastPanel(QWidget):
    """Emits ``origin_chosen(frame)``, ``horizon_chosen(frames)``, ``beside_chosen(names)``, ``shown_chosen``."""

    origin_chosen = Signal(int)
    horizon_chosen = Signal(int)
    beside_chosen = Signal(object)
    shown_chosen = Signal(str)

    def __init__(self, forecast: QAction, along: QAction, export: QAction) -> None:
        super().__init__()
        self._slider, self._origin = QSlider(Qt.Orientation.Horizontal), whole(1, 1, 1)
        for control in (self._slider, self._origin):
            control.setAccessibleName(f"{tr('tab.forecast')}: {tr('forecast.origin')}")
            control.valueChanged.connect(self.origin_chosen.emit)
        self._horizon = whole(1, LONGEST, 5)
        self._horizon.setSuffix(tr("forecast.frames"))
        self._horizon.valueChanged.connect(self.horizon_chosen.emit)
        self._span = label("", "muted", wrap=True)
        self._model = label("", "muted", wrap=True)
        self._shown = choices((name, tr(f"forecast.shown.{name}")) for name in SHOWN)
        self._shown.activated.connect(lambda _=0: self.shown_chosen.emit(str(self._shown.currentData())))
        form = Form()
        form.row(tr("forecast.origin"), self._slider, self._origin, tip=tr("forecast.origin.tip"))
        form.row(tr("forecast.horizon"), self._horizon, tip=tr("forecast.horizon.tip"))
        form.whole(self._span)
        form.row(tr("forecast.brain"), self._shown, tip=tr("forecast.brain.tip"))
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(GRID)
        column.addWidget(label(tr("forecast.from"), "heading"))
        column.addLayout(form)
        for button in (ActionButton(forecast, primary=True), ActionButton(along), ActionButton(export)):
            column.addWidget(button)
        column.addWidget(self._model)
        column.addWidget(label(tr("forecast.beside"), "heading"))
        self._boxes = {name: self._box(name) for name in BESIDE}
        grid = QGridLayout()
        grid.setContentsMargins(0, 0, 0, 0)
        for place, box in enumerate(self._boxes.values()):
            grid.addWidget(box, place // 2, place % 2)
        column.addLayout(grid)

    def _box(self, name: str) -> QCheckBox:
        box = QCheckBox(tr(f"forecast.method.{name}"))
        box.setToolTip(tr("forecast.beside.tip"))
        box.setAccessibleName(f"{tr('forecast.beside')}: {tr(f'forecast.method.{name}')}")
        box.toggled.connect(self._beside_changed)
        return box

    def _beside_changed(self, _on: bool) -> None:
        self.beside_chosen.emit(tuple(name for name, box in self._boxes.items() if box.isChecked()))

    def show_span(self, origin: int, frames: int, horizon: int, text: str) -> None:
        """Show the origin (1..``frames``), how far is forecast, and both in words."""
        for control in (self._slider, self._origin):
            control.blockSignals(True)
            control.setRange(1, max(frames, 1))
            control.setValue(origin)
            control.setEnabled(frames > 1)
            control.blockSignals(False)
        put(self._horizon, horizon)
        self._span.setText(text)

    def show_choices(self, beside: tuple[str, ...], shown: str, model: str) -> None:
        """Show which methods are drawn, what the brain shows, and whose forecast it is."""
        for name, box in self._boxes.items():
            box.blockSignals(True)
            box.setChecked(name in beside)
            box.blockSignals(False)
        choose(self._shown, shown)
        self._model.setText(model)


class ForecastScores(QWidget):
    """Error and skill of every method, the best one marked; the verdict; what to bear in mind."""

    def __init__(self) -> None:
        super().__init__()
        self.setAccessibleName(tr("forecast.scores.name"))
        self._title = label(tr("forecast.scores"), "heading", wrap=True)
        self._verdict = label(tr("forecast.scores.empty"), "muted", wrap=True)
        self._outdated = label(tr("model.outdated"), "warning", wrap=True)
        self._notes, self._told = label("", "warning", wrap=True), label("", "muted", wrap=True)
        self._body = QWidget()
        self._body.setToolTip(tr("forecast.scores.tip"))
        self._grid = QGridLayout(self._body)
        self._grid.setContentsMargins(0, 0, 0, 0)
        self._grid.setHorizontalSpacing(GRID)
        self._grid.setVerticalSpacing(4)
        self._grid.setColumnStretch(0, 1)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(GRID)
        for widget in (self._title, self._outdated, self._verdict, self._body, self._notes, self._told):
            column.addWidget(widget)
        for widget in (self._outdated, self._notes):
            widget.hide()

    def show_scores(
        self, title: str, scores: tuple[ForecastScore, ...], verdict: str, told: str, *, notes: str, outdated: bool
    ) -> None:
        """Show one result; no scores = none yet."""
        while (item := self._grid.takeAt(0)) is not None:
            widget = item.widget()
            if widget is not None:
                widget.hide()
                widget.deleteLater()
        if any(math.isfinite(score.mse) for score in scores):
            self._fill(scores)
        self._title.setText(title)
        self._verdict.setText(verdict or tr("forecast.scores.empty"))
        self._outdated.setVisible(outdated)
        self._body.setEnabled(not outdated)
        self._notes.setText(notes)
        self._notes.setVisible(bool(notes))
        self._told.setText(told)

    def _fill(self, scores: tuple[ForecastScore, ...]) -> None:
        right = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignTop
        for column, name in enumerate(("method", "mse", "skill")):
            head = label(tr(f"forecast.scores.{name}"), "muted")
            if column:
                head.setAlignment(right)
            self._grid.addWidget(head, 0, column)
        self._grid.addWidget(line(), 1, 0, 1, 3)
        best = min(score.mse for score in scores if math.isfinite(score.mse))
        for row, score in enumerate(scores, start=2):
            won = score.mse == best
            cells = ("▸ " * won + score.title, number(score.mse, 0.001), number(score.skill, 0.001))
            for column, text in enumerate(cells):
                cell = label(text, "success" if won else "", wrap=column == 0)
                if column:
                    cell.setAlignment(right)
                self._grid.addWidget(cell, row, column)
