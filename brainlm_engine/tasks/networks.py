"""Functional networks of one recording, beside the controls that say what the figures mean."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from brainlm_engine.api.errors import BadInput
from brainlm_engine.api.networks import SOURCES, NetworkScore, NetworksInfo
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
TITLES = {
    "attention": "Attention, the best layer, all heads", "all_attention": "Attention, all layers and heads",
    "embedding": "Embeddings", "responses": "Responses to nudges",
    "connectivity": "Functional connectivity profile", "raw": "Series themselves", "vae": "Variational autoencoder",
    "gcn": "Graph convolution network", "supervised": "Connectivity, taught by other people (supervised)",
    "added": "The best layer, minus that of noise", "noise": "The best layer, noise as input",
    "all_noise": "All layers and heads, noise as input", "untrained": "That layer of the untrained model",
    "all_untrained": "All layers and heads of the untrained model", "xyz": "Coordinates alone",
    "mirrored": "Coordinates alone, hemispheres folded", "majority": "Largest network",
}  # fmt: skip
#: sources that a model makes
OF_MODEL = ("attention", "all_attention", "embedding", "responses")
_EVEN = 0.02  # of accuracy
_NOISES = 2  # inputs of noise


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
    if source not in SOURCES:
        raise BadInput(f"Parcels cannot be compared by “{source}”.", f"Choose one of: {', '.join(SOURCES)}.")
    reference = reference_networks(recording)
    made = parcel_maps(model, recording, scaling=scaling)
    noises = [noise_like(recording, seed) for seed in range(_NOISES)]
    of_noise = [parcel_maps(model, noise, windows=1, scaling=scaling) for noise in noises]
    tables = {
        "attention": likeness(made.attention), "all_attention": likeness(made.profiles),
        "embedding": made.arrays["embedding"], "connectivity": likeness(connectivity(recording)),
        "raw": likeness(zscored(recording)),
    }  # fmt: skip
    if source == "responses":
        tables["responses"] = likeness(responses(model, recording, scaling=scaling))
    if source == "responses":
        noise = likeness(responses(model, noises[0], scaling=scaling))
    elif source == "embedding":
        noise = np.asarray(of_noise[0].arrays["embedding"], np.float32)
    else:
        noise = likeness(of_noise[0].profiles if source == "all_attention" else of_noise[0].attention)
    controls = {
        "noise": noise, "added": likeness(made.attention - np.mean([each.attention for each in of_noise], 0)),
        "xyz": nearness(recording.xyz), "mirrored": nearness(recording.xyz, mirrored=True),
    }  # fmt: skip
    chosen = np.asarray(tables.pop(source), np.float32)
    found = nearest(chosen, reference.labels)
    everything = {source: found}
    everything |= {name: nearest(np.asarray(table), reference.labels) for name, table in (tables | controls).items()}
    everything["majority"] = majority(reference.labels)
    scores = tuple(_score(name, labels, reference, source) for name, labels in everything.items())
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


def _score(method: str, found: Labels, reference: Reference, source: str) -> NetworkScore:
    title = f"{TITLES[source]}, noise as input" if method == "noise" and source in OF_MODEL else TITLES[method]
    told = figures(found, reference.labels, len(NETWORKS))
    return NetworkScore(
        method=method, title=title, accuracy=round(told.accuracy, 4), nmi=round(told.nmi, 4),
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
    if first.method in OF_MODEL:
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
