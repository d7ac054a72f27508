"""The Perturb workspace: which regions are set to what, and what a model says follows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from app.state.model import State
from brainlm_engine.api.perturb import PerturbInfo, PreviewInfo, Scenario, Target

Array = NDArray[Any]
PerturbShown = Literal["effect", "difference", "activity"]


@dataclass(frozen=True, eq=False)
class Perturbed:
    """What follows, exactly.

    Attributes
    ----------
    info : reach, networks, null draws
    arrays : see :class:`brainlm_engine.api.perturb.PerturbInfo`
    """

    info: PerturbInfo
    arrays: dict[str, Array]


@dataclass(frozen=True, eq=False)
class Previewed:
    """What follows, quickly, while a target is dragged; arrays as in :class:`PreviewInfo`."""

    info: PreviewInfo
    arrays: dict[str, Array]


#: scenarios that are compared at most
MOST_KEPT = 4


@dataclass(frozen=True, eq=False)
class Kept:
    """An answer that was put aside, and what it is called."""

    name: str
    result: Perturbed


class PerturbState(State):
    """Targets, and what came of them. ``dragged`` replaces the chosen target while it is dragged."""

    targets: tuple[Target, ...] = ()
    whose: tuple[str, str] = Field(default=("", ""), description="path and atlas of the case that the targets are of")
    chosen: int = Field(default=-1, description="place of the target that is edited, -1 = none")
    dragged: Target | None = None
    ahead: int = Field(default=0, description="frames to go on longer")
    nulls: int = Field(default=39, description="draws of random regions")
    shown: PerturbShown = "effect"
    apart: bool = Field(default=False, description="the watched trace shows the difference only")
    lasso: bool = Field(default=False, description="the next drag on the brain draws around regions")
    brush: bool = Field(default=False, description="the next drag on the brain paints over regions")
    watched: int = Field(default=-1, description="parcel of the second plot, -1 = the one that moves most")
    result: Perturbed | None = None
    preview: Previewed | None = None
    running: bool = False
    judging: bool = Field(default=False, description="the random draws are on their way")
    kept: tuple[Kept, ...] = Field(default=(), description="put aside for comparison")
    compared: int = Field(default=-1, description="place of the one that the brain shows, -1 = none")
    outdated: bool = False
    problem: str = ""

    @property
    def room(self) -> bool:
        """True when one more answer can be put aside."""
        return len(self.kept) < MOST_KEPT

    @property
    def target(self) -> Target | None:
        """The target that is edited, as it is dragged just now."""
        if self.dragged is not None:
            return self.dragged
        return self.targets[self.chosen] if 0 <= self.chosen < len(self.targets) else None

    def scenario(self) -> Scenario:
        """Return what is asked for, what is dragged included."""
        targets = list(self.targets)
        if self.dragged is not None and 0 <= self.chosen < len(targets):
            targets[self.chosen] = self.dragged
        return Scenario(targets=tuple(targets), ahead=self.ahead, nulls=self.nulls)

    @property
    def moved_most(self) -> int:
        """Parcel whose specific effect is largest, those that are set left out; -1 without a result."""
        if self.result is None:
            return -1
        values = np.array(self.result.arrays["specific"], np.float32)
        values[self.result.arrays["set"].astype(bool).any(1)] = np.nan
        return int(np.nanargmax(np.abs(values))) if np.isfinite(values).any() else -1
