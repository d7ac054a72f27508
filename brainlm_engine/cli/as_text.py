"""Results as a person reads them: three significant digits, '–' for what is not known, local dates, columns."""

from __future__ import annotations

import math
import time
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from brainlm_engine.report.numbers import NOT_KNOWN, interval, share

__all__ = ["NOT_KNOWN", "columns", "interval", "lines", "number", "share", "short", "when"]

_RIGHT = frozenset("0123456789-+.,–e% ")  # a column of nothing else is put to the right


def number(value: float | None) -> str:
    """Return a measured number with three significant digits, '–' for none: 0.508, 12.0, 1795."""
    if value is None or not math.isfinite(value):
        return NOT_KNOWN
    return f"{value:.0f}" if abs(value) >= 1000 else f"{value:#.3g}".rstrip(".")


def when(seconds: float | None) -> str:
    """Return a time since the epoch as local date and time."""
    return NOT_KNOWN if seconds is None else time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(seconds))


def short(value: object) -> str:
    """Return one value on one line."""
    if value is None or value == "" or (isinstance(value, Sequence | Mapping) and not value):
        return NOT_KNOWN
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        exact = f"{value:.10g}"  # a setting, such as a TR of 1.395, stays as it was given
        return exact if math.isfinite(value) and len(exact.lstrip("-0.").replace(".", "")) <= 4 else number(value)
    if isinstance(value, Mapping):
        return ", ".join(f"{key} {short(inner)}" for key, inner in value.items())
    if isinstance(value, list | tuple):
        return ", ".join(short(inner) for inner in value)
    return str(value)


def columns(header: Sequence[str], rows: Iterable[Sequence[str]], indent: str = "") -> str:
    """Return a table with aligned columns; those of numbers are put to the right."""
    lines = [list(header), *(list(row) for row in rows)]
    widths = [max(len(line[place]) for line in lines) for place in range(len(header))]
    right = [len(lines) > 1 and all(set(line[place]) <= _RIGHT for line in lines[1:]) for place in range(len(header))]
    return "\n".join(
        indent
        + "  ".join(
            cell.rjust(width) if to_the_right else cell.ljust(width)
            for cell, width, to_the_right in zip(line, widths, right, strict=True)
        ).rstrip()
        for line in lines
    )


def lines(result: Mapping[str, Any], indent: str = "") -> str:
    """Return any result, one value a line; what lies inside is indented, a list of alike things is a table."""
    told = []
    for key, value in result.items():
        if isinstance(value, Mapping) and value:
            told += [f"{indent}{key}", lines(value, indent + "  ")]
        elif isinstance(value, list) and value and isinstance(value[0], Mapping):
            header = list(dict.fromkeys(name for row in value for name in row))
            told += [
                f"{indent}{key}",
                columns(header, ([short(row.get(name)) for name in header] for row in value), indent + "  "),
            ]
        elif isinstance(value, list | tuple) and value and isinstance(value[0], str):
            told += [f"{indent}{key}", *(f"{indent}  {entry}" for entry in value)]
        else:
            told.append(f"{indent}{key}  {short(value)}")
    return "\n".join(told)
