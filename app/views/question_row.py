"""The answer to one question of a file: buttons for a few choices, a box for many or for a typed value."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QHBoxLayout, QPushButton, QWidget

from app.text import tr
from app.views.forms import GRID, choices

if TYPE_CHECKING:
    from brainlm_engine.api.messages import Question

FILE_QUESTIONS = ("positions",)
BUTTON_LETTERS = 48
"""labels longer than this together go into a box"""


class QuestionRow(QWidget):
    """Emits ``answered(value)``; the value 'file:' asks for a file dialog."""

    answered = Signal(str)

    def __init__(self, question: Question, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._question = question
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(GRID)
        letters = sum(len(choice.label) for choice in question.choices)
        if len(question.choices) <= 3 and letters <= BUTTON_LETTERS and not question.free:
            self._add_buttons(row)
        elif question.choices or (question.free and question.question_id not in FILE_QUESTIONS):
            self._add_box(row)
        if question.question_id in FILE_QUESTIONS:
            button = QPushButton(tr("notice.from_file" if question.choices else "notice.choose_a_file"))
            button.setToolTip(tr("notice.choose_a_file"))
            button.setAccessibleName(tr("notice.choose_a_file"))
            button.clicked.connect(lambda _=False: self.answered.emit("file:"))
            row.addWidget(button)

    def _add_buttons(self, row: QHBoxLayout) -> None:
        for choice in self._question.choices:
            button = QPushButton(choice.label)
            if choice.value == self._question.default:
                button.setProperty("role", "primary")
            button.setToolTip(tr("notice.answer_with", answer=choice.label))
            button.clicked.connect(lambda _=False, value=choice.value: self.answered.emit(value))
            row.addWidget(button)

    def _add_box(self, row: QHBoxLayout) -> None:
        box = choices(((c.value, c.label) for c in self._question.choices), tr("notice.typed"))
        box.setEditable(self._question.free)
        box.setToolTip(tr("notice.typed.free_tip" if self._question.free else "notice.typed.tip"))
        box.setMinimumContentsLength(14)
        widest = max((box.fontMetrics().horizontalAdvance(c.label) for c in self._question.choices), default=0)
        box.view().setMinimumWidth(min(widest + 40, 720))
        position = box.findData(self._question.default)
        if position >= 0:
            box.setCurrentIndex(position)
        else:
            box.setCurrentIndex(-1)
            box.setPlaceholderText(tr("notice.choose"))
            box.setMinimumContentsLength(12)
        if position < 0 and self._question.free:
            box.setEditText(self._question.default)
        line = box.lineEdit()
        if line is not None:
            line.setPlaceholderText(tr("notice.choose_or_type"))
            line.setAccessibleName(tr("notice.typed"))
            line.setToolTip(box.toolTip())
        button = QPushButton(tr("notice.answer"))
        button.setToolTip(tr("notice.answer.tip"))
        button.setProperty("role", "primary")

        def give() -> None:
            chosen = box.currentIndex() >= 0 and box.currentText() == box.itemText(box.currentIndex())
            value = str(box.currentData()) if chosen else box.currentText().strip()
            if value:
                self.answered.emit(value)

        button.clicked.connect(lambda _=False: give())
        row.addWidget(box)
        row.addWidget(button)
