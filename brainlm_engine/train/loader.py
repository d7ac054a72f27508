"""The windows of the coming steps, drawn while the device computes: it never waits for data.

The batch of a step depends on its number alone, so nothing changes with how many are drawn ahead, by how many threads,
or where a training was stopped. Drawing is numpy and torch on small arrays, which leave Python's lock most of the time:
threads do, and share the recordings without a copy.
"""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from types import TracebackType
from typing import Self

import torch

from brainlm_engine.train.windows import Batch

#: threads that draw for a graphics processor; beside a processor that computes itself, one
_THREADS = 4


class Loader:
    """Draws the batches of the steps from ``first`` on, in order, a few ahead. A context manager: leaving it ends it.

    Parameters
    ----------
    draw : step -> its batch, on the CPU
    device : where the batches shall lie; those for CUDA are copied beside the computation, from locked memory
    first : the first step asked for
    last : the step before which drawing ends and that is never asked for, when that is known
    """

    def __init__(
        self, draw: Callable[[int], Batch], device: torch.device, first: int = 0, last: int | None = None
    ) -> None:
        threads = min(_THREADS, os.cpu_count() or 1) if device.type == "cuda" else 1
        self._draw, self._device, self._last = draw, device, last
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="windows")
        self._waiting: deque[Future[tuple[Batch, torch.cuda.Event | None]]] = deque()
        self._next = first  # the step whose batch is given out next
        for step in range(first, first + threads + 1):
            self._order(step)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._pool.shutdown(wait=True, cancel_futures=True)

    def batch(self, step: int) -> Batch:
        """Return the batch of ``step``; steps are asked for in their order. What ``draw`` raised is raised here."""
        if step != self._next:
            raise ValueError(f"step {step} is not the next one, {self._next} is")
        batch, copied = self._waiting.popleft().result()
        self._next += 1
        self._order(step + len(self._waiting) + 1)
        if copied is not None:
            here = torch.cuda.current_stream(self._device)
            here.wait_event(copied)
            batch.used_by(here)
        return batch

    def _order(self, step: int) -> None:
        if self._last is None or step < self._last:
            self._waiting.append(self._pool.submit(self._made, step))

    def _made(self, step: int) -> tuple[Batch, torch.cuda.Event | None]:
        batch = self._draw(step)
        if self._device.type != "cuda":
            return batch, None
        try:
            with torch.cuda.device(self._device), torch.cuda.stream(torch.cuda.Stream(self._device)):  # type: ignore[no-untyped-call]
                there = batch.pinned().to(self._device, wait=False)
                copied = torch.cuda.Event()  # type: ignore[no-untyped-call]
                copied.record()
                return there, copied
        except (torch.OutOfMemoryError, RuntimeError):  # the step copies what it needs, part by part
            return batch, None
