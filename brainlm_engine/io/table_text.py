"""Text tables: encoding, comments, delimiter and decimal comma found from the text itself."""

from __future__ import annotations

import csv
import re
from pathlib import Path
from typing import Any

from brainlm_engine.api.errors import BadInput
from brainlm_engine.io.faults import reading, shown
from brainlm_engine.io.inflate import Inflater
from brainlm_engine.io.raw_table import RawTable, number, table_of_cells

_MOST_BYTES = 2_000_000_000
_COMMA = re.compile(r"[-+]?\d+,\d+([eE][-+]?\d+)?")
_FORMATS = {".csv": "CSV", ".tsv": "TSV", ".1d": "1D", ".dat": "DAT", ".txt": "text"}


def read_text(path: Path, gzipped: bool, regions: tuple[str, ...] = ()) -> RawTable:
    """Read a text table.

    Parameters
    ----------
    regions : the names that the .json beside it gives; a first row that holds just these is a header, numbers or not

    Raises
    ------
    BadInput
        When it holds no table of numbers.
    """
    text = _decoded(path, _bytes(path, gzipped))
    names, lines = _without_comments(text)
    delimiter = _delimiter(lines)
    rows = _split(path, lines, delimiter)
    decimal_comma = delimiter != "," and _has_decimal_comma(rows)
    header = tuple(names) if names is not None and rows and len(names) == len(rows[0]) else None
    if regions and rows and tuple(rows[0]) == regions:
        header, rows = regions, rows[1:]
    stem = path.with_suffix("") if path.suffix == ".gz" else path
    fmt = _FORMATS.get(stem.suffix.lower(), "text")
    _refuse_coordinates(path, rows)
    return table_of_cells(path, rows, fmt, decimal_comma, header)


def _bytes(path: Path, gzipped: bool) -> bytes:
    with reading(path):
        if path.stat().st_size > _MOST_BYTES:
            raise BadInput(f"{shown(path)} is too large for a text table.", "Save it as .npy or .h5 and open that.")
        if not gzipped:
            return path.read_bytes()
    with Inflater(path) as stream:
        return stream.rest(_MOST_BYTES)


def _decoded(path: Path, data: bytes) -> str:
    for mark, encoding in ((b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16"), (b"\xef\xbb\xbf", "utf-8-sig")):
        if data.startswith(mark):
            try:
                return data.decode(encoding)
            except UnicodeDecodeError as error:
                raise BadInput(
                    f"{shown(path)} is damaged: its text cannot be decoded.", "Export it again as UTF-8.", str(error)
                ) from error
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        return data.decode("latin-1")


def _without_comments(text: str) -> tuple[list[str] | None, list[str]]:
    """Return the names of a commented header (``#1 #2 ...`` or ``# a b c``), if any, and the other lines."""
    names: list[str] | None = None
    lines: list[str] = []
    for line in text.splitlines():
        stripped = line.strip()
        if stripped.startswith(("#", "%")):
            if not lines:
                cells = re.split(r"[\t,;]\s*|\s+", stripped.lstrip("#% \t"))
                names = [cell.strip("\"'# ") for cell in cells if cell.strip("\"'# ")]
        elif stripped:
            lines.append(line.rstrip("\r\n"))
    return names, lines


def _delimiter(lines: list[str]) -> str:
    """Return the character that cuts the last lines into equally many cells; ' ' stands for any white space."""
    sample = lines[-30:]
    cells = [line.split() for line in sample]
    if (
        len({len(row) for row in cells}) == 1
        and len(cells[0]) > 1
        and all(_COMMA.fullmatch(c) for row in cells for c in row)
    ):
        return " "  # numbers with decimal commas between spaces
    for delimiter in ("\t", ";", ",", "|"):
        counts = {line.count(delimiter) for line in sample}
        if len(counts) == 1 and counts != {0}:
            return delimiter
    for delimiter in ("\t", ";", ","):  # uneven rows: still the most likely one
        if sample and all(delimiter in line for line in sample):
            return delimiter
    return " "


def _split(path: Path, lines: list[str], delimiter: str) -> list[list[Any]]:
    if delimiter == " ":
        return [line.split() for line in lines]
    try:
        rows: list[list[Any]] = list(csv.reader(lines, delimiter=delimiter, skipinitialspace=True))
    except csv.Error as error:
        raise BadInput(f"{shown(path)} is not a readable table.", "Export it again.", str(error)) from error
    width = max((len(row) for row in rows), default=0)
    if width > 1 and all(len(row) == width and row[-1].strip() == "" for row in rows):
        rows = [row[:-1] for row in rows]  # a delimiter at the end of every line
    return rows


def _has_decimal_comma(rows: list[list[Any]]) -> bool:
    cells = [str(cell) for row in rows[:12] for cell in row]
    with_comma = sum(bool(_COMMA.fullmatch(cell.strip())) for cell in cells)
    return bool(cells) and with_comma > len(cells) // 3


def _refuse_coordinates(path: Path, rows: list[list[Any]]) -> None:
    """An 'id x y z' file without a header looks like a table of three regions: say what it is."""
    if len(rows) < 10 or any(len(row) != 4 for row in rows):
        return
    numbers = [[number(cell) for cell in row] for row in rows]
    counting = all(row[0] == i + 1 for i, row in enumerate(numbers))
    in_head = all(value is not None and abs(value) <= 130 for row in numbers for value in row[1:])
    if counting and in_head:
        raise BadInput(
            f"{shown(path)} holds the positions of {len(rows)} regions, not their signals.",
            "Open the table of signals, and choose this file when it asks for positions.",
        )
