"""Which theme is on screen now, and how it gets there: a QPalette on Fusion, a short style sheet, one font."""

from __future__ import annotations

from PySide6.QtCore import QObject, Signal
from PySide6.QtGui import QColor, QFont, QPalette
from PySide6.QtWidgets import QApplication, QLabel

from app.theme.sheet import style_sheet
from app.theme.tokens import DARK, THEMES, Theme

#: One family, in order of preference; all have tabular figures.
FAMILIES = ["Inter", "Segoe UI", "SF Pro Text", "Helvetica Neue", "Noto Sans", "DejaVu Sans"]
BASE_POINTS = 9.5
TITLE_POINTS = 14.0


class ThemeSwitch(QObject):
    """Holds the present theme and tells who paints by hand that it changed."""

    changed = Signal(object)

    def __init__(self) -> None:
        super().__init__()
        self.theme: Theme = DARK


_switch = ThemeSwitch()


def switch() -> ThemeSwitch:
    """Return the one theme switch; connect to its ``changed``."""
    return _switch


def current() -> Theme:
    """Return the theme on screen."""
    return _switch.theme


def palette_of(theme: Theme) -> QPalette:
    """Return the full palette of ``theme``, disabled colours included."""
    palette = QPalette()
    role = QPalette.ColorRole
    colours = {
        role.Window: theme.window,
        role.WindowText: theme.text,
        role.Base: theme.panel,
        role.Text: theme.text,
        role.AlternateBase: theme.window,
        role.Button: theme.panel,
        role.ButtonText: theme.text,
        role.BrightText: theme.danger,
        role.ToolTipBase: theme.panel,
        role.ToolTipText: theme.text,
        role.PlaceholderText: theme.muted,
        role.Highlight: theme.selection,
        role.HighlightedText: theme.text,
        role.Link: theme.accent,
        role.LinkVisited: theme.accent,
        role.Accent: theme.accent,
        role.Mid: theme.border,
        role.Dark: theme.border,
        role.Midlight: theme.border,
        role.Light: theme.panel,
        role.Shadow: theme.canvas,
    }
    for name, colour in colours.items():
        palette.setColor(name, QColor(colour))
    for name in (role.WindowText, role.Text, role.ButtonText, role.HighlightedText):
        palette.setColor(QPalette.ColorGroup.Disabled, name, QColor(theme.border))
    return palette


def tabular(points: float = BASE_POINTS) -> QFont:
    """Return the program's font with figures of equal width."""
    font = QFont()
    font.setFamilies(FAMILIES)
    font.setPointSizeF(points)
    font.setFeature(QFont.Tag("tnum"), 1)
    return font


def as_title(label: QLabel) -> QLabel:
    """Give ``label`` the larger of the two sizes."""
    label.setFont(tabular(TITLE_POINTS))
    label.setProperty("role", "title")
    return label


def apply(name: str, app: QApplication | None = None) -> Theme:
    """Show the theme called ``name`` everywhere at once; an unknown name means dark.

    Parameters
    ----------
    name
        'dark' or 'light'.
    app
        The application; the running one when omitted.
    """
    application = app or QApplication.instance()
    assert isinstance(application, QApplication)
    theme = THEMES.get(name, DARK)
    application.setStyle("Fusion")
    application.setFont(tabular())
    application.setPalette(palette_of(theme))
    application.setStyleSheet(style_sheet(theme))
    _switch.theme = theme
    _switch.changed.emit(theme)
    return theme
