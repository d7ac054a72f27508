"""What the app and the engine say to each other. Arrays travel beside a message, see :class:`Reply`.

Units and shapes: frames are counted from 0; positions are MNI millimetres (RAS+); time is in seconds; parcels are
counted from 0 in the order of the atlas table.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Generic, Literal, TypeVar

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field

Array = NDArray[Any]


class Message(BaseModel):
    """Base of everything that crosses the wire: unknown fields are errors."""

    model_config = ConfigDict(extra="forbid", frozen=True, ser_json_inf_nan="constants")


M = TypeVar("M", bound=Message)


@dataclass(frozen=True)
class Reply(Generic[M]):
    """A message and the arrays that belong to it."""

    message: M
    arrays: dict[str, np.ndarray[Any, Any]] = field(default_factory=dict)


class ErrorInfo(Message):
    """A failure as the person reads it."""

    code: str = "failed"
    message: str
    next_step: str = ""
    details: str = ""


# ---------------------------------------------------------------- engine


class EngineInfo(Message):
    """What the engine chip shows."""

    engine_id: str
    version: str
    pid: int
    address: str
    local: bool
    started: float = Field(description="seconds since the epoch")
    device: str = Field(description="e.g. 'CPU, 2 threads' or 'NVIDIA H200'")
    memory_total: int = Field(description="bytes")
    memory_free: int = Field(description="bytes")
    clients: int = 0
    jobs_running: int = 0


class DeskInfo(Message):
    """What the interactive worker is doing."""

    pid: int
    memory_used: int = Field(description="bytes held by its process")
    busy: dict[str, float] = Field(default_factory=dict, description="running request -> seconds so far")


class CheckInfo(Message):
    """Answer to a request that only checks the line (goes with array ``array`` when one was asked for)."""

    seconds: float = Field(description="how long the engine worked on it")


# ---------------------------------------------------------------- jobs


class JobState(StrEnum):
    """Life of a job."""

    QUEUED = "queued"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"
    INTERRUPTED = "interrupted"  # the engine stopped while it ran

    @property
    def ended(self) -> bool:
        """True when nothing more will happen to the job."""
        return self not in (JobState.QUEUED, JobState.RUNNING)


class JobRecord(Message):
    """One job as it stands in the study's database."""

    job_id: str
    kind: str
    title: str
    state: JobState
    stage: str = ""
    fraction: float = 0.0
    eta_s: float | None = None
    created: float
    started: float | None = None
    finished: float | None = None
    engine_id: str = ""
    params: dict[str, Any] = Field(default_factory=dict)
    result: dict[str, Any] | None = None
    error: ErrorInfo | None = None


class JobList(Message):
    """Jobs, newest first."""

    jobs: tuple[JobRecord, ...] = ()


class JobLog(Message):
    """Lines of a job's log from ``start`` on."""

    job_id: str
    start: int
    lines: tuple[str, ...] = ()


# ---------------------------------------------------------------- scans


class Choice(Message):
    """One answer a person can give to a question."""

    value: str
    label: str


class Question(Message):
    """Something the file does not say clearly. Answered through ``answers[question_id] = value``."""

    question_id: str = Field(description="'tr', 'orientation', 'positions', 'space', ...")
    text: str
    choices: tuple[Choice, ...] = ()
    default: str = ""
    free: bool = Field(default=False, description="a typed value is welcome too")
    required: bool = Field(default=False, description="nothing can be computed before it is answered")
    found: bool = Field(default=False, description="the default was found in the file: no need to ask unless wished")


class SpaceReport(Message):
    """Is this scan in MNI space? Judged from its affine, grid and the overlap of its brain with the template."""

    verdict: Literal["mni", "not_mni", "unknown"]
    overlap: float = Field(description="Dice of the scan's bright voxels with the MNI brain mask, 0..1")
    text: str


