"""The Report card tab: what a model can do, in tables that can be read and copied."""

from __future__ import annotations

from PySide6.QtGui import QAction
from PySide6.QtWidgets import QTextBrowser

from app.text import tr
from app.theme import Theme
from app.views.forms import GRID
from app.views.page_frame import PageFrame
from app.views.panels.report import ReportPanel

#: commands that have a button here
ACTIONS = ("report_evaluate", "report_export")


class ReportPage(PageFrame):
    """One text with tables."""

    def __init__(self, actions: dict[str, QAction]) -> None:
        super().__init__(tr("report.nothing"))
        self.text = QTextBrowser()
        self.text.setOpenLinks(False)
        self.text.setAccessibleName(tr("report.text.name"))
        self.text.setToolTip(tr("report.text.name"))
        self.text.document().setDocumentMargin(3 * GRID)
        self.place([self.text], [], [])
        self.beneath.hide()
        self.panel = ReportPanel(*(actions[name] for name in ACTIONS))
        self.set_panel([self.panel])

    def show_html(self, html: str) -> None:
        """Show the card; where one was reading stays where it is, if it can."""
        bar = self.text.verticalScrollBar()
        at = bar.value()
        self.text.setHtml(html)
        bar.setValue(at)

    def set_theme(self, theme: Theme) -> None:
        """The palette does it all."""
