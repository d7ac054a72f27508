"""How well each network was filled in: the model beside the simple method that does best there."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QGridLayout, QLabel, QVBoxLayout, QWidget

from app.text import tr
from app.views.forms import GRID, label, line
from app.widgets.network_colours import readable
from app.widgets.ticks import number

if TYPE_CHECKING:
    from brainlm_engine.api.messages import NetworkScores, Score

COLUMNS = ("network", "model", "best")


class NetworkScorePanel(QWidget):
    """A small table, one row a network; hidden while there are no networks."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAccessibleName(tr("model.networks.name"))
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(GRID)
        column.addWidget(label(tr("model.networks"), "heading", wrap=True))
        self._body = QWidget()
        self._grid = QGridLayout(self._body)
        self._grid.setContentsMargins(0, 0, 0, 0)
        self._grid.setHorizontalSpacing(GRID)
        self._grid.setVerticalSpacing(4)
        self._grid.setColumnStretch(0, 1)
        column.addWidget(self._body)
        self._shown: tuple[NetworkScores, ...] = ()
        self.hide()

    def show_networks(self, networks: tuple[NetworkScores, ...], outdated: bool) -> None:
        """Show these scores; the higher of the two R² is marked by colour and by an arrow."""
        self.setVisible(bool(networks))
        self._body.setEnabled(not outdated)
        if networks == self._shown:
            return
        self._shown = networks
        while (item := self._grid.takeAt(0)) is not None:
            widget = item.widget()
            if widget is not None:
                widget.hide()
                widget.deleteLater()
        if networks:
            self._fill(networks)

    def _fill(self, networks: tuple[NetworkScores, ...]) -> None:
        for column, name in enumerate(COLUMNS):
            head = label(tr(f"model.networks.{name}"), "muted")
            head.setAlignment(_side(column))
            head.setToolTip(tr(f"model.networks.{name}.tip"))
            self._grid.addWidget(head, 0, column)
        self._grid.addWidget(line(), 1, 0, 1, len(COLUMNS))
        for row, part in enumerate(networks, start=2):
            model = part.scores[0]
            best = max(part.scores[1:], key=lambda score: _or_least(score.r2), default=None)
            name = tr("model.networks.none") if part.network == "none" else readable(part.network)
            told = label(name, wrap=True)
            told.setToolTip(tr("model.networks.parcels", n=part.n_parcels))
            cells = [told, _cell(model, best), _cell(best, model)]
            for column, cell in enumerate(cells):
                cell.setAlignment(_side(column))
                self._grid.addWidget(cell, row, column)


def _cell(score: Score | None, other: Score | None) -> QLabel:
    """Return the R² of ``score``; r, MSE and the method's name are in the tooltip."""
    if score is None or math.isnan(score.r2):
        return label(tr("probe.none"))
    won = other is None or score.r2 > _or_least(other.r2)
    cell = label(("▸ " if won else "") + number(score.r2, 0.001), "success" if won else "")
    r = tr("probe.none") if math.isnan(score.r) else number(score.r, 0.001)
    cell.setToolTip(tr("model.networks.cell", method=score.title, r=r, mse=number(score.mse, 0.001)))
    return cell


def _or_least(value: float) -> float:
    return -math.inf if math.isnan(value) else value


def _side(column: int) -> Qt.AlignmentFlag:
    return (Qt.AlignmentFlag.AlignLeft if column == 0 else Qt.AlignmentFlag.AlignRight) | Qt.AlignmentFlag.AlignTop
