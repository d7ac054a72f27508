"""A box with a text to read and copy: About, Diagnostics."""

from __future__ import annotations

from PySide6.QtGui import QFontDatabase, QGuiApplication
from PySide6.QtWidgets import QDialog, QHBoxLayout, QLayout, QPlainTextEdit, QPushButton, QVBoxLayout, QWidget

from app.text import tr
from app.views.forms import GRID, label


class FactsDialog(QDialog):
    """A title, a text, Copy and Close."""

    def __init__(self, title: str, text: str, parent: QWidget | None = None, *, plain: bool = True) -> None:
        super().__init__(parent)
        self.setWindowTitle(title)
        column = QVBoxLayout(self)
        column.setContentsMargins(2 * GRID, 2 * GRID, 2 * GRID, 2 * GRID)
        column.setSpacing(2 * GRID)
        self._box = QPlainTextEdit(text, self)
        self._box.setVisible(plain)
        if plain:
            self._box.setReadOnly(True)
            self._box.setFont(QFontDatabase.systemFont(QFontDatabase.SystemFont.FixedFont))
            self._box.setAccessibleName(title)
            column.addWidget(self._box, 1)
            self.resize(680, 460)
        else:
            words = label(text, wrap=True)
            words.setFixedWidth(420)
            column.addWidget(words)
            column.setSizeConstraint(QLayout.SizeConstraint.SetFixedSize)
        row = QHBoxLayout()
        row.addStretch(1)
        if plain:
            copy = QPushButton(tr("copy"))
            copy.setToolTip(tr("copy.tip"))
            copy.clicked.connect(lambda _=False: QGuiApplication.clipboard().setText(self._box.toPlainText()))
            row.addWidget(copy)
        close = QPushButton(tr("close"))
        close.setToolTip(tr("close.tip"))
        close.setDefault(True)
        close.clicked.connect(self.accept)
        row.addWidget(close)
        column.addLayout(row)

    def set_text(self, text: str) -> None:
        """Show more than was known at first."""
        self._box.setPlainText(text)
