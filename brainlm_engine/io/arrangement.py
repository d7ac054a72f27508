"""Which way time runs in a table: found from names, smoothness and known region counts, never assumed silently."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from brainlm_engine.api.errors import BadInput
from brainlm_engine.api.messages import Choice, Question
from brainlm_engine.io.raw_table import RawTable, named_like_frames

FRAMES_ROWS, FRAMES_COLUMNS = "frames_rows", "frames_columns"

#: region counts of atlases in common use
KNOWN_COUNTS = frozenset(
    {7, 17, 39, 48, 64, 78, 82, 90, 92, 94, 100, 111, 112, 116, 128, 148, 150, 160, 164, 166, 170, 200, 210, 246, 256,
     264, 268, 274, 300, 333, 352, 360, 374, 379, 392, 400, 414, 419, 424, 432, 444, 454, 500, 512, 600, 700, 800, 900,
     1000, 1024}
)  # fmt: skip
#: differences of lag-1 autocorrelation below this decide nothing
_UNSURE = 0.05
_UNDECIDED = "unsure: neither direction is clearly smoother"


@dataclass(frozen=True)
class Arrangement:
    """The way time runs: ``frames_are_rows``, the question that lets a person turn it (None for our own recordings,
    which can lie one way only), and how it was found.
    """

    frames_are_rows: bool
    question: Question | None
    note: str


def autocorrelation(values: NDArray[np.float64]) -> float:
    """Return the lag-1 autocorrelation down the rows of ``(rows, columns)``, pooled over scaled columns.

    Each row's mean is taken out first, so that what all columns share does not look like smoothness.
    """
    filled = np.where(np.abs(values) < 1e30, values, np.nan)
    with np.errstate(invalid="ignore"):
        filled = filled - _mean(filled, 0)
        spread = np.sqrt(_mean(filled**2, 0))
    keep = (spread > 0) & np.isfinite(spread)
    if values.shape[0] < 4 or keep.sum() < 2:
        return float("nan")
    scaled = np.nan_to_num(filled[:, keep] / spread[keep])
    scaled = np.clip(scaled, -6, 6)
    scaled -= scaled.mean(1, keepdims=True)
    power = float((scaled * scaled).sum())
    return float((scaled[1:] * scaled[:-1]).sum()) / power if power > 0 else float("nan")


def _mean(values: NDArray[np.float64], axis: int) -> NDArray[np.float64]:
    count = np.isfinite(values).sum(axis)
    mean: NDArray[np.float64] = np.nansum(values, axis) / np.maximum(count, 1)
    return mean


def arranged(table: RawTable, answers: Mapping[str, str]) -> Arrangement:
    """Decide which way time runs in ``table``; ``answers["orientation"]`` overrules.

    Raises
    ------
    BadInput
        For an answer that is none of the two choices.
    """
    rows, columns = table.values.shape
    found, reason = _found(table)
    question = Question(
        question_id="orientation",
        text=f"Is every row of this {rows} x {columns} table one frame, or one region?",
        choices=(
            Choice(value=FRAMES_ROWS, label=f"Rows are frames: {_counted(rows, columns)}"),
            Choice(value=FRAMES_COLUMNS, label=f"Rows are regions: {_counted(columns, rows)}"),
        ),
        default=FRAMES_ROWS if found else FRAMES_COLUMNS,
        found=reason != _UNDECIDED,
    )
    answer = answers.get("orientation", question.default)
    if answer not in (FRAMES_ROWS, FRAMES_COLUMNS):
        raise BadInput(
            f"'{answer}' is not an answer to which way time runs.", f"Answer {FRAMES_ROWS} or {FRAMES_COLUMNS}."
        )
    by_rows = answer == FRAMES_ROWS
    if "orientation" in answers:
        reason = "as answered"
    frames, regions = (rows, columns) if by_rows else (columns, rows)
    return Arrangement(by_rows, question, f"Read as {_counted(frames, regions)} ({reason}).")


def _counted(frames: int, regions: int) -> str:
    return f"{frames} frame{'s' * (frames != 1)} of {regions} region{'s' * (regions != 1)}"


def _found(table: RawTable) -> tuple[bool, str]:
    if table.frames_are_rows is not None:
        return table.frames_are_rows, "the file says so"
    if table.column_names and named_like_frames(table.column_names):
        return False, "the header numbers the frames"
    if table.row_names and named_like_frames(table.row_names):
        return True, "the rows are named as frames"
    if table.row_names and not table.column_names:
        return False, "every row starts with a name"
    if table.column_names and not table.row_names:
        return True, "the header names the columns"
    if table.indexed:
        return True, "the rows are counted"
    return _by_numbers(table.values)


def _by_numbers(values: NDArray[np.float64]) -> tuple[bool, str]:
    rows, columns = values.shape
    if columns == 1 or rows == 1:
        return columns == 1, "there is one region"
    down, across = autocorrelation(values), autocorrelation(values.T)
    smoother = np.nan_to_num(down, nan=-1.0) - np.nan_to_num(across, nan=-1.0)
    known = (columns in KNOWN_COUNTS) - (rows in KNOWN_COUNTS)
    if abs(smoother) >= _UNSURE and not (known and np.sign(known) != np.sign(smoother) and abs(smoother) < 2 * _UNSURE):
        return bool(smoother > 0), "values change smoothly that way"
    if known:
        return known > 0, f"{columns if known > 0 else rows} is the region count of a common atlas"
    return bool(smoother >= 0), _UNDECIDED
