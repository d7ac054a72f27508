"""A workspace of several pages behind a bar of tabs."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QStackedWidget, QTabBar, QVBoxLayout, QWidget

from app.text import tr
from app.views.forms import GRID, label
from app.views.page_frame import PageFrame, focus_first


class TabbedPage(QWidget):
    """Tabs above, one page below; a page that is not built yet says so.

    Emits ``tab_chosen(name)``; shows what it is told.
    """

    tab_chosen = Signal(str)

    def __init__(self, names: tuple[str, ...], waiting: str) -> None:
        super().__init__()
        self._names = names
        self.bar = QTabBar()
        self.bar.setDrawBase(False)
        self.bar.setExpanding(False)
        self.bar.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.bar.setAccessibleName(tr("tab.bar"))
        for place, name in enumerate(names):
            self.bar.addTab(tr(f"tab.{name}"))
            self.bar.setTabToolTip(place, tr(f"action.tab_{name}.tip"))
        self.bar.setToolTip(tr("tab.bar"))
        self.bar.currentChanged.connect(lambda place: self.tab_chosen.emit(names[place]))
        self._waiting = label(waiting, "muted", wrap=True)
        self._waiting.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self._waiting.setMargin(4 * GRID)
        self._waiting.setFocusPolicy(Qt.FocusPolicy.ClickFocus)
        self._stack = QStackedWidget()
        self._stack.addWidget(self._waiting)
        self._pages: dict[str, PageFrame] = {}
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(self.bar)
        column.addWidget(self._stack, 1)

    @property
    def pages(self) -> tuple[PageFrame, ...]:
        """The pages that are built."""
        return tuple(self._pages.values())

    def add(self, name: str, page: PageFrame) -> None:
        """Give the tab ``name`` its page."""
        self._pages[name] = page
        self._stack.addWidget(page)

    def has(self, name: str) -> bool:
        """Tell whether the tab's page is built."""
        return name in self._pages

    def show_tab(self, name: str) -> None:
        """Show a tab."""
        self.bar.blockSignals(True)
        self.bar.setCurrentIndex(self._names.index(name))
        self.bar.blockSignals(False)
        self._stack.setCurrentWidget(self._pages.get(name, self._waiting))

    @property
    def shown(self) -> QWidget | None:
        """The page on show."""
        return self._stack.currentWidget()

    def take_focus(self) -> None:
        """Give the keyboard to the page on show."""
        shown = self._stack.currentWidget()
        if isinstance(shown, PageFrame):
            shown.take_focus()
        elif shown is not None:
            focus_first(shown)
