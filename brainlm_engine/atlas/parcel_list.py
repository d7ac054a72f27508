"""Reading the table that comes with an atlas: names, networks or positions of its parcels, in whatever columns."""

from __future__ import annotations

import csv
import math
from dataclasses import dataclass
from pathlib import Path

from brainlm_engine.api.errors import BadInput
from brainlm_engine.io.faults import reading, shown

_LABEL = ("index", "label", "id", "key", "value", "roi", "roi_id", "parcel", "number", "no", "#")
_NAME = ("name", "region", "region_name", "roi_name", "label_name", "roi", "parcel_name", "label", "structure_name")
_NETWORK = ("network", "network_name", "yeo_networks7", "yeo7", "community", "system")
_HEMISPHERE = ("hemisphere", "hemi", "side")
_STRUCTURE = ("structure",)
_STRUCTURES = ("cortex", "subcortex", "cerebellum")
_NEXT = "Give a TSV or CSV file with a header and one line per parcel: index, name, network, x, y, z."
Position = tuple[float, float, float]


@dataclass(frozen=True)
class ListedParcel:
    """What a table says about one parcel; '' or None where it says nothing."""

    label: int | None
    name: str = ""
    network: str = ""
    hemisphere: str = ""
    structure: str = ""
    xyz: Position | None = None


def read_parcel_list(path: Path) -> list[ListedParcel]:
    """Read a TSV, CSV or blank-separated table (``.dat``: index x y z), with or without a header."""
    with reading(path):
        content = path.read_bytes()
    rows = _rows(_text(content))
    if not rows:
        raise BadInput(f"The table {shown(path)} is empty.", _NEXT)
    width = max(len(row) for row in rows)
    rows = [row + [""] * (width - len(row)) for row in rows]
    if any(_number(cell) is not None for cell in rows[0]):
        found = _without_header(path, rows)
    else:
        found = _with_header(path, [cell.strip().lower().replace(" ", "_") for cell in rows[0]], rows[1:])
    found = [item for item in found if not (item.label == 0 or item.name.lower() == "background")]
    _check(path, found)
    return found


def _text(content: bytes) -> str:
    if content[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return content.decode("utf-16", "replace")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        return content.decode("latin-1")


def _rows(text: str) -> list[list[str]]:
    lines = [line for line in text.splitlines() if line.strip() and not line.lstrip().startswith("//")]
    if not lines:
        return []
    for delimiter in "\t;,":
        if all(delimiter in line for line in lines[:5]):
            return [[cell.strip() for cell in row] for row in csv.reader(lines, delimiter=delimiter)]
    return [line.split() for line in lines]


def _number(cell: str) -> float | None:
    try:
        value = float(cell)
    except ValueError:
        return None
    return value if math.isfinite(value) else None


def _whole(cell: str) -> int | None:
    value = _number(cell)
    return int(value) if value is not None and value == int(value) else None


def _without_header(path: Path, rows: list[list[str]]) -> list[ListedParcel]:
    """Take (label, x, y, z), (x, y, z) or (label, name, ...)."""
    width = len(rows[0])
    numeric = all(_number(cell) is not None for row in rows for cell in row)
    if numeric and width in (3, 4):
        labels = [_whole(row[0]) if width == 4 else None for row in rows]
        places = [tuple(float(cell) for cell in row[-3:]) for row in rows]
        return [ListedParcel(label, xyz=(x, y, z)) for label, (x, y, z) in zip(labels, places, strict=True)]
    labels = [_whole(row[0]) for row in rows]
    if width >= 2 and None not in labels:
        return [ListedParcel(label, name=row[1]) for label, row in zip(labels, rows, strict=True)]
    raise BadInput(f"The columns of the table {shown(path)} are not understood.", _NEXT)


def _with_header(path: Path, header: list[str], rows: list[list[str]]) -> list[ListedParcel]:
    def column(names: tuple[str, ...], numeric: bool | None = None) -> int | None:
        for name in names:
            for place, title in enumerate(header):
                # a few odd cells do not make a column of labels one of names: they are errors, told below
                is_numeric = sum(_number(row[place]) is not None for row in rows) > len(rows) / 2
                if title == name and (numeric is None or numeric == is_numeric):
                    return place
        return None

    def cell(row: list[str], place: int | None) -> str:
        return "" if place is None else row[place]

    if not rows:
        raise BadInput(f"The table {shown(path)} lists no parcel.", _NEXT)
    label, name = column(_LABEL, numeric=True), column(_NAME, numeric=False)
    network, hemisphere, structure = column(_NETWORK), column(_HEMISPHERE), column(_STRUCTURE)
    axes = [column((axis, f"{axis}_mni", f"mni_{axis}", f"{axis}_mm", f"{axis}_(mm)", f"{axis}.mni")) for axis in "xyz"]
    if label is None and name is None and None in axes:
        raise BadInput(f"The table {shown(path)} has no column of names, labels or positions that is known.", _NEXT)
    return [
        ListedParcel(
            label=None if label is None else _whole(row[label]),
            name=cell(row, name),
            network=_known(cell(row, network)),
            hemisphere=cell(row, hemisphere)[:1].upper() if cell(row, hemisphere)[:1].upper() in ("L", "R") else "",
            structure=cell(row, structure).lower() if cell(row, structure).lower() in _STRUCTURES else "",
            xyz=_position([cell(row, axis) for axis in axes]),
        )
        for row in rows
    ]


def _known(text: str) -> str:
    return "" if text.lower() in ("", "n/a", "na", "nan", "none", "no network found") else text


def _position(cells: list[str]) -> Position | None:
    values = [_number(cell) for cell in cells]
    x, y, z = values
    return None if x is None or y is None or z is None else (x, y, z)


def _check(path: Path, found: list[ListedParcel]) -> None:
    if not found:
        raise BadInput(f"The table {shown(path)} lists no parcel.", _NEXT)
    labels = [item.label for item in found if item.label is not None]
    if labels and len(labels) < len(found):
        raise BadInput(f"The table {shown(path)} has lines whose label is not a whole number.", _NEXT)
    twice = sorted({label for label in labels if labels.count(label) > 1})
    if twice:
        raise BadInput(
            f"The table {shown(path)} lists the label {twice[0]} more than once.", "Keep one line per parcel."
        )
    placed = sum(item.xyz is not None for item in found)
    if placed not in (0, len(found)):
        raise BadInput(
            f"The table {shown(path)} gives positions for {placed} of its {len(found)} parcels.",
            "Give x, y and z for all parcels, or for none.",
        )
