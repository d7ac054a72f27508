"""Small pieces every panel is built from: headings, muted lines, rows of a form, hairlines."""

from __future__ import annotations

from collections.abc import Iterable

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QAbstractSpinBox, QComboBox, QFrame, QGridLayout, QLabel, QVBoxLayout, QWidget

GRID = 8


def label(text: str = "", role: str = "", wrap: bool = False) -> QLabel:
    """Return a label in a role of the style sheet ('muted', 'heading', 'warning', ...)."""
    made = QLabel(text)
    if role:
        made.setProperty("role", role)
    made.setWordWrap(wrap)
    if wrap:
        made.setMinimumWidth(1)
    made.setTextFormat(Qt.TextFormat.PlainText)
    return made


def restyle(widget: QWidget, **properties: str) -> None:
    """Change properties the style sheet looks at, and let it look again."""
    for name, value in properties.items():
        widget.setProperty(name, value)
    widget.style().unpolish(widget)
    widget.style().polish(widget)


def line() -> QFrame:
    """Return a horizontal hairline."""
    made = QFrame()
    made.setProperty("role", "line")
    return made


def card(role: str = "card") -> tuple[QFrame, QVBoxLayout]:
    """Return a framed area and its layout."""
    frame = QFrame()
    frame.setProperty("role", role)
    layout = QVBoxLayout(frame)
    layout.setContentsMargins(2 * GRID, 2 * GRID, 2 * GRID, 2 * GRID)
    layout.setSpacing(GRID)
    return frame, layout


class Form(QGridLayout):
    """Rows of a label at the left and a control at the right, labels aligned."""

    def __init__(self) -> None:
        super().__init__()
        self.setHorizontalSpacing(GRID)
        self.setVerticalSpacing(6)
        self.setColumnStretch(1, 1)
        self._row = 0

    def row(self, text: str, *controls: QWidget, tip: str = "") -> QLabel:
        """Add a row; the label names the first control for people who hear the window, ``tip`` explains them all."""
        name = label(text, "muted")
        for control in (name, *controls):
            control.setToolTip(tip or control.toolTip())
        self.addWidget(name, self._row, 0)
        if controls:
            if not controls[0].accessibleName():
                controls[0].setAccessibleName(text)
            if controls[0].focusPolicy() != Qt.FocusPolicy.NoFocus:
                name.setBuddy(controls[0])
        for column, control in enumerate(controls, start=1):
            span = 4 - column if control is controls[-1] else 1
            self.addWidget(control, self._row, column, 1, span)
        self._row += 1
        return name

    def whole(self, control: QWidget) -> None:
        """Add a control over the full width."""
        self.addWidget(control, self._row, 0, 1, 4)
        self._row += 1


def choices(pairs: Iterable[tuple[str, str]], name: str = "") -> QComboBox:
    """Return a combo box of ``(value, text)``; it shrinks to its panel rather than widening it."""
    box = QComboBox()
    box.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
    box.setMinimumContentsLength(6)
    box.setAccessibleName(name)
    for value, text in pairs:
        box.addItem(text, value)
    return box


def choose(box: QComboBox, value: object) -> None:
    """Show ``value`` in ``box`` without telling anyone."""
    position = box.findData(value)
    if position >= 0 and position != box.currentIndex():
        box.blockSignals(True)
        box.setCurrentIndex(position)
        box.blockSignals(False)


def roomy(box: QAbstractSpinBox) -> None:
    """Keep the digits of a spin box off its border; the style sheet alone cannot."""
    box.lineEdit().setTextMargins(4, 0, 0, 0)
