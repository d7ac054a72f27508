"""Networks of people no model has seen, beside baselines and the controls that decide what the figures mean."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field

from brainlm_engine.api.errors import BadInput
from brainlm_engine.baselines.graph_network import train_graph_network
from brainlm_engine.baselines.series_vae import train_vae
from brainlm_engine.cohort import load_recording, open_cohort, zscored
from brainlm_engine.cohort.abide import is_abide, open_abide
from brainlm_engine.models.base import MaskedModel
from brainlm_engine.progress import SILENT, Progress
from brainlm_engine.recording import Recording
from brainlm_engine.tasks.network_labels import (
    Figures,
    Labels,
    figures,
    likeness,
    majority,
    nearest,
    nearness,
    supervised,
)  # fmt: skip
from brainlm_engine.tasks.network_layer import best_layer
from brainlm_engine.tasks.network_maps import connectivity, halves, noise_like, untrained
from brainlm_engine.tasks.networks import TITLES
from brainlm_engine.tasks.parcel_maps import parcel_maps
from brainlm_engine.tasks.reconstruct import model_id
from brainlm_engine.tasks.reference_networks import NETWORKS, reference_networks

Floats = NDArray[np.float32]
_RESAMPLES = 2000
_TAUGHT = 100  # people that the other methods learn from
PEOPLE = 50  # as many as one is looked for among
_NOISES = 8  # inputs of noise whose mean map is taken off
_FRAMES = 200  # of the windows of VAE and graph network


class NetworkRow(BaseModel):
    """One way of comparing parcels. Intervals are 95 %, from resampling people; None where there is one person only."""

    model_config = ConfigDict(extra="forbid")

    method: str
    title: str
    accuracy: float = Field(description="mean over people of the share of parcels put into their reference network")
    low: float | None
    high: float | None
    minus_attention_low: float | None = Field(description="this minus attention, 2.5th percentile")
    minus_attention_high: float | None
    balanced: float = Field(description="mean over networks of the share found")
    nmi: float
    recall: tuple[float, ...] = Field(description="per network")


class Retrieval(BaseModel):
    """How often a person's map of the second half of a recording is most like that of the first half."""

    model_config = ConfigDict(extra="forbid")

    method: str
    title: str
    found: float
    low: float
    high: float


class NetworkEvaluation(BaseModel):
    """The whole table."""

    model_config = ConfigDict(extra="forbid", protected_namespaces=())

    model_id: str
    data: str
    people: int
    parcels: int
    networks: tuple[str, ...] = NETWORKS
    reference_from: str
    rows: tuple[NetworkRow, ...]
    group_accuracy: dict[str, float] = Field(description="of the mean map over people")
    retrieval: tuple[Retrieval, ...]
    chance: float = Field(description="of the retrieval")
    layer: int = Field(description="of the attention, from 1 on: the best one for other people")


class _Taught:
    """What other people taught the methods that learn."""

    def __init__(self, recordings: Sequence[Recording], shortest: int, progress: Progress) -> None:
        series = [zscored(recording) for recording in recordings]
        frames = min(_FRAMES, shortest, *(each.shape[1] for each in series))
        progress(0.0, "Training the autoencoder and the graph network")
        self.vae, self.graph = train_vae(series, frames), train_graph_network(series, frames)
        self.profile = np.mean([np.nan_to_num(connectivity(each)) for each in recordings], 0)


def evaluate_networks(
    model: MaskedModel, data: Path, *, people: int | None = None, progress: Progress = SILENT
) -> NetworkEvaluation:
    """Find the networks of every 'test' person of a cohort, or of people of half of the sites of an ABIDE file.

    What learns (autoencoder, graph network, supervised profile) learns from the 'train' people, or from the other half
    of the sites. One recording per person; every parcel's label comes from parcels outside its fold.
    """
    taught_by, recordings, name = (_abide if is_abide(data) else _cohort)(data, people or PEOPLE)
    taught = _Taught(taught_by, min(recording.n_frames for recording in recordings), progress)
    first = recordings[0]
    reference = reference_networks(first)
    progress(0.0, "Looking for the layer that tells networks best")
    layer = best_layer(model, taught_by, reference.labels)
    fresh = untrained(model)
    found: dict[str, list[Labels]] = {}
    total: dict[str, Floats] = {}
    pairs: dict[str, list[tuple[Floats, Floats]]] = {"attention": [], "connectivity": []}
    plain = np.mean(
        [parcel_maps(model, noise_like(first, seed), windows=1, layer=layer).attention for seed in range(_NOISES)], 0
    )  # fmt: skip
    for done, recording in enumerate(recordings):
        progress(done / len(recordings), f"Networks of {done + 1} of {len(recordings)}")
        cut = halves(recording)
        seen = [parcel_maps(model, half, windows=1, layer=layer) for half in cut]
        noise = parcel_maps(model, noise_like(recording, done), windows=1, layer=layer)
        blank = parcel_maps(fresh, recording, windows=1, layer=layer)
        attended = np.mean([each.attention for each in seen], 0)
        rows: dict[str, Floats] = {
            "attention": attended, "all_attention": np.mean([each.profiles for each in seen], 0),
            "connectivity": connectivity(recording), "raw": zscored(recording),
            "vae": taught.vae.features(zscored(recording)), "gcn": taught.graph.features(zscored(recording)),
            "noise": noise.attention, "all_noise": noise.profiles, "untrained": blank.attention,
            "all_untrained": blank.profiles, "added": attended - plain,
        }  # fmt: skip
        tables = {method: likeness(map_) for method, map_ in rows.items()}
        tables |= {"xyz": nearness(recording.xyz), "mirrored": nearness(recording.xyz, mirrored=True)}
        for method, alike in tables.items():
            found.setdefault(method, []).append(nearest(alike, reference.labels))
            clean = np.nan_to_num(alike)
            total[method] = total[method] + clean if method in total else clean
        found.setdefault("supervised", []).append(supervised(taught.profile, rows["connectivity"], reference.labels))
        found.setdefault("majority", []).append(majority(reference.labels))
        pairs["attention"].append((seen[0].shares, seen[1].shares))
        pairs["connectivity"].append((connectivity(cut[0]), connectivity(cut[1])))
    progress(1.0, "Scored")
    scored = {method: [figures(each, reference.labels, len(NETWORKS)) for each in of] for method, of in found.items()}
    return NetworkEvaluation(
        model_id=model_id(model), data=name, people=len(recordings), parcels=int((reference.labels >= 0).sum()),
        reference_from=reference.how, rows=_rows(scored),
        group_accuracy={
            method: round(figures(nearest(alike, reference.labels), reference.labels, 7).accuracy, 4)
            for method, alike in total.items()
        },
        retrieval=tuple(_retrieval(method, maps) for method, maps in pairs.items()),
        chance=round(1 / len(recordings), 4), layer=layer,
    )  # fmt: skip


