"""What can go wrong while a file is read, said in plain sentences."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from brainlm_engine.api.errors import FULL, BadInput, OutOfMemory, OutOfSpace


def shown(path: Path) -> str:
    """Return a file's name fit for one line of text: line breaks and undecodable bytes become visible marks."""
    return one_line(path.name or str(path))


def one_line(text: str) -> str:
    """Return a text that stays on its line."""
    return "".join(c if c.isprintable() else "␤" if c in "\r\n" else "�" for c in text)


def full_path(path: Path) -> str:
    """Return a whole path as text that can cross the wire: bytes that are no text become marks."""
    return str(path).encode("utf-8", "surrogateescape").decode("utf-8", "replace")


@contextmanager
def reading(path: Path) -> Iterator[None]:
    """Turn the operating system's refusals inside the block into sentences about ``path``."""
    try:
        yield
    except FileNotFoundError as error:
        raise BadInput(
            f"{shown(path)} is not there (any more).",
            "Check that its disk or network folder is connected, then open it again.",
            str(error),
        ) from error
    except PermissionError as error:
        raise BadInput(
            f"{shown(path)} may not be read by your user account.",
            "Ask its owner for read permission, or copy it to a folder of yours.",
            str(error),
        ) from error
    except IsADirectoryError as error:
        raise BadInput(
            f"{shown(path)} is a folder, not a scan.", "Open one of the files inside it.", str(error)
        ) from error
    except MemoryError as error:
        raise OutOfMemory(
            f"There is not enough memory to read {shown(path)}.", "Close other programs and try again.", str(error)
        ) from error
    except OSError as error:
        cause = error.strerror or "it is damaged or cut off"  # a library's own words are for the details
        raise BadInput(
            f"{shown(path)} could not be read: {cause}.",
            "Check the disk it lies on, or copy the file again from its source.",
            str(error),
        ) from error


@contextmanager
def writing(target: Path) -> Iterator[None]:
    """Turn a full disk inside the block into a sentence about ``target``."""
    try:
        yield
    except OSError as error:
        if error.errno in FULL:
            raise OutOfSpace(
                f"The disk is full: {shown(target)} could not be written to {target.parent}.",
                "Free some space and try again; nothing was left half-written.",
                str(error),
            ) from error
        raise


def human_size(n_bytes: float) -> str:
    """Return a size in the unit a person would use, e.g. '10.0 TB'."""
    for unit in ("bytes", "KB", "MB", "GB", "TB"):
        if abs(n_bytes) < 1000:
            return f"{n_bytes:.0f} {unit}" if unit == "bytes" else f"{n_bytes:.1f} {unit}"
        n_bytes /= 1000
    return "more than 1000 TB"


def kind_of_values(dtype: np.dtype[Any]) -> str:
    """Return what an array holds that is not plain numbers, in a person's words."""
    if dtype.names:
        return "records of several values each"
    kinds = {"c": "complex numbers", "U": "text", "S": "text", "O": "Python objects", "M": "dates", "m": "time spans"}
    return kinds.get(dtype.kind, "values of an unusual kind")
