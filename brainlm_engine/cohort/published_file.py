"""One Arrow file of a published data set, mapped: who is in it, how long, and where the numbers of each row lie."""

from __future__ import annotations

import math
import re
from functools import lru_cache
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from brainlm_engine.api.errors import BadInput

#: what is read when no column is named, the first that is there
COLUMNS = (
    "Raw_Recording",
    "Voxelwise_RobustScaler_Normalized_Recording",
    "Subtract_Mean_Normalized_Recording",
    "Subtract_Mean_Divide_Global_STD_Normalized_Recording",
    "Subtract_Mean_Divide_Global_99thPercent_Normalized_Recording",
)
_SUBJECT = re.compile(r"sub-[A-Za-z0-9]+")
_OPEN = 256


@lru_cache(maxsize=_OPEN)
def opened(path: Path, stamp: int, column: str, parcels: int) -> PublishedFile:
    """Return a file, opened once; ``stamp`` is the time of its last change.

    Raises
    ------
    BadInput
        When it is damaged, or its column does not fit so many parcels.
    """
    return PublishedFile(path, column, parcels)


def mapped_table(path: Path) -> Any:
    """Return a mapped Arrow stream (or file) as a table; nothing but its heads is read."""
    import pyarrow as pa

    try:
        try:
            return pa.ipc.open_stream(pa.memory_map(str(path))).read_all()
        except pa.ArrowInvalid:
            return pa.ipc.open_file(pa.memory_map(str(path))).read_all()
    except (pa.ArrowException, OSError) as error:
        raise BadInput(
            f"{path.name} in {path.parent} is not an Arrow file, or it is damaged.",
            "Copy it again from where it came.",
            str(error),
        ) from error


class PublishedFile:
    """One mapped file: who, how long, and where the numbers of each row lie."""

    def __init__(self, path: Path, column: str, parcels: int) -> None:
        table = mapped_table(path)
        self.path, self.parcels = path, parcels
        wanted = (column,) if column else COLUMNS
        self.column = next((name for name in wanted if name in table.column_names), "")
        if not self.column:
            raise BadInput(
                f"{path.name} has no column {wanted[0]}; it has {', '.join(table.column_names)}.",
                "Choose one of these: brainlm-engine cohort convert --column NAME.",
            )
        self.names, self.people = _who(table, path)
        self._where: list[tuple[NDArray[Any], int, int]] = []
        self.shapes: list[tuple[int, int]] = []
        for chunk in table.column(self.column).chunks:
            self._add(chunk)
        first_is_parcels = {a == parcels for a, b in self.shapes if (a == parcels) != (b == parcels)}
        if len(first_is_parcels) != 1:
            index = next((i for i, shape in enumerate(self.shapes) if parcels not in shape), 0)
            told = " x ".join(map(str, self.shapes[index])) if self.shapes else "nothing"
            raise BadInput(
                f"The column {self.column} of {path.name} cannot be laid over {parcels} parcels: row {index} is "
                f"{told}.",
                "Choose the coordinates that belong to this data set.",
            )
        self.by_parcel = first_is_parcels.pop()
        self.frames = [shape[1 if self.by_parcel else 0] for shape in self.shapes]
        odd = next((i for i, shape in enumerate(self.shapes) if shape[0 if self.by_parcel else 1] != parcels), None)
        if odd is not None:
            raise BadInput(
                f"Row {odd} of {path.name} ({self.names[odd]}) has other parcels than the rest.",
                "Leave that recording out of the data set.",
            )

    def _add(self, chunk: Any) -> None:
        outer, inner = _starts(chunk), chunk.values
        ends = _starts(inner)
        numbers = inner.values
        flat = numbers.to_numpy(zero_copy_only=not numbers.null_count)
        for first, last in pairwise(outer.tolist()):
            begin, end = int(ends[first]), int(ends[last])
            count = last - first
            length = int(ends[first + 1] - ends[first]) if count else 0
            if end - begin != count * length:
                raise BadInput(
                    f"Row {len(self.shapes)} of {self.path.name} holds lists of different lengths.",
                    "Leave that recording out of the data set.",
                )
            self._where.append((flat, begin, end))
            self.shapes.append((count, length))

    def values(self, index: int) -> NDArray[np.floating[Any]]:
        """Return (parcels, frames) as stored."""
        flat, first, last = self._where[index]
        stored = flat[first:last].reshape(self.shapes[index])
        return stored if self.by_parcel else stored.T


def _starts(lists: Any) -> NDArray[np.int64]:
    """Return where each list begins, and the last one ends, for lists of any or of a fixed length."""
    if hasattr(lists, "offsets"):
        return np.asarray(lists.offsets.to_numpy(), np.int64)
    return np.arange(len(lists) + 1, dtype=np.int64) * int(lists.type.list_size)


def _who(table: Any, path: Path) -> tuple[list[str], list[str]]:
    """Return the recordings' names, and the people: column eid, else sub-... in the name, else the name up to a "_"."""
    count = table.num_rows
    names = table.column("Filename").to_pylist() if "Filename" in table.column_names else [None] * count
    people = table.column("eid").to_pylist() if "eid" in table.column_names else [None] * count
    stems = [Path(str(name)).name.split(".")[0] if name else f"{path.stem}-{row}" for row, name in enumerate(names)]
    return stems, [_person(eid, stem) for eid, stem in zip(people, stems, strict=True)]


def _person(eid: object, stem: str) -> str:
    if isinstance(eid, float | int) and not math.isnan(eid):
        return f"{eid:.0f}"
    if isinstance(eid, str) and eid:
        return eid
    found = _SUBJECT.search(stem)
    return found.group() if found else stem.split("_", maxsplit=1)[0]