class ScanInfo(Message):
    """What is known of an opened file before any computation."""

    scan_id: str = Field(description="fingerprint of the file")
    path: str
    name: str
    kind: Literal["volume", "table"]
    format: str = Field(description="'NIfTI-1', 'NIfTI-2', 'CSV', '1D', 'NumPy', 'HDF5', ...")
    n_frames: int
    tr_s: float | None = Field(default=None, description="seconds per frame; None when unknown")
    tr_source: str = Field(default="", description="'header', 'answer', 'assumed'")
    shape: tuple[int, ...] = Field(description="(x, y, z, frames) for a volume, (parcels, frames) for a table")
    zooms_mm: tuple[float, float, float] | None = None
    affine: tuple[tuple[float, ...], ...] | None = Field(default=None, description="4x4, voxel to mm, RAS+")
    dtype: str = ""
    unit: str = "raw"
    value_range: tuple[float, float] = Field(
        default=(0.0, 1.0), description="a volume: 1st to 99.5th percentile of the first frame; a table: least and most"
    )
    space: SpaceReport | None = None
    atlas_id: str = Field(default="", description="for a table: the atlas its columns were matched to, or ''")
    questions: tuple[Question, ...] = ()
    notes: tuple[str, ...] = Field(default=(), description="plain sentences: what was found, what was assumed")
    simulated: bool = Field(default=False, description="no person was scanned; shown wherever the scan is shown")
    cached: bool = Field(default=False, description="the time-last cache is ready")


class SliceInfo(Message):
    """Goes with arrays ``sagittal (y, z)``, ``coronal (x, z)``, ``axial (x, y)`` float32 in RAS+ axis order."""

    scan_id: str
    frame: int
    ijk: tuple[int, int, int]
    value: float


class SeriesInfo(Message):
    """Goes with array ``series (frames,)`` float32: one voxel over time."""

    scan_id: str
    ijk: tuple[int, int, int]
    cached: bool
    complete: bool = True


class MotionInfo(Message):
    """Head motion of a scan. Goes with array ``fd_mm (frames,)`` float32, NaN at the first frame, when it is known."""

    scan_id: str
    path: str = Field(default="", description="the table of motion parameters; '' = there is none beside the scan")
    name: str = ""
    beside: bool = Field(default=False, description="found beside the scan by its BIDS name, not chosen")
    computed: bool = Field(default=False, description="from the six parameters; the table had no displacement")
    problem: str = Field(default="", description="one sentence when the table found beside the scan does not fit it")


# ---------------------------------------------------------------- atlases


class AtlasInfo(Message):
    """One parcellation. Arrays, when asked for: see :data:`ATLAS_ARRAYS`."""

    atlas_id: str
    title: str
    description: str = ""
    n_parcels: int
    names: tuple[str, ...] = ()
    networks: tuple[str, ...] = Field(default=(), description="network name per parcel, '' = none")
    network_names: tuple[str, ...] = ()
    structures: tuple[str, ...] = Field(default=(), description="'cortex' | 'subcortex' | 'cerebellum' per parcel")
    hemispheres: tuple[str, ...] = Field(default=(), description="'L' | 'R' | '' per parcel")
    installed: bool = True
    own: bool = Field(default=False, description="made by this project")
    licence: str = ""
    citation: str = ""


class AtlasList(Message):
    """Atlases installed or obtainable on request."""

    atlases: tuple[AtlasInfo, ...] = ()


#: Arrays that go with an AtlasInfo reply.
#: xyz (parcels, 3) float32 MNI mm; labels (91, 109, 91) int16, 0 = none, value-1 = parcel; labels_affine (4, 4);
#: surface_left, surface_right (10242,) int16 parcel per fsaverage5 vertex, -1 = none.
ATLAS_ARRAYS = ("xyz", "labels", "labels_affine", "surface_left", "surface_right")


class SurfaceInfo(Message):
    """fsaverage5 meshes in MNI mm. Arrays: {pial,inflated}_{left,right}_{vertices (10242,3) f32, faces (20480,3) i32},
    sulc_{left,right} (10242,) f32.
    """

    name: str = "fsaverage5"


# ---------------------------------------------------------------- recordings


class RecordingInfo(Message):
    """Parcel time series made from a scan. Arrays: ``series (parcels, frames)`` float32 in ``unit``,
    ``coverage (parcels,)`` 0..1, ``missing (parcels,)`` bool, ``xyz (parcels, 3)`` float32 MNI mm,
    ``dvars (frames,)``, ``tsnr (parcels,)``.
    """

    recording_id: str
    scan_id: str = ""
    name: str
    atlas_id: str
    n_parcels: int
    n_frames: int
    tr_s: float
    unit: str
    n_missing: int = 0
    notes: tuple[str, ...] = ()
    provenance: dict[str, Any] = Field(default_factory=dict)


