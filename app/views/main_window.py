"""The main window: rail, message strip, pages, docks, status bar. It arranges; it decides nothing."""

from __future__ import annotations

from PySide6.QtCore import QByteArray, QSize, Qt, Signal
from PySide6.QtGui import QCloseEvent, QDragEnterEvent, QDropEvent, QIcon, QPaintEvent
from PySide6.QtWidgets import QAbstractButton, QDockWidget, QMainWindow, QMenu, QStackedWidget, QVBoxLayout, QWidget

from app.actions.board import ActionBoard
from app.text import tr
from app.theme import Theme
from app.theme.icons import resource
from app.views.docks.details import DetailsView
from app.views.docks.jobs import JobsView
from app.views.docks.log import LogView
from app.views.dropping import local_files
from app.views.fold_out import FoldOut
from app.views.forms import GRID, label
from app.views.notice_strip import NoticeStrip
from app.views.page_frame import PageFrame, focus_first
from app.views.pages.cases import CasesPage
from app.views.rail import Rail
from app.views.status import StatusBar
from app.views.tabbed import TabbedPage

WORKSPACES = ("cases", "view", "model", "networks", "perturb", "train")
DOCKS = ("jobs", "log", "details")
LAYOUT_VERSION = 1


class MainWindow(QMainWindow):
    """The window of BrainLM Studio.

    Signals
    -------
    dropped(paths) : files were dropped anywhere on the window
    link_refused() : something hangs over the window that is no file of this computer
    closing() : the person closes it
    docks_changed(names) : which docks are on screen
    """

    dropped = Signal(list)
    link_refused = Signal()
    closing = Signal()
    docks_changed = Signal(object)
    painted = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.setObjectName("main")
        self.setWindowTitle(tr("title.empty"))
        self.setWindowIcon(QIcon(resource("studio.svg")))
        self.setAcceptDrops(True)
        self.setDockOptions(
            QMainWindow.DockOption.AllowTabbedDocks
            | QMainWindow.DockOption.AllowNestedDocks
            | QMainWindow.DockOption.AnimatedDocks
        )
        self._painted = False
        self.board = ActionBoard(self)
        self.menus = self.board.fill(self.menuBar())
        self.recent_menu = QMenu(tr("menu.recent"), self)
        self.menus["file"].insertMenu(self.board["close_case"], self.recent_menu)
        self.addToolBar(Qt.ToolBarArea.LeftToolBarArea, Rail([self.board[f"go_{name}"] for name in WORKSPACES], self))
        self.strip, self.status = NoticeStrip(self.board["message_next"]), StatusBar()
        self.cases = CasesPage({name: self.board[name] for name in ("open", "open_demo", "reopen")})
        self.cases.dropped.connect(self.dropped)
        self._pages: dict[str, QWidget] = {}
        self._stack = QStackedWidget()
        self._arrange()
        self.add_page("cases", self.cases)
        self.jobs = JobsView(self.board[name] for name in ("job_log", "job_again", "job_cancel"))
        self.log, self.details = LogView(self.board["log_copy"]), DetailsView()
        self.docks = {"jobs": self.jobs, "log": self.log, "details": self.details}
        self._dock_widgets = {name: self._dock(name, widget) for name, widget in self.docks.items()}
        self.setStatusBar(self.status)
        self.fold_out = FoldOut(self)
        self.strip.left.connect(self.focus_page)

    def _arrange(self) -> None:
        centre = QWidget()
        column = QVBoxLayout(centre)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(self.strip)
        column.addWidget(self._stack, 1)
        self.setCentralWidget(centre)
        self._loading = label(tr("view.empty"), "muted")
        self._loading.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self._loading.setMargin(GRID)
        self._loading.setFocusPolicy(Qt.FocusPolicy.ClickFocus)
        self._stack.addWidget(self._loading)

    def _dock(self, name: str, widget: QWidget) -> QDockWidget:
        dock = QDockWidget(tr(f"{name}.name"), self)
        dock.setObjectName(f"dock-{name}")
        dock.setWidget(widget)
        for which in ("float", "close"):
            button = dock.findChild(QAbstractButton, f"qt_dockwidget_{which}button")
            if isinstance(button, QAbstractButton):
                button.setAccessibleName(tr(f"dock.{which}", name=dock.windowTitle()))
                button.setToolTip(tr(f"dock.{which}.tip", name=dock.windowTitle()))
        area = Qt.DockWidgetArea.RightDockWidgetArea if name == "details" else Qt.DockWidgetArea.BottomDockWidgetArea
        self.addDockWidget(area, dock)
        dock.toggleViewAction().toggled.connect(self._dock_toggled)
        dock.hide()
        return dock

    def _dock_toggled(self, _shown: bool) -> None:
        self.docks_changed.emit(self.visible_docks())

    def add_page(self, name: str, page: QWidget) -> None:
        """Give the workspace ``name`` its page."""
        self._pages[name] = page
        self._stack.addWidget(page)

    def show_page(self, name: str) -> None:
        """Show a workspace's page; before it is built, an empty one."""
        self._stack.setCurrentWidget(self._pages.get(name, self._loading))
        self.focus_page()

    def focus_page(self) -> None:
        """Keep the keyboard in the page: at its first drawing."""
        page = self._stack.currentWidget()
        if isinstance(page, PageFrame | TabbedPage):
            page.take_focus()
        elif page is not None:
            focus_first(page)

    @property
    def drawings(self) -> QWidget:
        """What the page on show draws: without its side panel, where it has one."""
        page = self._stack.currentWidget()
        if isinstance(page, TabbedPage):
            page = page.shown
        return page.rows if isinstance(page, PageFrame) else page or self

    def visible_docks(self) -> tuple[str, ...]:
        """Return the names of the docks on screen."""
        return tuple(name for name, dock in self._dock_widgets.items() if not dock.isHidden())

    def show_dock(self, name: str, shown: bool) -> None:
        """Show or hide a dock."""
        self._dock_widgets[name].setVisible(shown)
        if shown:
            self._dock_widgets[name].raise_()

    def preset(self, mood: str) -> None:
        """Arrange the docks for a mood: 'review' hides them, 'lab' shows Jobs and Log below."""
        for dock in self._dock_widgets.values():
            dock.setFloating(False)
        self.addDockWidget(Qt.DockWidgetArea.BottomDockWidgetArea, self._dock_widgets["jobs"])
        self.tabifyDockWidget(self._dock_widgets["jobs"], self._dock_widgets["log"])
        self.addDockWidget(Qt.DockWidgetArea.RightDockWidgetArea, self._dock_widgets["details"])
        for name in DOCKS:
            self._dock_widgets[name].setVisible(mood == "lab" and name != "details")
        self._dock_widgets["jobs"].raise_()
        self.resizeDocks([self._dock_widgets["jobs"]], [160], Qt.Orientation.Vertical)

    def layout_state(self) -> str:
        """Return the arrangement of the docks as text."""
        return bytes(self.saveState(LAYOUT_VERSION).toBase64().data()).decode("ascii")

    def restore_layout(self, text: str) -> bool:
        """Arrange the docks as :meth:`layout_state` described; False when the text is of another version."""
        return self.restoreState(QByteArray.fromBase64(QByteArray(text.encode("ascii"))), LAYOUT_VERSION)

    def set_theme(self, theme: Theme) -> None:
        """Repaint what carries its own colours."""
        self.board.paint(theme)
        self.strip.set_theme(theme)
        self.status.chip.set_theme(theme)
        self.cases.set_theme(theme)

    def sizeHint(self) -> QSize:
        """Return the size of a first start."""
        return QSize(1280, 800)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Tell once that the window is on screen."""
        super().paintEvent(event)
        if not self._painted:
            self._painted = True
            self.painted.emit()

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        """Take files anywhere; a link is not taken, so that the pointer says so, and the reason is told."""
        if local_files(event.mimeData()):
            event.acceptProposedAction()
        elif event.mimeData().hasUrls():
            self.link_refused.emit()

    def dropEvent(self, event: QDropEvent) -> None:
        """Hand dropped files on."""
        if paths := local_files(event.mimeData()):
            event.acceptProposedAction()
            self.dropped.emit(paths)

    def closeEvent(self, event: QCloseEvent) -> None:
        """Let the controllers save and say goodbye first."""
        self.closing.emit()
        super().closeEvent(event)
