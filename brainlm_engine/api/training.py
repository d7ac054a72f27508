"""What the app and the engine say to each other about training: cohorts, settings, curves, results."""

from __future__ import annotations

from typing import Any

from pydantic import ConfigDict, Field

from brainlm_engine.api.messages import JobState, Message


class CohortInfo(Message):
    """A folder of recordings that a model can be trained on."""

    path: str
    name: str
    simulated: bool = False
    people: dict[str, int] = Field(default_factory=dict, description="split ('train', 'val', 'test') -> people")
    n_recordings: int = 0
    n_parcels: int = 0
    n_frames: int = Field(default=0, description="of the shortest recording looked at")
    tr_s: float = 0.0
    atlas_id: str = ""
    problem: str = Field(default="", description="one sentence when nothing can be trained on it")
    next_step: str = ""


class CohortList(Message):
    """Cohorts known on this computer, the demo cohorts first."""

    cohorts: tuple[CohortInfo, ...] = ()


class ModelSize(Message):
    """A model that can be trained: a size of our own architecture, or a published one."""

    size_id: str
    architecture: str = "studio"
    sizes: dict[str, int | str | bool] = Field(description="as in config.json; what is not named has its default")
    n_parameters: int
    learning_rate: float = Field(default=2e-3, description="what suits a model of this size")
    masks: tuple[str, ...] = Field(default=(), description="kinds that it can practise on; () = all")
    parcels: int | None = Field(default=None, description="that a cohort must have; None = any number")
    frames: int | None = Field(default=None, description="that a window must have; None = any number")

    @property
    def published(self) -> bool:
        """True for architectures of the published BrainLM, which see windows of the cohort's own kind only."""
        return self.architecture != "studio"


class TrainingChoices(Message):
    """What can be chosen on this computer."""

    sizes: tuple[ModelSize, ...]
    devices: tuple[str, ...] = Field(description="'cpu', and 'cuda' or 'mps' where there is one")
    threads: int = Field(description="logical processors")
    graphics: int = Field(default=0, description="NVIDIA cards")
    launches: tuple[str, ...] = Field(
        default=("here",),
        description="where trainings can run, of 'here', 'slurm', 'dask': what they need is installed",
    )


class TrainingEstimate(Message):
    """What a training would take on this computer, measured just now on a few windows of its cohort."""

    n_parameters: int
    memory: int = Field(default=0, description="bytes that one process needs, with ``parts``")
    memory_free: int = Field(default=0, description="bytes that it can have")
    parts: int = Field(default=1, description="that a step's windows are run in, so that they fit")
    fits: bool = Field(description="False when not even one window at a time does")
    step_s: float = Field(default=0.0, description="of one step")
    look_s: float = Field(default=0.0, description="of one look at the validation people")
    steps: int = 0
    minutes: float = 0.0
    sentence: str = Field(description="all of it in words")
    next_step: str = Field(default="", description="what to do when it does not fit, one sentence")


class TrainingPoint(Message):
    """One look at the validation people. Further fields of the log are kept."""

    model_config = ConfigDict(extra="allow", frozen=True, ser_json_inf_nan="constants")

    step: int
    seconds: float = Field(default=0.0, description="of training, over all resumptions")
    loss: float = Field(description="mean over the steps since the last look")
    validation_r2: float = Field(description="at 75 % hidden patches, people of the split 'val'")
    steps_per_s: float = 0.0


class Level(Message):
    """R² of a simple method on the same validation windows and masks that the curve is made of."""

    method: str
    title: str
    r2: float


class PreviewInfo(Message):
    """One validation window as the model fills it in. Arrays: ``measured``, ``predicted (parcels, frames)``
    float32 in SD, NaN where nothing was hidden; ``mask (parcels, patches)`` bool, True = hidden.
    """

    step: int
    names: tuple[str, ...] = Field(description="of the parcels on show")
    tr_s: float
    patch_frames: int


class EvaluationRow(Message):
    """One method on people the model has never seen. Intervals are 95 %, over people; None for one person."""

    method: str
    title: str
    r2: float
    low: float | None = None
    high: float | None = None


class EvaluationInfo(Message):
    """A finished model beside the simple methods, all on the same people and the same masks."""

    data: str = Field(description="whose recordings, in words")
    people: int
    mask_ratio: float
    rows: tuple[EvaluationRow, ...] = Field(description="the model first")
    verdict: str = Field(description="one plain sentence: who won")


class TrainingInfo(Message):
    """One training: all jobs that worked on one model folder."""

    job_id: str = Field(description="the newest of them")
    title: str
    model_id: str
    out: str = Field(description="the model's folder")
    state: JobState
    created: float = Field(description="of the first job; seconds since the epoch")
    cohort: str = Field(description="its folder")
    cohort_name: str
    simulated: bool = False
    params: dict[str, Any] = Field(default_factory=dict, description="of the job: submit them again to go on")
    step: int = Field(default=0, description="steps known to be done")
    seconds: float = Field(default=0.0, description="of training done")
    validation_r2: float | None = None
    resumable: bool = False
    usable: bool = Field(default=False, description="the model is finished and in the list of models")
    problem: str = Field(default="", description="why it ended, one sentence")
    next_step: str = Field(default="", description="what to do then, one sentence")
    spoiled: bool = Field(default=False, description="it stopped because loss or weights were no longer numbers")
    learning_rate: float = Field(default=0.0, description="asked for last; 0 = not known")
    rates: str = Field(default="", description="one sentence when the learning rate was changed on the way")
    points: tuple[TrainingPoint, ...] = ()
    levels: tuple[Level, ...] = ()
    preview: PreviewInfo | None = None
    evaluation: EvaluationInfo | None = None


class TrainingList(Message):
    """Trainings of this study, newest first, without their points."""

    trainings: tuple[TrainingInfo, ...] = ()
