"""What the View and the Model page have in common: room for drawings, a side panel, a time bar below."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import (
    QApplication,
    QFrame,
    QHBoxLayout,
    QScrollArea,
    QSplitter,
    QStackedWidget,
    QVBoxLayout,
    QWidget,
)

from app.text import tr
from app.views.forms import GRID, label
from app.widgets.elided import ElidedLabel

SIDE_WIDTH = 296


def holds_focus(widget: QWidget) -> bool:
    """Return True when the keyboard is at ``widget`` or inside it."""
    focus = QApplication.focusWidget()
    return focus is not None and (focus is widget or widget.isAncestorOf(focus))


def focus_first(widget: QWidget) -> None:
    """Give the keyboard to ``widget``, or to the first inside it that takes it just now."""
    for each in (widget, *widget.findChildren(QWidget)):
        if each.focusPolicy() != Qt.FocusPolicy.NoFocus and each.isVisible() and each.isEnabled():
            each.setFocus(Qt.FocusReason.OtherFocusReason)
            return
    widget.setFocus(Qt.FocusReason.OtherFocusReason)


class PageFrame(QWidget):
    """Drawings in splitters that a person can move; a panel at the right that can be hidden."""

    def __init__(self, empty: str) -> None:
        super().__init__()
        self.above = QSplitter(Qt.Orientation.Horizontal)
        self.beneath = QSplitter(Qt.Orientation.Horizontal)
        self.rows = QSplitter(Qt.Orientation.Vertical)
        for splitter in (self.above, self.beneath, self.rows):
            splitter.setChildrenCollapsible(False)
            splitter.setHandleWidth(4)
        self.rows.addWidget(self.above)
        self.rows.addWidget(self.beneath)
        self._below = QVBoxLayout()
        self._below.setContentsMargins(0, 0, 0, 0)
        drawings = QWidget()
        column = QVBoxLayout(drawings)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(self.rows, 1)
        column.addLayout(self._below)
        self._nothing = nothing = label(empty, "muted", wrap=True)
        nothing.setAlignment(Qt.AlignmentFlag.AlignCenter)
        nothing.setMargin(4 * GRID)
        nothing.setFocusPolicy(Qt.FocusPolicy.ClickFocus)
        self._stack = QStackedWidget()
        self._stack.addWidget(nothing)
        self._stack.addWidget(drawings)
        self.side = QScrollArea()
        self.side.setProperty("role", "side")
        self.side.setAccessibleName(tr("panel.name"))
        self.side.setFrameShape(QFrame.Shape.NoFrame)
        self.side.setWidgetResizable(True)
        self.side.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.side.setFixedWidth(SIDE_WIDTH)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(0)
        row.addWidget(self._stack, 1)
        row.addWidget(self.side)

    def place(self, upper: list[QWidget], lower: list[QWidget], below: list[QWidget]) -> None:
        """Put the drawings in place."""
        for splitter, widgets in ((self.above, upper), (self.beneath, lower)):
            for widget in widgets:
                splitter.addWidget(widget)
        for widget in below:
            self._below.addWidget(widget)

    def set_empty_page(self, page: QWidget) -> None:
        """Show ``page`` while there is nothing to draw, in place of the sentence."""
        sentence = self._stack.widget(0)
        self._stack.insertWidget(0, page)
        self._stack.setCurrentIndex(0)
        if sentence is not None:
            self._stack.removeWidget(sentence)
            sentence.deleteLater()

    def set_panel(self, sections: list[QWidget], stretch: int = -1) -> None:
        """Fill the side panel with sections from above; section ``stretch`` takes the room that is left."""
        body = QWidget()
        body.setProperty("role", "sidebody")
        column = QVBoxLayout(body)
        column.setContentsMargins(2 * GRID, GRID, 2 * GRID, GRID)
        column.setSpacing(12)
        for position, section in enumerate(sections):
            column.addWidget(section, 1 if position == stretch else 0)
        if stretch < 0:
            column.addStretch(1)
        self.side.setWidget(body)

    def add_section(self, section: QWidget) -> None:
        """Add a section below the others of the side panel."""
        body = self.side.widget()
        column = body.layout() if body is not None else None
        assert isinstance(column, QVBoxLayout)
        column.insertWidget(column.count() - 1, section)

    def set_filled(self, filled: bool) -> None:
        """Show the drawings, or the sentence that says what to do."""
        inside = holds_focus(self._stack)
        self._stack.setCurrentIndex(1 if filled else 0)
        if inside:
            self.take_focus()

    def set_empty(self, text: str) -> None:
        """Change the sentence that says what to do."""
        self._nothing.setText(text)

    def take_focus(self) -> None:
        """Give the keyboard to the first drawing."""
        shown = self.above.widget(0) if self._stack.currentIndex() else self._stack.currentWidget()
        if shown is not None:
            focus_first(shown)


class Titled(QWidget):
    """A drawing under a line of its name; until there is something to draw, a sentence."""

    def __init__(self, title: str, *contents: QWidget) -> None:
        super().__init__()
        self._title = ElidedLabel()
        self._title.setText(title)
        self._title.setProperty("role", "muted")
        self._title.setMinimumWidth(1)
        self._waiting = label("", "muted", wrap=True)
        self._waiting.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self._stack = QStackedWidget()
        self._stack.addWidget(_above_each_other(contents))
        self._stack.addWidget(self._waiting)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        head = QHBoxLayout()
        head.setContentsMargins(GRID, 2, GRID, 2)
        head.addWidget(self._title)
        column.addLayout(head)
        column.addWidget(self._stack, 1)

    @property
    def title(self) -> str:
        """The name above the drawing."""
        return self._title.text()

    def set_title(self, title: str) -> None:
        """Change the name above the drawing."""
        self._title.setText(title)

    def set_waiting(self, text: str) -> None:
        """Show ``text`` in place of the drawing; '' shows the drawing."""
        self._waiting.setText(text)
        self._stack.setCurrentIndex(1 if text else 0)


def _above_each_other(contents: tuple[QWidget, ...]) -> QWidget:
    if len(contents) == 1:
        return contents[0]
    holder = QWidget()
    column = QVBoxLayout(holder)
    column.setContentsMargins(0, 0, 0, 0)
    column.setSpacing(0)
    for position, content in enumerate(contents):
        column.addWidget(content, 0 if position else 1)
    return holder
