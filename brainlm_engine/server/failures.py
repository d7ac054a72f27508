"""Every exception becomes one plain sentence with a next step; the traceback goes to the details."""

from __future__ import annotations

import traceback

from brainlm_engine.api.errors import FULL, BadInput, EngineError, OutOfMemory, OutOfSpace

#: how torch says that memory was not enough, on a graphics card and on the processor
_MEMORY_WORDS = ("out of memory", "can't allocate memory")


def as_engine_error(error: BaseException, doing: str) -> EngineError:
    """Return ``error`` as the person should read it.

    Parameters
    ----------
    error
        Anything that was raised.
    doing
        What was being done, as it reads after 'while': 'opening sub-01.nii.gz'.
    """
    details = "".join(traceback.format_exception(error))
    if isinstance(error, EngineError):
        if not error.details and error.__cause__ is not None:
            error.details = details
        return error
    if isinstance(error, MemoryError) or any(words in str(error).lower() for words in _MEMORY_WORDS):
        return OutOfMemory(
            f"The computer's memory was not enough while {doing}.",
            "Close other programs, or use a smaller file or a shorter window.",
            details,
        )
    if isinstance(error, OSError):
        return _from_os(error, doing, details)
    return EngineError(
        f"Something unexpected went wrong while {doing}: {_short(error)}.",
        "Try again; if it happens again, send the details with a bug report.",
        details,
    )


def _from_os(error: OSError, doing: str, details: str) -> EngineError:
    name = f"'{error.filename}'" if error.filename else "a file"
    if error.errno in FULL:
        return OutOfSpace(f"The disk is full: {name} could not be written.", "Free some space and try again.", details)
    if isinstance(error, FileNotFoundError):
        return BadInput(f"There is no file {name}.", "Choose another file; it may have been moved.", details)
    if isinstance(error, PermissionError):
        return BadInput(f"You are not allowed to use {name}.", "Ask its owner for permission.", details)
    return EngineError(
        f"The system reported a problem while {doing}: {_short(error)}.", "Check the disk and try again.", details
    )


def _short(error: BaseException) -> str:
    text = " ".join(str(error).split())
    text = text[:200] + "…" if len(text) > 200 else text
    return f"{type(error).__name__}: {text}" if text else type(error).__name__
