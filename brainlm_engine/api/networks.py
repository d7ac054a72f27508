"""Messages about functional networks found without having been taught."""

from __future__ import annotations

from pathlib import Path

from pydantic import Field

from brainlm_engine.api.messages import Message
from brainlm_engine.files import written_whole

#: what parcels can be compared by
SOURCES = ("attention", "all_attention", "embedding", "connectivity", "raw", "responses")
#: what an image of networks can hold
WRITTEN = ("labels", "reference", "clusters")


class NetworkScore(Message):
    """How well one way of comparing parcels finds the reference networks, parcels held out."""

    method: str
    title: str
    accuracy: float = Field(description="share of parcels put into their reference network")
    nmi: float = Field(description="normalised mutual information with the reference, 0..1")
    recall: tuple[float, ...] = Field(default=(), description="share found of each network; NaN where it has no parcel")


class NetworksInfo(Message):
    """Networks of one recording.

    Arrays, with P parcels: ``labels (P,)`` int16, the network each parcel was put into by its most alike parcels
    outside its fold, number in ``names``; ``reference (P,)`` int16; ``clusters (P,)`` int16, networks nobody named,
    numbered by size; -1 = none. ``coverage (P,)`` float32, share of the parcel inside its reference network;
    ``alike (P, P)`` float32, correlation of what parcels are compared by; ``agreement (P,)`` float32, share of a
    parcel's nearest neighbours in its reference network.
    """

    recording_id: str = ""
    model_id: str = ""
    source: str = Field(description="what parcels are compared by, one of SOURCES")
    names: tuple[str, ...] = Field(description="the reference networks")
    reference_from: str = Field(description="where the reference labels come from, in words")
    people: int = Field(default=1, description="whose mean it is, 1 = one person's own")
    parcels: int = Field(description="with a reference network")
    scores: tuple[NetworkScore, ...] = Field(description="the source first, then what it must be compared with")
    clusters: int
    silhouette: float = Field(description="mean, -1..1")
    cluster_nmi: float = Field(description="of the clusters with the reference")
    verdict: str = ""
    notes: tuple[str, ...] = ()
    complete: bool = Field(default=True, description="controls that ask the model again are among the scores")
    seconds: float = 0.0


class NetworksFile(Message):
    """Networks as a file for other programs. Array ``content (bytes,)`` uint8."""

    name: str
    which: str = Field(description="which networks an image holds, one of WRITTEN")


def write_bytes(content: bytes, path: Path) -> None:
    """Write a file, whole or not at all.

    Raises
    ------
    BadInput
        When the folder or the disk refuses.
    """
    with written_whole(path) as temporary:
        temporary.write_bytes(content)
