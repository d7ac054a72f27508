"""One of several processes that train together; ``torchrun`` starts it: ``python -m brainlm_engine.train.rank TASK``.

It speaks in lines of JSON on standard output and listens on standard input. When that ends, because whoever asked for
the training is gone, this process ends at once: torchrun's processes live in sessions of their own, and would go on.
"""

from __future__ import annotations

import json
import os
import sys
import threading
import time
from dataclasses import asdict
from pathlib import Path
from typing import Any

from brainlm_engine.api.errors import Cancelled, EngineError

_REPORT_S = 0.1
_ORPHANED = 3
_LONGEST_LINE = 3000  # shorter than what a pipe takes whole, so that lines of several processes do not mix


def watch(stop: threading.Event) -> None:
    """Set ``stop`` when told so on standard input; end this process when that is closed."""

    def listen() -> None:
        for line in sys.stdin:
            if line.strip() == "stop":
                stop.set()
        os._exit(_ORPHANED)

    threading.Thread(target=listen, daemon=True).start()


class Reporting:
    """Progress as lines on standard output, from the process that leads; any of them can be told to stop."""

    def __init__(self, stop: threading.Event, leads: bool) -> None:
        self.stop, self.leads, self.last = stop, leads, 0.0

    def __call__(self, fraction: float, stage: str = "") -> None:
        """Say where the training is, now and then; stop here when told to."""
        if self.stop.is_set():
            raise Cancelled("Stopped.")
        if self.leads and time.monotonic() - self.last >= _REPORT_S:
            self.last = time.monotonic()
            tell(fraction=fraction, stage=stage)

    def log(self, line: str) -> None:
        """Say a line."""
        if self.leads:
            tell(log=line[:_LONGEST_LINE])


def tell(**said: Any) -> None:
    """Write one line, whole."""
    os.write(1, (json.dumps(said) + "\n").encode())


def main() -> int:
    """Train, and say what came of it."""
    stop = threading.Event()
    watch(stop)
    from brainlm_engine.server.failures import as_engine_error
    from brainlm_engine.train.fabric_team import seat
    from brainlm_engine.train.launch import pretrain
    from brainlm_engine.train.settings import TrainSettings

    task = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
    place = seat()
    leads = place is None or place.rank == 0
    try:
        settings = TrainSettings.model_validate(task["settings"])
        made = pretrain(Path(task["cohort"]), Path(task["out"]), settings, Reporting(stop, leads), title=task["title"])
    except Exception as error:
        told: EngineError = as_engine_error(error, "training")
        tell(error=told.info().model_copy(update={"details": told.details[-_LONGEST_LINE:]}).model_dump())
        return told.exit_code
    if leads:
        tell(result={**asdict(made), "folder": str(made.folder)})
    return 0


if __name__ == "__main__":
    from brainlm_engine.train.fabric_team import end_if_joined

    sys.exit(end_if_joined(main()))
