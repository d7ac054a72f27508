"""More ways to a target, and the switch of the trace: a section of the side panel."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QCheckBox, QVBoxLayout, QWidget

from app.text import tr
from app.views.action_button import ActionButton
from app.views.forms import GRID, line

#: commands that have a button here
ACTIONS = ("perturb_lasso", "perturb_brush", "perturb_copy")


class MorePanel(QWidget):
    """Emits ``apart_chosen(on)``; everything else is a command."""

    apart_chosen = Signal(bool)

    def __init__(self, actions: dict[str, QAction]) -> None:
        super().__init__()
        self.apart = QCheckBox(tr("perturb.apart"))
        self.apart.setToolTip(tr("perturb.apart.tip"))
        self.apart.clicked.connect(self.apart_chosen.emit)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(GRID)
        column.addWidget(line())
        column.addWidget(self.apart)
        for name in ACTIONS:
            column.addWidget(ActionButton(actions[name]))

    def show_state(self, apart: bool) -> None:
        """Show whether the trace shows the difference only."""
        self.apart.setChecked(apart)
