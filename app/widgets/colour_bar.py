"""The colour bar: which colour means which value, in which unit."""

from __future__ import annotations

import numpy as np
from PySide6.QtCore import QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QFont, QFontMetrics, QImage, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QSizePolicy, QWidget

from app.text import tr
from app.theme.tokens import DARK, Theme
from app.widgets.colour_map import colour_map
from app.widgets.ticks import number, round_step, round_ticks

BAR = 12


def small_font(font: QFont) -> QFont:
    """The smaller of the two type sizes."""
    small = QFont(font)
    small.setPointSizeF(max(font.pointSizeF() - 1.0, 7.0))
    return small


def paint_bar(painter: QPainter, area: QRectF, cmap: str, vertical: bool) -> None:
    """The gradient alone, low at the bottom (vertical) or left."""
    table = colour_map(cmap).table
    pixels = np.ascontiguousarray(table[::-1, None] if vertical else table[None])
    height, width = pixels.shape[:2]
    image = QImage(pixels.data, width, height, 3 * width, QImage.Format.Format_RGB888)
    painter.drawImage(area, image)


def unit_lines(unit: str, metrics: QFontMetrics, width: int) -> list[str]:
    """``unit`` in as many lines of ``width`` pixels as its words need."""
    lines: list[str] = []
    for word in unit.split():
        if lines and metrics.horizontalAdvance(f"{lines[-1]} {word}") <= width:
            lines[-1] += f" {word}"
        else:
            lines.append(word)
    return lines


class ColourBar(QWidget):
    """A gradient with round ticks and a unit; upright at the side of a view, or lying below it."""

    def __init__(self, parent: QWidget | None = None, *, vertical: bool = True, on_slices: bool = False) -> None:
        super().__init__(parent)
        self._theme = DARK
        self._vertical = vertical
        self._on_slices = on_slices
        self._lo, self._hi = 0.0, 1.0
        self._cmap = "cividis"
        self._unit = ""
        self._shown = False
        policy = QSizePolicy.Policy
        self.setSizePolicy(
            policy.Fixed if vertical else policy.Preferred, policy.Preferred if vertical else policy.Fixed
        )
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self._describe()

    def set_theme(self, theme: Theme) -> None:
        """Take the colours of ``theme``."""
        self._theme = theme
        self.update()

    def set_range(self, lo: float, hi: float, cmap: str) -> None:
        """Values at the two ends and the name of the colour map."""
        changed = (lo, hi, cmap, True) != (self._lo, self._hi, self._cmap, self._shown)
        self._lo, self._hi, self._cmap, self._shown = lo, hi, cmap, True
        if changed:
            self._describe()
            self.update()

    def set_unit(self, unit: str) -> None:
        """What the numbers count, e.g. ``SD``."""
        if unit != self._unit:
            self._unit = unit
            self.updateGeometry()
            self._describe()
            self.update()

    def clear(self) -> None:
        """Nothing is coloured: draw nothing, keep the space."""
        self._shown = False
        self._describe()
        self.update()

    def sizeHint(self) -> QSize:
        """Room for the widest tick and the longest word of the unit."""
        metrics = QFontMetrics(small_font(self.font()))
        if self._vertical:
            ticks = BAR + 8 + metrics.horizontalAdvance("−0.000") + 8
            word = max((metrics.horizontalAdvance(word) for word in self._unit.split()), default=0)
            return QSize(max(ticks, word + 8), 160)
        return QSize(200, BAR + metrics.height() + 12)

    def minimumSizeHint(self) -> QSize:
        """As narrow as it can be read."""
        return QSize(self.sizeHint().width(), 64) if self._vertical else QSize(80, self.sizeHint().height())

    def _describe(self) -> None:
        shown = {"lo": number(self._lo), "hi": number(self._hi), "unit": self._unit}
        text = tr("colour_bar.name", **shown) if self._shown else tr("colour_bar.empty")
        self.setAccessibleName(text)

    def paintEvent(self, _event: QPaintEvent) -> None:
        """Gradient, ticks, unit."""
        if not self._shown:
            return
        painter = QPainter(self)
        painter.setFont(small_font(self.font()))
        painter.setRenderHint(QPainter.RenderHint.TextAntialiasing)
        if self._vertical:
            self._paint_vertical(painter)
        else:
            self._paint_horizontal(painter)
        painter.end()

    def _colours(self) -> tuple[QColor, QColor, QColor]:
        theme = self._theme
        if self._on_slices:
            return QColor(theme.slice_text), QColor("#B6BDC8"), QColor("#66707F")
        return QColor(theme.text), QColor(theme.muted), QColor(theme.border)

    def _paint_vertical(self, painter: QPainter) -> None:
        text, muted, border = self._colours()
        line = painter.fontMetrics().height()
        unit = unit_lines(self._unit, painter.fontMetrics(), self.width() - 8)
        top = line * max(len(unit), 1) + 16
        bar = QRectF(6, top, BAR, max(self.height() - top - 12, 16))
        paint_bar(painter, bar, self._cmap, vertical=True)
        painter.setPen(QPen(border, 1))
        painter.drawRect(bar.adjusted(-0.5, -0.5, -0.5, -0.5))
        painter.setPen(muted)
        for place, words in enumerate(unit):
            painter.drawText(QRectF(6, 6 + place * line, self.width() - 6, line), Qt.AlignmentFlag.AlignLeft, words)
        wanted = max(2, min(5, int(bar.height() // (2.2 * line))))
        step = round_step(self._hi - self._lo, wanted)
        for value in round_ticks(self._lo, self._hi, wanted):
            y = bar.bottom() - (value - self._lo) / (self._hi - self._lo) * bar.height()
            painter.setPen(QPen(border, 1))
            painter.drawLine(QPointF(bar.right(), y), QPointF(bar.right() + 3, y))
            painter.setPen(text)
            label = QRectF(bar.right() + 6, y - line / 2, self.width() - bar.right() - 6, line)
            painter.drawText(label, Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter, number(value, step))

    def _paint_horizontal(self, painter: QPainter) -> None:
        text, muted, border = self._colours()
        metrics = painter.fontMetrics()
        unit_width = metrics.horizontalAdvance(self._unit) + 8 if self._unit else 0
        margin = metrics.horizontalAdvance("−0.00") / 2
        bar = QRectF(margin, 4, max(self.width() - 2 * margin - unit_width, 16), BAR)
        paint_bar(painter, bar, self._cmap, vertical=False)
        painter.setPen(QPen(border, 1))
        painter.drawRect(bar.adjusted(-0.5, -0.5, -0.5, -0.5))
        painter.setPen(muted)
        painter.drawText(QRectF(bar.right() + 8, 0, unit_width, BAR + 8), Qt.AlignmentFlag.AlignVCenter, self._unit)
        wanted = max(2, min(5, int(bar.width() // 48)))
        step = round_step(self._hi - self._lo, wanted)
        for value in round_ticks(self._lo, self._hi, wanted):
            x = bar.left() + (value - self._lo) / (self._hi - self._lo) * bar.width()
            painter.setPen(QPen(border, 1))
            painter.drawLine(QPointF(x, bar.bottom()), QPointF(x, bar.bottom() + 3))
            painter.setPen(text)
            label = QRectF(x - 40, bar.bottom() + 4, 80, metrics.height())
            painter.drawText(label, Qt.AlignmentFlag.AlignHCenter, number(value, step))
