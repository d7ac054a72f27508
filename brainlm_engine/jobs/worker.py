"""Preload of a job worker: it gives way to whatever the person is doing."""

from __future__ import annotations

import contextlib
import logging
import sys
from typing import Any

import psutil

from brainlm_engine.server.threads import use_planned_threads

NICENESS = 10


def dask_setup(worker: Any) -> None:
    """Lower this process's priority and let libraries' warnings reach the log."""
    logging.captureWarnings(True)
    use_planned_threads()
    with contextlib.suppress(psutil.Error, OSError):
        if sys.platform == "win32":
            psutil.Process().nice(psutil.BELOW_NORMAL_PRIORITY_CLASS)
        else:
            psutil.Process().nice(NICENESS)
