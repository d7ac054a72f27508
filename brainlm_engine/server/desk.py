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
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import psutil

from brainlm_engine.api.errors import EngineError
from brainlm_engine.api.messages import DeskInfo, Message, Reply
from brainlm_engine.server.failures import as_engine_error
from brainlm_engine.server.priority import ANSWERING, give_way
from brainlm_engine.server.threads import use_planned_threads
from brainlm_engine.server.warm import Warm

LOG = logging.getLogger(__name__)
HANDLER = "brainlm_desk"
_QUIET_S = 1.0
#: A request passes between threads four times; with Python's own 5 ms it would wait 20 ms beside an import or a loop.
_SWITCH_INTERVAL_S = 0.0005


@dataclass(frozen=True)
class Operation:
    """One interactive operation.

    Attributes
    ----------
    function : 'module:function'
    lane : the thread it runs in
    doing : what it is called in a sentence, after 'while'
    """

    function: str
    lane: str
    doing: str

    def run(self, *args: Any, **kwargs: Any) -> Any:
        """Import the function's module now, and call it."""
        module, _, name = self.function.partition(":")
        return getattr(importlib.import_module(module), name)(*args, **kwargs)


def _operations(module: str, lane: str, **names: str) -> dict[str, Operation]:
    where = f"brainlm_engine.server.operations.{module}"
    return {name: Operation(f"{where}:{name}", lane, doing) for name, doing in names.items()}


OPERATIONS: dict[str, Operation] = {
    **_operations("engine_check", "check", echo="echoing an array", hold="waiting"),
    **_operations("scans", "open", open_scan="opening {path}"),
    **_operations("scans", "scans", slices="cutting slices", series="reading one voxel over time"),
    **_operations("scans", "motion", motion="reading motion parameters"),
    **_operations("atlases", "atlases", atlases="listing the atlases", atlas="loading the atlas {atlas_id}"),
    **_operations("atlases", "atlases", atlas_on_scan="putting the atlas {atlas_id} on the scan"),
    **_operations("atlases", "atlases", surfaces="loading the surfaces"),
    **_operations("recordings", "recordings", recording="loading the recording"),
    **_operations("models", "recordings", models="listing the models"),
    **_operations("reconstruct", "models", reconstruct="reconstructing with the model {model_id}"),
    **_operations("forecast", "models", forecast="forecasting with the model {model_id}"),
    **_operations("forecast", "recordings", rolling_forecast="loading a rolling forecast"),
    **_operations("attention", "models", attention="reading the attention of the model {model_id}"),
    **_operations("interpretation", "models", occlusion="hiding a parcel from the model {model_id}"),
    **_operations("interpretation", "recordings", occlusion_all="loading an occlusion"),
    **_operations("interpretation", "recordings", contrast_result="loading a contrast"),
    **_operations("interpretation", "trainings", contrast_choices="looking at {path}"),
    **_operations("states", "models", states="finding states with the model {model_id}"),
    **_operations("perturb", "models", perturb="perturbing with the model {model_id}"),
    **_operations("perturb", "judged", perturb_judged="perturbing random regions with the model {model_id}"),
    **_operations("perturb", "recordings", perturb_file="writing the effect"),
    **_operations("perturb", "previews", perturb_preview="previewing with the model {model_id}"),
    **_operations("perturb", "recordings", sweep_result="loading a sweep", sweep_file="writing the sweep"),
    **_operations("perturb", "recordings", effective_result="loading maps", effective_file="writing maps"),
    **_operations("steer", "searches", steer="searching a change with the model {model_id}"),
    **_operations("steer", "check", steer_so_far="looking at the search", steer_end="ending the search"),
    **_operations("steer", "recordings", steer_file="writing the change"),
    **_operations("report", "recordings", report_card="reading a report card"),
    **_operations("networks", "networks", networks="finding networks with the model {model_id}"),
    **_operations("networks", "controls", network_controls="asking the controls of the model {model_id}"),
    **_operations("networks", "recordings", networks_of_job="loading networks", networks_file="writing networks"),
    **_operations("training", "trainings", cohorts="looking for cohorts", inspect_cohort="looking at {path}"),
    **_operations("training", "trainings", trainings="listing the trainings", training="reading the training"),
    **_operations("training", "trainings", training_choices="looking at what can be trained here"),
    **_operations("training", "estimates", pretrain_estimate="measuring what the training would take"),
    **_operations("training", "check", leave_estimate="giving up measuring"),
    **_operations("reconstruct", "recordings", recording_reconstruction="loading a reconstruction"),
}

