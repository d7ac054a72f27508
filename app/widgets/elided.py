"""Text that gives way where there is no room for all of it."""

from __future__ import annotations

from PySide6.QtCore import QRect, QSize, Qt
from PySide6.QtGui import QPainter, QPaintEvent, QResizeEvent
from PySide6.QtWidgets import QLabel, QWidget


class ElidedLabel(QLabel):
    """Plain text whose lines are shortened in the middle where there is no room; the tooltip has the whole."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setTextFormat(Qt.TextFormat.PlainText)
        self._head = ""

    def setText(self, text: str) -> None:
        """Show ``text``."""
        self.set_sentence(text)

    def set_sentence(self, text: str, head: str = "") -> None:
        """Show ``text``. Where it begins with ``head``, a name, that alone gives way as long as the rest has room."""
        self._head = head if text.startswith(head) else ""
        super().setText(text)
        self.setToolTip(text)

    def shown(self, width: int) -> str:
        """Return what is drawn in ``width`` pixels."""
        metrics, middle, head = self.fontMetrics(), Qt.TextElideMode.ElideMiddle, self._head
        rest = self.text().removeprefix(head)
        room = width - metrics.horizontalAdvance(rest)
        if head and metrics.horizontalAdvance(self.text()) > width and room >= metrics.horizontalAdvance("m…m"):
            return metrics.elidedText(head, middle, room) + rest
        return "\n".join(metrics.elidedText(line, middle, width) for line in self.text().split("\n"))

    def minimumSizeHint(self) -> QSize:
        """As high as the text, as narrow as need be."""
        return QSize(1, super().minimumSizeHint().height())

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw what fits."""
        room = self.contentsRect()
        painter = QPainter(self)
        painter.setPen(self.palette().color(self.foregroundRole()))
        painter.drawText(room, int(self.alignment()), self.shown(room.width()))
        painter.end()


class ClampedLabel(QLabel):
    """A wrapped sentence, cut at a word where its lines do not fit; the tooltip then has the whole."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setTextFormat(Qt.TextFormat.PlainText)
        self.setWordWrap(True)
        self._whole = ""

    def set_sentence(self, text: str) -> None:
        """Show ``text``, or as much of it as fits."""
        self._whole = text
        self.setAccessibleName(text)
        self._fit()

    def minimumSizeHint(self) -> QSize:
        """The height is the strip's business."""
        return QSize(self.minimumWidth(), self.fontMetrics().height())

    def sizeHint(self) -> QSize:
        """No more room than need be, so that what stands beside it keeps its own; the rest is for stretching."""
        return self.minimumSizeHint()

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Cut anew."""
        super().resizeEvent(event)
        self._fit()

    def _fit(self) -> None:
        shown = self._whole
        if self.width() > 0 and not self._fits(shown):
            words = shown.split(" ")
            count = next((n for n in range(len(words) - 1, 0, -1) if self._fits(" ".join(words[:n]) + " …")), 1)
            shown = " ".join(words[:count]) + " …"
        if shown != self.text():
            self.setText(shown)
        self.setToolTip("" if shown == self._whole else self._whole)

    def fits(self, width: int, height: int) -> bool:
        """Whether the whole sentence would be seen in so many pixels."""
        return self._fits(self._whole, QRect(0, 0, width, height))

    def _fits(self, text: str, room: QRect | None = None) -> bool:
        room = room or self.contentsRect()
        needed = self.fontMetrics().boundingRect(
            QRect(0, 0, room.width(), 10_000), int(Qt.TextFlag.TextWordWrap) | int(Qt.AlignmentFlag.AlignLeft), text
        )
        return needed.height() <= room.height() and needed.width() <= room.width()
