"""Messages about hiding parcels and looking at what changes."""

from __future__ import annotations

from pydantic import Field

from brainlm_engine.api.messages import Message


class OcclusionInfo(Message):
    """How much the reconstruction of every parcel changes when another one is hidden too.

    Arrays, with P parcels and K that were hidden one after the other: ``change (P, K)`` float32, mean squared change of
    the model's answer in hidden patches, SD squared; ``error (P, K)`` float32, by how much the mean squared error
    grows there, SD squared (below 0 = the parcel misled the model). NaN where a parcel is left out, and for itself.
    """

    recording_id: str = ""
    model_id: str = ""
    parcels: tuple[int, ...] = Field(description="the K that were hidden, in the order of the arrays")
    windows: int = Field(description="of the recording that were looked at, evenly spread")
    window_frames: int
    hidden: float = Field(description="share of patches that are hidden anyway; every patch is scored once")
    runs: int = Field(description="windows that the model filled in")
    seconds: float = 0.0
    notes: tuple[str, ...] = ()
