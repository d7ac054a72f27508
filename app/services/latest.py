"""One request in flight per view: while it is on its way, only the newest wish is kept."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Generic, TypeVar

Q = TypeVar("Q")
A = TypeVar("A")


class Latest(Generic[Q, A]):
    """Ask as often as you like; answers come in order, and wishes that were overtaken are never sent.

    Parameters
    ----------
    ask : sends one question and returns its answer
    deliver : takes ``(question, answer)``; it checks whether the answer still fits
    failed : takes an exception of ``ask``
    """

    def __init__(
        self,
        ask: Callable[[Q], Awaitable[A]],
        deliver: Callable[[Q, A], None],
        failed: Callable[[Exception], None],
    ) -> None:
        self._ask, self._deliver, self._failed = ask, deliver, failed
        self._next: list[Q] = []
        self.asked: Q | None = None
        """The question that is on its way."""
        self._task: asyncio.Task[None] | None = None

    @property
    def busy(self) -> bool:
        """True while a request is on its way."""
        return self._task is not None

    def wish(self, question: Q) -> None:
        """Ask now, or as soon as the request on its way is back; an older waiting wish is dropped."""
        self._next = [question]
        if self._task is None:
            self._task = asyncio.get_running_loop().create_task(self._run())

    def forget(self) -> None:
        """Drop the waiting wish."""
        self._next = []

    async def settled(self) -> None:
        """Wait until nothing is on its way and nothing waits."""
        while self._task is not None:
            await asyncio.shield(self._task)

    async def stop(self) -> None:
        """Give up the request on its way."""
        self._next = []
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def _run(self) -> None:
        try:
            while self._next:
                question = self.asked = self._next.pop()
                try:
                    answer = await self._ask(question)
                except Exception as error:
                    self._failed(error)
                else:
                    self._deliver(question, answer)
        finally:
            self._task = self.asked = None
