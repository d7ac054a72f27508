"""Frames of a 4D file in the file's own order and data type: by position when it is plain, as a stream when gzipped."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from brainlm_engine.api.errors import BadInput, StillLoading
from brainlm_engine.files import fingerprint
from brainlm_engine.io.faults import reading, shown
from brainlm_engine.io.inflate import Inflater

#: a gzipped frame this many frames ahead is inflated on request (about 0.3 s); farther ones are "still loading"
REACH = 80


@dataclass(frozen=True)
class VoxelLayout:
    """Where the voxels lie.

    Attributes
    ----------
    path : the file that holds the voxels (the .img of a pair)
    offset : bytes before the first voxel
    dtype : as stored, byte order included
    n_voxels : per frame
    n_frames : frames
    slope, inter : value = stored * slope + inter
    gzipped : True when the bytes are compressed
    stamp : fingerprint of the file when it was opened
    """

    path: Path
    offset: int
    dtype: np.dtype[Any]
    n_voxels: int
    n_frames: int
    slope: float
    inter: float
    gzipped: bool
    stamp: str

    @property
    def frame_bytes(self) -> int:
        """Bytes of one frame as stored."""
        return self.n_voxels * self.dtype.itemsize

    def check_unchanged(self) -> None:
        """Refuse to mix an old header with new voxels."""
        with reading(self.path):
            now = fingerprint(self.path)
        if now != self.stamp:
            raise BadInput(f"{shown(self.path)} has changed since it was opened.", "Open it again.")

    def where(self, frame: int) -> str:
        """Complete the sentence of a fault in ``frame``."""
        return f" in volume {frame + 1} of {self.n_frames}"


class VoxelReader(Protocol):
    """Gives frames ``(voxels,)`` as stored, in file order."""

    def frame(self, index: int) -> NDArray[Any]:
        """Return one frame; raise StillLoading when that would take long."""

    def voxel(self, index: int) -> NDArray[Any]:
        """Return one voxel over time ``(frames,)``; raise StillLoading when that would take long."""

    def stream(self) -> Iterator[NDArray[Any]]:
        """Yield every frame in order; an array is only valid until the next one is asked for."""


class PlainReader:
    """An uncompressed file: any frame or voxel by position."""

    def __init__(self, layout: VoxelLayout) -> None:
        self._layout = layout

    @contextmanager
    def _opened(self) -> Iterator[Any]:
        self._layout.check_unchanged()
        with reading(self._layout.path), self._layout.path.open("rb", buffering=0) as file:
            yield file

    def _read(self, file: Any, position: int, target: memoryview, frame: int) -> None:
        file.seek(position)
        done = 0
        while done < len(target):
            got = file.readinto(target[done:])
            if not got:
                raise BadInput(
                    f"{shown(self._layout.path)} is cut off{self._layout.where(frame)}.",
                    "The copy was interrupted; copy it again from its source.",
                )
            done += got

    def frame(self, index: int) -> NDArray[Any]:
        """Return one frame."""
        layout = self._layout
        out = np.empty(layout.n_voxels, layout.dtype)
        with self._opened() as file:
            self._read(file, layout.offset + index * layout.frame_bytes, out.data.cast("B"), index)
        return out

    def voxel(self, index: int) -> NDArray[Any]:
        """Return one voxel over time: a small read per frame."""
        layout = self._layout
        out = np.empty(layout.n_frames, layout.dtype)
        view, size = out.data.cast("B"), layout.dtype.itemsize
        start = layout.offset + index * size
        with self._opened() as file:
            for t in range(layout.n_frames):
                self._read(file, start + t * layout.frame_bytes, view[t * size : (t + 1) * size], t)
        return out

    def stream(self) -> Iterator[NDArray[Any]]:
        """Yield every frame; one buffer is used again and again."""
        layout = self._layout
        out = np.empty(layout.n_voxels, layout.dtype)
        view = out.data.cast("B")
        with self._opened() as file:
            for t in range(layout.n_frames):
                self._read(file, layout.offset + t * layout.frame_bytes, view, t)
                yield out


class GzipReader:
    """A gzipped file: a stream, read one frame ahead by a thread; single frames by going forward from the last one."""

    def __init__(self, layout: VoxelLayout) -> None:
        self._layout = layout
        self._lock = threading.Lock()
        self._inflater: Inflater | None = None
        self._next = 0
        self._last: tuple[int, NDArray[Any]] | None = None

    def _rewound(self) -> Inflater:
        if self._inflater is not None:
            self._inflater.close()
        self._layout.check_unchanged()
        self._inflater = Inflater(self._layout.path)
        self._inflater.skip(self._layout.offset)
        self._next = 0
        return self._inflater

    def frame(self, index: int) -> NDArray[Any]:
        """Return one frame when it is within ``REACH`` frames of inflating."""
        layout = self._layout
        with self._lock:
            if self._last is not None and self._last[0] == index:
                return self._last[1]
            behind = self._inflater is None or index < self._next
            if (index + 1 if behind else index + 1 - self._next) > REACH:
                raise StillLoading(
                    f"Volume {index + 1} of {shown(layout.path)} is still loading.",
                    "It can be shown as soon as the scan has been read once.",
                )
            inflater = self._inflater if self._inflater is not None and not behind else self._rewound()
            try:
                inflater.skip((index - self._next) * layout.frame_bytes, layout.where(index))
                out = np.empty(layout.n_voxels, layout.dtype)
                inflater.fill(out.data.cast("B"), layout.where(index))
            except BaseException:
                inflater.close()
                self._inflater = None
                raise
            self._next, self._last = index + 1, (index, out)
            return out

    def voxel(self, index: int) -> NDArray[Any]:
        """Refuse: one voxel over time needs the whole stream."""
        raise StillLoading(
            f"{shown(self._layout.path)} is still loading.",
            "Time courses can be shown as soon as the scan has been read once.",
        )

    def stream(self) -> Iterator[NDArray[Any]]:
        """Yield every frame and verify the checksum at the end; inflating runs in a thread beside the caller's work."""
        layout = self._layout
        layout.check_unchanged()

        def fill(give: Callable[[], NDArray[Any] | None], take: Callable[[NDArray[Any]], None]) -> None:
            with Inflater(layout.path) as inflater:
                inflater.skip(layout.offset)
                for t in range(layout.n_frames):
                    buffer = give()
                    if buffer is None:
                        return
                    inflater.fill(buffer.data.cast("B"), layout.where(t))
                    take(buffer)
                inflater.finish()

        yield from read_ahead(fill, layout)


