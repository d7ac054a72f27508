"""Icons: line drawings on a 24 x 24 grid in ``resources/icons``, painted in the colours of the theme on screen."""

from __future__ import annotations

import math
from functools import cache
from pathlib import Path

from PySide6.QtCore import QByteArray, QSize, Qt
from PySide6.QtGui import QGuiApplication, QIcon, QPainter, QPixmap

from app.theme.tokens import Theme


def resource(name: str) -> str:
    """Return the path of one icon file, with forward slashes as style sheets want them."""
    return (_folder() / name).as_posix()


@cache
def _folder() -> Path:
    import resources

    return Path(next(iter(resources.__path__))) / "icons"


@cache
def _drawing(name: str) -> str:
    return (_folder() / f"{name}.svg").read_text(encoding="utf-8")


def _pixmap(name: str, colour: str, size: int) -> QPixmap:
    from PySide6.QtSvg import QSvgRenderer

    renderer = QSvgRenderer(QByteArray(_drawing(name).replace("currentColor", colour).encode()))
    pixmap = QPixmap(QSize(size, size))
    pixmap.fill(Qt.GlobalColor.transparent)
    painter = QPainter(pixmap)
    renderer.render(painter)
    painter.end()
    return pixmap


def icon(name: str, theme: Theme, size: int = 24) -> QIcon:
    """Return the drawing called ``name`` in the text colour of ``theme``; accent when checked, border when disabled."""
    made = QIcon()
    sharpest = max((math.ceil(screen.devicePixelRatio()) for screen in QGuiApplication.screens()), default=1)
    for scale in sorted({1, sharpest}):
        for mode, state, colour in (
            (QIcon.Mode.Normal, QIcon.State.Off, theme.muted),
            (QIcon.Mode.Active, QIcon.State.Off, theme.text),
            (QIcon.Mode.Normal, QIcon.State.On, theme.accent),
            (QIcon.Mode.Disabled, QIcon.State.Off, theme.border),
        ):
            pixmap = _pixmap(name, colour, size * scale)
            pixmap.setDevicePixelRatio(scale)
            made.addPixmap(pixmap, mode, state)
    return made
