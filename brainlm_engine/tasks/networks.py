"""Functional networks of one recording, beside the controls that say what the figures mean."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from brainlm_engine.api.networks import NetworkScore, NetworksInfo
from brainlm_engine.cohort import zscored
from brainlm_engine.models.base import MaskedModel
from brainlm_engine.recording import Recording
from brainlm_engine.tasks.input_scaling import InputScaling
from brainlm_engine.tasks.network_labels import (
    NEIGHBOURS,
    Labels,
    agreement,
    clusters,
    figures,
    likeness,
    majority,
    nearest,
    nearness,
)  # fmt: skip
from brainlm_engine.tasks.network_maps import connectivity, noise_like, responses
from brainlm_engine.tasks.parcel_maps import parcel_maps
from brainlm_engine.tasks.reconstruct import model_id
from brainlm_engine.tasks.reference_networks import NETWORKS, Reference, reference_networks
from brainlm_engine.tasks.scoring import Clock

Floats = NDArray[np.float32]
SOURCES = ("attention", "embedding", "connectivity", "raw", "responses")
TITLES = {
    "attention": "Attention between parcels", "embedding": "Embeddings", "responses": "Responses to nudges",
    "connectivity": "Functional connectivity profile", "raw": "Series themselves", "vae": "Variational autoencoder",
    "gcn": "Graph convolution network", "supervised": "Connectivity, taught by other people (supervised)",
    "added": "What the recording adds to attention", "noise": "Attention, noise as input",
    "untrained": "Attention of the untrained model", "xyz": "Coordinates alone",
    "mirrored": "Coordinates alone, hemispheres folded", "majority": "Largest network",
}  # fmt: skip
_EVEN = 0.02  # of accuracy


@dataclass(frozen=True)
class Networks:
    """What was found; the arrays are described at :class:`NetworksInfo`."""

    info: NetworksInfo
    arrays: dict[str, NDArray[Any]]

    @property
    def labels(self) -> Labels:
        """(parcels,) number in ``info.names``, -1 = none."""
        return np.asarray(self.arrays["labels"], np.intp)

    @property
    def verdict(self) -> str:
        """One plain sentence."""
        return self.info.verdict


def networks(
    model: MaskedModel,
    recording: Recording,
    *,
    source: str = "attention",
    count: int | None = None,
    recording_id: str = "",
    scaling: InputScaling | None = None,
) -> Networks:
    """Put every parcel into a network by the parcels most alike, and cut the parcels into networks nobody named.

    Parameters
    ----------
    source : what parcels are compared by, one of :data:`SOURCES`
    count : networks nobody named; None = chosen by silhouette

    Raises
    ------
    BadInput
        When no parcel has a reference network, or the model has no such map.
    """
    clock = Clock()
    reference = reference_networks(recording)
    made = parcel_maps(model, recording, scaling=scaling)
    real = made.attention
    noise = parcel_maps(model, noise_like(recording), windows=1, scaling=scaling).attention
    tables = {
        "attention": likeness(real), "embedding": made.arrays["embedding"],
        "connectivity": likeness(connectivity(recording)), "raw": likeness(zscored(recording)),
    }  # fmt: skip
    if source == "responses":
        tables["responses"] = likeness(responses(model, recording, scaling=scaling))
    controls = {
        "noise": likeness(noise), "added": likeness(real - noise), "xyz": nearness(recording.xyz),
        "mirrored": nearness(recording.xyz, mirrored=True),
    }  # fmt: skip
    chosen = np.asarray(tables.pop(source), np.float32)
    found = nearest(chosen, reference.labels)
    everything = {source: found}
    everything |= {name: nearest(np.asarray(table), reference.labels) for name, table in (tables | controls).items()}
    everything["majority"] = majority(reference.labels)
    scores = tuple(_score(name, labels, reference) for name, labels in everything.items())
    groups, number, width = clusters(chosen, count)
    info = NetworksInfo(
        recording_id=recording_id, model_id=model_id(model), source=source, names=NETWORKS,
        reference_from=reference.how, parcels=int((reference.labels >= 0).sum()), scores=scores, clusters=number,
        silhouette=round(width, 4), cluster_nmi=round(agreement(groups, reference.labels), 4),
        verdict=verdict(scores), notes=made.info.notes, seconds=clock.seconds,
    )  # fmt: skip
    arrays: dict[str, NDArray[Any]] = {
        "labels": found.astype(np.int16), "reference": reference.labels.astype(np.int16),
        "clusters": groups.astype(np.int16), "coverage": reference.coverage, "alike": chosen,
        "agreement": _own_share(chosen, reference.labels),
    }  # fmt: skip
    return Networks(info, arrays)


def _score(method: str, found: Labels, reference: Reference) -> NetworkScore:
    told = figures(found, reference.labels, len(NETWORKS))
    return NetworkScore(
        method=method, title=TITLES[method], accuracy=round(told.accuracy, 4), nmi=round(told.nmi, 4),
        recall=tuple(round(float(share), 4) for share in told.recall),
    )  # fmt: skip


def _own_share(alike: Floats, reference: Labels) -> Floats:
    """Return how many of each parcel's neighbours are of its own reference network, 0..1; NaN without one."""
    known = np.flatnonzero((reference >= 0) & np.isfinite(alike).any(1))
    inside = np.array(alike[np.ix_(known, known)])
    np.fill_diagonal(inside, -np.inf)
    near = np.argsort(-inside, 1)[:, :NEIGHBOURS]
    share = np.full(len(reference), np.nan, np.float32)
    share[known] = (reference[known][near] == reference[known][:, None]).mean(1)
    return share


def verdict(scores: tuple[NetworkScore, ...]) -> str:
    """Say what the figure means, in plain sentences."""
    of = {score.method: score.accuracy for score in scores}
    first = scores[0]
    told = f"{first.title} put {first.accuracy:.0%} of the parcels into their reference network."
    if first.method in ("attention", "embedding", "responses"):
        if of["noise"] >= first.accuracy - _EVEN:
            told += (
                f" With noise as input it would be {of['noise']:.0%}: what is found are the positions that the model "
                "has learned, not this recording."
            )
        else:
            told += f" With noise as input it would be {of['noise']:.0%}: the recording adds to it."
    best = max(("xyz", "mirrored"), key=lambda name: of[name])
    told += f" Coordinates alone reach {of[best]:.0%}."
    return told
