"""The help pages of ``resources/help``, the same that make the web site."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import Qt, QUrl
from PySide6.QtWidgets import QDialog, QHBoxLayout, QListWidget, QListWidgetItem, QTextBrowser, QWidget

from app.text import tr
from app.views.forms import GRID


def help_dir() -> Path:
    """Return the folder of the help pages."""
    import resources

    return Path(next(iter(resources.__path__))) / "help"


class HelpWindow(QDialog):
    """Contents at the left, the page at the right. Links to the outside are never followed."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle(tr("help.title"))
        self.resize(880, 600)
        self._list, self._page = QListWidget(), QTextBrowser()
        self._list.setAccessibleName(tr("help.contents"))
        self._list.setFixedWidth(220)
        self._list.setWordWrap(True)
        self._list.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self._page.setAccessibleName(tr("help.title"))
        self._page.setSearchPaths([str(help_dir())])
        self._page.setOpenExternalLinks(False)
        self._page.document().setDocumentMargin(2 * GRID)
        row = QHBoxLayout(self)
        row.setContentsMargins(GRID, GRID, GRID, GRID)
        row.addWidget(self._list)
        row.addWidget(self._page, 1)
        for path in sorted(help_dir().glob("*.md"), key=lambda p: (p.stem != "index", p.stem)):
            item = QListWidgetItem(title_of(path))
            item.setData(Qt.ItemDataRole.UserRole, path.name)
            self._list.addItem(item)
        self._list.currentItemChanged.connect(lambda item, _=None: self._show(item))
        if self._list.count():
            self._list.setCurrentRow(0)
        else:
            self._page.setPlainText(tr("help.missing"))

    def _show(self, item: QListWidgetItem | None) -> None:
        if item is not None:
            self._page.setSource(QUrl(item.data(Qt.ItemDataRole.UserRole)))


def title_of(path: Path) -> str:
    """Return a page's first heading."""
    with path.open(encoding="utf-8") as file:
        for line in file:
            if line.startswith("# "):
                return line[2:].strip()
    return path.stem
