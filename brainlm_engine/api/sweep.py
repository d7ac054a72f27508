"""Messages about sweeps: one scenario, asked over a grid of values, regions and onsets."""

from __future__ import annotations

from pydantic import Field

from brainlm_engine.api.messages import Message
from brainlm_engine.api.perturb import Scenario

#: answers of a sweep at most: two minutes on two cores
MOST_CELLS = 400
#: reference networks of a brain, at most
MOST_NETWORKS = 7
#: of a response curve when nobody says
USUAL_VALUES = (-3.0, -2.0, -1.0, -0.5, 0.5, 1.0, 2.0, 3.0)


class Place(Message):
    """Regions that take the swept target's part, and what they are called."""

    name: str
    regions: tuple[int, ...]


class SweepSpec(Message):
    """Which target of a scenario is swept, and over what; what is left empty stays as the target has it."""

    scenario: Scenario
    target: int = Field(default=0, ge=0, description="place in the scenario, counted from 0")
    values: tuple[float, ...] = USUAL_VALUES
    places: tuple[Place, ...] = ()
    networks: bool = Field(default=False, description="every reference network in turn, in place of ``places``")
    starts: tuple[int, ...] = Field(default=(), description="first frames")


class SweepCell(Message):
    """One answer of the grid."""

    place: int = Field(description="in ``places`` of the result")
    start: int
    value: float = Field(description="SD")
    reach: float = Field(description="SD, mean |difference| over what is not set")
    networks: tuple[float, ...] = Field(default=(), description="SD, mean effect per reference network; NaN = all set")
    beyond: float = Field(description="share of the frames set that lie outside what the model has usually seen")


class SweepLine(Message):
    """How the answer grows with the value, at one place and onset."""

    place: int
    start: int
    slope: float = Field(description="SD per SD, mean over the parcels of |effect per SD of value|")
    straight: float = Field(description="share of the variance over values that straight lines explain, one per parcel")
    even: float = Field(
        description="correlation of the maps of the lowest and the highest value: -1 = down is the mirror of up"
    )


class SweepInfo(Message):
    """The answers of a sweep.

    Arrays, with C cells and P parcels: ``effect (C, P)`` SD, mean difference from the onset on, NaN where regions are
    set or left out; ``gain (L, P)``, per line the effect per SD of value, by least squares; with one
    value, effect / value.
    """

    recording_id: str = ""
    model_id: str = ""
    spec: SweepSpec
    places: tuple[Place, ...]
    networks: tuple[str, ...] = ()
    cells: tuple[SweepCell, ...]
    lines: tuple[SweepLine, ...]
    tr_s: float
    verdict: str = ""
    notes: tuple[str, ...] = ()
    seconds: float = 0.0
