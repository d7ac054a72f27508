"""Functional networks of one recording, beside the controls that say what the figures mean."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

from brainlm_engine.api.errors import BadInput
from brainlm_engine.api.networks import SOURCES, NetworkScore, NetworksInfo
from brainlm_engine.cohort import zscored
from brainlm_engine.models.base import MaskedModel
from brainlm_engine.progress import SILENT, Progress, progress_part
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
from brainlm_engine.tasks.network_maps import connectivity, noise_like, responses, untrained
from brainlm_engine.tasks.parcel_maps import ParcelMaps, parcel_maps
from brainlm_engine.tasks.reconstruct import model_id
from brainlm_engine.tasks.reference_networks import NETWORKS, Reference, reference_networks
from brainlm_engine.tasks.scoring import Clock

Floats = NDArray[np.float32]
T = TypeVar("T")
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
LEAST_FRAMES = 20
_EVEN = 0.02  # of accuracy
_NOISES = 4  # inputs of noise
_MOST_UNTRAINED = 50_000_000  # parameters: a larger model is not built a second time for a control


class Keep(Protocol):
    """Holds what was made under a name, so that it is made once."""

    def __call__(self, name: str, make: Callable[[], T]) -> T:
        """Return what is held under ``name``, made now if need be."""


def _made_now(name: str, make: Callable[[], T]) -> T:
    return make()


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
    controls: bool = True,
    keep: Keep = _made_now,
    progress: Progress = SILENT,
) -> Networks:
    """Put every parcel into a network by the parcels most alike, and cut the parcels into networks nobody named.

    Parameters
    ----------
    source : what parcels are compared by, one of :data:`SOURCES`
    count : networks nobody named; None = chosen by silhouette
    controls : also ask the model about noise, and the untrained model about the recording: most of the time goes there
    keep : called with a name and how it is made: what an earlier question about the same recording made comes back

    Raises
    ------
    BadInput
        When no parcel has a reference network, the recording is too short, or the model has no such map.
    """
    clock = Clock()
    if source not in SOURCES:
        raise BadInput(f"Parcels cannot be compared by “{source}”.", f"Choose one of: {', '.join(SOURCES)}.")
    if recording.n_frames < LEAST_FRAMES:
        raise BadInput(
            f"{recording.name or 'The recording'} has {recording.n_frames} frames, too few to tell which parcels go "
            "together.", f"Choose a recording of at least {LEAST_FRAMES} frames.",
        )  # fmt: skip
    reference = reference_networks(recording)
    tables = {"connectivity": likeness(connectivity(recording)), "raw": likeness(zscored(recording))}
    notes: tuple[str, ...] = ()
    if source in OF_MODEL or controls:
        try:
            tables, notes = _of_model(model, recording, source, controls, scaling, keep, progress, tables)
        except BadInput as error:
            if source in OF_MODEL:
                raise
            notes = (f"Without the model: {error.message}",)
    tables |= {"xyz": nearness(recording.xyz), "mirrored": nearness(recording.xyz, mirrored=True)}
    chosen = np.asarray(tables[source], np.float32)
    order = [source, *(name for name in TITLES if name in tables and name != source)]
    everything = {name: nearest(np.asarray(tables[name]), reference.labels) for name in order}
    found = everything[source]
    everything["majority"] = majority(reference.labels)
    scores = tuple(score_of(name, labels, reference, source) for name, labels in everything.items())
    progress(0.95, "Cutting the parcels into networks nobody named")
    groups, number, width = keep(f"clusters {source} {count}", lambda: clusters(chosen, count))
    info = NetworksInfo(
        recording_id=recording_id, model_id=model_id(model), source=source, names=NETWORKS,
        reference_from=reference.how, parcels=int((reference.labels >= 0).sum()), scores=scores, clusters=number,
        silhouette=round(width, 4), cluster_nmi=round(agreement(groups, reference.labels), 4),
        verdict=verdict(scores), notes=notes, complete=controls, seconds=clock.seconds,
    )  # fmt: skip
    arrays: dict[str, NDArray[Any]] = {
        "labels": found.astype(np.int16), "reference": reference.labels.astype(np.int16),
        "clusters": groups.astype(np.int16), "coverage": reference.coverage, "alike": chosen,
        "agreement": own_share(chosen, reference.labels),
    }  # fmt: skip
    return Networks(info, arrays)


def _of_model(  # noqa: PLR0917  (a part of the function above)
    model: MaskedModel, recording: Recording, source: str, controls: bool, scaling: InputScaling | None, keep: Keep,
    progress: Progress, tables: dict[str, Floats],
) -> tuple[dict[str, Floats], tuple[str, ...]]:  # fmt: skip
    """Add what the model sees to ``tables``, and what it sees in noise and without having learned; and the notes."""
    progress(0.0, "Reading the model's maps")
    made = keep("maps", lambda: parcel_maps(model, recording, scaling=scaling))
    kind = source if source in OF_MODEL else "attention"
    told = {**tables, **{name: map_table(made, name) for name in ("attention", "all_attention", "embedding")}}
    if source == "responses":
        nudged = progress_part(progress, 0.05, 0.5 if controls else 0.9)
        told["responses"] = keep(
            "responses", lambda: likeness(responses(model, recording, scaling=scaling, progress=nudged))
        )
    if not controls:
        return told, made.info.notes
    noises = [noise_like(recording, seed) for seed in range(_NOISES)]
    of_noise = []
    for seed, noise in enumerate(noises):
        progress(0.5 + 0.05 * seed, "Asking the model about noise")
        of_noise.append(
            keep(f"noise {seed}", lambda noise=noise: parcel_maps(model, noise, windows=1, scaling=scaling))  # type: ignore[misc]
        )
    told["added"] = likeness(made.attention - np.mean([each.attention for each in of_noise], 0))
    if kind == "responses":
        nudged = progress_part(progress, 0.7, 0.9)
        told["noise"] = likeness(responses(model, noises[0], scaling=scaling, progress=nudged))
        return told, made.info.notes
    told["noise"] = map_table(of_noise[0], kind)
    if sum(each.numel() for each in model.parameters()) < _MOST_UNTRAINED:
        progress(0.8, "Asking the untrained model")
        blank = keep("untrained", lambda: parcel_maps(untrained(model), recording, scaling=scaling))
        told["untrained"] = map_table(blank, kind)
    return told, made.info.notes


def map_table(made: ParcelMaps, name: str) -> Floats:
    """Return how alike parcels are by one of the model's maps."""
    if name == "embedding":
        return np.asarray(made.arrays["embedding"], np.float32)
    return likeness(made.profiles if name == "all_attention" else made.attention)


