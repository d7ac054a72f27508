"""Reading gzip as a stream at memory speed (ISA-L), with faults told as sentences."""

from __future__ import annotations

import struct
import weakref
from collections.abc import Iterator
from contextlib import contextmanager
from gzip import BadGzipFile
from pathlib import Path
from types import TracebackType
from typing import Any

from isal import igzip, igzip_lib

from brainlm_engine.api.errors import BadInput
from brainlm_engine.io.faults import reading, shown

_DeflateError: Any = igzip_lib.IsalError
#: deflate cannot shrink data by more than this
MAX_RATIO = 1032


@contextmanager
def _gzip_faults(path: Path, where: str) -> Iterator[None]:
    try:
        yield
    except EOFError as error:
        raise BadInput(
            f"{shown(path)} is cut off: the compressed data end early{where}.",
            "The copy or download was interrupted; copy it again from its source.",
            str(error),
        ) from error
    except (BadGzipFile, _DeflateError) as error:
        raise BadInput(
            f"{shown(path)} is damaged: its compressed data fail their checksum{where}.",
            "Copy it again from its source.",
            str(error),
        ) from error


class Inflater:
    """A gzipped file read from front to back.

    Parameters
    ----------
    path : the gzipped file
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        with reading(path):
            self._file = path.open("rb")
        self._stream: Any = igzip.IGzipFile(fileobj=self._file, mode="rb")
        weakref.finalize(self, self._file.close)

    def __enter__(self) -> Inflater:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the file."""
        self._stream.close()
        self._file.close()

    def fill(self, target: memoryview, where: str = "") -> None:
        """Read exactly ``len(target)`` bytes; ``where`` completes the sentence of a fault, e.g. ' in volume 3 of 5'."""
        done = 0
        with reading(self._path), _gzip_faults(self._path, where):
            while done < len(target):
                got = self._stream.readinto(target[done:])
                if not got:
                    raise EOFError("stream ended")
                done += got

    def skip(self, n_bytes: int, where: str = "") -> None:
        """Read and forget ``n_bytes``."""
        scratch = memoryview(bytearray(min(n_bytes, 1 << 20)))
        while n_bytes > 0:
            part = min(n_bytes, len(scratch))
            self.fill(scratch[:part], where)
            n_bytes -= part

    def some(self, n_bytes: int) -> bytes:
        """Return the next ``n_bytes``, or fewer at the end."""
        out = bytearray()
        with reading(self._path), _gzip_faults(self._path, ""):
            while len(out) < n_bytes and (part := self._stream.read(n_bytes - len(out))):
                out += part
        return bytes(out)

    def rest(self, limit: int) -> bytes:
        """Return all that follows, up to ``limit`` bytes, and verify the checksum.

        Raises
        ------
        BadInput
            When there is more than that.
        """
        out = bytearray()
        with reading(self._path), _gzip_faults(self._path, ""):
            while part := self._stream.read(1 << 20):
                out += part
                if len(out) > limit:
                    raise BadInput(f"{shown(self._path)} is too large for a table.", "Save it as .npy or .h5.")
        return bytes(out)

    def finish(self) -> None:
        """Read to the end, so that the checksum is verified."""
        with reading(self._path), _gzip_faults(self._path, ""):
            while self._stream.read(1 << 20):
                pass


def first_bytes(path: Path, n_bytes: int) -> bytes:
    """Return up to ``n_bytes`` from the start of a gzipped file."""
    with Inflater(path) as stream:
        return stream.some(n_bytes)


def plausible_end(path: Path, inflated: int) -> bool:
    """Return False when a gzip file's last four bytes do not give its ``inflated`` size: then it is probably cut off.

    Files of several blocks (bgzip) end otherwise and are trusted here; damage shows when they are read.
    """
    with reading(path), path.open("rb") as file:
        head = file.read(14)
        file.seek(-4, 2)
        claimed = int(struct.unpack("<I", file.read(4))[0])
    blocked = len(head) == 14 and bool(head[3] & 4) and head[12:14] == b"BC"
    return blocked or claimed == inflated % 2**32
