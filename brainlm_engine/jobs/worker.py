"""Preload of a job worker: it gives way to whatever the person is doing."""

from __future__ import annotations

import logging
from typing import Any

from brainlm_engine.server.priority import WORKING, give_way
from brainlm_engine.server.threads import use_planned_threads


def dask_setup(worker: Any) -> None:
    """Lower this process's priority and let libraries' warnings reach the log."""
    logging.captureWarnings(True)
    use_planned_threads()
    give_way(WORKING)
