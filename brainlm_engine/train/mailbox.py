"""A folder through which a training elsewhere and the one who asked for it speak: it lies in the model's folder.

=============  ===================================================================
said.jsonl     what the training says (:mod:`brainlm_engine.train.told`)
stop           put there to ask it to stop; it leaves a checkpoint and ends
=============  ===================================================================
"""

from __future__ import annotations

import json
import os
import shutil
import time
import uuid
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from brainlm_engine.api.errors import EngineError
from brainlm_engine.files import writing_to
from brainlm_engine.train.loop import PretrainResult
from brainlm_engine.train.told import Told, carry_out

CLUSTER = "cluster"
_POLL_S = 0.3
_REPORT_S = 1.0
#: a step, a checkpoint, and a shared disk that shows files late
_STOPPING_S = 180.0


class Elsewhere(Protocol):
    """A job that trains, as whoever runs it knows it."""

    def state(self) -> str:
        """Say in one word how it is: PENDING, RUNNING, ..."""

    def over(self) -> bool:
        """Tell whether it has ended, however."""

    def cancel(self) -> None:
        """End it."""

    def lost(self) -> EngineError:
        """Return a sentence for a job that ended without a word."""


@dataclass
class Mailbox:
    """One training's folder. Small, and can be sent to other processes.

    Attributes
    ----------
    folder : seen by all that take part
    """

    folder: Path
    _heard: int = field(default=0, repr=False)

    @classmethod
    def new(cls, out: Path) -> Mailbox:
        """Make a mailbox in the model's folder ``out``."""
        folder = out / CLUSTER / f"{time.strftime('%Y%m%d-%H%M%S')}-{uuid.uuid4().hex[:6]}"
        with writing_to(folder):
            folder.mkdir(parents=True)
        return cls(folder)

    def drop(self) -> None:
        """Remove it, and the folders round it that hold nothing else: nothing was handed over."""
        shutil.rmtree(self.folder, ignore_errors=True)
        for folder in (self.folder.parent, self.folder.parent.parent):
            with suppress(OSError):  # not empty
                folder.rmdir()

    def tell(self, said: dict[str, Any]) -> None:
        """Add a line, whole."""
        handle = os.open(self.folder / "said.jsonl", os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o666)
        try:
            os.write(handle, (json.dumps(said) + "\n").encode())
        finally:
            os.close(handle)

    def hear(self) -> list[str]:
        """Return the lines that are new."""
        try:
            with (self.folder / "said.jsonl").open("rb") as file:
                file.seek(self._heard)
                new = file.read()
        except FileNotFoundError:
            return []
        whole = new[: new.rfind(b"\n") + 1]
        self._heard += len(whole)
        return whole.decode("utf-8", "replace").splitlines()

    def ask_to_stop(self) -> None:
        """Ask the training to stop."""
        (self.folder / "stop").touch()

    def stop_asked(self, every_s: float = _REPORT_S) -> Callable[[], bool]:
        """Return a question that looks at the disk now and then only."""
        looked, asked = 0.0, False

        def question() -> bool:
            nonlocal looked, asked
            if not asked and time.monotonic() - looked >= every_s:
                looked = time.monotonic()
                asked = (self.folder / "stop").exists()
            return asked

        return question


def carry_out_by_mail(task: dict[str, Any], box: Mailbox, *, joins: bool) -> int:
    """Train in this process and speak through ``box``."""
    return carry_out(task, box.stop_asked(), box.tell, every_s=_REPORT_S, joins=joins)


def follow(job: Elsewhere, box: Mailbox, told: Told) -> PretrainResult:
    """Pass on what ``job`` says until it has ended, and return what it made.

    A wish to stop is passed on; a job that has not begun, or does not listen, is cancelled.
    """
    until = float("inf")
    spoken = False
    while True:
        over = job.over()  # asked before its last lines are read
        for line in box.hear():
            told.hear(line)
            spoken = True
        if over or told.result is not None:
            break
        if not spoken:
            told.where = (0.0, f"{told.where[1].partition(':')[0]}: {job.state()}")
        if told.asks_to_stop():
            box.ask_to_stop()
            until = time.monotonic() + (_STOPPING_S if spoken else 0.0)
        if time.monotonic() > until:
            job.cancel()
            break
        time.sleep(_POLL_S)
    return told.outcome(job.lost())
