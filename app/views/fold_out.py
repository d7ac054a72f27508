"""The Details of a message, folded out over the page without moving it."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QFrame, QHBoxLayout, QPlainTextEdit, QPushButton, QVBoxLayout, QWidget

from app.text import tr
from app.views.forms import GRID


class FoldOut(QFrame):
    """A box under the message strip with a text to read and copy; Escape closes it."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self._over = parent
        self.setProperty("role", "popup")
        column = QVBoxLayout(self)
        column.setContentsMargins(GRID, GRID, GRID, GRID)
        self._text = QPlainTextEdit()
        self._text.setReadOnly(True)
        self._text.setAccessibleName(tr("notice.details"))
        row = QHBoxLayout()
        row.addStretch(1)
        for name, act in (("copy", self._copy), ("close", self.hide)):
            button = QPushButton(tr(name))
            button.setToolTip(tr(f"{name}.tip"))
            button.clicked.connect(lambda _=False, act=act: act())
            row.addWidget(button)
        column.addWidget(self._text)
        column.addLayout(row)
        self.hide()

    def toggle(self, text: str, under: QWidget) -> None:
        """Show ``text`` below ``under``, or hide when it is on screen already."""
        if self.isVisible() and self._text.toPlainText() == text:
            self.hide()
            return
        self._text.setPlainText(text)
        corner = self._over.mapFromGlobal(under.mapToGlobal(under.rect().bottomLeft()))
        lines = min(max(text.count("\n") + 2, 4), 16)
        height = lines * self.fontMetrics().lineSpacing() + 72
        self.setGeometry(corner.x() + 2 * GRID, corner.y() + 4, min(720, under.width() - 4 * GRID), height)
        self.raise_()
        self.show()
        self._text.setFocus()

    def _copy(self) -> None:
        QGuiApplication.clipboard().setText(self._text.toPlainText())

    def keyPressEvent(self, event: object) -> None:
        """Close on Escape."""
        key = getattr(event, "key", lambda: None)()
        if key == Qt.Key.Key_Escape:
            self.hide()
