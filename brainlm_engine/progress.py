"""How long work reports where it is, and how it is told to stop."""

from __future__ import annotations

from typing import Protocol


class Progress(Protocol):
    """Given to every function that may take longer than a second.

    Call it often (at least every 0.2 s of work): it is cheap, and it raises
    :class:`brainlm_engine.api.errors.Cancelled` when the person asked to stop.
    """

    def __call__(self, fraction: float, stage: str = "") -> None:
        """Report ``fraction`` (0..1) of the whole and the name of the present stage."""

    def log(self, line: str) -> None:
        """Append one line to the job's log."""


class Silent:
    """A progress that nobody watches."""

    def __call__(self, fraction: float, stage: str = "") -> None:
        """Do nothing."""

    def log(self, line: str) -> None:
        """Do nothing."""


SILENT = Silent()


class _Part:
    """Reports a part of a larger piece of work."""

    def __init__(self, whole: Progress, first: float, last: float) -> None:
        self._whole, self._first, self._last = whole, first, last

    def __call__(self, fraction: float, stage: str = "") -> None:
        """Report ``fraction`` of the part."""
        self._whole(self._first + fraction * (self._last - self._first), stage)

    def log(self, line: str) -> None:
        """Append one line to the job's log."""
        self._whole.log(line)


def progress_part(whole: Progress, first: float, last: float) -> Progress:
    """Return a progress whose 0 and 1 are ``first`` and ``last`` of ``whole``."""
    return _Part(whole, first, last)
