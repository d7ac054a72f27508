"""Messages about attention between parcels."""

from __future__ import annotations

from pydantic import Field

from brainlm_engine.api.messages import Message


class AttentionInfo(Message):
    """What the parcels of a recording take from each other inside a model, averaged over time patches and windows.

    Arrays, with P parcels, L layers and H heads: ``maps (L, H, P, P)`` float16, row = who asks, column = who is asked,
    each row's parcels sum to 1; ``summary (L, H, P)`` float16, what the summary token takes from each parcel;
    ``rollout (P, P)``, ``embedding (P, P)``, ``connectivity (P, P)`` float32. NaN for parcels that are left out.
    """

    recording_id: str = ""
    model_id: str = ""
    windows: int = Field(description="of the recording that were looked at")
    window_frames: int
    layers: int
    heads: int = Field(description="per layer; 1 = the mean of all, where there are too many to be kept apart")
    summary: str = Field(default="", description="what the summary token's row is made of, in words")
    layer: int = Field(
        default=0,
        description="from 1 on, the one that tells networks best by the model's card, or the last; 0 = unknown",
    )
    agreement: float = Field(
        description="correlation of the mean map (both directions averaged) of ``layer`` with functional connectivity, "
        "over pairs of parcels"
    )
    near: float = Field(description="the same with closeness (minus the distance in mm): what position alone explains")
    seconds: float = 0.0
    notes: tuple[str, ...] = ()
