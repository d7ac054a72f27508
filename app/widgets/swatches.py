"""What colours mean, where they are kinds and not values: swatches with a word each, in as many rows as they need."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QRectF, QSize, Qt
from PySide6.QtGui import QColor, QFontMetrics, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QSizePolicy, QWidget

from app.theme.tokens import DARK, Theme
from app.widgets.colour_bar import small_font

_SIDE, _GAP, _MARGIN = 11, 14, 8


class Swatches(QWidget):
    """Squares in the colours of a drawing, each with its name."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.theme = DARK
        self.entries: tuple[tuple[str, str], ...] = ()
        policy = QSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        policy.setHeightForWidth(True)
        self.setSizePolicy(policy)

    def set_entries(self, entries: Sequence[tuple[str, str]]) -> None:
        """Explain ``(name, colour)`` pairs."""
        self.entries = tuple(entries)
        self.setAccessibleName(", ".join(name for name, _ in self.entries))
        self.updateGeometry()
        self.update()

    def set_theme(self, theme: Theme) -> None:
        """Take the colours of ``theme``."""
        self.theme = theme
        self.update()

    def _spots(self, width: int) -> list[tuple[float, int]]:
        """Left edge and row of each entry."""
        metrics, spots, x, row = QFontMetrics(small_font(self.font())), [], float(_MARGIN), 0
        for name, _ in self.entries:
            wide = _SIDE + 5 + metrics.horizontalAdvance(name)
            if x > _MARGIN and x + wide > width - _MARGIN:
                x, row = float(_MARGIN), row + 1
            spots.append((x, row))
            x += wide + _GAP
        return spots

    def _line(self) -> int:
        return QFontMetrics(small_font(self.font())).height() + 4

    def heightForWidth(self, width: int) -> int:
        """Room for every row."""
        rows = 1 + max((row for _, row in self._spots(width)), default=-1)
        return rows * self._line() + 8 if rows else 0

    def sizeHint(self) -> QSize:
        """As wide as there is room."""
        width = max(self.width(), 200)
        return QSize(width, self.heightForWidth(width))

    def minimumSizeHint(self) -> QSize:
        """No less high than its rows."""
        return QSize(80, self.sizeHint().height())

    def paintEvent(self, _event: QPaintEvent) -> None:
        """The squares and their names."""
        painter = QPainter(self)
        painter.fillRect(self.rect(), QColor(self.theme.canvas))
        painter.setFont(small_font(self.font()))
        line = self._line()
        for (name, colour), (x, row) in zip(self.entries, self._spots(self.width()), strict=True):
            top = 4 + row * line
            painter.setPen(QPen(QColor(self.theme.border), 1))
            painter.setBrush(QColor(colour))
            painter.drawRect(QRectF(x, top + (line - _SIDE) / 2, _SIDE - 1, _SIDE - 1))
            painter.setPen(QColor(self.theme.text))
            painter.drawText(QRectF(x + _SIDE + 5, top, self.width(), line), Qt.AlignmentFlag.AlignVCenter, name)
        painter.end()
