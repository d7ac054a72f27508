"""Requests that check the line itself: how fast arrays travel, and that a slow request does not block the others."""

from __future__ import annotations

import time

import numpy as np

from brainlm_engine.api.messages import CheckInfo, Reply
from brainlm_engine.server.warm import Warm


def echo(warm: Warm, shape: list[int]) -> Reply[CheckInfo]:
    """Return an array of ``shape``, counted up from 0, float32."""
    array = np.arange(int(np.prod(shape)), dtype=np.float32).reshape(shape)
    return Reply(CheckInfo(seconds=0.0), {"array": array})


def hold(warm: Warm, seconds: float) -> CheckInfo:
    """Occupy a lane for ``seconds``."""
    begin = time.monotonic()
    time.sleep(seconds)
    return CheckInfo(seconds=time.monotonic() - begin)
