"""The app's way to the engine: one asynchronous method per request, usable from any asyncio loop, never blocking it."""

from __future__ import annotations

import asyncio
import contextlib
import functools
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

from brainlm_engine.api.attention import AttentionInfo
from brainlm_engine.api.contrast import ContrastChoices, ContrastInfo
from brainlm_engine.api.effective import EffectiveInfo
from brainlm_engine.api.errors import BadInput, EngineLost, ScanNotOpen
from brainlm_engine.api.forecasting import ForecastInfo
from brainlm_engine.api.launch import find_or_start
from brainlm_engine.api.link import Link
from brainlm_engine.api.messages import (
    AtlasInfo,
    AtlasList,
    CheckInfo,
    DeskInfo,
    EngineInfo,
    JobList,
    JobLog,
    JobRecord,
    MaskSpec,
    Message,
    ModelList,
    MotionInfo,
    ReconstructionInfo,
    RecordingInfo,
    Reply,
    ScanInfo,
    SeriesInfo,
    SliceInfo,
    SurfaceInfo,
)
from brainlm_engine.api.networks import NetworksFile, NetworksInfo
from brainlm_engine.api.occlusion import OcclusionInfo
from brainlm_engine.api.perturb import EffectFile, PerturbInfo, PreviewInfo, Scenario
from brainlm_engine.api.report_card import ReportCard
from brainlm_engine.api.runfile import EngineFile, find_engine, read_engine_file
from brainlm_engine.api.states import StatesInfo
from brainlm_engine.api.steer import SteerInfo, SteerSoFar, SteerSpec
from brainlm_engine.api.sweep import SweepInfo
from brainlm_engine.api.training import (
    CohortInfo,
    CohortList,
    TrainingChoices,
    TrainingEstimate,
    TrainingInfo,
    TrainingList,
)

M = TypeVar("M", bound=Message)
Voxel = tuple[int, int, int]


