"""Time in words: seconds, frames (TR) or clock."""

from __future__ import annotations

from typing import Literal

TimeUnit = Literal["s", "TR", "clock"]


def clock(seconds: float) -> str:
    """``m:ss`` or ``h:mm:ss``, tenths dropped."""
    whole = int(abs(seconds) + 1e-6)
    sign = "−" if seconds < 0 else ""
    hours, rest = divmod(whole, 3600)
    minutes, secs = divmod(rest, 60)
    return f"{sign}{hours}:{minutes:02d}:{secs:02d}" if hours else f"{sign}{minutes}:{secs:02d}"


#: tick distances in seconds that look round on a clock
CLOCK_STEPS = (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200)


def clock_step(span_s: float, wanted: int) -> float:
    """The clock-like step that gives about ``wanted`` ticks over ``span_s`` seconds."""
    rough = span_s / max(wanted, 1)
    return float(min(CLOCK_STEPS, key=lambda step: abs(step - rough)))
