"""What of a thing that is dragged over the window can be opened: files of this computer, nothing else."""

from __future__ import annotations

from PySide6.QtCore import QMimeData


def local_files(data: QMimeData) -> list[str]:
    """Return the paths of the files in ``data``; a link to the web is none."""
    return [url.toLocalFile() for url in data.urls() if url.isLocalFile()]
