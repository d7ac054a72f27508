"""One Arrow file of recordings, memory-mapped: opening it reads next to nothing, and all processes share its pages.

A cohort packed by this program holds such files (Arrow IPC, also called Feather version 2, uncompressed). One row is
one recording; recordings differ in length, so their numbers are lists of any length and not of a fixed one.

================  =======================  ============================================================
participant_id    utf8                     who
name              utf8                     of the recording
n_frames          int32
series            large_list<halffloat>    (parcels, frames) row by row, z-scored per parcel; NaN is missing
================  =======================  ============================================================

The file's metadata ``brainlm`` is JSON: ``tr_s``, ``xyz (parcels, 3)`` in MNI mm, ``atlas_id``, ``parcels``, and
``networks``.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from pathlib import Path
from typing import Any, overload

import numpy as np
from numpy.typing import NDArray

from brainlm_engine.api.errors import BadInput
from brainlm_engine.files import written_whole
from brainlm_engine.recording import Recording

Half = NDArray[np.float16]
METADATA = b"brainlm"
#: recordings are written in batches of about this size, so that writing needs no more memory than that
_BATCH_BYTES = 32 << 20
#: files that stay open; opening one more takes a millisecond
_OPEN = 256


@dataclass(frozen=True)
class Kind:
    """What the recordings of a cohort have in common.

    Attributes
    ----------
    tr_s : seconds per frame
    xyz : (parcels, 3) float32, MNI mm
    atlas_id : '' when only coordinates are known
    names, networks : per parcel; empty when unknown
    """

    tr_s: float
    xyz: NDArray[np.float32]
    atlas_id: str = ""
    names: tuple[str, ...] = ()
    networks: tuple[str, ...] = ()

    @property
    def n_parcels(self) -> int:
        """Number of parcels, missing ones included."""
        return len(self.xyz)

    def recording(self, series: NDArray[np.floating[Any]], name: str, source: Path) -> Recording:
        """Return ``series (parcels, frames)``, in SD, as a recording."""
        values = np.asarray(series, np.float32)
        missing = np.asarray(~np.isfinite(values).all(1))
        return Recording(
            series=values, tr_s=self.tr_s, xyz=self.xyz, missing=missing, coverage=np.asarray(~missing, np.float32),
            atlas_id=self.atlas_id, names=self.names, networks=self.networks, unit="SD", name=name,
            provenance={"source": source.name},
        )  # fmt: skip


@dataclass(frozen=True)
class PackedRow:
    """One recording of a packed file. Small, and can be sent to other processes, which map the file themselves."""

    path: Path
    stamp: int
    index: int
    stem: str
    n_frames: int

    @property
    def name(self) -> str:
        """The recording, as errors call it."""
        return self.stem

    @property
    def kind(self) -> Kind:
        """What the file says of all its recordings."""
        return _opened(self.path, self.stamp).kind

    def values(self) -> Half:
        """Return (parcels, frames) float16, z-scored; a view of the mapped file, so nothing is read yet."""
        return _opened(self.path, self.stamp).values(self.index)

    def load(self) -> Recording:
        """Read the recording into memory."""
        return self.kind.recording(self.values(), self.stem, self.path)


class Mapped(Sequence[Half]):
    """The recordings of a split, each read from its mapped file when it is asked for."""

    def __init__(self, rows: Sequence[Any]) -> None:
        self.rows = tuple(rows)

    @overload
    def __getitem__(self, index: int) -> Half: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[Half]: ...
    def __getitem__(self, index: int | slice) -> Half | Sequence[Half]:
        """Return (parcels, frames) float16."""
        if isinstance(index, slice):
            return Mapped(self.rows[index])
        values: Half = self.rows[index].values()
        return values

    def __len__(self) -> int:
        return len(self.rows)

    @property
    def lengths(self) -> tuple[int, ...]:
        """Frames per recording, without reading any."""
        return tuple(row.n_frames for row in self.rows)


def read_rows(path: Path) -> Iterator[tuple[str, PackedRow]]:
    """Yield who, and the recording, for every row of a packed file.

    Raises
    ------
    BadInput
        When the file is damaged, or no such file.
    """
    stamp = path.stat().st_mtime_ns
    file = _opened(path, stamp)
    for index, (person, name, frames) in enumerate(zip(file.people, file.names, file.frames, strict=True)):
        yield person, PackedRow(path, stamp, index, name, frames)


def write_rows(path: Path, kind: Kind, rows: Iterable[tuple[str, str, Half]]) -> int:
    """Write ``rows`` (who, name of the recording, (parcels, frames) float16) to a packed file; return how many.

    The file is whole or not there, and needs a few tens of MB of memory however large it becomes.
    """
    import pyarrow as pa

    xyz = [[None if np.isnan(number) else float(number) for number in place] for place in kind.xyz]
    head = {
        "version": 1, "tr_s": kind.tr_s, "xyz": xyz, "atlas_id": kind.atlas_id, "parcels": list(kind.names),
        "networks": list(kind.networks),
    }  # fmt: skip
    schema = pa.schema(
        [
            ("participant_id", pa.utf8()),
            ("name", pa.utf8()),
            ("n_frames", pa.int32()),
            ("series", pa.large_list(pa.float16())),
        ],
        metadata={METADATA: json.dumps(head).encode()},
    )
    count = size = 0
    waiting: list[tuple[str, str, Half]] = []
    with written_whole(path) as temporary, pa.OSFile(str(temporary), "wb") as out, pa.ipc.new_file(out, schema) as file:
        for row in rows:
            waiting.append(row)
            size += row[2].nbytes
            count += 1
            if size >= _BATCH_BYTES:
                file.write_batch(_batch(waiting, schema))
                waiting, size = [], 0
        if waiting:
            file.write_batch(_batch(waiting, schema))
    return count


def _batch(rows: list[tuple[str, str, Half]], schema: Any) -> Any:
    import pyarrow as pa

    people, names, arrays = zip(*rows, strict=True)
    offsets = np.cumsum([0, *(values.size for values in arrays)], dtype=np.int64)
    flat = pa.array(np.concatenate([np.ascontiguousarray(values).reshape(-1) for values in arrays]))
    columns = [
        pa.array(people, pa.utf8()),
        pa.array(names, pa.utf8()),
        pa.array([values.shape[1] for values in arrays], pa.int32()),
        pa.LargeListArray.from_arrays(pa.array(offsets), flat),
    ]
    return pa.record_batch(columns, schema=schema)


@lru_cache(maxsize=_OPEN)
def _opened(path: Path, stamp: int) -> _PackedFile:
    return _PackedFile(path)


class _PackedFile:
    """A mapped file: small columns read, the numbers left where they are."""

    def __init__(self, path: Path) -> None:
        import pyarrow as pa

        try:
            table = pa.ipc.open_file(pa.memory_map(str(path))).read_all()
            head = json.loads(table.schema.metadata[METADATA])
            self.kind = Kind(
                float(head["tr_s"]), np.array(head["xyz"], np.float32).reshape(-1, 3), str(head["atlas_id"]),
                tuple(head["parcels"]), tuple(head["networks"]),
            )  # fmt: skip
            self.people: list[str] = table.column("participant_id").to_pylist()
            self.names: list[str] = table.column("name").to_pylist()
            self.frames: list[int] = table.column("n_frames").to_pylist()
            self._where: list[tuple[Half, int, int]] = []
            for chunk in table.column("series").chunks:
                flat, ends = chunk.values.to_numpy(), chunk.offsets.to_numpy().tolist()
                self._where += [(flat, first, last) for first, last in pairwise(ends)]
            self._check()
        except (pa.ArrowException, OSError, KeyError, TypeError, ValueError) as error:
            raise BadInput(
                f"{path.name} is not an Arrow file of a cohort of this program, or it is damaged.",
                "Make it again: brainlm-engine cohort convert.",
                str(error),
            ) from error

    def _check(self) -> None:
        for frames, (flat, first, last) in zip(self.frames, self._where, strict=True):
            if last - first != frames * self.kind.n_parcels or flat.dtype != np.float16:
                raise ValueError("a recording does not have the size that the file says")

    def values(self, index: int) -> Half:
        flat, first, last = self._where[index]
        return flat[first:last].reshape(self.kind.n_parcels, -1)
