"""The Log dock: what happened, line by line, newest below."""

from __future__ import annotations

from PySide6.QtGui import QAction, QFontDatabase, QGuiApplication, QTextCursor
from PySide6.QtWidgets import QHBoxLayout, QLineEdit, QPlainTextEdit, QVBoxLayout, QWidget

from app.text import tr
from app.views.action_button import ActionButton
from app.views.forms import GRID


class LogView(QWidget):
    """Lines to read, find and copy."""

    def __init__(self, copy: QAction, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._lines: tuple[str, ...] = ()
        self._text = QPlainTextEdit()
        self._text.setReadOnly(True)
        self._text.setMaximumBlockCount(5000)
        self._text.setAccessibleName(tr("log.name"))
        self._text.setFont(QFontDatabase.systemFont(QFontDatabase.SystemFont.FixedFont))
        self._find = QLineEdit()
        self._find.setPlaceholderText(tr("log.find"))
        self._find.setAccessibleName(tr("log.find"))
        self._find.setToolTip(tr("log.find.tip"))
        self._find.setClearButtonEnabled(True)
        self._find.returnPressed.connect(self._find_next)
        row = QHBoxLayout()
        row.addWidget(self._find, 1)
        row.addWidget(ActionButton(copy))
        column = QVBoxLayout(self)
        column.setContentsMargins(GRID, 0, GRID, GRID)
        column.addWidget(self._text, 1)
        column.addLayout(row)

    def set_lines(self, lines: tuple[str, ...]) -> None:
        """Show ``lines``; what is already there is only added to."""
        known = len(self._lines)
        if lines[:known] == self._lines:
            for line in lines[known:]:
                self._text.appendPlainText(line)
        else:
            self._text.setPlainText("\n".join(lines))
            self._text.moveCursor(QTextCursor.MoveOperation.End)
        self._lines = lines

    def copy(self) -> None:
        """Put all lines into the clipboard."""
        QGuiApplication.clipboard().setText(self._text.toPlainText())

    def _find_next(self) -> None:
        if not self._text.find(self._find.text()):
            self._text.moveCursor(QTextCursor.MoveOperation.Start)
            self._text.find(self._find.text())
