"""Messages about brain states along a recording."""

from __future__ import annotations

from pydantic import Field

from brainlm_engine.api.messages import Message


class StateSet(Message):
    """States found by k-means in one embedding.

    Those of the model are numbered by occupancy, the longest first; those of the series after the model's states with
    which they share most windows.
    """

    k: int = Field(description="number of states")
    silhouette: float = Field(description="mean over windows, -1 to 1; NaN where there are as many states as windows")
    silhouettes: dict[int, float] = Field(default={}, description="by number of states, of all that were tried")
    explained: tuple[float, float] = Field(description="share of the variance of the two components on show, 0 to 1")
    occupancy: tuple[float, ...] = Field(description="share of windows in each state; they sum to 1")
    visits: tuple[int, ...] = Field(description="runs of successive windows in each state")
    dwell_s: tuple[float, ...] = Field(description="mean length of a visit of each state, s")
    transitions: tuple[tuple[int, ...], ...] = Field(
        description="(k, k) from row to column between successive windows; the diagonal counts stays"
    )


class StatesInfo(Message):
    """States of a recording in a model's embedding, beside those of the parcel series themselves.

    Arrays, with T windows: ``starts (T,)`` int32, first frame; ``model_xy (T, 2)`` and ``series_xy (T, 2)`` float32,
    principal components; ``model_states (T,)`` and ``series_states (T,)`` int32 from 0, -1 for windows left out
    (their components are NaN); ``activity (N, T)`` float32, mean z-score of every network in ``networks``;
    ``condition (T,)`` int32, number in ``conditions``, -1 for windows of none (absent without events).
    """

    recording_id: str = ""
    model_id: str = ""
    windows: int
    window_frames: int = Field(description="frames of a window: the model's time patch")
    tr_s: float = Field(description="seconds per frame")
    model: StateSet = Field(description="of the model's embedding")
    series: StateSet = Field(description="of the principal components of the parcel series: the baseline")
    agreement: float = Field(description="adjusted Rand index of both sets of states: 0 by chance, 1 the same")
    networks: tuple[str, ...] = Field(default=(), description="reference networks whose activity is given")
    conditions: tuple[str, ...] = Field(default=(), description="of the events table, in the order they first come")
    with_conditions: dict[str, float] = Field(
        default={}, description="adjusted Rand index of the states of 'model' and 'series' with the conditions"
    )
    seconds: float = 0.0
    notes: tuple[str, ...] = ()