class EngineClient:
    """A connection to an engine. Make one with :meth:`connect`.

    All methods raise :class:`brainlm_engine.api.errors.EngineError` or one of its subclasses; every request raises
    EngineLost once the engine is gone. Callbacks run in the asyncio loop that connected.
    """

    def __init__(self, link: Link, loop: asyncio.AbstractEventLoop) -> None:
        self._link = link
        self._loop = loop
        self._lost_callbacks: list[Callable[[EngineLost], None]] = []
        self._job_callbacks: list[Callable[[JobRecord], None]] = []
        self._opened: dict[str, tuple[str, dict[str, str]]] = {}

    # ------------------------------------------------------------ connection

    @classmethod
    async def connect(cls, address: str | None = None, *, start: bool = True) -> EngineClient:
        """Connect to an engine.

        Parameters
        ----------
        address
            ``None`` for the engine of this computer; otherwise the address of that engine, or the path of another
            engine's ``engine.json`` (with its certificate files beside it).
        start
            Start an engine on this computer when none runs.
        """
        loop = asyncio.get_running_loop()
        holder: list[EngineClient] = []
        link = Link(
            functools.partial(_find, address, start),
            on_job=lambda text: _deliver(loop, lambda: holder[0]._job_changed(text)),
            on_lost=lambda error: _deliver(loop, lambda: holder[0]._engine_lost(error)),
            look_again=address is None,
        )
        holder.append(cls(link, loop))
        link.start()
        try:
            await asyncio.wrap_future(link.ready)
        except asyncio.CancelledError:
            link.close()  # it ends as soon as it notices
            raise
        except BaseException:
            await asyncio.wrap_future(link.closed)
            link.join()
            raise
        return holder[0]

    async def close(self) -> None:
        """Close the connection; the engine goes on with its jobs and stops when nobody needs it."""
        await asyncio.wrap_future(self._link.close())
        self._link.join()

    def on_lost(self, callback: Callable[[EngineLost], None]) -> None:
        """Call ``callback`` once when the engine is gone (at once when it already is)."""
        self._lost_callbacks.append(callback)
        if self._link.lost is not None:
            self._loop.call_soon(callback, self._link.lost)

    def on_job(self, callback: Callable[[JobRecord], None]) -> None:
        """Call ``callback`` with every job record that changes."""
        self._job_callbacks.append(callback)

    async def info(self) -> EngineInfo:
        """Return the engine's state."""
        told = await self._office(EngineInfo, "info")
        return told.model_copy(update={"local": self._link.file is not None and self._link.file.local})

    async def ping(self) -> DeskInfo:
        """Ask the interactive worker what it is doing. Answered while it computes."""
        answer = await asyncio.wrap_future(self._link.call_desk("ping"))
        return DeskInfo.model_validate_json(answer["message"])

    async def stop_engine(self) -> None:
        """Stop the engine; its running jobs are marked interrupted."""
        with contextlib.suppress(EngineLost):
            await asyncio.wrap_future(self._link.call_office("stop"))

    # ------------------------------------------------------------ scans

    async def open_scan(self, path: str | Path, answers: Mapping[str, str] | None = None) -> Reply[ScanInfo]:
        """Open a file. Arrays: ``volume (x, y, z)`` float32, the first volume, or ``series (V, T)`` for a table."""
        path, chosen = str(path), dict(answers or {})
        reply = await self._desk(ScanInfo, "open_scan", path=path, answers=chosen)
        self._opened[reply.message.scan_id] = (path, chosen)
        return reply

    async def slices(self, scan_id: str, frame: int, ijk: Voxel) -> Reply[SliceInfo]:
        """Return the three slices through voxel ``ijk`` at ``frame``; see :class:`SliceInfo` for the arrays."""
        return await self._scan(SliceInfo, "slices", scan_id, frame=frame, ijk=list(ijk))

    async def series(self, scan_id: str, ijk: Voxel) -> Reply[SeriesInfo]:
        """Return one voxel over time: array ``series (frames,)`` float32."""
        return await self._scan(SeriesInfo, "series", scan_id, ijk=list(ijk))

    async def motion(self, scan_id: str, path: str | Path = "") -> Reply[MotionInfo]:
        """Return the framewise displacement from ``path``, or from the table beside the scan: see MotionInfo."""
        return await self._scan(MotionInfo, "motion", scan_id, path=str(path))

    async def atlas_on_scan(self, scan_id: str, atlas_id: str) -> Reply[AtlasInfo]:
        """Return the atlas on the scan's grid: array ``labels (x, y, z)`` int16, 0 = none, value-1 = parcel."""
        return await self._scan(AtlasInfo, "atlas_on_scan", scan_id, atlas_id=atlas_id)

    # ------------------------------------------------------------ atlases, recordings, models

    async def atlases(self) -> AtlasList:
        """List the atlases."""
        return (await self._desk(AtlasList, "atlases")).message

    async def atlas(self, atlas_id: str) -> Reply[AtlasInfo]:
        """Return one atlas with its arrays (:data:`brainlm_engine.api.messages.ATLAS_ARRAYS`)."""
        return await self._desk(AtlasInfo, "atlas", atlas_id=atlas_id)

    async def surfaces(self) -> Reply[SurfaceInfo]:
        """Return the fsaverage5 meshes; see :class:`SurfaceInfo` for the arrays."""
        return await self._desk(SurfaceInfo, "surfaces")

    async def recording(self, recording_id: str) -> Reply[RecordingInfo]:
        """Return a recording; see :class:`RecordingInfo` for the arrays."""
        return await self._desk(RecordingInfo, "recording", recording_id=recording_id)

    async def models(self) -> ModelList:
        """List the models."""
        return (await self._desk(ModelList, "models")).message

    async def report_card(self, model_id: str) -> ReportCard:
        """Return what is known of a model, with all evaluations that are kept."""
        return (await self._desk(ReportCard, "report_card", model_id=model_id)).message

    async def reconstruct(
        self, recording_id: str, model_id: str, start: int = 0, mask: MaskSpec | None = None, scaling: str = ""
    ) -> Reply[ReconstructionInfo]:
        """Hide patches of one window and let a model fill them in; see :class:`ReconstructionInfo` for the arrays.

        ``scaling`` of the model's input: '' (what suits the model, of what is known), 'zscore', 'model', or the id that
        a ``scaling_statistics`` job returned.
        """
        chosen = (mask or MaskSpec()).model_dump(mode="json")
        return await self._desk(
            ReconstructionInfo, "reconstruct", recording_id=recording_id, model_id=model_id, start=start, mask=chosen,
            scaling=scaling,
        )  # fmt: skip

    async def forecast(
        self, recording_id: str, model_id: str, origin: int, horizon: int, *, history: int = 180, scaling: str = ""
    ) -> Reply[ForecastInfo]:
        """Forecast ``horizon`` frames from frame ``origin`` on; arrays as in :class:`ForecastInfo`."""
        return await self._desk(
            ForecastInfo, "forecast", recording_id=recording_id, model_id=model_id, origin=origin, horizon=horizon,
            history=history, scaling=scaling,
        )  # fmt: skip

    async def attention(self, recording_id: str, model_id: str, scaling: str = "") -> Reply[AttentionInfo]:
        """Read what the parcels of a recording take from each other; arrays as in :class:`AttentionInfo`."""
        return await self._desk(
            AttentionInfo, "attention", recording_id=recording_id, model_id=model_id, scaling=scaling
        )  # fmt: skip

    async def occlusion(self, recording_id: str, model_id: str, parcel: int, scaling: str = "") -> Reply[OcclusionInfo]:
        """Hide one parcel and see what changes elsewhere; arrays as in :class:`OcclusionInfo`."""
        return await self._desk(
            OcclusionInfo, "occlusion", recording_id=recording_id, model_id=model_id, parcel=parcel, scaling=scaling
        )  # fmt: skip

    async def occlusion_all(self, job_id: str) -> Reply[OcclusionInfo]:
        """Return what a finished ``occlude`` job made; arrays as in :class:`OcclusionInfo`, of every parcel."""
        return await self._desk(OcclusionInfo, "occlusion_all", job_id=job_id)

    async def contrast_choices(self, path: str | Path) -> ContrastChoices:
        """Say what can be contrasted in a cohort folder; what is no cohort carries ``problem``."""
        return (await self._desk(ContrastChoices, "contrast_choices", path=str(path))).message

    async def contrast_result(self, job_id: str) -> Reply[ContrastInfo]:
        """Return what a finished ``contrast`` job made; arrays as in :class:`ContrastInfo`."""
        return await self._desk(ContrastInfo, "contrast_result", job_id=job_id)

    async def states(self, recording_id: str, model_id: str, k: int = 0, scaling: str = "") -> Reply[StatesInfo]:
        """Find ``k`` states along a recording, 0 = by silhouette; arrays as in :class:`StatesInfo`."""
        return await self._desk(
            StatesInfo, "states", recording_id=recording_id, model_id=model_id, k=k, scaling=scaling
        )  # fmt: skip

    async def perturb(
        self, recording_id: str, model_id: str, scenario: Scenario, scaling: str = "", *, judged: bool = False
    ) -> Reply[PerturbInfo]:
        """Set regions of a recording and see what the model expects of the others; arrays as in PerturbInfo.

        With ``judged`` random regions are set as well, ``scenario.nulls`` times; that takes seconds, and ends as
        ``Cancelled`` when anything else is perturbed meanwhile.
        """
        return await self._desk(
            PerturbInfo, "perturb_judged" if judged else "perturb", recording_id=recording_id, model_id=model_id,
            scenario=scenario.model_dump(mode="json"), scaling=scaling,
        )  # fmt: skip

    async def effective_result(self, job_id: str) -> Reply[EffectiveInfo]:
        """Return what a finished ``perturb_effective`` job found; arrays as in :class:`EffectiveInfo`."""
        return await self._desk(EffectiveInfo, "effective_result", job_id=job_id)

    async def effective_file(self, job_id: str, name: str) -> Reply[EffectFile]:
        """Return the maps of a finished job as a file called ``name``; see :class:`EffectFile`."""
        return await self._desk(EffectFile, "effective_file", job_id=job_id, name=name)

    async def sweep_result(self, job_id: str) -> Reply[SweepInfo]:
        """Return what a finished ``perturb_sweep`` job found; arrays as in :class:`SweepInfo`."""
        return await self._desk(SweepInfo, "sweep_result", job_id=job_id)

    async def sweep_file(self, job_id: str, name: str) -> Reply[EffectFile]:
        """Return a finished sweep as a file called ``name``; see :class:`EffectFile`."""
        return await self._desk(EffectFile, "sweep_file", job_id=job_id, name=name)

    async def steer(self, recording_id: str, model_id: str, spec: SteerSpec, scaling: str = "") -> Reply[SteerInfo]:
        """Search a change that brings the model's state of a recording to a target; arrays as in SteerInfo.

        Takes seconds to minutes: :meth:`steer_so_far` tells where it is, :meth:`steer_end` ends it.
        """
        return await self._desk(
            SteerInfo, "steer", recording_id=recording_id, model_id=model_id, spec=spec.model_dump(mode="json"),
            scaling=scaling,
        )  # fmt: skip

    async def steer_so_far(self) -> Reply[SteerSoFar]:
        """Return where the search is; array ``magnitude (P,)`` of the best change so far."""
        return await self._desk(SteerSoFar, "steer_so_far")

    async def steer_end(self, *, keep: bool) -> Reply[SteerSoFar]:
        """End the search: with ``keep`` the best so far is its answer, else it ends as ``Cancelled``."""
        return await self._desk(SteerSoFar, "steer_end", keep=keep)

    async def steer_file(self, name: str) -> Reply[EffectFile]:
        """Return the last change that was found as a file called ``name``; see :class:`EffectFile`."""
        return await self._desk(EffectFile, "steer_file", name=name)

    async def perturb_file(self, name: str) -> Reply[EffectFile]:
        """Return the last whole answer as a file called ``name``; see :class:`EffectFile`."""
        return await self._desk(EffectFile, "perturb_file", name=name)

    async def perturb_preview(
        self, recording_id: str, model_id: str, scenario: Scenario, moving: int, scaling: str = ""
    ) -> Reply[PreviewInfo]:
        """Answer quickly while the target numbered ``moving`` is dragged; arrays as in :class:`PreviewInfo`."""
        return await self._desk(
            PreviewInfo, "perturb_preview", recording_id=recording_id, model_id=model_id,
            scenario=scenario.model_dump(mode="json"), moving=moving, scaling=scaling,
        )  # fmt: skip

    async def networks(
        self, recording_id: str, model_id: str, source: str, count: int = 0, scaling: str = "", *, controls: bool = True
    ) -> Reply[NetworksInfo]:
        """Find the networks of a recording; arrays as in :class:`NetworksInfo`.

        ``count`` of the networks nobody named, 0 = by silhouette; without ``controls`` the answer comes sooner.
        """
        return await self._desk(
            NetworksInfo, "network_controls" if controls else "networks", recording_id=recording_id,
            model_id=model_id, source=source, count=count, scaling=scaling,
        )  # fmt: skip

    async def networks_of_job(self, job_id: str) -> Reply[NetworksInfo]:
        """Return what a finished ``networks`` job found; arrays as in :class:`NetworksInfo`."""
        return await self._desk(NetworksInfo, "networks_of_job", job_id=job_id)

    async def networks_file(  # noqa: PLR0917  (what was asked, and how it is written)
        self, recording_id: str, model_id: str, source: str, count: int, scaling: str, name: str, which: str
    ) -> Reply[NetworksFile]:
        """Return networks that were found as a file called ``name``: array ``content (bytes,)`` uint8."""
        return await self._desk(
            NetworksFile, "networks_file", recording_id=recording_id, model_id=model_id, source=source, count=count,
            scaling=scaling, name=name, which=which,
        )  # fmt: skip

    async def rolling_forecast(self, job_id: str) -> Reply[ForecastInfo]:
        """Return what a finished ``rolling_forecast`` job made; arrays as in :class:`ForecastInfo`, of many origins."""
        return await self._desk(ForecastInfo, "rolling_forecast", job_id=job_id)

    async def recording_reconstruction(self, job_id: str) -> Reply[ReconstructionInfo]:
        """Return what a finished ``reconstruct_recording`` job made; arrays as in :class:`ReconstructionInfo`."""
        return await self._desk(ReconstructionInfo, "recording_reconstruction", job_id=job_id)

    # ------------------------------------------------------------ training

    async def cohorts(self) -> CohortList:
        """List the cohorts known on this computer: demo cohorts, and those of earlier trainings."""
        return (await self._desk(CohortList, "cohorts")).message

    async def inspect_cohort(self, path: str | Path) -> CohortInfo:
        """Look at a folder; what cannot be trained on carries ``problem``."""
        return (await self._desk(CohortInfo, "inspect_cohort", path=str(path))).message

    async def training_choices(self) -> TrainingChoices:
        """Return what can be chosen for a training on this computer."""
        return (await self._desk(TrainingChoices, "training_choices")).message

    async def pretrain_estimate(self, params: Mapping[str, Any], stamp: str = "") -> TrainingEstimate:
        """Measure what a ``pretrain`` job with ``params`` would take on this computer, before it is submitted."""
        asked = {"params": dict(params), "stamp": stamp}
        return (await self._desk(TrainingEstimate, "pretrain_estimate", **asked)).message

    async def leave_estimate(self, stamp: str) -> None:
        """Give up the measuring that was asked for with ``stamp``; it then ends with ``Cancelled``."""
        await self._desk(Message, "leave_estimate", stamp=stamp)

    async def trainings(self) -> TrainingList:
        """List the trainings of this study, newest first, without their points."""
        return (await self._desk(TrainingList, "trainings")).message

    async def training(self, job_id: str) -> Reply[TrainingInfo]:
        """Return one training with its curve; see :class:`PreviewInfo` for the arrays, when there is a preview."""
        return await self._desk(TrainingInfo, "training", job_id=job_id)

    # ------------------------------------------------------------ jobs

    async def submit(self, kind: str, params: Mapping[str, Any], title: str = "") -> JobRecord:
        """Queue a job. Its changes arrive through :meth:`on_job`."""
        return await self._office(JobRecord, "submit", kind=kind, params=dict(params), title=title)

    async def jobs(self) -> JobList:
        """List the study's jobs, newest first."""
        return await self._office(JobList, "jobs")

    async def job(self, job_id: str) -> JobRecord:
        """Return one job."""
        return await self._office(JobRecord, "job", job_id=job_id)

    async def cancel(self, job_id: str) -> JobRecord:
        """Stop a job."""
        return await self._office(JobRecord, "cancel", job_id=job_id)

    async def job_log(self, job_id: str, start: int = 0) -> JobLog:
        """Return a job's log from line ``start`` on."""
        return await self._office(JobLog, "job_log", job_id=job_id, start=start)

    # ------------------------------------------------------------ checks of the line

    async def echo(self, shape: tuple[int, ...]) -> Reply[CheckInfo]:
        """Return an array of ``shape`` float32 from the interactive worker: how fast is the line?"""
        return await self._desk(CheckInfo, "echo", shape=list(shape))

    async def hold(self, seconds: float) -> CheckInfo:
        """Occupy a lane of the interactive worker for ``seconds``."""
        return (await self._desk(CheckInfo, "hold", seconds=seconds)).message

    # ------------------------------------------------------------ inside

    async def _office(self, message: type[M], call: str, **payload: Any) -> M:
        _check_text(payload)
        answer = await asyncio.wrap_future(self._link.call_office(call, **payload))
        return message.model_validate_json(answer["message"])

    async def _desk(self, message: type[M], call: str, **payload: Any) -> Reply[M]:
        _check_text(payload)
        answer = await asyncio.wrap_future(self._link.call_desk(call, **payload))
        arrays: dict[str, np.ndarray[Any, Any]] = answer["arrays"]
        return Reply(message.model_validate_json(answer["message"]), arrays)

    async def _scan(self, message: type[M], call: str, scan_id: str, **payload: Any) -> Reply[M]:
        """Ask about an opened scan; open it again when the interactive worker was restarted meanwhile."""
        try:
            return await self._desk(message, call, scan_id=scan_id, **payload)
        except ScanNotOpen:
            if scan_id not in self._opened:
                raise
        path, answers = self._opened[scan_id]
        await self._desk(ScanInfo, "open_scan", path=path, answers=answers)
        return await self._desk(message, call, scan_id=scan_id, **payload)

    def _job_changed(self, text: str) -> None:
        record = JobRecord.model_validate_json(text)
        for callback in tuple(self._job_callbacks):
            callback(record)

    def _engine_lost(self, error: EngineLost) -> None:
        for callback in tuple(self._lost_callbacks):
            callback(error)


