"""Files that are whole or not there at all."""

from __future__ import annotations

import errno
import hashlib
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from brainlm_engine.api.errors import OutOfSpace


@contextmanager
def written_whole(target: Path) -> Iterator[Path]:
    """Give a temporary path beside ``target``; on success it becomes ``target``, on any failure it is removed.

    Raises
    ------
    OutOfSpace
        When the disk is full; ``target`` keeps what it had before.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(prefix=f".{target.name}.", suffix=target.suffix, dir=target.parent)
    os.close(handle)
    temporary = Path(name)
    _usual_mode(temporary, target)
    try:
        yield temporary
        with temporary.open("rb") as file:
            os.fsync(file.fileno())
        temporary.replace(target)
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise OutOfSpace(
                f"The disk is full: {target.name} could not be written to {target.parent}.",
                "Free some space and try again; nothing was left half-written.",
            ) from error
        raise
    finally:
        temporary.unlink(missing_ok=True)


def _usual_mode(temporary: Path, target: Path) -> None:
    """Give a temporary file (made for its owner alone) the mode that the finished file should have."""
    if target.exists():
        temporary.chmod(target.stat().st_mode & 0o777)
        return
    umask = os.umask(0)
    os.umask(umask)
    temporary.chmod(0o666 & ~umask)


def fingerprint(path: Path) -> str:
    """Return a short stable name for this file's present content: path, size and modification time."""
    stat = path.stat()
    text = f"{path.resolve()}|{stat.st_size}|{stat.st_mtime_ns}"
    return hashlib.sha256(text.encode("utf-8", "surrogateescape")).hexdigest()[:16]
