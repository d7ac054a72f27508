"""The upper row of the View page when two scans stand side by side."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QObject
from PySide6.QtWidgets import QSplitter, QWidget

BRAIN_PX = 1500
"""a row narrower than this belongs to the two scans alone; the brain gives way"""


class Beside(QObject):
    """Puts a second drawing between the slices and the brain, both scans equally wide, and takes it away again."""

    def __init__(self, row: QSplitter, second: QWidget, brain: QWidget) -> None:
        super().__init__(row)
        self._row, self._second, self._brain = row, second, brain
        self._before: list[int] = []
        row.insertWidget(1, second)
        second.hide()
        row.installEventFilter(self)

    def show(self) -> None:
        """Two scans side by side; the brain stays where there is room for it."""
        if not self._before:
            self._before = [size for size in self._row.sizes() if size] or [1, 1]
        self._second.show()
        self._share()

    def hide(self) -> None:
        """One scan and the brain, as wide as they were."""
        if self._before:
            self._second.hide()
            self._brain.show()
            first, brain = self._before[0], self._before[-1]
            self._row.setSizes([first, 0, brain])
            self._before = []

    def _share(self) -> None:
        width = self._row.width()
        roomy = width >= BRAIN_PX
        self._brain.setVisible(roomy)
        each = round(width * (0.36 if roomy else 0.5))
        self._row.setSizes([each, each, max(0, width - 2 * each)])

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Look again whether the brain has room when the window changes its width."""
        resized = event.type() == QEvent.Type.Resize and bool(self._before)
        if resized and (self._row.width() >= BRAIN_PX) == self._brain.isHidden():
            self._share()
        return super().eventFilter(watched, event)
