"""Preload of a job worker: it gives way to whatever the person is doing."""

from __future__ import annotations

import contextlib
import logging
import sys
from typing import Any

import psutil

NICENESS = 10


def dask_setup(worker: Any) -> None:
    """Lower this process's priority and let libraries' warnings reach the log."""
    logging.captureWarnings(True)
    with contextlib.suppress(psutil.Error, OSError):
        if sys.platform == "win32":
            psutil.Process().nice(psutil.BELOW_NORMAL_PRIORITY_CLASS)
        else:
            psutil.Process().nice(NICENESS)
