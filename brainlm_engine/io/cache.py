"""Caches of gzipped scans: built once behind the first picture, found again by fingerprint, kept in bounds."""

from __future__ import annotations

import contextlib
import os
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from brainlm_engine.api.errors import OutOfSpace
from brainlm_engine.io.faults import human_size, shown, writing
from brainlm_engine.io.tiles import TileCache, head_for, open_growing, open_whole
from brainlm_engine.io.voxels import VoxelLayout
from brainlm_engine.paths import cache_dir
from brainlm_engine.progress import SILENT, Progress

if TYPE_CHECKING:
    from brainlm_engine.io.volume import VolumeScan

#: caches are removed, the one unused for longest first, to stay below this
LIMIT_BYTES = 20_000_000_000
#: never fill the disk to the brim
_SPARE_BYTES = 500_000_000


def _folder() -> Path:
    folder = cache_dir() / "scans"
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def _whole(layout: VoxelLayout) -> Path:
    return _folder() / f"{layout.stamp}.tiles"


def ready_tiles(layout: VoxelLayout) -> TileCache | None:
    """Return the finished cache of this very file, None when there is none (or the file has changed)."""
    path = _whole(layout)
    tiles = open_whole(path, layout.stamp)
    if tiles is not None:
        with contextlib.suppress(OSError):
            os.utime(path)  # what was used last is removed last
    return tiles


def partial_tiles(layout: VoxelLayout) -> TileCache:
    """Return what a running builder has written so far (possibly nothing)."""
    head = head_for(layout.stamp, layout.dtype, layout.n_voxels, layout.n_frames)
    growing = sorted(_folder().glob(f"{layout.stamp}.*.growing"), key=_size)
    return open_growing(growing[-1], head) if growing else TileCache(None, head, 0)


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0


def build_cache(scan: VolumeScan, progress: Progress = SILENT, limit_bytes: int = LIMIT_BYTES) -> None:
    """Write the time-last cache of ``scan``, whole or not at all. Nothing happens where none is needed.

    Raises
    ------
    OutOfSpace
        Before anything is written when the disk has no room, or when it fills up meanwhile.
    BadInput
        When the scan turns out to be damaged.
    Cancelled
        When ``progress`` says so; what was written is removed.
    """
    if scan.cached:
        progress(1.0, "Ready")
        return
    layout = scan.layout
    head = head_for(layout.stamp, layout.dtype, layout.n_voxels, layout.n_frames)
    target = _whole(layout)
    clean(limit_bytes - head.file_bytes)
    ensure_room(target.parent, head.file_bytes, shown(layout.path))
    growing = target.with_suffix(f".{os.getpid()}.growing")
    progress(0.0, "Reading the scan")
    try:
        with writing(target), growing.open("wb", buffering=0) as file:
            file.write(head.to_bytes())
            block = np.zeros((head.tile_frames, head.n_voxels), head.dtype)
            for t, frame in enumerate(scan.raw_frames()):
                within = t % head.tile_frames
                with np.errstate(over="ignore"):
                    block[within] = frame
                last = t + 1 == layout.n_frames
                if last:
                    block[within + 1 :] = 0
                if last or within + 1 == head.tile_frames:
                    file.write(np.ascontiguousarray(block.T).data.cast("B"))
                progress((t + 1) / layout.n_frames, "Reading the scan")
            os.fsync(file.fileno())
        layout.check_unchanged()
        growing.replace(target)
    finally:
        growing.unlink(missing_ok=True)


def ensure_room(folder: Path, needed: int, name: str) -> None:
    """Raise OutOfSpace when the disk of ``folder`` cannot take ``needed`` more bytes."""
    free = shutil.disk_usage(folder).free
    if free < needed + _SPARE_BYTES:
        raise OutOfSpace(
            f"Preparing {name} for quick viewing needs {human_size(needed)} of disk; {human_size(free)} are free.",
            "Free some space; until then only the first volumes can be shown.",
        )


def clean(limit_bytes: int = LIMIT_BYTES) -> int:
    """Remove caches, the longest unused first, until they take at most ``limit_bytes``; return bytes removed."""
    _remove_abandoned()
    entries = []
    for path in _folder().glob("*.tiles"):
        with contextlib.suppress(OSError):
            stat = path.stat()
            entries.append((stat.st_mtime, stat.st_size, path))
    total = sum(size for _, size, _ in entries)
    removed = 0
    for _, size, path in sorted(entries):
        if total - removed <= limit_bytes:
            break
        with contextlib.suppress(OSError):
            path.unlink()
            removed += size
    return removed


def _remove_abandoned() -> None:
    """Remove what a killed builder left behind."""
    import psutil

    for path in _folder().glob("*.growing"):
        owner = path.suffixes[-2].lstrip(".")
        if not owner.isdigit() or not psutil.pid_exists(int(owner)):
            path.unlink(missing_ok=True)