def _check_text(payload: Mapping[str, Any]) -> None:
    """Refuse file names that are no text (bytes of another encoding): they cannot be sent."""
    for value in payload.values():
        if isinstance(value, Mapping):
            _check_text(value)
        elif isinstance(value, str) and not value.isascii():
            try:
                value.encode("utf-8")
            except UnicodeEncodeError:
                readable = value.encode("utf-8", "replace").decode("utf-8")
                raise BadInput(
                    f"The name {readable} is written in an unknown encoding.", "Rename the file or folder."
                ) from None


def _find(address: str | None, start: bool, give_up: Callable[[], bool]) -> EngineFile:
    """Return the file of the engine to connect to. Runs in the link's thread."""
    if address is not None and Path(address).suffix == ".json":
        found = read_engine_file(Path(address))
        if found is None:
            raise EngineLost(f"{address} does not describe an engine.", "Copy engine.json and its certificates again.")
        return found
    here = find_engine()
    if address is not None:
        if here is None or here.address != address:
            raise EngineLost(
                f"There are no credentials on this computer for the engine at {address}.",
                "Give the path of its engine.json instead of the address.",
            )
        return here
    if here is None and not start:
        raise EngineLost("No engine is running on this computer.", "Start it: brainlm-engine serve")
    return here or find_or_start(give_up)


def _deliver(loop: asyncio.AbstractEventLoop, callback: Callable[[], None]) -> None:
    with contextlib.suppress(RuntimeError):  # the loop was closed: nobody listens any more
        loop.call_soon_threadsafe(callback)