#: What probably comes next is got ready behind the answer, once: a person who lists atlases is about to open a scan,
#: a person who opened a scan is about to ask a model.
NEXT: dict[str, Operation] = {
    "atlases": Operation("brainlm_engine.server.operations.prepare:scans", "open", "getting ready for scans"),
    "open_scan": Operation("brainlm_engine.server.operations.prepare:models", "models", "getting ready for models"),
}


class Desk:
    """Runs operations for clients."""

    def __init__(self) -> None:
        self._warm = Warm()
        self._lanes: dict[str, ThreadPoolExecutor] = {}
        self._busy: dict[str, float] = {}
        self._prepared: set[str] = set()
        self._preparing: set[asyncio.Task[None]] = set()
        self._asked = time.monotonic()

    async def ask(self, call: str, payload: dict[str, Any]) -> dict[str, Any]:
        """Answer one call: ``{"message": JSON, "arrays": {...}}`` or ``{"error": ErrorInfo}``."""
        if call == "ping":
            return {"message": self.state().model_dump_json()}
        self._asked = time.monotonic()
        operation = OPERATIONS.get(call)
        if operation is None:
            error = EngineError(f"The engine does not know the request '{call}'.", "Update the program.")
            return {"error": error.info().model_dump()}
        loop = asyncio.get_running_loop()
        answer = await loop.run_in_executor(self._lane(operation.lane), self._do, call, operation, payload)
        if call in NEXT and call not in self._prepared:
            self._prepared.add(call)
            task = asyncio.create_task(self._prepare_when_quiet(NEXT[call]))
            self._preparing.add(task)
            task.add_done_callback(self._preparing.discard)
        return answer

    def state(self) -> DeskInfo:
        """Return what this worker is doing."""
        now = time.monotonic()
        busy = {call: now - begin for call, begin in tuple(self._busy.items())}
        return DeskInfo(pid=os.getpid(), memory_used=psutil.Process().memory_info().rss, busy=busy)

    def close(self) -> None:
        """Let go of everything."""
        for task in self._preparing:
            task.cancel()
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
            reply = operation.run(self._warm, **payload)
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

    async def _prepare_when_quiet(self, operation: Operation) -> None:
        """Get ready once nobody has asked anything for a moment: importing slows down everything else."""
        while (quiet := time.monotonic() - self._asked) < _QUIET_S:
            await asyncio.sleep(_QUIET_S - quiet)
        try:
            loop = asyncio.get_running_loop()
            await loop.run_in_executor(self._lane(operation.lane), operation.run, self._warm)
        except Exception:  # the request itself will tell the person
            LOG.warning("Failed while %s", operation.doing, exc_info=True)


def _describe(doing: str, payload: dict[str, Any]) -> str:
    """Fill names from ``payload`` into the sentence part: 'opening {path}'."""
    try:
        return doing.format(**payload)
    except (KeyError, IndexError):
        return doing


def dask_setup(worker: Any) -> None:
    """Open the desk on a worker (called by Dask when the worker starts)."""
    logging.captureWarnings(True)
    sys.setswitchinterval(_SWITCH_INTERVAL_S)
    use_planned_threads()
    give_way(ANSWERING)
    worker.brainlm_desk = Desk()
    worker.handlers[HANDLER] = worker.brainlm_desk.ask


def dask_teardown(worker: Any) -> None:
    """Close it."""
    worker.handlers.pop(HANDLER, None)
    worker.brainlm_desk.close()
