"""Files that are whole or not there at all, and the sentences for what a disk can refuse."""

from __future__ import annotations

import errno
import hashlib
import os
import shutil
import stat
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from brainlm_engine.api.errors import FULL, BadInput, EngineError, OutOfSpace

#: what libraries that do not raise OSError say of a full disk (safetensors on Linux/macOS and Windows, numpy.tofile)
_FULL_WORDS = ("No space left", "os error 28)", "os error 112)", "os error 27)", "os error 122)", "requested and")


@contextmanager
def written_whole(target: Path) -> Iterator[Path]:
    """Give a temporary path beside ``target``; on success it becomes ``target``, on any failure it is removed.

    A symbolic link is followed: the file it points to is replaced, the link stays.

    Raises
    ------
    BadInput
        When ``target`` is a folder, a device or a pipe, or its folder cannot be written to.
    OutOfSpace
        When the disk is full; ``target`` keeps what it had before.
    """
    with writing_to(target):
        target = _destination(target)
        target.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(prefix=f".{target.name[:60]}.", suffix=target.suffix, dir=target.parent)
        os.close(handle)
    temporary = Path(name)
    try:
        with writing_to(target):
            _usual_mode(temporary, target)
        try:
            yield temporary
        except EngineError:
            raise
        except Exception as error:
            if _means_full(error):
                raise _full(target, error) from error
            raise
        with writing_to(target):
            with temporary.open("rb") as file:
                os.fsync(file.fileno())
            temporary.replace(target)
    finally:
        temporary.unlink(missing_ok=True)


@contextmanager
def folder_whole(target: Path, beside: Path | None = None) -> Iterator[Path]:
    """Give a new temporary folder; on success it becomes ``target``, on any failure it is removed with what it holds.

    Parameters
    ----------
    target : not there yet, or an empty folder
    beside : where the temporary folder lies, on the disk of ``target``; by default the folder that will hold ``target``

    Raises
    ------
    BadInput
        When ``target`` holds something already, or its place cannot be written to.
    OutOfSpace
        When the disk is full; then there is no ``target``.
    """
    with writing_to(target):
        if target.exists() and (not target.is_dir() or any(target.iterdir())):
            raise BadInput(f"{target.name} is there already, in {target.absolute().parent}.", "Choose another name.")
        target.parent.mkdir(parents=True, exist_ok=True)
        temporary = Path(tempfile.mkdtemp(prefix=f".{target.name[:60]}.", dir=beside or target.parent))
    try:
        try:
            yield temporary
        except OutOfSpace as error:  # it names a file in a folder that nobody knows
            raise _full(target, error.__cause__ if isinstance(error.__cause__, Exception) else error) from error
        with writing_to(target):
            _usual_mode(temporary, target, 0o777)
            if target.exists():  # an empty folder, which not every system replaces
                target.rmdir()
            temporary.replace(target)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


@contextmanager
def folder_if_used(target: Path) -> Iterator[None]:
    """Make the folder ``target``; where the block fails and leaves nothing in it, what was made is removed again."""
    made = [folder for folder in (target, *target.parents) if not folder.exists()]
    try:
        with writing_to(target):
            target.mkdir(parents=True, exist_ok=True)
        yield
    except BaseException:
        with suppress(OSError):  # one that holds something stays, and those above it
            for folder in made:
                folder.rmdir()
        raise


@contextmanager
def writing_to(target: Path) -> Iterator[None]:
    """Turn what the system refuses while ``target`` is written inside the block into one sentence."""
    try:
        yield
    except OSError as error:
        raise refusal(target, error) from error


def refusal(target: Path, error: OSError) -> EngineError:
    """Return the sentence for a system's refusal to write ``target``."""
    if error.errno in FULL:
        return _full(target, error)
    name, folder = target.name or str(target), target.parent
    if isinstance(error, PermissionError) or error.errno == errno.EROFS:
        return BadInput(f"{name} may not be written to {folder}.", "Choose another folder.", str(error))
    if isinstance(error, FileExistsError | NotADirectoryError):
        return BadInput(
            f"{name} cannot be written: a part of {folder} is a file, not a folder.",
            "Choose another folder.",
            str(error),
        )
    wrong = "Choose another folder." if error.errno == errno.ENOENT else "Choose another file name."
    return BadInput(f"{name} cannot be written: {error.strerror or error}.", wrong, str(error))


def check_output(output: Path, inputs: Iterable[Path | None] = ()) -> None:
    """Refuse to write over a folder, a device, or a file that the same command reads, or where nothing may be written.

    Raises
    ------
    BadInput
        One sentence that names the file.
    """
    with writing_to(output):
        folder = next(each for each in _destination(output).absolute().parents if each.exists())
        if not os.access(folder, os.W_OK):
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(output))
        refuse_same(output, inputs)


def refuse_same(output: Path, inputs: Iterable[Path | None]) -> None:
    """Refuse an output, file or folder, that is one of the inputs under whatever name."""
    for source in inputs:
        if source is None or not source.exists():
            continue
        if output.resolve() == source.resolve() or (output.exists() and output.samefile(source)):
            raise BadInput(
                f"{output.name or output} is what this command reads, so it cannot be written to as well.",
                "Give another name for the result.",
            )


def _destination(target: Path) -> Path:
    """Return where ``target`` really lies; refuse what is there and not a usual file."""
    name = target.name or str(target)
    try:
        real = target.resolve() if target.is_symlink() else target
    except RuntimeError as error:  # a link that leads to itself
        raise BadInput(f"{name} is a link that leads nowhere.", "Give another file name.", str(error)) from error
    try:
        mode = real.stat().st_mode
    except (FileNotFoundError, NotADirectoryError):
        return real
    if stat.S_ISDIR(mode):
        raise BadInput(f"{name} is a folder.", "Give a file name.")
    if not stat.S_ISREG(mode):
        raise BadInput(f"{name} is a device or a pipe, not a file.", "Give the name of a file.")
    return real


def _means_full(error: Exception) -> bool:
    if isinstance(error, OSError) and error.errno is not None:
        return error.errno in FULL
    return any(words in str(error) for words in _FULL_WORDS)


def _full(target: Path, error: Exception) -> OutOfSpace:
    if getattr(error, "errno", None) == errno.EFBIG or "os error 27)" in str(error):
        return OutOfSpace(
            f"{target.name} would be larger than a file may be in {target.parent}.",
            "Choose another disk, or raise the limit (ulimit -f); nothing was left half-written.",
            str(error),
        )
    return OutOfSpace(
        f"The disk is full: {target.name} could not be written to {target.parent}.",
        "Free some space and try again; nothing was left half-written.",
        str(error),
    )


def _usual_mode(temporary: Path, target: Path, usual: int = 0o666) -> None:
    """Give a temporary file or folder (made for its owner alone) the mode that the finished one should have."""
    if target.exists():
        temporary.chmod(target.stat().st_mode & 0o777)
        return
    umask = os.umask(0)
    os.umask(umask)
    temporary.chmod(usual & ~umask)


def fingerprint(path: Path) -> str:
    """Return a short stable name for this file's present content: path, size and modification time."""
    stat = path.stat()
    text = f"{path.resolve()}|{stat.st_size}|{stat.st_mtime_ns}"
    return hashlib.sha256(text.encode("utf-8", "surrogateescape")).hexdigest()[:16]