def score_of(method: str, found: Labels, reference: Reference, source: str) -> NetworkScore:
    """Return how right labels are that were found by ``method``, controls being those of ``source``."""
    kind = TITLES[source if source in OF_MODEL else "attention"]
    title = {"noise": f"{kind}, noise as input", "untrained": f"{kind}, untrained model"}.get(method, TITLES[method])
    told = figures(found, reference.labels, len(NETWORKS))
    return NetworkScore(
        method=method, title=title, accuracy=round(told.accuracy, 4), nmi=round(told.nmi, 4),
        recall=tuple(round(float(share), 4) for share in told.recall),
    )  # fmt: skip


def own_share(alike: Floats, reference: Labels) -> Floats:
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
    best = max(("xyz", "mirrored"), key=lambda name: of[name])
    if of[best] > first.accuracy + _EVEN:
        told += f" {TITLES[best]} do better ({of[best]:.0%}): the figure alone says nothing about function."
    elif of[best] >= first.accuracy - _EVEN:
        told += f" {TITLES[best]} do as well ({of[best]:.0%}): the figure alone says nothing about function."
    else:
        told += f" {TITLES[best]} reach {of[best]:.0%}."
    if first.method not in OF_MODEL:
        return told
    simple = max(("connectivity", "raw"), key=lambda name: of[name])
    if of[simple] > first.accuracy + _EVEN:
        told += f" Better without a model: {TITLES[simple].lower()}, {of[simple]:.0%}."
    if "noise" in of and of["noise"] >= first.accuracy - _EVEN:
        told += (
            f" With noise as input it would be {of['noise']:.0%}: what is found are the positions that the model has "
            "learned, not this recording."
        )
    elif "noise" in of:
        gain = 100 * (first.accuracy - of["noise"])
        told += f" With noise as input it would be {of['noise']:.0%}: the recording adds {gain:.0f} points."
    if "untrained" in of and of["untrained"] >= first.accuracy - _EVEN:
        told += f" The untrained model reaches {of['untrained']:.0%}: the training adds nothing here."
    return told
