"""Loads what the brain view needs away from the GUI thread: VTK's modules, and the surfaces of deep parcels."""

from __future__ import annotations

import importlib
import logging
from collections.abc import Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from threading import Lock
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QObject, Signal

from app.views.brain_layout import Part
from app.views.brain_mesh import Blobs, blobs
from app.views.brain_parts import DEEP

Array = NDArray[Any]
log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Loaded:
    """What came back.

    Attributes
    ----------
    scene_module : :mod:`app.views.brain_scene`, imported
    revision : which call of :meth:`BrainLoader.load` this answers
    blobs : surfaces of the deep parts; None when only VTK was asked for
    """

    scene_module: Any
    revision: int = 0
    blobs: Mapping[Part, Blobs] | None = None


class BrainLoader(QObject):
    """One worker thread; answers arrive as signals in the GUI thread."""

    loaded = Signal(object)
    failed = Signal(str)

    def __init__(self, parent: QObject) -> None:
        super().__init__(parent)
        self._pending: list[Future[None]] = []
        self._started = False

    def start(self) -> None:
        """Import VTK."""
        if not self._started:
            self._started = True
            self._submit(lambda: Loaded(_scene_module()))

    def load(self, revision: int, labels: Array, affine: Array, structures: Array) -> None:
        """Make the surfaces of subcortex and cerebellum; see :meth:`BrainView.set_atlas` for the shapes."""
        self._started = True
        self._submit(lambda: Loaded(_scene_module(), revision, _deep(labels, affine, structures)))

    def wait(self) -> None:
        """Until nothing is being loaded."""
        for task in self._pending:
            task.result()

    def _submit(self, work: Any) -> None:
        pool = ThreadPoolExecutor(1, thread_name_prefix="brain-view")
        self._pending = [task for task in self._pending if not task.done()]
        self._pending.append(pool.submit(self._run, work))
        pool.shutdown(wait=False)

    def _run(self, work: Any) -> None:
        signal, answer = self.loaded, None
        try:
            answer = work()
        except Exception as error:  # whatever the graphics libraries do here, the window must open
            log.exception("the 3D view could not be loaded")
            signal, answer = self.failed, str(error)
        try:
            signal.emit(answer)
        except RuntimeError:
            log.debug("the brain view was closed while it was loading")


def _scene_module() -> Any:
    return importlib.import_module("app.views.brain_scene")


_SHARED = Lock()
_last: list[tuple[Array, Array, dict[Part, Blobs]]] = []


def _deep(labels: Array, affine: Array, structures: Array) -> dict[Part, Blobs]:
    """Make the surfaces once for all views that show the same atlas."""
    with _SHARED:
        if not _last or _last[0][0] is not labels or not np.array_equal(_last[0][1], structures):
            _last[:] = [(labels, structures, _made(labels, affine, structures))]
        return _last[0][2]


def _made(labels: Array, affine: Array, structures: Array) -> dict[Part, Blobs]:
    made = {part: blobs(labels, affine, np.flatnonzero(structures == part), tidy=part == "cerebellum") for part in DEEP}
    return {part: blob for part, blob in made.items() if blob is not None}
