"""The second scan of a comparison, and which of its frames belongs to the time cursor."""

from __future__ import annotations

from dataclasses import dataclass

from pydantic import Field

from app.state.data import OpenScan
from app.state.model import State


class CompareState(State):
    """The scan that stands beside the open one; it shares crosshair and time cursor with it."""

    scan: OpenScan | None = None
    path: str = ""
    beside: str = Field(default="", description="path of the open scan it stands beside")
    wanted: str = Field(default="", description="path that is being opened now")
    cached: bool = False
    revision: int = 0
    known: tuple[str, ...] = Field(default=(), description="every path asked for; hidden where names are hidden")

    @property
    def wished(self) -> bool:
        """True while there is a comparison or one is on its way."""
        return self.scan is not None or bool(self.wanted)


@dataclass(frozen=True)
class Moment:
    """A frame of the second scan.

    Attributes
    ----------
    frame : 0-based
    ended : the time cursor is beyond the scan's end; ``frame`` is its last
    by_seconds : found by time, not by counting frames
    """

    frame: int
    ended: bool
    by_seconds: bool


def linked_moment(frame: int, tr_s: float | None, other_tr_s: float | None, other_frames: int) -> Moment:
    """Return where a second scan stands when the first shows ``frame``.

    Parameters
    ----------
    frame : of the first scan, 0-based
    tr_s, other_tr_s : seconds per frame of the first and of the second scan; None when unknown
    other_frames : frames of the second scan
    """
    by_seconds = bool(tr_s) and bool(other_tr_s)
    due = frame
    if tr_s and other_tr_s:
        due = int(frame * tr_s / other_tr_s + 1e-6)  # 3 x 0.7 / 2.1 is a frame begun, whatever the rounding says
    last = max(0, other_frames - 1)
    return Moment(min(due, last), due > last, by_seconds)
