"""The question "Who moves whom?": every region moved in turn, and what a model expects of all others."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from numpy.typing import NDArray
from pydantic import Field

from app.state.model import State
from brainlm_engine.api.effective import EffectiveInfo

Array = NDArray[Any]
MapShown = Literal["effective", "connectivity", "noise"]
Direction = Literal["out", "into"]


@dataclass(frozen=True, eq=False)
class EffectiveMap:
    """The map and what it goes with; arrays as in :class:`brainlm_engine.api.effective.EffectiveInfo`."""

    info: EffectiveInfo
    arrays: dict[str, Array]


class EffectiveState(State):
    """The job, its map, what is shown of it."""

    control: bool = Field(default=True, description="also with noise for history: the model's own part")
    shown: MapShown = "effective"
    direction: Direction = Field(default="out", description="on the brain: whom the region moves, or who moves it")
    job_id: str = Field(default="", description="that is running, '' = none")
    result: EffectiveMap | None = None

    @property
    def on_show(self) -> Array | None:
        """The map (P, P) that is shown, row = moved; None when there is none of the kind."""
        return None if self.result is None else self.result.arrays.get(self.shown)
