"""``table.tsv``: one line per parcel."""

from __future__ import annotations

import csv
import io
from dataclasses import asdict, dataclass, fields
from pathlib import Path

from brainlm_engine.api.errors import BadInput


@dataclass(frozen=True)
class ParcelRow:
    """One parcel: its label in the volume, name, place (centroid, MNI mm) and size (voxels of the atlas's own grid)."""

    index: int
    name: str
    hemisphere: str
    structure: str
    network: str
    x: float
    y: float
    z: float
    voxels: int


_COLUMNS = tuple(field.name for field in fields(ParcelRow))


def table_text(rows: list[ParcelRow]) -> str:
    """Return the table as tab-separated text with a header; centroids to 0.01 mm."""
    text = io.StringIO()
    writer = csv.writer(text, delimiter="\t", lineterminator="\n")
    writer.writerow(_COLUMNS)
    for row in rows:
        values = asdict(row) | {axis: f"{getattr(row, axis):.2f}" for axis in "xyz"}
        writer.writerow([values[column] for column in _COLUMNS])
    return text.getvalue()


def read_table(path: Path) -> list[ParcelRow]:
    """Read what :func:`table_text` wrote."""
    try:
        with path.open(encoding="utf-8", newline="") as file:
            return [
                ParcelRow(
                    index=int(row["index"]), name=row["name"], hemisphere=row["hemisphere"], structure=row["structure"],
                    network=row["network"], x=float(row["x"]), y=float(row["y"]), z=float(row["z"]),
                    voxels=int(row["voxels"]),
                )
                for row in csv.DictReader(file, delimiter="\t")
            ]  # fmt: skip
    except (OSError, KeyError, ValueError, TypeError) as error:
        raise BadInput(
            f"The table of the atlas in {path.parent.name} cannot be read.",
            "Add or fetch this atlas again.",
            str(error),
        ) from error