# ---------------------------------------------------------------- models


class ModelInfo(Message):
    """A model's card in short."""

    model_id: str
    title: str
    architecture: str
    n_parameters: int
    patch_frames: int = Field(description="frames of a time patch at the TR it was trained at")
    patch_s: float = Field(default=0.0, description="length of a patch when it is a time; 0 = so many frames at any TR")
    window_frames: int
    tr_s: float = Field(description="TR it was trained at")
    atlas_id: str = Field(default="", description="atlas it was trained on")
    any_atlas: bool = True
    capabilities: tuple[str, ...] = ()
    licence: str = ""
    trained_on: str = ""
    figures: dict[str, Any] = Field(default_factory=dict)
    problem: str = Field(default="", description="one sentence when the model cannot be used")
    scalings: tuple[str, ...] = Field(
        default=("zscore",),
        description="how its input can be scaled, what suits it best first: 'zscore' per recording, 'model' (its own "
        "statistics), 'cohort' (statistics of a cohort)",
    )

    def frames_per_patch(self, tr_s: float) -> int:
        """Return how many frames one time patch has in a recording of this TR."""
        return max(3, round(self.patch_s / tr_s)) if self.patch_s and tr_s > 0 else max(1, self.patch_frames)


class ModelList(Message):
    """Models installed."""

    models: tuple[ModelInfo, ...] = ()
    own: tuple[str, ...] = Field(default=(), description="ids of those that are this person's, not shipped")


class MaskSpec(Message):
    """Which patches are hidden from the model."""

    kind: Literal["random", "parcels", "network", "span", "painted", "none"] = "random"
    ratio: float = Field(default=0.75, ge=0.0, lt=1.0, description="share of patches hidden, for 'random'")
    parcels: tuple[int, ...] = ()
    network: str = ""
    span: tuple[int, int] | None = Field(default=None, description="patches [from, to) hidden for every parcel")
    patches: tuple[tuple[int, int], ...] = Field(
        default=(), description="(parcel, patch of the window) hidden one by one, for 'painted'"
    )
    seed: int = 0


class Score(Message):
    """How well one method filled in the hidden patches, pooled over all hidden frames."""

    method: str
    title: str
    r2: float = Field(description="1 - SSE / SST about each parcel's window mean (scaled series)")
    r: float
    mse: float


class NetworkScores(Message):
    """The scores of one network's parcels."""

    network: str = Field(description="'none' for parcels that belong to no network")
    n_parcels: int
    scores: tuple[Score, ...] = Field(description="the methods as in the reconstruction they belong to")


class ReconstructionInfo(Message):
    """One window reconstructed. Arrays: ``measured``, ``predicted`` (parcels, frames) float32 in ``unit``;
    ``mask (parcels, patches)`` bool, True = hidden; ``r2_parcel (parcels,)`` and ``r2_frame (frames,)`` float32 over
    hidden frames, NaN where nothing was hidden; ``by_parcel (methods, 3, parcels)`` and ``by_frame (methods, 3,
    frames)`` float32: R2, r and MSE of the methods in ``scores``.
    """

    recording_id: str
    model_id: str
    start: int = Field(description="first frame of the window in the recording")
    n_frames: int
    patch_frames: int
    unit: str = "SD"
    mask: MaskSpec
    whole: bool = Field(default=False, description="the whole recording, each patch predicted while it was hidden")
    scores: tuple[Score, ...] = Field(default=(), description="the model first, then the baselines")
    networks: tuple[NetworkScores, ...] = Field(default=(), description="those in which something was hidden")
    combine: Literal["first", "mean"] = Field(default="first", description="of predictions of a whole recording")
    verdict: str = Field(default="", description="one plain sentence: who won")
    seconds: float = 0.0
    scaling: str = Field(default="", description="how the model's input was scaled; measured and predicted stay in SD")
    notes: tuple[str, ...] = ()
