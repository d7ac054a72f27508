"""The command palette: type a few letters, Enter does it."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QObject, Qt
from PySide6.QtGui import QAction, QKeyEvent, QKeySequence
from PySide6.QtWidgets import QFrame, QHeaderView, QLineEdit, QTreeWidget, QTreeWidgetItem, QVBoxLayout, QWidget

from app.dialogs.fuzzy import score
from app.text import tr
from app.views.forms import GRID, label

ACTION = Qt.ItemDataRole.UserRole
WIDTH = 720
REASON_PX = 96
"""what the reason keeps beside the longest name; a file may be called anything"""


class CommandPalette(QFrame):
    """A box over the window's upper middle with every command; what cannot be used is dimmed and says why."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self._over = parent
        self.setProperty("role", "popup")
        self.setAccessibleName(tr("palette.name"))
        self._commands: list[tuple[str, QAction]] = []
        self._line = QLineEdit()
        self._line.setPlaceholderText(tr("palette.hint"))
        self._line.setAccessibleName(tr("palette.hint"))
        self._line.setToolTip(tr("palette.hint"))
        self._line.installEventFilter(self)
        self._line.textChanged.connect(self._filter)
        self._list = QTreeWidget()
        self._list.setColumnCount(3)
        self._list.setHeaderHidden(True)
        self._list.setRootIsDecorated(False)
        self._list.setUniformRowHeights(True)
        self._list.header().setStretchLastSection(False)
        self._list.header().setSectionResizeMode(QHeaderView.ResizeMode.Fixed)
        self._list.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self._list.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self._list.itemClicked.connect(lambda item, _column: self._use(item))
        self._list.setAccessibleName(tr("palette.name"))
        self._nothing = label(tr("palette.nothing"), "muted")
        column = QVBoxLayout(self)
        column.setContentsMargins(GRID, GRID, GRID, GRID)
        for widget in (self._line, self._nothing, self._list):
            column.addWidget(widget)
        self.hide()

    def open_with(self, commands: list[tuple[str, QAction]]) -> None:
        """Show the commands, each with the name of its menu."""
        self._commands = commands
        width = min(WIDTH, self._over.width() - 4 * GRID)
        self.setGeometry((self._over.width() - width) // 2, 64, width, min(420, self._over.height() - 128))
        self._line.clear()
        self._filter("")
        self.raise_()
        self.show()
        self._line.setFocus()

    def _filter(self, letters: str) -> None:
        ranked = [(score(letters, f"{action.text()} {menu}"), action, menu) for menu, action in self._commands]
        found = [(s, action, menu) for s, action, menu in ranked if s > 0]
        if letters:
            found.sort(key=lambda row: (-row[0], not row[1].isEnabled()))
        self._list.clear()
        for _, action, menu in found:
            self._list.addTopLevelItem(_row(action, menu))
        self._nothing.setVisible(not found)
        self._list.setVisible(bool(found))
        if found:
            self._select(0)
        self._fit(len(found))
        self._share()

    def _select(self, row: int) -> None:
        item = self._list.topLevelItem(min(max(row, 0), self._list.topLevelItemCount() - 1))
        if item is not None:
            self._list.setCurrentItem(item)

    def _fit(self, rows: int) -> None:
        """Be as high as the rows found, but not higher than the window allows."""
        height = self._line.sizeHint().height() + 3 * GRID + max(1, rows) * max(24, self._list.sizeHintForRow(0)) + 16
        self.resize(self.width(), min(height, 460, self._over.height() - 128))

    def _share(self) -> None:
        """The name has its width first, then the keys; the reason is shortened. The same whatever has been typed."""
        metrics = self._list.fontMetrics()
        names, keys = (
            max((metrics.horizontalAdvance(text(action)) for _, action in self._commands), default=0) + 3 * GRID
            for text in (_name, _keys)
        )
        room = self.width() - 4 * GRID - self._list.verticalScrollBar().sizeHint().width()
        names = min(names, max(room - keys - REASON_PX, REASON_PX))
        for section, width in enumerate((names, max(room - names - keys, 0), keys)):
            self._list.header().resizeSection(section, width)

    def _use(self, item: QTreeWidgetItem | None) -> None:
        action = item.data(0, ACTION) if item is not None else None
        if action is not None and action.isEnabled():
            self.hide()
            action.trigger()

    def eventFilter(self, _watched: QObject, event: QEvent) -> bool:
        """Let arrows, Enter and Escape act while the person types; leaving the line closes the box."""
        if event.type() == QEvent.Type.FocusOut:
            self.hide()
        if not isinstance(event, QKeyEvent) or event.type() != QEvent.Type.KeyPress:
            return False
        moves = {Qt.Key.Key_Down: 1, Qt.Key.Key_Up: -1, Qt.Key.Key_PageDown: 10, Qt.Key.Key_PageUp: -10}
        key = Qt.Key(event.key())
        if key in moves:
            self._select(self._list.currentIndex().row() + moves[key])
            return True
        if key in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self._use(self._list.currentItem())
            return True
        if key == Qt.Key.Key_Escape:
            self.hide()
            return True
        return False


def _name(action: QAction) -> str:
    return action.text().replace("&&", "&").rstrip("…")


def _keys(action: QAction) -> str:
    return action.shortcut().toString(QKeySequence.SequenceFormat.NativeText)


def _row(action: QAction, menu: str) -> QTreeWidgetItem:
    why = "" if action.isEnabled() else action.statusTip()
    item = QTreeWidgetItem([_name(action), why or menu, _keys(action)])
    item.setData(0, ACTION, action)
    for column in range(3):
        item.setToolTip(column, action.toolTip())
    if why:
        item.setFlags(Qt.ItemFlag.ItemIsSelectable)
    return item
