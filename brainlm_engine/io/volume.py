"""A 4D scan, opened lazily: frames, slices and voxel time courses in RAS+ axis order."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from brainlm_engine.api.errors import BadInput
from brainlm_engine.api.messages import ScanInfo
from brainlm_engine.io.cache import partial_tiles, ready_tiles
from brainlm_engine.io.canonical import Canonical
from brainlm_engine.io.faults import full_path, shown
from brainlm_engine.io.nifti import Header4D
from brainlm_engine.io.tiles import TileCache
from brainlm_engine.io.voxels import MemoryReader, PlainReader, VoxelReader

#: a scan up to this many bytes is simply held in memory once it is needed
SMALL_BYTES = 48_000_000

Slices = tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.float32]]


class VolumeScan:
    """One 4D scan.

    Nothing but the header and the first volume is read on opening. Before the cache of :func:`build_cache` is ready,
    an uncompressed file answers everything at once; a gzipped one answers frames near its beginning (and whatever the
    running cache builder has reached), and raises ``StillLoading`` for the rest.

    Parameters
    ----------
    header : what the file says of itself
    reader : gives its voxels
    """

    def __init__(self, header: Header4D, reader: VoxelReader) -> None:
        self.header = header
        self.layout = header.layout
        self.canonical = Canonical.of(header.shape4[:3], header.affine)
        self._small = self.layout.frame_bytes * self.layout.n_frames <= SMALL_BYTES
        self._reader: VoxelReader = MemoryReader(reader) if self._small else reader
        self._direct = self._small or isinstance(reader, PlainReader)
        self._tiles: TileCache | None = None
        self._first: NDArray[np.float32] | None = None
        self._range: tuple[float, float] | None = None

    @property
    def shape4(self) -> tuple[int, int, int, int]:
        """Voxels along x, y, z in RAS+ order, and frames."""
        return (*self.canonical.shape, self.layout.n_frames)

    @property
    def n_frames(self) -> int:
        """Number of frames."""
        return self.layout.n_frames

    @property
    def affine(self) -> NDArray[np.float64]:
        """(4, 4) voxel to mm for the RAS+ axis order."""
        return self.canonical.affine

    @property
    def tr_s(self) -> float | None:
        """Seconds per frame, None when unknown."""
        return self.header.repetition.tr_s

    @property
    def name(self) -> str:
        """The file's name, fit for one line."""
        return shown(self.header.path)

    @property
    def cached(self) -> bool:
        """True when any frame and any voxel's time course come at once."""
        return self._direct or self._ready() is not None

    @property
    def loaded_frames(self) -> int:
        """Frames that can be had at once, counted from the first one."""
        if self._direct or self._ready() is not None:
            return self.n_frames
        return max(1, partial_tiles(self.layout).n_ready)

    @property
    def info(self) -> ScanInfo:
        """What is known of the scan without computing."""
        if self._range is None:
            self._range = _value_range(self.volume(0))
        affine = self.affine
        zooms = np.sqrt((affine[:3, :3] ** 2).sum(0))
        notes = self.header.notes + self.header.repetition.notes
        if self.n_frames < 20:
            notes += (f"Only {self.n_frames} volumes: too few for most analyses.",)
        if self._first is not None and not np.isfinite(self._first).all():
            share = 100 * float((~np.isfinite(self._first)).mean())
            notes += (f"{share:.2g} % of the voxels hold no number (NaN or infinite) and are treated as missing.",)
        return ScanInfo(
            scan_id=self.layout.stamp, path=full_path(self.header.path), name=self.name, kind="volume",
            format=self.header.format, n_frames=self.n_frames, tr_s=self.tr_s,
            tr_source=self.header.repetition.source, shape=self.shape4,
            zooms_mm=(float(zooms[0]), float(zooms[1]), float(zooms[2])),
            affine=tuple(tuple(float(v) for v in row) for row in affine),
            dtype=str(self.layout.dtype.newbyteorder("=")), value_range=self._range,
            questions=self.header.questions + self.header.repetition.questions, notes=notes,
            simulated=self.header.simulated, cached=self.cached,
        )  # fmt: skip

    def volume(self, frame: int) -> NDArray[np.float32]:
        """Return one frame ``(x, y, z)`` float32 in RAS+ order."""
        if frame == 0 and self._first is not None:
            return self._first
        volume = self._scaled(self.canonical.view(self._raw_frame(frame)))
        if frame == 0:
            self._first = volume
        return volume

    def slices(self, frame: int, ijk: tuple[int, int, int]) -> Slices:
        """Return the sagittal ``(y, z)``, coronal ``(x, z)`` and axial ``(x, y)`` slices through voxel ``ijk``."""
        i, j, k = self._inside(ijk)
        view = self.canonical.view(self._raw_frame(frame))
        return self._scaled(view[i]), self._scaled(view[:, j]), self._scaled(view[:, :, k])

    def series(self, ijk: tuple[int, int, int]) -> NDArray[np.float32]:
        """Return one voxel over time ``(frames,)``; NaN from ``loaded_frames`` on while a gzipped scan is loading."""
        index = self.canonical.index(self._inside(ijk))
        if self._direct:
            return self._scaled(self._reader.voxel(index))
        if (tiles := self._ready()) is not None:
            return self._scaled(tiles.voxel(index))
        partial = partial_tiles(self.layout)
        if not partial.n_ready:
            return self._scaled(self._reader.voxel(index))
        out = np.full(self.n_frames, np.nan, np.float32)
        out[: partial.n_ready] = self._scaled(partial.voxel(index)[: partial.n_ready])
        return out

    def frames(self, chunk: int = 8) -> Iterator[tuple[int, NDArray[np.float32]]]:
        """Yield ``(first frame, slab (n, x, y, z) float32)`` from front to back, ``chunk`` frames at a time."""
        slab: list[NDArray[np.float32]] = []
        start = 0
        for raw in self.raw_frames():
            slab.append(self._scaled(self.canonical.view(raw)))
            if len(slab) == chunk:
                yield start, np.stack(slab)
                start, slab = start + len(slab), []
        if slab:
            yield start, np.stack(slab)

    def raw_frames(self) -> Iterator[NDArray[Any]]:
        """Yield every frame ``(voxels,)`` as stored, in the file's order; valid until the next one is asked for."""
        if not self._direct and (tiles := self._ready()) is not None:
            return tiles.stream()
        return self._reader.stream()

    def _raw_frame(self, frame: int) -> NDArray[Any]:
        if not 0 <= frame < self.n_frames:
            raise BadInput(f"{self.name} has volumes 1 to {self.n_frames}; {frame + 1} was asked for.")
        if not self._direct:
            if (tiles := self._ready()) is not None:
                return tiles.frame(frame)
            if frame < (partial := partial_tiles(self.layout)).n_ready:
                return partial.frame(frame)
        return self._reader.frame(frame)

    def _ready(self) -> TileCache | None:
        if self._tiles is None:
            self._tiles = ready_tiles(self.layout)
        return self._tiles

    def _inside(self, ijk: tuple[int, int, int]) -> tuple[int, int, int]:
        if not all(0 <= value < size for value, size in zip(ijk, self.canonical.shape, strict=True)):
            raise BadInput(f"Voxel {tuple(ijk)} lies outside {self.name} {self.canonical.shape}.")
        return int(ijk[0]), int(ijk[1]), int(ijk[2])

    def _scaled(self, values: NDArray[Any]) -> NDArray[np.float32]:
        with np.errstate(over="ignore", invalid="ignore"):  # absurd values become infinite: missing, like NaN
            if self.layout.slope == 1.0 and self.layout.inter == 0.0:
                return np.array(values, np.float32, order="C")  # a copy: the source stays untouched
            return np.array(values * np.float64(self.layout.slope) + self.layout.inter, np.float32, order="C")


def _value_range(volume: NDArray[np.float32]) -> tuple[float, float]:
    """Return a display window: from the 1st to the 99.5th percentile of what is not empty."""
    values = volume[
        :: max(1, volume.shape[0] // 48), :: max(1, volume.shape[1] // 48), :: max(1, volume.shape[2] // 48)
    ]
    values = values[np.isfinite(values) & (values != 0)]
    if values.size < 2:
        return 0.0, 1.0
    low, high = np.percentile(values, [1, 99.5])
    low = min(float(low), 0.0) if low > 0 and low < 0.2 * high else float(low)
    return (low, float(high)) if high > low else (low - 0.5, low + 0.5)
