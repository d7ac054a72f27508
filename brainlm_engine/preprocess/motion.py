"""How much the head moved between frames: framewise displacement from a confounds table, fMRIPrep's or alike.

The displacement is Power's (2012): the six changes from the frame before, added up, a turn taken as the way it moves a
point 50 mm from the centre. Only looked at; nothing is regressed out of a recording with it.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from brainlm_engine.api.errors import BadInput
from brainlm_engine.io.faults import shown
from brainlm_engine.preprocess.confounds import is_empty, table_rows

HEAD_RADIUS_MM = 50.0
DISPLACEMENT = ("framewise_displacement", "FramewiseDisplacement")
#: three shifts in mm, three turns in radians; today's names and those of fMRIPrep before 1.3
PARAMETERS = (
    ("trans_x", "trans_y", "trans_z", "rot_x", "rot_y", "rot_z"),
    ("X", "Y", "Z", "RotX", "RotY", "RotZ"),
)
#: parts of a BIDS name that say how a file was made, not which run it is
_HOW = ("space", "res", "den", "cohort", "desc", "atlas", "seg", "scale", "echo", "part")
_ENDINGS = ("desc-confounds_timeseries.tsv", "desc-confounds_regressors.tsv", "bold_confounds.tsv")


@dataclass(frozen=True)
class HeadMotion:
    """``fd_mm (frames,)`` float32, NaN at the first frame, which has none before it; ``computed`` from the six
    parameters because the table had no displacement of its own.
    """

    fd_mm: NDArray[np.float32]
    computed: bool


def table_beside(scan: Path) -> Path | None:
    """Return the confounds table of a scan by its BIDS name, None when there is none.

    The same subject, session, task, run, ...; whatever says how the scan was resampled is left out.
    """
    which = run_of(scan)
    if not which:
        return None
    candidates = (scan.with_name("_".join((*which, ending))) for ending in _ENDINGS)
    return next((path for path in candidates if path.is_file()), None)


def run_of(scan: Path) -> tuple[str, ...]:
    """Return the parts of a BIDS name that say which run it is; () for other names."""
    stem = scan.name.split(".")[0]
    return tuple(part for part in stem.split("_") if "-" in part and part.split("-")[0] not in _HOW)


def read_motion(path: Path, n_frames: int, name: str) -> HeadMotion:
    """Read the framewise displacement of the scan called ``name``.

    Raises
    ------
    BadInput
        When the table cannot be read, is as long as another run, or holds neither displacement nor the six parameters.
    """
    header, rows = table_rows(path)
    if len(rows) != n_frames:
        raise BadInput(
            f"{shown(path)} has {len(rows)} rows, {name} has {n_frames} frames.",
            "Choose the motion parameters of this very run.",
        )
    own = next((column for column in DISPLACEMENT if column in header), None)
    if own is not None:
        fd, computed = _numbers(path, header, rows, own), False
    else:
        names = next((six for six in PARAMETERS if all(column in header for column in six)), None)
        if names is None:
            raise BadInput(
                f"{shown(path)} has no column framewise_displacement, nor all of {', '.join(PARAMETERS[0])}.",
                "Choose the confounds table that fMRIPrep wrote for this run.",
            )
        fd = displacement(np.stack([_numbers(path, header, rows, column) for column in names], axis=1))
        computed = True
    fd[:1] = np.nan
    if n_frames > 1 and not np.isfinite(fd).any():
        raise BadInput(f"{shown(path)} holds no numbers for head motion.", "Choose the table of this very run.")
    return HeadMotion(fd.astype(np.float32), computed)


def displacement(parameters: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the framewise displacement in mm of ``parameters (frames, 6)``: mm, then radians; NaN at first."""
    way = parameters * np.array([1.0] * 3 + [HEAD_RADIUS_MM] * 3)
    fd: NDArray[np.float64] = np.abs(np.diff(way, axis=0, prepend=np.nan)).sum(axis=1)
    return fd


def _numbers(path: Path, header: list[str], rows: list[list[str]], column: str) -> NDArray[np.float64]:
    at = header.index(column)
    try:
        return np.array([np.nan if is_empty(row[at]) else float(row[at]) for row in rows], np.float64)
    except ValueError as error:
        raise BadInput(
            f"The column {column} of {shown(path)} holds text, not numbers.",
            "Choose the confounds table that fMRIPrep wrote for this run.",
            str(error),
        ) from error
