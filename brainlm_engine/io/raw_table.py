"""A table of numbers as the file has it, before anybody decides which way time runs."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from brainlm_engine.api.errors import BadInput
from brainlm_engine.api.messages import Question
from brainlm_engine.io.faults import shown

_MISSING = frozenset({"", "nan", "na", "n/a", "null", "none", "-", ".", "-nan", "#n/a", "?"})
_INDEX_NAMES = frozenset(
    {"", "index", "idx", "time", "frame", "volume", "vol", "t", "tr", "scan", "unnamed: 0", "timepoint"}
)
_PEOPLE = frozenset({"participant_id", "participant", "subject", "subject_id", "sub_id", "sub"})
_CONFOUNDS = frozenset(
    {"framewise_displacement", "FramewiseDisplacement", "trans_x", "rot_z", "a_comp_cor_00", "aCompCor00"}
)
_OPEN_ANOTHER = "Open a table with one column (or row) of numbers per region."


@dataclass(frozen=True)
class RawTable:
    """Numbers ``(rows, columns)`` float64 and what the file says about them.

    ``row_names`` and ``column_names`` are None where the file has none; ``indexed`` is True when a running number led
    every row; ``tr_s`` is None unless the file tells it.
    """

    values: NDArray[np.float64]
    format: str
    row_names: tuple[str, ...] | None = None
    column_names: tuple[str, ...] | None = None
    indexed: bool = False
    tr_s: float | None = None
    frames_are_rows: bool | None = None
    questions: tuple[Question, ...] = ()
    notes: tuple[str, ...] = ()


def number(cell: Any, decimal_comma: bool = False) -> float | None:
    """Return a cell's number, NaN for an empty or 'n/a' cell, None for text."""
    if cell is None:
        return math.nan
    if isinstance(cell, bool):
        return None
    if isinstance(cell, int | float):
        return float(cell)
    text = str(cell).strip()
    if text.lower() in _MISSING:
        return math.nan
    try:
        return float(text.replace(",", ".") if decimal_comma else text)
    except ValueError:
        return None


def table_of_cells(
    path: Path, rows: list[list[Any]], fmt: str, decimal_comma: bool = False, header: tuple[str, ...] | None = None
) -> RawTable:
    """Make a table from cells: find the header row (unless given), the column of names and the running number.

    Raises
    ------
    BadInput
        For no rows, uneven rows, or columns of text.
    """
    name = shown(path)
    if header is None and rows and _is_header(rows[0], rows[1:], decimal_comma):
        header, rows = tuple("" if cell is None else str(cell).strip() for cell in rows[0]), rows[1:]
    if not rows:
        cause = "has a header row but no numbers below it" if header else "holds no numbers"
        raise BadInput(f"{name} {cause}.", "Export it again with its time series.")
    width = len(rows[0])
    if header is not None and len(header) == width - 1:
        header = ("", *header)  # R writes no name above its row names
    uneven = next((i for i, row in enumerate(rows) if len(row) != width), None)
    if uneven is not None or (header is not None and len(header) != width):
        line = (
            f"row {uneven + 1} has {len(rows[uneven])}" if uneven is not None else f"its header has {len(header or ())}"
        )
        raise BadInput(f"{name} is uneven: {line} cells where {width} are expected.", "Export it again.")
    _refuse_other_tables(name, header)
    values = np.array([[_or_text(number(cell, decimal_comma)) for cell in row] for row in rows])
    return _numbers(name, rows, values, header, fmt)


def _or_text(value: float | None) -> complex:
    """Mark text as an imaginary number, so that one array holds numbers, NaN and text."""
    return 1j if value is None else complex(value)


def _is_header(first: list[Any], rest: list[list[Any]], decimal_comma: bool) -> bool:
    numbers = [number(cell, decimal_comma) for cell in first]
    if sum(value is None for value in numbers) > (1 if len(first) > 2 else 0):
        return True
    if numbers and numbers[0] is None and len(numbers) > 1:  # text, then numbers: a name in front of a row
        return bool(rest) and number(rest[0][0], decimal_comma) is not None
    if any(value is None for value in numbers):
        return True
    return len(numbers) > 3 and bool(rest) and _running(np.array(numbers[1:], np.float64))


def _running(column: NDArray[np.float64]) -> bool:
    """Return True for numbers that count up by one from 0, 1 or 2."""
    return column.size > 2 and column[0] in (0, 1, 2) and bool(np.all(np.diff(column) == 1))


def _refuse_other_tables(name: str, header: tuple[str, ...] | None) -> None:
    lowered = {cell.lower() for cell in header or ()}
    if lowered & _PEOPLE:
        raise BadInput(f"{name} is a table of people, not a recording.", _OPEN_ANOTHER)
    if len(set(header or ()) & _CONFOUNDS) >= 2:
        raise BadInput(
            f"{name} is a table of confounds (head motion and the like), not of regions.",
            "Open the scan itself and give this file as its confounds.",
        )
    if {"x", "y", "z"} <= lowered:
        raise BadInput(
            f"{name} holds the positions of regions, not their signals.",
            "Open the table of signals, and choose this file when it asks for positions.",
        )


def _numbers(
    name: str, rows: list[list[Any]], values: NDArray[np.complex128], header: tuple[str, ...] | None, fmt: str
) -> RawTable:
    text = values.imag != 0
    notes: tuple[str, ...] = ()
    row_names: tuple[str, ...] | None = None
    indexed, tr_s = False, None
    if values.shape[1] > 1 and text[:, 0].mean() > 0.5:
        row_names = tuple(str(row[0]).strip() for row in rows)
        values, text, header = values[:, 1:], text[:, 1:], header[1:] if header else None
    elif values.shape[1] > 1 and not text[:, 0].any() and _is_index(values[:, 0].real, header):
        steps = np.diff(values[:, 0].real)
        if (header or ("",))[0].lower() == "time" and steps.size and np.allclose(steps, steps[0], rtol=1e-3):
            tr_s = float(steps[0]) if 0.2 <= steps[0] <= 10 else None
        indexed = True
        what = f"'{header[0]}'" if header and header[0] else "the running number"
        notes += (f"The first column ({what}) counts the rows and is not a region.",)
        values, header = values[:, 1:], header[1:] if header else None
        text = text[:, 1:]
    if text.any():
        row, column = (int(i) for i in np.argwhere(text)[0])
        label = f"'{header[column]}'" if header else str(column + 1)
        shift = 1 if row_names is not None or indexed else 0
        raise BadInput(
            f"{name} is not a table of signals: column {label} holds text ('{str(rows[row][column + shift])[:20]}').",
            _OPEN_ANOTHER,
        )
    return RawTable(np.ascontiguousarray(values.real), fmt, row_names, header, indexed, tr_s, notes=notes)


def _is_index(column: NDArray[np.float64], header: tuple[str, ...] | None) -> bool:
    if _running(column):
        return True
    named = header is not None and header[0].strip().lower() in _INDEX_NAMES
    return named and column.size > 2 and bool(np.all(np.diff(column) > 0))


def named_like_frames(names: tuple[str, ...]) -> bool:
    """Return True for headers such as 't0, t1', 'frame_12', 'TR3', 'vol0001'."""
    pattern = re.compile(r"(t|tr|time|timepoint|frame|vol|volume|scan|tp)[ _-]?\d+(\.\d+)?s?", re.IGNORECASE)
    return len(names) > 2 and all(pattern.fullmatch(name) for name in names)
