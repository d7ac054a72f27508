"""The question "How much follows?": a target over a grid of values, regions and onsets."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from app.state.model import State
from brainlm_engine.api.sweep import SweepInfo

Array = NDArray[Any]
Over = Literal["own", "networks", "selected"]


@dataclass(frozen=True, eq=False)
class Swept:
    """All answers; arrays as in :class:`brainlm_engine.api.sweep.SweepInfo`."""

    info: SweepInfo
    arrays: dict[str, Array]

    def line(self, place: int) -> tuple[Array, Array]:
        """Return values (V,) and rows of ``effect`` (V,) of a line."""
        info = self.info
        line = info.lines[place]
        rows = [n for n, cell in enumerate(info.cells) if (cell.place, cell.start) == (line.place, line.start)]
        return np.array([info.cells[row].value for row in rows]), np.array(rows)

    @property
    def order(self) -> tuple[int, ...]:
        """Places of the lines, the steepest first."""
        return tuple(sorted(range(len(self.info.lines)), key=lambda place: -self.info.lines[place].slope))


class SweepState(State):
    """The grid, the job, the answers."""

    low: float = -3.0
    high: float = 3.0
    count: int = Field(default=7, description="values")
    over: Over = "own"
    onsets: int = Field(default=1, description="moments that the target begins at; 1 = its own")
    job_id: str = Field(default="", description="that is running, '' = none")
    result: Swept | None = None
    chosen: int = Field(default=0, description="line that the brain shows")

    def values(self) -> tuple[float, ...]:
        """Return the values, SD; 0 is the regions' mean."""
        made = np.linspace(self.low, self.high, self.count) if self.count > 1 else np.array([self.high])
        return tuple(round(float(value), 4) for value in made)

    def starts(self, start: int, length: int, frames: int) -> tuple[int, ...]:
        """Return first frames of the target, evenly over a recording of so many frames."""
        if self.onsets <= 1:
            return (start,)
        return tuple(map(int, np.unique(np.linspace(0, max(frames - length, 0), self.onsets).round())))
