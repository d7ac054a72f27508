"""The interactive worker: answers within milliseconds, from scans and models it holds warm.

Preload of the interactive worker (``dask_setup``). Clients call it over Dask's own connections (TLS) as the worker
operation ``brainlm_desk``. Heavy work runs in one thread per lane, so ``ping`` is answered while it runs, and a
crosshair does not wait for a model.
"""

from __future__ import annotations

import asyncio
import importlib
import logging
import os
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import psutil

from brainlm_engine.api.errors import EngineError
from brainlm_engine.api.messages import DeskInfo, Message, Reply
from brainlm_engine.server.failures import as_engine_error
from brainlm_engine.server.warm import Warm

LOG = logging.getLogger(__name__)
HANDLER = "brainlm_desk"


@dataclass(frozen=True)
class Operation:
    """One interactive operation: its function, the lane (thread) it runs in, and what to call it in a sentence."""

    function: str
    lane: str
    doing: str


def _operations(module: str, lane: str, **names: str) -> dict[str, Operation]:
    where = f"brainlm_engine.server.operations.{module}"
    return {name: Operation(f"{where}:{name}", lane, doing) for name, doing in names.items()}


OPERATIONS: dict[str, Operation] = {
    **_operations("engine_check", "check", echo="echoing an array", hold="waiting"),
    **_operations("scans", "open", open_scan="opening {path}"),
    **_operations("scans", "scans", slices="cutting slices", series="reading one voxel over time"),
    **_operations("atlases", "atlases", atlases="listing the atlases", atlas="loading the atlas {atlas_id}"),
    **_operations("atlases", "atlases", atlas_on_scan="putting the atlas {atlas_id} on the scan"),
    **_operations("atlases", "atlases", surfaces="loading the surfaces"),
    **_operations("recordings", "recordings", recording="loading the recording"),
    **_operations("models", "recordings", models="listing the models"),
    **_operations("reconstruct", "models", reconstruct="reconstructing with the model {model_id}"),
}


class Desk:
    """Runs operations for clients."""

    def __init__(self) -> None:
        self._warm = Warm()
        self._lanes: dict[str, ThreadPoolExecutor] = {}
        self._busy: dict[str, float] = {}

    async def ask(self, call: str, payload: dict[str, Any]) -> dict[str, Any]:
        """Answer one call: ``{"message": JSON, "arrays": {...}}`` or ``{"error": ErrorInfo}``."""
        if call == "ping":
            return {"message": self.state().model_dump_json()}
        operation = OPERATIONS.get(call)
        if operation is None:
            error = EngineError(f"The engine does not know the request '{call}'.", "Update the program.")
            return {"error": error.info().model_dump()}
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._lane(operation.lane), self._do, call, operation, payload)

    def state(self) -> DeskInfo:
        """Return what this worker is doing."""
        now = time.monotonic()
        busy = {call: now - begin for call, begin in tuple(self._busy.items())}
        return DeskInfo(pid=os.getpid(), memory_used=psutil.Process().memory_info().rss, busy=busy)

    def close(self) -> None:
        """Let go of everything."""
        for lane in self._lanes.values():
            lane.shutdown(wait=False, cancel_futures=True)
        self._warm.clear()

    def _lane(self, name: str) -> ThreadPoolExecutor:
        if name not in self._lanes:
            self._lanes[name] = ThreadPoolExecutor(1, thread_name_prefix=f"desk-{name}")
        return self._lanes[name]

    def _do(self, call: str, operation: Operation, payload: dict[str, Any]) -> dict[str, Any]:
        from distributed.protocol import to_serialize

        self._busy[call] = time.monotonic()
        try:
            module, _, name = operation.function.partition(":")
            reply = getattr(importlib.import_module(module), name)(self._warm, **payload)
            if isinstance(reply, Message):
                reply = Reply(reply)
            arrays = {key: to_serialize(array) for key, array in reply.arrays.items()}
            return {"message": reply.message.model_dump_json(), "arrays": arrays}
        except Exception as error:
            if not isinstance(error, EngineError):
                LOG.warning("The request %s failed", call, exc_info=error)
            doing = _describe(operation.doing, payload)
            return {"error": as_engine_error(error, doing).info().model_dump()}
        finally:
            self._busy.pop(call, None)


def _describe(doing: str, payload: dict[str, Any]) -> str:
    """Fill names from ``payload`` into the sentence part: 'opening {path}'."""
    try:
        return doing.format(**payload)
    except (KeyError, IndexError):
        return doing


def dask_setup(worker: Any) -> None:
    """Open the desk on a worker (called by Dask when the worker starts)."""
    logging.captureWarnings(True)
    worker.brainlm_desk = Desk()
    worker.handlers[HANDLER] = worker.brainlm_desk.ask


def dask_teardown(worker: Any) -> None:
    """Close it."""
    worker.handlers.pop(HANDLER, None)
    worker.brainlm_desk.close()
