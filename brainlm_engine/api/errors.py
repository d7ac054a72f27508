"""Every failure a person can meet: one plain sentence, a next step, details for the curious."""

from __future__ import annotations

import errno

from brainlm_engine.api.messages import ErrorInfo

#: how a system says that there is no room for a file: on the disk, in the user's quota, or for one file of that size
FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


class EngineError(Exception):
    """Something failed and a person should be told.

    Parameters
    ----------
    message
        One plain sentence that names the file or thing and the cause.
    next_step
        One plain sentence: what to do now.
    details
        Text for the Details fold-out (a traceback, a log excerpt).
    """

    code = "failed"
    exit_code = 1

    def __init__(self, message: str, next_step: str = "", details: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.next_step = next_step
        self.details = details

    def __str__(self) -> str:
        return f"{self.message} {self.next_step}".strip()

    def __reduce__(self) -> tuple[type[EngineError], tuple[str, str, str]]:
        return (type(self), (self.message, self.next_step, self.details))

    def info(self) -> ErrorInfo:
        """Return the error as a message that can cross the wire."""
        return ErrorInfo(code=self.code, message=self.message, next_step=self.next_step, details=self.details)


class BadInput(EngineError):
    """The file or the setting cannot be used."""

    code = "bad_input"
    exit_code = 2


class StillLoading(BadInput):
    """A part of a compressed scan has not been inflated yet; ask again when its cache is ready."""

    code = "still_loading"


class ScanNotOpen(BadInput):
    """The engine does not hold the scan any more (it was restarted): open it again."""

    code = "scan_not_open"


class Cancelled(EngineError):
    """The person asked to stop."""

    code = "cancelled"


class EngineLost(EngineError):
    """The engine process is gone or does not answer."""

    code = "engine_lost"


class OutOfSpace(EngineError):
    """The disk is full."""

    code = "out_of_space"


class OutOfMemory(EngineError):
    """The work needs more memory than there is."""

    code = "out_of_memory"


class NotANumber(EngineError):
    """The loss, the gradient or the weights of a training are no longer numbers; those in memory must not be kept."""

    code = "not_a_number"


_KINDS = (
    EngineError, BadInput, StillLoading, ScanNotOpen, Cancelled, EngineLost, OutOfSpace, OutOfMemory, NotANumber,
)  # fmt: skip
_BY_CODE: dict[str, type[EngineError]] = {kind.code: kind for kind in _KINDS}


def from_info(info: ErrorInfo) -> EngineError:
    """Turn a received :class:`ErrorInfo` back into the exception it was."""
    return _BY_CODE.get(info.code, EngineError)(info.message, info.next_step, info.details)
