"""Boxes that ask for a file or a folder. They do not stop the window: what is to be done is called with the answer."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from PySide6.QtWidgets import QFileDialog, QWidget

Done = Callable[[str], object]


def ask_file(window: QWidget, title: str, filters: Sequence[str], done: Done) -> None:
    """Ask for a file that is there."""
    dialog = QFileDialog(window, title)
    dialog.setFileMode(QFileDialog.FileMode.ExistingFile)
    dialog.setNameFilters(list(filters))
    _show(dialog, done)


def ask_folder(window: QWidget, title: str, done: Done) -> None:
    """Ask for a folder that is there."""
    dialog = QFileDialog(window, title)
    dialog.setFileMode(QFileDialog.FileMode.Directory)
    dialog.setOption(QFileDialog.Option.ShowDirsOnly)
    _show(dialog, done)


def ask_where(window: QWidget, title: str, kinds: Mapping[str, str], done: Done) -> None:
    """Ask for the name of a file to be written; ``kinds`` are filters and how names end that have no ending yet."""
    dialog = QFileDialog(window, title)
    dialog.setAcceptMode(QFileDialog.AcceptMode.AcceptSave)
    dialog.setNameFilters(list(kinds))
    dialog.filterSelected.connect(lambda chosen: dialog.setDefaultSuffix(kinds[chosen]))
    dialog.setDefaultSuffix(next(iter(kinds.values())))
    _show(dialog, done)


def _show(dialog: QFileDialog, done: Done) -> None:
    dialog.fileSelected.connect(done)
    dialog.finished.connect(dialog.deleteLater)
    dialog.open()
