"""What processes that train elsewhere say, one JSON object a line, and what is made of it here.

=====================================  ==============================================================
``{"fraction": 0.1, "stage": "..."}``  where the training is
``{"log": "..."}``                     a line for the log
``{"result": {...}}``                  a :class:`brainlm_engine.train.result.PretrainResult`; the last word
``{"error": {...}}``                   an ``ErrorInfo``; the last word
=====================================  ==============================================================
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

from brainlm_engine.api.errors import Cancelled, EngineError, from_info
from brainlm_engine.api.messages import ErrorInfo
from brainlm_engine.progress import Progress
from brainlm_engine.train.faults import LostProcess
from brainlm_engine.train.loop import PretrainResult
from brainlm_engine.train.settings import TrainSettings

Tell = Callable[[dict[str, Any]], None]
_LONGEST_LINE = 3000  # shorter than what a pipe takes whole, so that lines of several processes do not mix


class Told:
    """Passes on what the processes say, and keeps how it ended."""

    def __init__(self, progress: Progress, stage: str) -> None:
        self.progress = progress
        self.where: tuple[float, str] = (0.0, stage)
        self.result: dict[str, Any] | None = None
        self.error: EngineError | None = None
        self.stopped: BaseException | None = None
        self._weight = -1

    def hear(self, line: str) -> None:
        """Take one line; what is no message, some library's own print, is passed over."""
        try:
            said = json.loads(line)
        except ValueError:
            return
        if not isinstance(said, dict):
            return
        if "stage" in said:
            self.where = (said["fraction"], said["stage"])
        elif "log" in said:
            self.progress.log(said["log"])
        elif "result" in said:
            self.result = said["result"]
        elif "error" in said:
            self._blame(ErrorInfo.model_validate(said["error"]))

    def _blame(self, info: ErrorInfo) -> None:
        """Keep the error that says most: those that lost the others, or were stopped, know least."""
        weight = {Cancelled.code: 0, LostProcess.code: 1}.get(info.code, 2)
        if weight > self._weight:
            self._weight = weight
            self.error = LostProcess(info.message, info.next_step, info.details) if weight == 1 else from_info(info)

    def asks_to_stop(self) -> bool:
        """Report where the training is; True, once, when the person asks to stop."""
        if self.stopped is not None:
            return False
        try:
            self.progress(*self.where)
        except BaseException as error:  # Ctrl-C too
            self.stopped = error
            return True
        return False

    def outcome(self, lost: EngineError) -> PretrainResult:
        """Return what was made, or raise what went wrong; ``lost`` when nobody said."""
        if self.stopped is not None:
            raise self.stopped
        if self.error is not None and not isinstance(self.error, LostProcess):
            raise self.error
        if self.result is None:
            raise lost
        return PretrainResult(**{**self.result, "folder": Path(self.result["folder"])})


class Telling:
    """Progress as lines, from the process that leads; any of them can be told to stop.

    Parameters
    ----------
    stop : tells whether the person asked to stop
    tell : takes a message
    leads : False for all but one process
    every_s : seconds between reports of where the training is
    """

    def __init__(self, stop: Callable[[], bool], tell: Tell, leads: bool, every_s: float = 0.1) -> None:
        self._stop, self._tell, self._leads, self._every_s, self._last = stop, tell, leads, every_s, 0.0

    def __call__(self, fraction: float, stage: str = "") -> None:
        """Say where the training is, now and then; stop here when told to."""
        if self._stop():
            raise Cancelled("Stopped.")
        if self._leads and time.monotonic() - self._last >= self._every_s:
            self._last = time.monotonic()
            self._tell({"fraction": fraction, "stage": stage})

    def log(self, line: str) -> None:
        """Say a line."""
        if self._leads:
            self._tell({"log": line[:_LONGEST_LINE]})


def task_of(cohort: Path, out: Path, settings: TrainSettings, title: str) -> dict[str, Any]:
    """Return the training as plain values, to be carried out by processes that are there already."""
    here = settings.model_copy(update={"launch": "here"})
    return {
        "cohort": str(cohort.absolute()), "out": str(out.absolute()), "title": title,
        "settings": here.model_dump(mode="json"),
    }  # fmt: skip


def carry_out(
    task: dict[str, Any], stop: Callable[[], bool], tell: Tell, *, every_s: float = 0.1, joins: bool = True
) -> int:
    """Train in this process, tell what came of it, and return an exit code."""
    from brainlm_engine.server.failures import as_engine_error
    from brainlm_engine.train.fabric_team import seat
    from brainlm_engine.train.launch import pretrain

    place = seat() if joins else None
    leads = place is None or place.rank == 0
    try:
        settings = TrainSettings.model_validate(task["settings"])
        progress = Telling(stop, tell, leads, every_s)
        made = pretrain(
            Path(task["cohort"]), Path(task["out"]), settings, progress, title=task["title"], joins=joins
        )  # fmt: skip
    except Exception as error:
        told = as_engine_error(error, "training")
        tell({"error": told.info().model_copy(update={"details": told.details[-_LONGEST_LINE:]}).model_dump()})
        return told.exit_code
    if leads:
        tell({"result": {**asdict(made), "folder": str(made.folder)}})
    return 0
