"""The start page: where to drop a scan, what was open before, and a demo for those who have none."""

from __future__ import annotations

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtGui import QAction, QDragEnterEvent, QDragLeaveEvent, QDropEvent
from PySide6.QtWidgets import (
    QFrame,
    QHBoxLayout,
    QLabel,
    QListWidget,
    QListWidgetItem,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from app.text import tr
from app.theme import Theme, as_title
from app.theme.icons import icon
from app.views.action_button import ActionButton
from app.views.dropping import local_files
from app.views.forms import GRID, card, label, restyle

PATH = Qt.ItemDataRole.UserRole


class DropArea(QFrame):
    """A dashed area that takes files; it lights up while something hangs over it."""

    dropped = Signal(list)

    def __init__(self, open_action: QAction) -> None:
        super().__init__()
        self.setProperty("role", "drop")
        self.setAcceptDrops(True)
        self.setAccessibleName(tr("cases.drop_name"))
        column = QVBoxLayout(self)
        column.setContentsMargins(3 * GRID, 3 * GRID, 3 * GRID, 3 * GRID)
        column.setSpacing(GRID)
        self.mark = QLabel()
        title = as_title(label(tr("cases.drop")))
        hint = label(tr("cases.drop_hint"), "muted", wrap=True)
        for widget in (self.mark, title, hint):
            if isinstance(widget, QLabel):
                widget.setAlignment(Qt.AlignmentFlag.AlignCenter)
        button = ActionButton(open_action, primary=True)
        column.addStretch(1)
        column.addWidget(self.mark)
        column.addWidget(title)
        column.addWidget(hint)
        column.addSpacing(GRID)
        column.addWidget(button, 0, Qt.AlignmentFlag.AlignHCenter)
        column.addStretch(1)

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        """Light up when files come; what is none is left to the window, which says so."""
        if local_files(event.mimeData()):
            event.acceptProposedAction()
            restyle(self, over="true")
        else:
            event.ignore()

    def dragLeaveEvent(self, event: QDragLeaveEvent) -> None:
        """Go dark again."""
        restyle(self, over="false")

    def dropEvent(self, event: QDropEvent) -> None:
        """Hand the files on."""
        restyle(self, over="false")
        if paths := local_files(event.mimeData()):
            event.acceptProposedAction()
            self.dropped.emit(paths)


class CasesPage(QWidget):
    """Left: drop a scan. Right: the last session, the demo case, recent files."""

    dropped = Signal(list)
    recent_chosen = Signal(str)

    def __init__(self, actions: dict[str, QAction]) -> None:
        super().__init__()
        self._reason = ""
        self.area = DropArea(actions["open"])
        self.area.dropped.connect(self.dropped)
        left = QVBoxLayout()
        left.setSpacing(2 * GRID)
        left.addWidget(self.area, 1)
        left.addWidget(self._steps())
        right = QVBoxLayout()
        right.setSpacing(2 * GRID)
        right.addWidget(self._session(actions["reopen"]))
        right.addWidget(self._demo(actions["open_demo"]))
        right.addWidget(self._recent(), 1)
        row = QHBoxLayout()
        row.setSpacing(2 * GRID)
        row.addLayout(left, 3)
        row.addLayout(right, 2)
        column = QVBoxLayout(self)
        column.setContentsMargins(3 * GRID, 2 * GRID, 3 * GRID, 3 * GRID)
        column.setSpacing(2 * GRID)
        column.addWidget(as_title(label(tr("cases.title"))))
        column.addLayout(row, 1)

    def _steps(self) -> QWidget:
        frame, column = card()
        column.addWidget(label(tr("cases.first_steps"), "heading"))
        for number in (1, 2, 3):
            row = QHBoxLayout()
            row.setSpacing(2 * GRID)
            row.addWidget(label(str(number), "muted"), 0, Qt.AlignmentFlag.AlignTop)
            row.addWidget(label(tr(f"cases.step{number}"), wrap=True), 1)
            column.addLayout(row)
        return frame

    def _session(self, action: QAction) -> QWidget:
        self._session_card, column = card()
        column.addWidget(label(tr("cases.continue"), "heading"))
        self._session_text = label("", wrap=True)
        column.addWidget(self._session_text)
        column.addWidget(ActionButton(action), 0, Qt.AlignmentFlag.AlignLeft)
        self._session_card.hide()
        return self._session_card

    def _demo(self, action: QAction) -> QWidget:
        frame, column = card()
        column.addWidget(label(tr("cases.demo_title"), "heading"))
        column.addWidget(label(tr("cases.demo"), wrap=True))
        column.addWidget(ActionButton(action), 0, Qt.AlignmentFlag.AlignLeft)
        return frame

    def _recent(self) -> QWidget:
        frame, column = card()
        column.addWidget(label(tr("cases.recent"), "heading"))
        self._none = label(tr("cases.no_recent"), "muted")
        self._list = QListWidget()
        self._list.setAccessibleName(tr("cases.recent_name"))
        self._list.setFrameShape(QFrame.Shape.NoFrame)
        self._list.setTextElideMode(Qt.TextElideMode.ElideMiddle)
        self._list.itemActivated.connect(self._activated)
        self._open = QPushButton(tr("cases.open_now"))
        self._open.clicked.connect(lambda _=False: self._activated(self._list.currentItem()))
        self._list.currentRowChanged.connect(self._allow)
        column.addWidget(self._none)
        column.addWidget(self._list, 1)
        column.addWidget(self._open, 0, Qt.AlignmentFlag.AlignLeft)
        column.addStretch(0)
        self.set_recent(())
        return frame

    def _activated(self, item: QListWidgetItem | None) -> None:
        if item is not None and not self._reason:
            self.recent_chosen.emit(str(item.data(PATH)))

    def set_recent(self, files: tuple[tuple[str, str, bool], ...], *, tips: bool = True) -> None:
        """Show recent files as ``(path, name, still there)``; the whole path is the tooltip where ``tips`` allows."""
        self._list.clear()
        for path, name, there in files:
            item = QListWidgetItem(name if there else f"{name} ({tr('cases.gone').lower()})")
            item.setData(PATH, path)
            tip = path if tips else name
            item.setToolTip(tip if there else f"{tip}\n{tr('cases.gone')}")
            if not there:
                item.setFlags(Qt.ItemFlag.NoItemFlags)
            self._list.addItem(item)
        self._none.setVisible(not files)
        self._list.setVisible(bool(files))
        self._open.setVisible(bool(files))
        self._allow()

    def set_recent_reason(self, reason: str) -> None:
        """Let recent files be opened, or say why they cannot be just now."""
        self._reason = reason
        self._allow()

    def _allow(self, *_: object) -> None:
        """A chosen file can be opened unless there is a reason why not."""
        self._open.setEnabled(self._list.currentRow() >= 0 and not self._reason)
        self._open.setToolTip(self._reason or tr("cases.open_now.tip"))

    def set_session(self, text: str) -> None:
        """Offer the last session; '' = there is none."""
        self._session_card.setVisible(bool(text))
        self._session_text.setText(text)

    def set_theme(self, theme: Theme) -> None:
        """Paint the drawing in the colours of ``theme``."""
        self.area.mark.setPixmap(icon("drop", theme, 48).pixmap(QSize(48, 48)))
