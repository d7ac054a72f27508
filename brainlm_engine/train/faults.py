"""What can go wrong in a step and is foreseen: numbers that are none, and too little memory."""

from __future__ import annotations

import gc

import torch

from brainlm_engine.api.errors import EngineError, NotANumber, OutOfMemory
from brainlm_engine.train.windows import Batch

#: the last is how oneDNN, torch's library for processors, says it
_MEMORY_WORDS = ("out of memory", "can't allocate memory", "not enough memory", "could not create a primitive")
_MOST_NAMES = 20
#: a learning rate above it is a slip, and so would be half of it
_LARGE_RATE = 0.1
_LOOK = "If it happens again with the same recordings, look at them."


class LostProcess(EngineError):
    """One of several processes that train together is gone, and the others cannot go on without it."""

    code = "process_lost"


#: how gloo and NCCL say that another process does not answer any more
_LOST_WORDS = ("connection closed by peer", "connection reset by peer", "broken pipe", "remote process exited", "gloo")


def lost_connection(error: RuntimeError) -> bool:
    """Tell whether ``error`` means that another process of the training is gone."""
    kinds = (torch.distributed.DistBackendError, torch.distributed.DistNetworkError)
    return isinstance(error, kinds) or any(words in str(error).lower() for words in _LOST_WORDS)


def not_a_number(what: str, step: int, batch: Batch | None) -> NotANumber:
    """Return the error that names the recordings of the batch."""
    if batch is None:
        return NotANumber(f"The {what} is no longer a number at step {step}.", "Train again in another folder.")
    names = sorted(set(batch.names))
    more = f" and {len(names) - _MOST_NAMES} more" if len(names) > _MOST_NAMES else ""
    return NotANumber(
        f"The {what} is no longer a number at step {step} (TR {batch.tr_s:g} s, {batch.signal.shape[1]} parcels; "
        f"recordings: {', '.join(names[:_MOST_NAMES]) or 'unnamed'}{more}): training stopped.",
        _LOOK,
    )


def advice(rate: float, *, kept: bool) -> str:
    """Say what to do after numbers that are none.

    Parameters
    ----------
    rate : the learning rate it happened with
    kept : good weights lie in the folder
    """
    where = "Go on from there" if kept else "Start it again"
    example = f"half of it: {rate / 2:g}" if rate <= _LARGE_RATE else "the default"
    return f"{where} with a smaller learning rate, for example {example}. {_LOOK}"


def ran_out_of_memory(error: BaseException) -> bool:
    """Tell whether an exception means that memory was lacking, on any kind of device."""
    if isinstance(error, MemoryError | torch.OutOfMemoryError):
        return True
    return isinstance(error, RuntimeError) and any(words in str(error).lower() for words in _MEMORY_WORDS)


def too_large(windows: int, error: BaseException) -> OutOfMemory:
    """Return the error for a step whose smallest part does not fit."""
    return OutOfMemory(
        f"There is not enough memory to train on {windows} window{'s' * (windows > 1)} at a time.",
        "Close other programs, choose a smaller model or a shorter window, or run a step in more parts.",
        str(error),
    )


def free_memory() -> None:
    """Give back what a failed step held."""
    gc.collect()
    if torch.cuda.is_available():
        torch.cuda.empty_cache()
