"""Finds words that have less room than they need, in any widget that is on screen."""

from __future__ import annotations

from collections.abc import Iterator

from PySide6.QtCore import QRect, Qt
from PySide6.QtWidgets import (
    QAbstractSpinBox,
    QCheckBox,
    QComboBox,
    QLabel,
    QLineEdit,
    QPushButton,
    QStyle,
    QStyleOptionButton,
    QStyleOptionComboBox,
    QWidget,
)

from app.widgets.elided import ClampedLabel, ElidedLabel


def clipped(root: QWidget) -> list[str]:
    """Return every text under ``root`` that is cut, with what it has and needs in pixels.

    Labels that shorten themselves, with the whole in their tooltip, may; a unit at the end of theirs may not be cut.
    """
    out = []
    for widget in root.findChildren(QWidget):
        if not widget.isVisible() or widget.visibleRegion().isEmpty():
            continue
        out += [
            f"{type(widget).__name__} “{text}”: {has} < {needs}" for text, has, needs in _needs(widget) if has < needs
        ]
    return out


def _needs(widget: QWidget) -> Iterator[tuple[str, int, int]]:
    metrics, style = widget.fontMetrics(), widget.style()
    if isinstance(widget, ElidedLabel | ClampedLabel):
        return
    if isinstance(widget, QLabel) and widget.text():
        room = widget.contentsRect().adjusted(widget.margin(), widget.margin(), -widget.margin(), -widget.margin())
        flags = int(Qt.TextFlag.TextWordWrap) if widget.wordWrap() else 0
        asked = QRect(0, 0, room.width() if flags else 10_000, 10_000)
        needed = metrics.boundingRect(asked, flags | int(Qt.AlignmentFlag.AlignLeft), widget.text())
        yield widget.text(), room.width(), needed.width()
        yield widget.text(), room.height(), min(needed.height(), metrics.height()) if not flags else needed.height()
    elif isinstance(widget, QComboBox):
        option = QStyleOptionComboBox()
        widget.initStyleOption(option)
        field = style.subControlRect(
            QStyle.ComplexControl.CC_ComboBox, option, QStyle.SubControl.SC_ComboBoxEditField, widget
        )
        yield widget.currentText(), field.width(), metrics.horizontalAdvance(widget.currentText())
    elif isinstance(widget, QAbstractSpinBox):
        line = widget.lineEdit()
        margins = line.textMargins()
        yield widget.text(), line.width() - margins.left() - margins.right(), metrics.horizontalAdvance(widget.text())
    elif isinstance(widget, QLineEdit) and not isinstance(widget.parent(), QAbstractSpinBox) and not widget.text():
        text = widget.placeholderText()
        yield text, widget.contentsRect().width() - 8, metrics.horizontalAdvance(text)
    elif isinstance(widget, QPushButton | QCheckBox) and widget.text():
        option_ = QStyleOptionButton()
        widget.initStyleOption(option_)
        element = (
            QStyle.SubElement.SE_CheckBoxContents
            if isinstance(widget, QCheckBox)
            else QStyle.SubElement.SE_PushButtonContents
        )
        text = widget.text().replace("&&", "&")
        yield text, style.subElementRect(element, option_, widget).width(), metrics.horizontalAdvance(text)
