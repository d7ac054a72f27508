"""Where models answer: on a graphics processor where there is one, else on the processor."""

from __future__ import annotations

import os
from functools import cache

import torch

from brainlm_engine.api.errors import BadInput

#: ``cpu`` or ``cuda``, for a person who wants to choose; unset = a graphics processor that works, else the processor
VARIABLE = "BRAINLM_DEVICE"


def answering_device() -> torch.device:
    """Return the device models are loaded to when they are to answer.

    Products of matrices keep the whole of single precision there, so that answers are those of the processor. Apple's
    graphics processors are used for training only: some of what an answer takes is missing there.

    Raises
    ------
    BadInput
        When the device a person chose does not work here.
    """
    chosen = os.environ.get(VARIABLE, "")
    if chosen and not _works(chosen):
        raise BadInput(f"{VARIABLE} is “{chosen}”, which does not work here.", "Set it to cpu or cuda, or unset it.")
    chosen = chosen or ("cuda" if torch.cuda.is_available() and _works("cuda") else "cpu")
    if chosen.startswith("cuda"):
        torch.backends.cuda.matmul.allow_tf32 = False
        torch.backends.cudnn.allow_tf32 = False
    return torch.device(chosen)


@cache
def _works(name: str) -> bool:
    """Return True when a sum comes out right there: an old card may be seen, and have no kernels."""
    try:
        return float(torch.ones(3, device=name).sum()) == 3.0
    except (RuntimeError, AssertionError, NotImplementedError):
        return False
