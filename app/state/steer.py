"""The question "What would it take?": where the state is to go, what may be changed, and what came of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from app.state.model import State
from brainlm_engine.api.contrast import ContrastChoices
from brainlm_engine.api.steer import Aim, AimKind, FormKind, StateKind, SteerInfo, SteerSpec

Array = NDArray[Any]
Question = Literal["follows", "take", "compare", "sweep", "map"]
SteerShown = Literal["magnitude", "change", "sensitivity"]
Where = Literal["all", "selected"]


@dataclass(frozen=True, eq=False)
class Steered:
    """What it would take; arrays as in :class:`brainlm_engine.api.steer.SteerInfo`."""

    info: SteerInfo
    arrays: dict[str, Array]


@dataclass(frozen=True, eq=False)
class Growing:
    """The best change so far: ``magnitude (P,)`` SD."""

    magnitude: Array


class SteerState(State):
    """The form, the search, its answer. ``question`` is which of both questions the workspace asks."""

    question: Question = "follows"
    aim: AimKind = "contrast"
    files: tuple[str, ...] = Field(default=(), description="ids of recordings whose mean state is the target")
    named: str = Field(default="", description="what the recording is called, or that it is being read")
    cohort: str = Field(default="", description="folder")
    choices: ContrastChoices | None = None
    column: str = ""
    first: str = ""
    second: str = ""
    state: StateKind = "regions"
    form: FormKind = "additive"
    where: Where = "all"
    sparsity: float = 1.0
    restarts: int = Field(default=1, description="searches, each from another start")
    shuffles: int = 0
    shown: SteerShown = "magnitude"
    running: bool = False
    stage: str = ""
    curve: tuple[float, ...] = Field(default=(), description="of the search that is going on")
    growing: Growing | None = None
    result: Steered | None = None
    outdated: bool = False
    problem: str = ""

    @property
    def ready(self) -> bool:
        """True when the form says where the state is to go."""
        if self.aim == "recordings":
            return bool(self.files)
        return self.aim == "activity" or bool(self.cohort and self.column and self.first and self.second)

    def spec(self, targets: tuple[Any, ...], selected: tuple[int, ...]) -> SteerSpec:
        """Return what is asked for."""
        aim = Aim(kind="activity", targets=targets)
        if self.aim == "recordings":
            aim = Aim(kind="recordings", recordings=self.files)
        elif self.aim == "contrast":
            aim = Aim(kind="contrast", cohort=self.cohort, column=self.column, first=self.first, second=self.second)
        regions = tuple(sorted(selected)) if self.where == "selected" else ()
        return SteerSpec(
            aim=aim, state=self.state, form=self.form, regions=regions, sparsity=self.sparsity,
            restarts=self.restarts, shuffles=self.shuffles,
        )  # fmt: skip

    @property
    def changed_most(self) -> int:
        """Parcel that is changed most, -1 without an answer."""
        if self.result is None:
            return -1
        values = np.asarray(self.result.arrays["magnitude"], np.float32)
        return int(np.nanargmax(values)) if np.isfinite(values).any() else -1
