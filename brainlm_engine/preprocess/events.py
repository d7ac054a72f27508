"""What happened during a recording: conditions from a BIDS events table, and which of them a window belongs to.

Onsets and durations are seconds from the first frame (BIDS 1.10, task events). The blood response comes seconds after
what it answers: windows are compared with events that much later.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from brainlm_engine.api.errors import BadInput
from brainlm_engine.io.faults import shown
from brainlm_engine.preprocess.confounds import is_empty, table_rows
from brainlm_engine.preprocess.motion import run_of
from brainlm_engine.recording import Recording

#: seconds from an event to the middle of its blood response
LAG_S = 5.0
_STEP_S = 0.1  # how finely overlaps are counted
_MOST = 16  # conditions that can still be told apart in a drawing
_NEXT = "Give a BIDS events table: columns onset, duration and trial_type, in seconds."


@dataclass(frozen=True)
class Events:
    """``onset_s`` and ``duration_s (events,)`` float64; ``condition (events,)`` number in ``names``, which stand in the
    order in which they first come.
    """

    onset_s: NDArray[np.float64]
    duration_s: NDArray[np.float64]
    condition: NDArray[np.intp]
    names: tuple[str, ...]
    source: str


def events_beside(recording: Recording) -> Path | None:
    """Return the events table of the run that ``recording`` was made from, None when there is none."""
    source = str(recording.provenance.get("source", ""))
    run = run_of(Path(source)) if source else ()
    table = Path(source).with_name("_".join((*run, "events.tsv"))) if run else None
    return table if table is not None and table.is_file() else None


def read_events(path: Path) -> Events:
    """Read an events table.

    Raises
    ------
    BadInput
        For a table without the three columns, with text for numbers, or with too many conditions to tell apart.
    """
    header, rows = table_rows(path, "events", _NEXT)
    kind = next((name for name in ("trial_type", "condition") if name in header), "")
    if not kind or not {"onset", "duration"} <= set(header):
        raise BadInput(f"{shown(path)} lacks a column onset, duration or trial_type.", _NEXT)
    kept = [row for row in rows if not is_empty(row[header.index(kind)])]
    try:
        times = np.array([[float(row[header.index(name)]) for name in ("onset", "duration")] for row in kept])
    except ValueError as error:
        raise BadInput(f"{shown(path)} holds an onset or duration that is no number.", _NEXT, str(error)) from error
    if not kept or not np.isfinite(times).all():
        raise BadInput(f"{shown(path)} holds no events with an onset, a duration and a condition.", _NEXT)
    names = tuple(dict.fromkeys(row[header.index(kind)] for row in kept))
    if len(names) > _MOST:
        raise BadInput(f"{shown(path)} names {len(names)} conditions, more than {_MOST}.", "Sum them up to fewer.")
    condition = np.array([names.index(row[header.index(kind)]) for row in kept], np.intp)
    return Events(times[:, 0], times[:, 1], condition, names, shown(path))


def window_conditions(events: Events, starts_s: NDArray[np.float64], window_s: float) -> NDArray[np.int32]:
    """Return (windows,): the condition that fills most of each window, ``LAG_S`` after it; -1 where most is none.

    Raises
    ------
    BadInput
        When no event lies inside the windows.
    """
    moments = starts_s[:, None] - LAG_S + np.arange(_STEP_S / 2, window_s, _STEP_S)
    inside = np.stack([_inside(events, number, moments) for number in range(len(events.names))])
    if not inside.any():
        raise BadInput(f"No event of {events.source} lies inside the recording.", "Choose the events of this very run.")
    covered, none = inside.sum(2), (~inside.any(0)).sum(1)
    return np.where(covered.max(0) > none, covered.argmax(0), -1).astype(np.int32)


def _inside(events: Events, number: int, moments: NDArray[np.float64]) -> NDArray[np.bool_]:
    inside = np.zeros(moments.shape, bool)
    chosen = events.condition == number
    for onset, duration in zip(events.onset_s[chosen], events.duration_s[chosen], strict=True):
        inside |= (moments >= onset) & (moments < onset + max(duration, _STEP_S))
    return inside