def read_ahead(
    fill: Callable[[Callable[[], NDArray[Any] | None], Callable[[NDArray[Any]], None]], None], layout: VoxelLayout
) -> Iterator[NDArray[Any]]:
    """Run ``fill`` in a thread with three buffers going round; yield each filled one, raise what the thread raised."""
    free: queue.Queue[NDArray[Any] | None] = queue.Queue()
    full: queue.Queue[NDArray[Any] | BaseException | None] = queue.Queue()
    for _ in range(3):
        free.put(np.empty(layout.n_voxels, layout.dtype))

    def work() -> None:
        try:
            fill(free.get, full.put)
            full.put(None)
        except BaseException as error:
            full.put(error)

    thread = threading.Thread(target=work, name="inflate", daemon=True)
    thread.start()
    try:
        while (item := full.get()) is not None:
            if isinstance(item, BaseException):
                raise item
            yield item
            free.put(item)
    finally:
        free.put(None)
        thread.join()


class ProxyReader:
    """A format read through nibabel (AFNI, MGH, PAR/REC, MINC): one frame at a time, already scaled."""

    def __init__(self, layout: VoxelLayout, frame_of: Callable[[int], NDArray[Any]]) -> None:
        self._layout = layout
        self._frame_of = frame_of

    def frame(self, index: int) -> NDArray[Any]:
        """Return one frame."""
        self._layout.check_unchanged()
        try:
            with reading(self._layout.path):
                frame = self._frame_of(index)
        except (ValueError, EOFError, TypeError) as error:
            raise BadInput(
                f"{shown(self._layout.path)} is damaged or cut off{self._layout.where(index)}.",
                "Copy it again from its source.",
                str(error),
            ) from error
        return np.asarray(frame, np.float32).ravel(order="F")

    def voxel(self, index: int) -> NDArray[Any]:
        """Return one voxel over time, reading every frame."""
        return np.array([frame[index] for frame in self.stream()], np.float32)

    def stream(self) -> Iterator[NDArray[Any]]:
        """Yield every frame."""
        for index in range(self._layout.n_frames):
            yield self.frame(index)


class MemoryReader:
    """A small scan, held whole once it has been read once: ``(frames, voxels)``."""

    def __init__(self, source: VoxelReader) -> None:
        self._source = source
        self._frames: NDArray[Any] | None = None

    def _held(self) -> NDArray[Any]:
        if self._frames is None:
            self._frames = np.stack([frame.copy() for frame in self._source.stream()])
        return self._frames

    def frame(self, index: int) -> NDArray[Any]:
        """Return one frame."""
        frame: NDArray[Any] = self._held()[index]
        return frame

    def voxel(self, index: int) -> NDArray[Any]:
        """Return one voxel over time."""
        return self._held()[:, index]

    def stream(self) -> Iterator[NDArray[Any]]:
        """Yield every frame."""
        yield from self._held()
