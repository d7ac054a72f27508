"""The parts of the application's state, one per concern."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from app.state.attention_maps import AttentionRead, Contrasted, Occluded
from app.state.data import (
    Atlas,
    Forecast,
    HeadMotion,
    LabelGrid,
    NetworksFound,
    OpenScan,
    Reconstruction,
    Recording,
    StatesFound,
)
from app.state.model import State
from brainlm_engine.api.contrast import ContrastChoices, What
from brainlm_engine.api.messages import AtlasInfo, EngineInfo, JobRecord, MaskSpec, ModelInfo
from brainlm_engine.api.report_card import ReportCard

EngineStatus = Literal["waiting", "starting", "ready", "lost", "failed"]
Phase = Literal["none", "opening", "asking", "preparing", "ready", "failed"]
Scale = Literal["sd", "percent", "raw"]
Overlay = Literal["none", "activity", "tsnr", "coverage"]
Shown = Literal["reconstructed", "difference", "r2"]
ForecastShown = Literal["forecast", "followed", "error"]
ModelTab = Literal["reconstruct", "forecast", "states", "attention", "report"]
AttentionSource = Literal["attention", "rollout", "occlusion", "error"]
TimeUnit = Literal["s", "TR", "clock"]
Mm = tuple[float, float, float]
#: into how many networks parcels are put: the seven of the reference, or unnamed ones, 0 = by silhouette
INTO = ("labels", "0", *(str(count) for count in range(2, 13)))
#: what a scaling with a cohort's statistics begins with; the cohort's folder follows
COHORT = "cohort:"


class EngineState(State):
    """The engine as the chip in the status bar shows it."""

    status: EngineStatus = "waiting"
    info: EngineInfo | None = None
    address: str | None = None
    problem: str = ""


class CaseState(State):
    """The one open case: a scan, its atlas, its recording."""

    phase: Phase = "none"
    path: str = ""
    wanted: str = Field(default="", description="path that is being opened now")
    revision: int = 0
    answered: int = Field(default=0, description="counts changes of the answers of the scan on screen")
    scan: OpenScan | None = None
    recording: Recording | None = None
    atlas_id: str = "mni424"
    atlas: Atlas | None = None
    labels: LabelGrid | None = None
    cached: bool = False
    problem: str = ""
    motion: HeadMotion | None = None
    motion_path: str = Field(default="", description="the table of motion parameters that was chosen, '' = none")

    @property
    def tr_s(self) -> float:
        """Seconds per frame; 1 while unknown."""
        if self.recording is not None:
            return self.recording.info.tr_s
        if self.scan is not None and self.scan.info.tr_s:
            return self.scan.info.tr_s
        return 1.0

    @property
    def n_frames(self) -> int:
        """Number of frames, 0 when nothing is open."""
        if self.recording is not None:
            return self.recording.info.n_frames
        return self.scan.info.n_frames if self.scan is not None else 0


class ViewState(State):
    """What the person looks at: one crosshair, one time cursor, one selection."""

    crosshair_mm: Mm = (0.0, 0.0, 0.0)
    frame: int = 0
    playing: bool = False
    speed: float = 1.0
    parcel: int = Field(default=-1, description="the parcel under the crosshair, -1 = none")
    selected: tuple[int, ...] = ()
    overlay: Overlay = "activity"
    scale: Scale = "sd"
    cmap: str = "vik"
    low: float = -2.5
    high: float = 2.5
    threshold: float = 0.5
    opacity: float = 0.7
    surface: Literal["pial", "inflated"] = "inflated"
    brain_layout: Literal["panels", "whole"] = "panels"
    radiological: bool = False
    time_unit: TimeUnit = "s"
    names_hidden: bool = False


class ModelState(State):
    """The Model workspace: what is asked of which model, and its answer."""

    models: tuple[ModelInfo, ...] = ()
    own: tuple[str, ...] = Field(default=(), description="ids of models that this person made or imported")
    model_id: str = ""
    mask: MaskSpec = MaskSpec()
    scaling: str = Field(
        default="", description="of the model's input: 'zscore', 'model', or 'cohort:' and a folder; '' = what suits it"
    )
    start: int = 0
    result: Reconstruction | None = None
    running: bool = False
    outdated: bool = False
    shown: Shown = "reconstructed"
    combine: Literal["first", "mean"] = Field(default="first", description="of predictions of a whole recording")
    problem: str = ""

    @property
    def model(self) -> ModelInfo | None:
        """The chosen model, None when none is."""
        return next((m for m in self.models if m.model_id == self.model_id), None)

    @property
    def scaling_used(self) -> str:
        """What is asked for: the choice, where the chosen model has it, else what suits the model."""
        kinds = self.model.scalings if self.model is not None else ("zscore",)
        kind = "cohort" if self.scaling.startswith(COHORT) else self.scaling
        return self.scaling if kind in kinds else kinds[0]


class ForecastState(State):
    """The Forecast tab: from where, how far, beside what, and what came of it."""

    origin: int = Field(default=0, description="first frame that is forecast; 0 = nothing is chosen yet")
    horizon: int = 20
    history: int = 180
    beside: tuple[str, ...] = Field(default=("ar",), description="simple methods that are drawn too")
    shown: ForecastShown = "forecast"
    result: Forecast | None = None
    rolling: Forecast | None = None
    running: bool = False
    outdated: bool = False
    problem: str = ""


class ReportState(State):
    """The Report card tab."""

    card: ReportCard | None = None
    evaluating: str = Field(default="", description="id of the model that is being evaluated, '' = none")


class StatesState(State):
    """The States tab: how many states, what is drawn, and what was found."""

    k: int = Field(default=0, description="number of states; 0 = by silhouette")
    source: Literal["model", "series"] = "model"
    colour: str = Field(default="state", description="'state', 'time', 'condition', or a network: its activity")
    result: StatesFound | None = None
    running: bool = False
    outdated: bool = False
    problem: str = ""


class NetworksState(State):
    """The Networks workspace: what parcels are compared by, into how many networks, and what was found."""

    source: str = Field(default="attention", description="one of brainlm_engine.api.networks.SOURCES")
    into: str = Field(default="labels", description="'labels' = seven reference networks, else how many unnamed ones")
    shown: Literal["found", "reference", "right"] = "found"
    people: int = Field(default=20, description="of a group")
    result: NetworksFound | None = None
    running: bool = False
    controlling: bool = Field(default=False, description="the result is there, its controls are not yet")
    outdated: bool = False
    problem: str = ""

    @property
    def count(self) -> int:
        """How many unnamed networks, 0 = by silhouette."""
        return 0 if self.into == "labels" else int(self.into)


class AttentionState(State):
    """The Attention tab: whose attention is shown how, and what was read."""

    whose: Literal["parcel", "summary"] = "parcel"
    source: AttentionSource = "attention"
    layer: int = Field(default=0, description="from 1 on; 0 = mean of all")
    head: int = Field(default=0, description="from 1 on; 0 = mean of all")
    direction: Literal["takes", "gives"] = "takes"
    scale: Literal["share", "raw"] = "share"
    result: AttentionRead | None = None
    running: bool = False
    outdated: bool = False
    problem: str = ""
    occluded: Occluded | None = Field(default=None, description="one parcel hidden, or all, one after the other")
    occluding: bool = False
    occlusion_problem: str = ""


class ContrastState(State):
    """The contrast of the Attention tab: between whom, of what, and what came of it."""

    cohort: str = Field(default="", description="folder")
    choices: ContrastChoices | None = None
    column: str = ""
    first: str = ""
    second: str = ""
    what: What = "attention"
    people: int = Field(default=60, description="at most so many")
    job_id: str = Field(default="", description="that is running, '' = none")
    result: Contrasted | None = None
    shown: Literal["recording", "model", "simple"] = Field(
        default="recording", description="on the brain: what was read of the recording, or t of a measure"
    )
    masked: bool = Field(default=True, description="only what is below .05, corrected")


class WorkState(State):
    """Jobs and the log."""

    jobs: tuple[JobRecord, ...] = ()
    selected: str = Field(default="", description="job chosen in the Jobs dock, '' = none")
    log: tuple[str, ...] = ()

    def find(self, job_id: str) -> JobRecord | None:
        """Return one job as last heard of."""
        return next((job for job in self.jobs if job.job_id == job_id), None)

    @property
    def job(self) -> JobRecord | None:
        """The job that is chosen in the Jobs dock."""
        return self.find(self.selected)

    def hear(self, job: JobRecord) -> None:
        """Put the newest news of one job in its place, newest job first."""
        others = [j for j in self.jobs if j.job_id != job.job_id]
        self.jobs = tuple(sorted([job, *others], key=lambda j: j.created, reverse=True))

    def note(self, line: str, keep: int = 2000) -> None:
        """Append one line to the log."""
        self.log = (*self.log, line)[-keep:]


class ShellState(State):
    """The window itself: where the person is."""

    workspace: str = "cases"
    model_tab: ModelTab = "reconstruct"
    mood: Literal["review", "lab"] = "review"
    recent: tuple[str, ...] = ()
    named: tuple[str, ...] = Field(default=(), description="every path met in this window; hidden with the names")
    titled: tuple[tuple[str, str, str], ...] = Field(
        default=(), description="(kind, whose, name) of cohorts and models of this person; hidden with the names too"
    )
    atlases: tuple[AtlasInfo, ...] = ()
    last_session: str = Field(default="", description="what the last session had open, '' when there is none")
    panel: bool = Field(default=True, description="the side panel is on screen")
    docks: tuple[str, ...] = Field(default=(), description="docks on screen")
    brain3d: bool = False
