"""The training on show in one strip: what it is, where it is, how fast, and what can be done with it."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QHBoxLayout, QLabel, QProgressBar, QSizePolicy, QVBoxLayout, QWidget

from app.text import tr
from app.views.action_button import ActionButton
from app.views.forms import GRID, label, restyle
from app.widgets.elided import ElidedLabel

HEIGHT = 84


class TrainingHead(QWidget):
    """Title and state, a bar, a line of numbers; at the right Pause, Resume, Stop."""

    def __init__(self, actions: dict[str, QAction]) -> None:
        super().__init__()
        self.setFixedHeight(HEIGHT)
        self.setAccessibleName(tr("train.head.name"))
        self._title, self._state = ElidedLabel(), label("", "muted")
        self._title.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        self._bar = QProgressBar()
        self._bar.setRange(0, 1000)
        self._bar.setTextVisible(False)
        self._bar.setAccessibleName(tr("train.head.progress"))
        self._numbers, self._note = ElidedLabel(), ElidedLabel()
        self._numbers.setProperty("role", "muted")
        first, last = QHBoxLayout(), QHBoxLayout()
        first.setSpacing(GRID)
        first.addWidget(self._title, 1)
        first.addWidget(self._state)
        last.addWidget(self._numbers, 1)
        words = QVBoxLayout()
        words.setSpacing(4)
        words.addLayout(first)
        words.addWidget(self._bar)
        words.addLayout(last)
        words.addWidget(self._note)
        row = QHBoxLayout(self)
        row.setContentsMargins(2 * GRID, 6, 2 * GRID, 4)
        row.setSpacing(2 * GRID)
        row.addLayout(words, 1)
        buttons = QVBoxLayout()
        buttons.setSpacing(6)
        upper = QHBoxLayout()
        upper.setSpacing(GRID)
        upper.addWidget(ActionButton(actions["train_pause"]))
        upper.addWidget(ActionButton(actions["train_resume"]))
        buttons.addLayout(upper)
        buttons.addWidget(ActionButton(actions["train_stop"]))
        row.addLayout(buttons)
        row.setAlignment(buttons, Qt.AlignmentFlag.AlignVCenter)

    def show_training(
        self, title: str, *, state: tuple[str, str], fraction: float, numbers: str, note: tuple[str, str]
    ) -> None:
        """Show everything at once; ``state`` and ``note`` are a text and a role of the style sheet."""
        self._title.setText(title)
        _say(self._state, *state)
        if self._bar.value() != round(1000 * fraction):  # it paints at once, and all that lies under it
            self._bar.setValue(round(1000 * fraction))
        self._numbers.setText(numbers)
        _say(self._note, *note)


def _say(target: QLabel, text: str, role: str) -> None:
    target.setText(text)
    if target.property("role") != role:
        restyle(target, role=role)
