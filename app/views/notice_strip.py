"""One line of fixed height above the pages: what is open; or, when there is something to say or to ask, that."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtGui import QAction, QResizeEvent
from PySide6.QtWidgets import (
    QApplication,
    QFrame,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QStackedWidget,
    QToolButton,
    QWidget,
)

from app.text import tr
from app.theme import Theme
from app.theme.icons import icon
from app.views.forms import GRID, label, restyle
from app.views.question_row import QuestionRow
from app.widgets.elided import ClampedLabel, ElidedLabel

if TYPE_CHECKING:
    from app.state.notices import Notice

HEIGHT = 48
TEXT_WIDTH = 240
"""px that a message keeps beside its buttons"""
NAME_WIDTH = 60
"""px that are of use to what is open, beside a message"""


class NoticeStrip(QStackedWidget):
    """A caption, or the most pressing message with its buttons. Nothing below it ever moves.

    Signals
    -------
    pressed(key, button) : a button of a message; 'dismiss' and 'details' included
    answered(key, value) : an answer to a question; value 'file:' asks for a file
    left() : the control that had the keyboard is gone
    """

    pressed = Signal(str, str)
    answered = Signal(str, str)
    left = Signal()

    def __init__(self, following: QAction, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setFixedHeight(HEIGHT)
        self.setAccessibleName(tr("notice.name"))
        self._theme: Theme | None = None
        self._notices: tuple[Notice, ...] = ()
        self._position = 0
        self._built: Notice | None = None
        self._caption = _Caption()
        self._page = QFrame()
        self._page.setProperty("role", "strip")
        self._row = QHBoxLayout(self._page)
        self._row.setContentsMargins(2 * GRID, 0, GRID, 0)
        self._row.setSpacing(GRID)
        self._what = ElidedLabel()
        self._what.setProperty("role", "muted")
        self._what.setMinimumWidth(1)
        self._mark = QLabel()
        self._text = ClampedLabel()
        self._text.setMinimumWidth(TEXT_WIDTH)
        self._text.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self._count = QPushButton()
        self._count.setProperty("role", "plain")
        self._count.setToolTip(following.toolTip())
        self._count.setAccessibleName(following.text())
        following.changed.connect(lambda: self._count.setToolTip(following.toolTip()))
        self._count.clicked.connect(lambda _=False: following.trigger())
        self._whole = QPushButton(tr("notice.details"))
        self._whole.setProperty("role", "plain")
        self._whole.setToolTip(tr("notice.details"))
        self._whole.clicked.connect(lambda _=False: self.pressed.emit(self._notices[self._position].key, "details"))
        self._row.addWidget(self._what)
        self._row.addWidget(self._mark)
        self._row.addWidget(self._text, 1)
        self._row.addWidget(self._count)
        self._row.addWidget(self._whole)
        self._controls: list[QWidget] = []
        self.addWidget(self._caption)
        self.addWidget(self._page)

    def set_caption(self, text: str, tags: tuple[str, ...] = (), name: str = "") -> None:
        """Show what is open; ``tags`` stand at the right (space, unit).

        Where there is no room, beside a message first of all, ``name`` at its beginning is shortened.
        """
        self._caption.show_text(text, tags, name)
        self._what.set_sentence(text, name)
        self._what.setToolTip("   ".join((text, *tags)))
        self._share()

    def set_notices(self, notices: tuple[Notice, ...]) -> None:
        """Show the first of ``notices``; the caption when there is none."""
        shown = self._notices[self._position].key if self._notices else ""
        keys = [n.key for n in notices]
        fresh = bool(keys) and not any(keys[0] == n.key for n in self._notices)
        self._notices = notices
        self._position = 0 if fresh or shown not in keys else keys.index(shown)
        self._show()

    def set_theme(self, theme: Theme) -> None:
        """Paint the mark in the colours of ``theme``."""
        self._theme, self._built = theme, None
        self._show()

    @property
    def notice(self) -> Notice | None:
        """The message on screen."""
        return self._notices[self._position] if self._notices else None

    def step(self, by: int = 1) -> None:
        """Show another message: the next, or with -1 the one before."""
        if self._notices:
            self._position = (self._position + by) % len(self._notices)
            self._show()

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Share the room anew."""
        super().resizeEvent(event)
        self._share()

    def _share(self) -> None:
        """Give what is open the room that the message, in two lines, and its buttons leave."""
        message = self._text.fontMetrics().horizontalAdvance(self._text.accessibleName()) * 5 // 9
        others = sum(c.sizeHint().width() + GRID for c in (self._mark, *self._controls))
        others += self._count.sizeHint().width() + GRID if len(self._notices) > 1 else 0
        left = self.width() - others - 5 * GRID
        room = min(left - max(message, TEXT_WIDTH), self.width() * 9 // 20, self._what.sizeHint().width())
        self._what.setVisible(room >= NAME_WIDTH)
        self._what.setMaximumWidth(max(room, 1))
        left -= room + GRID if room >= NAME_WIDTH else 0
        cut = not self._text.fits(left - GRID, HEIGHT - 4)
        self._whole.setVisible(cut and self.notice is not None and not self.notice.details)

    def _show(self) -> None:
        notice = self.notice
        focus = QApplication.focusWidget()
        had_focus = focus is not None and any(c is focus or c.isAncestorOf(focus) for c in self._controls)
        self._show_notice(notice)
        if had_focus:
            self.left.emit()

    def _show_notice(self, notice: Notice | None) -> None:
        if notice is None:
            self.setCurrentWidget(self._caption)
            return
        restyle(self._page, tone=notice.tone)
        if self._theme is not None:
            self._mark.setPixmap(icon(notice.tone, self._theme).pixmap(QSize(20, 20)))
        sentence = f"{notice.text} {notice.next_step}".strip()
        self._text.set_sentence(sentence)
        self._count.setVisible(len(self._notices) > 1)
        self._count.setText(tr("notice.more", n=self._position + 1, of=len(self._notices)))
        if notice != self._built:
            self._built = notice
            self._rebuild(notice)
        self._share()
        self.setCurrentWidget(self._page)

    def _rebuild(self, notice: Notice) -> None:
        for control in self._controls:
            self._row.removeWidget(control)
            control.hide()
            control.deleteLater()
        self._controls = []
        if notice.question is not None:
            row = QuestionRow(notice.question)
            row.answered.connect(lambda value, key=notice.key: self.answered.emit(key, value))
            self._place(row)
        for position, (name, text) in enumerate(notice.buttons):
            self._button(notice.key, name, text, "primary" if position == 0 else "")
        if notice.details:
            self._button(notice.key, "details", tr("notice.details"), "plain")
        if notice.question is None or not notice.question.required:
            close = QToolButton()
            close.setAccessibleName(tr("notice.dismiss"))
            close.setToolTip(tr("notice.dismiss"))
            if self._theme is not None:
                close.setIcon(icon("close-line", self._theme))
            close.clicked.connect(lambda _=False, key=notice.key: self.pressed.emit(key, "dismiss"))
            self._place(close)

    def _button(self, key: str, name: str, text: str, role: str) -> None:
        button = QPushButton(text)
        button.setToolTip(text.rstrip("…"))
        button.setProperty("role", role)
        button.clicked.connect(lambda _=False: self.pressed.emit(key, name))
        self._place(button)

    def _place(self, control: QWidget) -> None:
        self._controls.append(control)
        self._row.addWidget(control)


class _Caption(QFrame):
    """What is open, and in which space and unit."""

    def __init__(self) -> None:
        super().__init__()
        self.setProperty("role", "strip")
        row = QHBoxLayout(self)
        row.setContentsMargins(2 * GRID, 0, 2 * GRID, 0)
        row.setSpacing(2 * GRID)
        self._text = ElidedLabel()
        self._text.setText(tr("caption.nothing"))
        self._tags = label(role="muted")
        row.addWidget(self._text, 1)
        row.addWidget(self._tags)

    def show_text(self, text: str, tags: tuple[str, ...], name: str) -> None:
        self._text.set_sentence(text, name)
        self._tags.setText("   ".join(tags))
