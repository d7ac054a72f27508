"""A thin plot of one or two quality measures over time, with the time cursor; under or above the traces."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import (
    QColor,
    QFontMetrics,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QPen,
    QPixmap,
    QPolygonF,
    QResizeEvent,
)
from PySide6.QtWidgets import QSizePolicy, QWidget

from app.text import tr
from app.theme.tokens import DARK, THEMES, Theme
from app.widgets.colour_bar import small_font
from app.widgets.focus_ring import paint_focus_ring
from app.widgets.ticks import number

Array = NDArray[Any]


@dataclass(frozen=True)
class Line:
    """One measure.

    Attributes
    ----------
    name : shown at its beginning, e.g. 'DVARS'
    values : (T,), NaN = unknown
    unit : e.g. '% signal change'
    limit : a dashed line at this value, None for no limit
    top : value at the upper end, for lines that are to be compared; None = the largest there is
    """

    name: str
    values: Array
    unit: str = ""
    limit: float | None = None
    top: float | None = None


def written(line: Line, peak: float | None, metrics: QFontMetrics, width: float) -> list[str]:
    """Name and largest value, in two lines; where the value leaves no room for the word 'max', the name takes it."""
    if peak is None:
        return [line.name]
    value = f"{number(peak)} {line.unit}".strip()
    said = tr("qc.peak", value=value)
    if metrics.horizontalAdvance(said) <= width:
        return [line.name, said]
    named = tr("qc.peak_of", name=line.name)
    if max(metrics.horizontalAdvance(text) for text in (named, value)) <= width:
        return [named, value]
    return [line.name, metrics.elidedText(said, Qt.TextElideMode.ElideRight, int(width))]


def _peak(line: Line) -> float | None:
    known = np.asarray(line.values, np.float64)
    known = known[np.isfinite(known)]
    return float(known.max()) if known.size else None


class QCStrip(QWidget):
    """Quality measures over time; each line has its own scale, its largest value is written before it."""

    frame_requested = Signal(int)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = DARK
        self._lines: tuple[Line, ...] = ()
        self._cursor: int | None = None
        self._span = (-0.5, 0.5)
        self._gutter, self._margin = 0, 8
        self._layer = QPixmap()
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)
        self.setAccessibleName(tr("qc.name"))

    @property
    def n_frames(self) -> int:
        """Frames of the longest line."""
        return max((len(line.values) for line in self._lines), default=0)

    def sizeHint(self) -> QSize:
        """One band of 28 px per line."""
        return QSize(400, 28 * max(len(self._lines), 1) + 4)

    def minimumSizeHint(self) -> QSize:
        """The same height, less width."""
        return QSize(160, self.sizeHint().height())

    def set_lines(self, *lines: Line) -> None:
        """The measures, from the top."""
        frames, count = self.n_frames, len(self._lines)
        self._lines = lines
        whole = (written(line, _peak(line), self.fontMetrics(), math.inf) for line in lines)
        self.setToolTip("\n".join(": ".join(words) for words in whole))  # where it is narrow a unit may be cut
        if self.n_frames != frames:
            self._span = (-0.5, max(self.n_frames, 1) - 0.5)
        if len(lines) != count:
            self.updateGeometry()
        self._redraw()

    def set_cursor(self, frame: int | None) -> None:
        """The time cursor; None hides it."""
        if frame != self._cursor:
            self._cursor = frame
            self.update()

    def set_time_range(self, first: float, last: float) -> None:
        """Frames on screen, to follow the traces."""
        if (first, last) != self._span and last > first:
            self._span = (first, last)
            self._redraw()

    def set_gutter(self, left: int, right: int = 8) -> None:
        """Pixels kept free at both sides, so that time lines up with the plot above or below."""
        if (left, right) != (self._gutter, self._margin):
            self._gutter, self._margin = left, right
            self._redraw()

    def set_theme(self, theme: Theme | str) -> None:
        """A theme or its name."""
        self._theme = THEMES[theme] if isinstance(theme, str) else theme
        self._redraw()

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Draw again."""
        super().resizeEvent(event)
        self._redraw()

    def _redraw(self) -> None:
        self._layer = QPixmap()
        self.update()

    def _area(self) -> QRectF:
        left = max(self._gutter, 72)
        return QRectF(left, 2, max(self.width() - left - self._margin, 1), self.height() - 4)

    def _x(self, frame: float) -> float:
        area, (first, last) = self._area(), self._span
        return area.left() + (frame - first) / (last - first) * area.width()

    def paintEvent(self, _event: QPaintEvent) -> None:
        """The lines come from a kept picture; cursor and focus ring on top."""
        if self._layer.isNull():
            self._layer = self._paint_lines()
        painter = QPainter(self)
        painter.drawPixmap(0, 0, self._layer)
        if self._cursor is not None and self._span[0] <= self._cursor <= self._span[1]:
            painter.setPen(QPen(QColor(self._theme.accent), 1))
            x = self._x(self._cursor)
            painter.drawLine(QPointF(x, 0), QPointF(x, self.height()))
        if self.hasFocus():
            paint_focus_ring(painter, QRectF(self.rect()), self._theme)
        painter.end()

    def _paint_lines(self) -> QPixmap:
        ratio = self.devicePixelRatioF()
        layer = QPixmap(self.size() * ratio)
        layer.setDevicePixelRatio(ratio)
        layer.fill(QColor(self._theme.canvas))
        painter = QPainter(layer)
        painter.setFont(small_font(self.font()))
        area = self._area()
        band = area.height() / max(len(self._lines), 1)
        for i, line in enumerate(self._lines):
            self._paint_line(painter, QRectF(area.left(), area.top() + i * band, area.width(), band), line, i)
        painter.end()
        return layer

    def _paint_line(self, painter: QPainter, box: QRectF, line: Line, place: int) -> None:
        theme = self._theme
        values = np.asarray(line.values, np.float64)
        known = values[np.isfinite(values)]
        self._write_name(painter, box, line)
        if known.size == 0:
            painter.setPen(QColor(theme.muted))
            painter.drawText(box, Qt.AlignmentFlag.AlignVCenter, tr("qc.unknown"))
            return
        low, high = min(0.0, float(known.min())), max(float(known.max()), line.limit or 0.0, line.top or 0.0)
        scale = (box.height() - 6) / (high - low or 1.0)
        painter.save()
        painter.setClipRect(box)
        if line.limit is not None:
            painter.setPen(QPen(QColor(theme.danger), 1, Qt.PenStyle.DashLine))
            y = box.bottom() - 3 - (line.limit - low) * scale
            painter.drawLine(QPointF(box.left(), y), QPointF(box.right(), y))
        first, last = max(int(self._span[0]), 0), min(int(self._span[1]) + 2, len(values))
        frames = np.flatnonzero(np.isfinite(values[first:last])) + first
        per_frame = box.width() / (self._span[1] - self._span[0])
        across = box.left() + (frames - self._span[0]) * per_frame
        down = box.bottom() - 3 - (values[frames] - low) * scale
        points = [QPointF(*spot) for spot in zip(across.tolist(), down.tolist(), strict=True)]
        painter.setPen(QPen(QColor(theme.trace[place % len(theme.trace)]), 1))
        painter.drawPolyline(QPolygonF(points))
        painter.restore()

    def _write_name(self, painter: QPainter, box: QRectF, line: Line) -> None:
        """Name and largest value with its unit, left of the line: over it they would hide the end of it."""
        metrics, right = painter.fontMetrics(), Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
        width = box.left() - 12
        texts = written(line, _peak(line), metrics, width)
        height = min(metrics.height(), box.height() / 2)
        top = box.center().y() - height * len(texts) / 2
        for place, (text, colour) in enumerate(zip(texts, (self._theme.text, self._theme.muted), strict=False)):
            painter.setPen(QColor(colour))
            spot = QRectF(4, top + place * height, width, height)
            painter.drawText(spot, right, metrics.elidedText(text, Qt.TextElideMode.ElideRight, int(width)))

    def _ask(self, x: float) -> None:
        area, (first, last) = self._area(), self._span
        frame = round(first + (x - area.left()) / area.width() * (last - first))
        if self.n_frames:
            self.frame_requested.emit(min(max(frame, 0), self.n_frames - 1))

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Set the time."""
        self._ask(event.position().x())

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Scrub."""
        if event.buttons() & Qt.MouseButton.LeftButton:
            self._ask(event.position().x())

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Left and right go frame by frame."""
        step = {Qt.Key.Key_Left: -1, Qt.Key.Key_Right: 1}.get(Qt.Key(event.key()))
        if step and self.n_frames:
            self.frame_requested.emit(min(max((self._cursor or 0) + step, 0), self.n_frames - 1))
        else:
            super().keyPressEvent(event)
