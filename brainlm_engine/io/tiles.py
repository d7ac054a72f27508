"""The time-last cache's file: tiles of a few frames, time fastest inside a tile.

A tile holds ``tile_frames`` frames of every voxel as ``(voxels, tile_frames)``: one voxel's frames of a tile fill one
64-byte cache line. So the file is written in one pass while the scan is inflated, a voxel over time is one small read
per tile, and a slice of any frame touches one tile. Voxels stay in the file's own order and, where it is at most
32 bits of integer or float, in its own type; scaling is applied on reading.

Layout: 4096 bytes of JSON head, then the tiles; the last one is padded with zeros.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

HEAD_BYTES = 4096
_LINE = 64


@dataclass(frozen=True)
class TileHead:
    """What the file says of itself."""

    stamp: str
    dtype: str
    n_voxels: int
    n_frames: int
    tile_frames: int
    version: int = 1

    @property
    def n_tiles(self) -> int:
        """Number of tiles."""
        return -(-self.n_frames // self.tile_frames)

    @property
    def tile_bytes(self) -> int:
        """Bytes of one tile."""
        return self.n_voxels * self.tile_frames * np.dtype(self.dtype).itemsize

    @property
    def file_bytes(self) -> int:
        """Bytes of the whole file."""
        return HEAD_BYTES + self.n_tiles * self.tile_bytes

    def to_bytes(self) -> bytes:
        """Return the padded head."""
        return json.dumps(asdict(self)).encode().ljust(HEAD_BYTES)


def head_for(stamp: str, stored: np.dtype[Any], n_voxels: int, n_frames: int) -> TileHead:
    """Choose the type and tile length for a scan stored as ``stored``."""
    small = stored.kind in "iu" and stored.itemsize <= 2
    dtype = stored.newbyteorder("=") if small else np.dtype(np.float32)
    return TileHead(stamp, dtype.str, n_voxels, n_frames, _LINE // dtype.itemsize)


class TileCache:
    """A tile file, whole or still growing.

    Parameters
    ----------
    path : the file
    head : what it should say
    n_ready : frames that are written
    """

    def __init__(self, path: Path | None, head: TileHead, n_ready: int) -> None:
        self.head = head
        self.n_ready = n_ready
        self._tiles: NDArray[Any] = np.empty((0, head.n_voxels, head.tile_frames), head.dtype)
        n_tiles = -(-n_ready // head.tile_frames)
        if path is not None and n_tiles:
            shape = (n_tiles, head.n_voxels, head.tile_frames)
            self._tiles = np.memmap(path, head.dtype, "r", HEAD_BYTES, shape)

    def frame(self, index: int) -> NDArray[Any]:
        """Return one frame ``(voxels,)``: a strided view, copied only where it is used."""
        tile, within = divmod(index, self.head.tile_frames)
        frame: NDArray[Any] = self._tiles[tile, :, within]
        return frame

    def voxel(self, index: int) -> NDArray[Any]:
        """Return one voxel over time ``(frames,)``; frames after ``n_ready`` are zero."""
        out = np.zeros(self.head.n_frames, self.head.dtype)
        out[: self.n_ready] = self._tiles[:, index].ravel()[: self.n_ready]
        return out

    def stream(self) -> Iterator[NDArray[Any]]:
        """Yield every frame in order."""
        for start in range(0, self.n_ready, self.head.tile_frames):
            tile = np.ascontiguousarray(self._tiles[start // self.head.tile_frames].T)
            yield from tile[: min(self.head.tile_frames, self.n_ready - start)]


def open_whole(path: Path, stamp: str) -> TileCache | None:
    """Open a finished cache file; None when it is absent, of another source or of the wrong size."""
    try:
        with path.open("rb") as file:
            head = TileHead(**json.loads(file.read(HEAD_BYTES)))
        if head.stamp != stamp or head.version != 1 or path.stat().st_size != head.file_bytes:
            return None
        return TileCache(path, head, head.n_frames)
    except (OSError, ValueError, TypeError):
        return None


def open_growing(path: Path, head: TileHead) -> TileCache:
    """Open the tiles written so far of a cache that is being built."""
    try:
        written = max(0, path.stat().st_size - HEAD_BYTES) // head.tile_bytes
        return TileCache(path, head, min(written * head.tile_frames, head.n_frames))
    except (OSError, ValueError):
        return TileCache(None, head, 0)