def _rows(scored: dict[str, list[Figures]]) -> tuple[NetworkRow, ...]:
    people = len(scored["attention"])
    draws = np.random.default_rng(0).integers(people, size=(_RESAMPLES, people))
    ours = np.array([each.accuracy for each in scored["attention"]])
    rows = []
    for method in (name for name in TITLES if name in scored):
        told = scored[method]
        accuracy = np.array([each.accuracy for each in told])
        ends = np.percentile(accuracy[draws].mean(1), (2.5, 97.5))
        apart = np.percentile((accuracy - ours)[draws].mean(1), (2.5, 97.5))
        low, high, less, more = (round(float(value), 4) if people > 1 else None for value in (*ends, *apart))
        rows.append(
            NetworkRow(
                method=method, title=TITLES[method], accuracy=round(float(accuracy.mean()), 4), low=low, high=high,
                minus_attention_low=less, minus_attention_high=more,
                balanced=round(float(np.mean([each.balanced for each in told])), 4),
                nmi=round(float(np.mean([each.nmi for each in told])), 4),
                recall=tuple(round(float(share), 4) for share in np.mean([each.recall for each in told], 0)),
            )
        )  # fmt: skip
    return tuple(rows)


def _retrieval(method: str, maps: list[tuple[Floats, Floats]]) -> Retrieval:
    """Look for each person's second map among all people's first ones, what all have in common taken off."""
    first, second = (_standing_out([pair[half] for pair in maps]) for half in (0, 1))
    right = ((second @ first.T).argmax(1) == np.arange(len(maps))).astype(float)
    draws = np.random.default_rng(0).integers(len(maps), size=(_RESAMPLES, len(maps)))
    low, high = np.percentile(right[draws].mean(1), (2.5, 97.5))
    return Retrieval(
        method=method, title=TITLES[method], found=round(float(right.mean()), 4), low=round(float(low), 4),
        high=round(float(high), 4),
    )  # fmt: skip


def _standing_out(maps: list[Floats]) -> Floats:
    upper = np.triu_indices(len(maps[0]), 1)
    rows = np.stack([np.nan_to_num((each + each.T)[upper]) for each in maps])
    rows = rows - rows.mean(0)
    return np.asarray(rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-12), np.float32)


def _cohort(folder: Path, people: int) -> tuple[list[Recording], list[Recording], str]:
    cohort = open_cohort(folder)
    chosen = {split: cohort.people(split)[:count] for split, count in (("train", _TAUGHT), ("test", people))}
    for split, named in chosen.items():
        if not named:
            raise BadInput(
                f"The cohort {folder.name} has nobody in its split “{split}”.",
                f"Give some people the split {split} in participants.tsv.",
            )
    taught, tested = (
        [load_recording(cohort.files[person][0]) for person in chosen[split]] for split in ("train", "test")
    )
    kind = "simulated people" if cohort.simulated else "people"
    return taught, tested, f"held-out {kind} of {folder.name}"


def _abide(path: Path, people: int) -> tuple[list[Recording], list[Recording], str]:
    file = open_abide(path)
    sites = list(file.sites)

    def of(some: Iterable[str], most: int) -> list[Recording]:
        named = [person for site in some for person in file.sites[site]]
        places = np.unique(np.linspace(0, len(named) - 1, min(most, len(named))).astype(int))
        return list(file.recordings([named[place] for place in places]))

    return (
        of(sites[::2], _TAUGHT), of(sites[1::2], people),
        f"ABIDE, real people of {len(sites[1::2])} sites (CC200, their own TR)",
    )  # fmt: skip
