"""Messages about effective connectivity: what every region does to every other in a model."""

from __future__ import annotations

from pydantic import Field

from brainlm_engine.api.messages import Message


class EffectiveInfo(Message):
    """Every parcel moved up and down in turn, and what a model expects of all others.

    Arrays, P parcels: ``effective (P, P)`` float32, SD of the column per SD of the row, NaN on the diagonal and for
    parcels left out; ``connectivity (P, P)``, correlations of the same recording; with the control ``noise (P, P)``,
    the same as ``effective`` when the recording's history is noise.
    """

    recording_id: str = ""
    model_id: str = ""
    value: float = Field(description="SD that each parcel was moved up, and down")
    start: int = Field(description="first frame of the window, in the recording")
    onset: int = Field(description="first frame that was moved, in the window")
    frames: int = Field(description="frames that were moved")
    with_connectivity: float = Field(description="Spearman's rank correlation with functional connectivity")
    with_distance: float = Field(description="Spearman's rank correlation with the distance between parcels")
    with_noise: float = Field(default=float("nan"), description="Spearman's rank correlation with the control")
    with_connectome: float = Field(
        default=float("nan"), description="Spearman's rank correlation with a structural connectome that was given"
    )
    symmetry: float = Field(description="Spearman's rank correlation with its own transpose: 1 = no direction")
    notes: tuple[str, ...] = ()
    seconds: float = 0.0
