"""The Train workspace: the settings of the next training, the trainings there are, and the one on show."""

from __future__ import annotations

import re
import time
from dataclasses import dataclass, field
from typing import Any, Literal

from pydantic import Field

from app.state.data import Array
from app.state.model import State
from brainlm_engine.api.messages import JobState
from brainlm_engine.api.training import CohortInfo, ModelSize, TrainingChoices, TrainingEstimate, TrainingInfo

Masks = Literal["random", "parcels", "networks", "future", "mixed", "mixed-networks"]
Budget = Literal["minutes", "steps"]
Launch = Literal["here", "slurm", "dask"]
WINDOW_FRAMES = 200
#: the published architectures cut windows into patches of so many frames
_PUBLISHED_PATCH = 20
_LOOKS = 40
_CHECKPOINT_S = 30.0
#: Settings of the form, as an earlier training has them in its job.
_PLAIN = (
    "masks", "seed", "learning_rate", "batch", "threads", "device", "variety", "devices", "precision", "scaling",
    "launch",
)  # fmt: skip
#: Those of a cluster by their name there, with the launches that ask for them.
CLUSTER = {
    "partition": ("partition", "slurm"), "account": ("account", "slurm"), "time_limit": ("minutes", "slurm"),
    "memory_gb": ("memory_gb", "slurm"), "address": ("address", "dask"),
}  # fmt: skip


@dataclass(frozen=True, eq=False)
class Training:
    """A training as read from its folder.

    Attributes
    ----------
    info : state, curve, levels, evaluation
    arrays : ``measured``, ``predicted`` (parcels, frames) and ``mask (parcels, patches)``; empty without a preview
    """

    info: TrainingInfo
    arrays: dict[str, Array] = field(default_factory=dict)


