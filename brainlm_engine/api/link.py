"""One connection to an engine, living in a thread of its own.

Dask's client never runs in the window's event loop: this thread has its own loop, imports ``distributed`` there, and
hands results over as futures. It also watches whether the engine is still there, four times a second.
"""

from __future__ import annotations

import asyncio
import concurrent.futures
import contextlib
import logging
import sys
import threading
import time
from collections.abc import Callable, Coroutine
from typing import Any

from brainlm_engine import __version__
from brainlm_engine.api.dask_client import close, connect
from brainlm_engine.api.errors import EngineError, EngineLost, from_info
from brainlm_engine.api.launch import reap_ended
from brainlm_engine.api.messages import ErrorInfo
from brainlm_engine.api.runfile import EngineFile, find_engine

LOG = logging.getLogger(__name__)
JOBS_TOPIC = "brainlm-jobs"
_WATCH_INTERVAL_S = 0.25
_SILENCE_S = 15.0  # a living process that does not answer for so long is lost
_BEAT_INTERVAL_S = 1.0
_ATTEMPTS = 3


class Link:
    """A thread that holds the connection to one engine.

    Parameters
    ----------
    find
        Returns the engine's file; called in the thread, may start an engine and block until it answers or the
        function it is given says that nobody waits any more.
    on_job
        Called in the thread with the JSON of every job record that changed.
    on_lost
        Called in the thread, once, when the engine is gone.
    look_again
        Ask ``find`` again when the engine it found is just about to stop.
    """

    def __init__(
        self,
        find: Callable[[Callable[[], bool]], EngineFile],
        on_job: Callable[[str], None],
        on_lost: Callable[[EngineLost], None],
        *,
        look_again: bool = True,
    ) -> None:
        self._look_again = look_again
        self._find, self._on_job, self._on_lost = find, on_job, on_lost
        self.ready: concurrent.futures.Future[str] = concurrent.futures.Future()
        self.closed: concurrent.futures.Future[None] = concurrent.futures.Future()
        self.lost: EngineLost | None = None
        self.file: EngineFile | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._client: Any = None
        self._desk = ""
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._run, name="brainlm-link", daemon=True)

    def start(self) -> None:
        """Connect; ``ready`` gives the engine's EngineInfo as JSON, or the error."""
        self._thread.start()

    def call_office(self, call: str, **payload: Any) -> concurrent.futures.Future[dict[str, Any]]:
        """Ask the engine's front desk."""
        return self._submit(self._office(call, payload))

    def call_desk(self, call: str, **payload: Any) -> concurrent.futures.Future[dict[str, Any]]:
        """Ask the interactive worker."""
        return self._submit(self._desk_call(call, payload))

    def close(self) -> concurrent.futures.Future[None]:
        """Close the connection; ``closed`` is done when the thread is about to end."""
        self._closing.set()
        loop = self._loop
        if loop is not None:
            with contextlib.suppress(RuntimeError):
                loop.call_soon_threadsafe(self._stop.set)
        return self.closed

    def join(self) -> None:
        """Wait until the thread has ended (after ``closed``: at once)."""
        self._thread.join(10.0)

    # ------------------------------------------------------------ in the thread

    def _run(self) -> None:
        factory = asyncio.SelectorEventLoop if sys.platform == "win32" else None
        try:
            with asyncio.Runner(loop_factory=factory) as runner:
                runner.run(self._main())
        except BaseException as error:
            if not self.ready.done():
                self.ready.set_exception(error)
            elif self.lost is None and not self._closing.is_set():
                LOG.exception("The connection to the engine failed")
                self._set_lost(EngineLost("The connection to the engine failed.", "Restart the engine.", str(error)))
        finally:
            self._loop = None
            self.closed.set_result(None)

    async def _main(self) -> None:
        self._stop, self._gone = asyncio.Event(), asyncio.get_running_loop().create_future()
        info = await self._enter()
        try:
            self._loop = asyncio.get_running_loop()
            if self.ready.set_running_or_notify_cancel():  # False: whoever connected gave up meanwhile
                self.ready.set_result(info)
                await self._watch()
        finally:
            self._loop = None
            if not self._gone.done():
                self._gone.set_result(None)
            await asyncio.sleep(0)
            await close(self._client, fast=self.lost is not None)

    async def _enter(self) -> str:
        """Find the engine and be let in; look again when it was just about to stop."""
        for attempt in range(_ATTEMPTS):
            self.file = await asyncio.to_thread(self._find, self._closing.is_set)
            _check_version(self.file)
            try:
                return await self._hello(self.file)
            except EngineLost:
                gone = self._look_again and find_engine() != self.file
                if attempt == _ATTEMPTS - 1 or self._closing.is_set() or not gone:
                    raise
        raise AssertionError("unreachable")

    async def _hello(self, file: EngineFile) -> str:
        self._client = await connect(file)
        try:
            self._client.subscribe_topic(JOBS_TOPIC, self._event)
            answer = await self._client.scheduler.brainlm_office(
                call="hello", payload={"token": file.token, "client": self._client.id}
            )
            return str(_checked(answer)["message"])
        except OSError as error:
            await close(self._client, fast=True)
            raise EngineLost("The engine stopped while it was asked.", "Try again.", str(error)) from error
        except BaseException:
            await close(self._client)
            raise

    def _event(self, event: tuple[float, str]) -> None:
        self._on_job(event[1])

    async def _watch(self) -> None:
        """Return when the link was closed; declare the engine lost when it is."""
        beat = asyncio.create_task(self._beat())
        try:
            while not (self._stop.is_set() or self._closing.is_set()):
                reason = self._why_lost()
                if reason:
                    self._set_lost(EngineLost(reason, "Restart the engine; its finished jobs are kept."))
                    return
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(self._stop.wait(), _WATCH_INTERVAL_S)
        finally:
            beat.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await beat

    def _why_lost(self) -> str:
        assert self.file is not None
        if self.file.local and not self.file.alive():
            reap_ended()
            return "The engine has stopped."
        if self._client.status != "running":
            return "The connection to the engine was lost."
        if time.monotonic() - self._heard > _SILENCE_S:
            return f"The engine has not answered for {_SILENCE_S:.0f} seconds."
        return ""

    async def _beat(self) -> None:
        """Hear from the engine once a second."""
        self._heard = time.monotonic()
        while True:
            await asyncio.sleep(_BEAT_INTERVAL_S)
            with contextlib.suppress(OSError, TimeoutError):
                await asyncio.wait_for(self._client.scheduler.brainlm_office(call="info", payload={}), _SILENCE_S)
                self._heard = time.monotonic()

    _heard = float("inf")

    def _set_lost(self, error: EngineLost) -> None:
        self.lost = error
        if not self._gone.done():
            self._gone.set_result(None)
        self._on_lost(error)

    def _submit(self, work: Coroutine[Any, Any, dict[str, Any]]) -> concurrent.futures.Future[dict[str, Any]]:
        loop = self._loop
        if loop is not None:
            with contextlib.suppress(RuntimeError):
                return asyncio.run_coroutine_threadsafe(self._or_lost(work), loop)
        work.close()
        refused: concurrent.futures.Future[dict[str, Any]] = concurrent.futures.Future()
        refused.set_exception(self._lost_error())
        return refused

    def _lost_error(self) -> EngineLost:
        return self.lost or EngineLost("There is no connection to the engine.", "Restart the engine.")

    async def _or_lost(self, work: Coroutine[Any, Any, dict[str, Any]]) -> dict[str, Any]:
        """Return what ``work`` returns, or raise EngineLost as soon as the engine is known to be gone."""
        task = asyncio.create_task(work)
        try:
            await asyncio.wait({task, self._gone}, return_when=asyncio.FIRST_COMPLETED)
            if task.done():
                return task.result()
            raise self._lost_error()
        finally:
            if not task.done():
                task.cancel()
                with contextlib.suppress(BaseException):
                    await task

    async def _office(self, call: str, payload: dict[str, Any]) -> dict[str, Any]:
        try:
            return _checked(await self._client.scheduler.brainlm_office(call=call, payload=payload))
        except OSError as error:
            await self._settle()
            raise EngineLost("The connection to the engine was lost.", "Restart the engine.", str(error)) from error

    async def _desk_call(self, call: str, payload: dict[str, Any]) -> dict[str, Any]:
        from distributed import rpc  # noqa: F401  (imported by now; the error types below come with it)
        from distributed.comm import CommClosedError

        for attempt in (1, 2):
            if not self._desk:
                self._desk = (await self._office("desk", {}))["address"]
            try:
                return _checked(await self._client.rpc(self._desk).brainlm_desk(call=call, payload=payload))
            except OSError as error:
                self._desk = ""
                in_flight = isinstance(error, CommClosedError)
                await self._settle()
                if in_flight or attempt == 2:
                    raise EngineError(
                        f"The engine's interactive worker was killed while it answered '{call}'.",
                        "It starts again by itself; the computer may have run out of memory. Try again.",
                        str(error),
                    ) from error
        raise AssertionError("unreachable")

    async def _settle(self) -> None:
        """Give the watch the time to find out that the whole engine is gone, which is the better answer."""
        await asyncio.sleep(2 * _WATCH_INTERVAL_S)


def _check_version(file: EngineFile) -> None:
    if file.version != __version__:
        raise EngineError(
            f"The engine that runs is version {file.version}, this program is version {__version__}.",
            "Stop it when its jobs are done (brainlm-engine serve --stop), then start again.",
        )


def _checked(answer: dict[str, Any]) -> dict[str, Any]:
    if "error" in answer:
        raise from_info(ErrorInfo.model_validate(answer["error"]))
    return answer