class TrainState(State):
    """What the form says, what is known, what is on show."""

    cohort: str = Field(default="", description="folder of the chosen cohort")
    title: str = Field(default="", description="'' = a name made of size and cohort")
    size: str = "tiny"
    masks: Masks = "mixed"
    budget: Budget = "minutes"
    minutes: float = Field(default=10.0, ge=0.1, le=10_000)
    steps: int = Field(default=500, ge=1, le=10_000_000)
    seed: int = Field(default=0, ge=0, le=2_000_000_000)
    learning_rate: float = Field(default=2e-3, ge=1e-5, le=0.1)
    batch: int = Field(default=8, ge=1, le=512)
    threads: int = Field(default=0, ge=0, description="0 = all there are, until the engine says how many")
    device: str = "cpu"
    variety: bool = True
    devices: int = Field(default=1, ge=1, le=64, description="processes on each computer")
    precision: Literal["32", "bf16"] = "32"
    scaling: Literal["recording", "population"] = "recording"
    launch: Launch = Field(default="here", description="where it runs")
    nodes: int = Field(default=1, ge=1, le=64, description="computers, of SLURM")
    partition: str = Field(default="", description="of SLURM; '' = its default")
    account: str = Field(default="", description="that SLURM charges; '' = the person's default")
    time_limit: int = Field(default=24 * 60, ge=1, le=100_000, description="minutes of a SLURM job")
    memory_gb: int = Field(default=0, ge=0, le=4096, description="per computer, asked of SLURM; 0 = its default")
    address: str = Field(default="", description="of a Dask scheduler; '' = one is started here")
    cohorts: tuple[CohortInfo, ...] = ()
    choices: TrainingChoices | None = None
    estimate: TrainingEstimate | None = Field(default=None, description="of the present settings")
    trouble: tuple[str, str] = Field(default=("", ""), description="why the engine refuses them, and the next step")
    measuring: bool = False
    trainings: tuple[TrainingInfo, ...] = ()
    out: str = Field(default="", description="folder of the training on show")
    detail: Training | None = Field(default=None, description="the training on show, with curve and preview")
    busy: str = Field(default="", description="'starting', 'pausing' or 'stopping' while that goes on")
    active: str = Field(default="", description="job of the training that runs or waits")
    evaluating: str = Field(default="", description="job that compares a finished model with simple methods")
    wanted: str = Field(default="", description="folder that is being looked at, whether it is a cohort")
    making: str = Field(default="", description="job that makes a demo cohort")

    @property
    def chosen(self) -> CohortInfo | None:
        """The chosen cohort, when it is one that can be trained on."""
        return next((c for c in self.cohorts if c.path == self.cohort and not c.problem), None)

    @property
    def on_show(self) -> TrainingInfo | None:
        """The training on show, as listed."""
        return next((t for t in self.trainings if t.out == self.out), None)

    @property
    def model_size(self) -> ModelSize | None:
        """The chosen size."""
        return self.size_called(self.size)

    def size_called(self, size_id: str) -> ModelSize | None:
        """Return a size by its id."""
        sizes = self.choices.sizes if self.choices is not None else ()
        return next((size for size in sizes if size.size_id == size_id), None)

    def with_size(self, size_id: str) -> dict[str, Any]:
        """Return the fields that change with the size: the learning rate too, unless the person has chosen one."""
        before, after = self.model_size, self.size_called(size_id)
        if before is None or after is None or self.learning_rate != before.learning_rate:
            return {"size": size_id}
        return {"size": size_id, "learning_rate": after.learning_rate}

    def with_launch(self, launch: str) -> dict[str, Any]:
        """Return the fields that change with where it runs: back here, a device that is not here is given up."""
        devices = self.choices.devices if self.choices is not None else (self.device,)
        if launch != "here" or self.device in devices:
            return {"launch": launch}
        return {"launch": launch, "device": "cpu"}

    @property
    def expected_steps(self) -> int | None:
        """Steps of the next training, None while nobody knows how long one takes."""
        if self.budget == "steps":
            return self.steps
        step_s = self.estimate.step_s if self.estimate is not None else 0.0
        return max(1, round(60 * self.minutes / step_s)) if step_s else None

    @property
    def look_every(self) -> int:
        """Steps between looks at the validation people: some forty looks in all."""
        return min(500, max(2, (self.expected_steps or 10 * _LOOKS) // _LOOKS))

    @property
    def expected_seconds(self) -> float | None:
        """Seconds by the clock until the next training is done, looks at validation people included."""
        steps, told = self.expected_steps, self.estimate
        if steps is None or told is None or not told.step_s:
            return None
        return steps * told.step_s + (steps / self.look_every + 1) * told.look_s

    @property
    def window_frames(self) -> int:
        """Frames of a window: 200, or what the shortest recording has; whole patches of a published architecture."""
        frames = min(WINDOW_FRAMES, self.chosen.n_frames) if self.chosen is not None else WINDOW_FRAMES
        if self.model_size is None or not self.model_size.published:
            return frames
        return max(_PUBLISHED_PATCH, frames // _PUBLISHED_PATCH * _PUBLISHED_PATCH)

    def learning(self) -> dict[str, Any]:
        """Return what decides how a step goes: model, windows, masks, compute. Needs a chosen cohort and size."""
        cohort, size = self.chosen, self.model_size
        assert cohort is not None
        assert size is not None
        values = {name: getattr(self, name) for name in _PLAIN}
        values |= {
            "variety": self.variety and not size.published,
            "precision": self.precision if self.device == "cuda" else "32",
            "devices": self.devices if self.device != "mps" else 1,
            "nodes": self.nodes if self.launch == "slurm" else 1,
        }
        return {
            "cohort": cohort.path, "architecture": size.architecture, "model": dict(size.sizes),
            "window_frames": self.window_frames, **values,
        }  # fmt: skip

    def _cluster(self) -> dict[str, Any]:
        """Return what the chosen launch asks for, where the person said it."""
        asked = {there: getattr(self, name) for name, (there, launch) in CLUSTER.items() if launch == self.launch}
        return {name: value for name, value in asked.items() if value}

    def job_params(self, title: str) -> dict[str, Any]:
        """Return what the job of the next training is given. Needs a chosen cohort and size."""
        step_s = (self.estimate.step_s if self.estimate is not None else 0.0) or 1.0
        return {
            **self.learning(),
            "model_id": f"{_slug(title)}-{time.strftime('%y%m%d-%H%M%S')}",
            "title": title,
            self.budget: self.minutes if self.budget == "minutes" else self.steps,
            "evaluate_every": self.look_every,
            "checkpoint_every": min(200, max(1, round(_CHECKPOINT_S / step_s))),
            "cluster": self._cluster(),
        }

    def fit_to(self, choices: TrainingChoices) -> None:
        """Take what this computer offers; a remembered setting that it cannot meet becomes one that it can."""
        sizes = [size.size_id for size in choices.sizes]
        if self.size not in sizes and sizes:
            self.size = "tiny" if "tiny" in sizes else sizes[0]
        if self.launch == "here" and self.device not in choices.devices:
            self.device = "cpu"
        if not 0 < self.threads <= choices.threads:
            self.threads = choices.threads
        self.choices = choices

    def settings_of(self, training: TrainingInfo) -> dict[str, Any]:
        """Return the fields of this form that repeat an earlier training."""
        params = training.params
        values: dict[str, Any] = {name: params[name] for name in _PLAIN if name in params}
        values |= {name: params[name] for name in ("minutes", "steps") if params.get(name)}
        cluster = params.get("cluster", {})
        fresh = TrainState()
        known = {name: cluster[there] for name, (there, _) in CLUSTER.items() if there in cluster}
        known |= {
            name: params[name] for name in ("devices", "precision", "scaling", "launch", "nodes") if name in params
        }
        for name in (*CLUSTER, "devices", "precision", "scaling", "launch", "nodes"):  # older ones do not say them
            values[name] = known.get(name, getattr(fresh, name))
        values |= {"budget": "minutes" if params.get("minutes") else "steps", "cohort": training.cohort, "title": ""}
        for size in self.choices.sizes if self.choices is not None else ():
            same = size.architecture == params.get("architecture", "studio")
            if same and size.sizes == params.get("model", {}):
                values["size"] = size.size_id
        return values


def with_state(training: TrainingInfo, state: JobState) -> TrainingInfo:
    """Return a training whose job has come to ``state`` without the engine being there to say so."""
    resumable = state.ended and state is not JobState.DONE
    return training.model_copy(update={"state": state, "resumable": resumable})


def _slug(title: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", title.lower()).strip("-")[:40] or "model"
