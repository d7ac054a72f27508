"""Networks of a group: parcels are compared by the mean, over people, of how alike they are."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from brainlm_engine.api.errors import BadInput
from brainlm_engine.api.networks import NetworksInfo
from brainlm_engine.cohort import load_recording, open_cohort, zscored
from brainlm_engine.cohort.abide import is_abide, open_abide
from brainlm_engine.models.base import MaskedModel
from brainlm_engine.progress import SILENT, Progress
from brainlm_engine.recording import Recording
from brainlm_engine.tasks.input_scaling import InputScaling
from brainlm_engine.tasks.network_labels import agreement, clusters, figures, likeness, majority, nearest, nearness
from brainlm_engine.tasks.network_maps import connectivity, noise_like
from brainlm_engine.tasks.networks import OF_MODEL, Networks, map_table, own_share, score_of, verdict
from brainlm_engine.tasks.parcel_maps import parcel_maps
from brainlm_engine.tasks.reconstruct import model_id
from brainlm_engine.tasks.reference_networks import NETWORKS, reference_networks
from brainlm_engine.tasks.scoring import Clock

Floats = NDArray[np.float32]
PEOPLE = 20  # as many when nobody says how many
_APART_MM = 1.0


def is_group(path: Path) -> bool:
    """True for what holds many people: a cohort's folder, or an ABIDE file."""
    return path.is_dir() or is_abide(path)


def group_networks(
    model: MaskedModel,
    data: Path,
    *,
    people: int = PEOPLE,
    source: str = "attention",
    count: int | None = None,
    scaling: InputScaling | None = None,
    progress: Progress = SILENT,
) -> tuple[Networks, Recording]:
    """Find the networks of ``people`` people of a cohort's folder (its test people first) or of an ABIDE file.

    Returns
    -------
    networks, and the first person's recording: it says which atlas they are of

    Raises
    ------
    BadInput
        When the parcels of two people differ, the source takes minutes a person, or nobody is there.
    """
    if source == "responses":
        raise BadInput("Responses take minutes for every person.", "Choose another source for a group.")
    clock, mean, alone, first = Clock(), _Means(), [], None
    for done, (total, recording) in enumerate(_people(data, people)):
        progress(0.9 * done / total, f"Person {done + 1} of {total}")
        if first is None:
            first, reference = recording, reference_networks(recording)
        _check_alike(first, recording)
        tables = _tables(model, recording, source, scaling, done)
        for name, table in tables.items():
            mean.add(name, table)
        found = nearest(tables[source], reference.labels)
        alone.append(figures(found, reference.labels, len(NETWORKS)).accuracy)
    if first is None:
        raise BadInput(f"{data.name} holds nobody whose recording can be read.", "Choose another folder.")
    progress(0.92, "Cutting the parcels into networks nobody named")
    averaged = mean.tables()
    averaged |= {"xyz": nearness(first.xyz), "mirrored": nearness(first.xyz, mirrored=True)}
    order = [source, *(name for name in averaged if name != source)]
    labels = {name: nearest(averaged[name], reference.labels) for name in order}
    labels["majority"] = majority(reference.labels)
    scores = tuple(score_of(name, found, reference, source) for name, found in labels.items())
    chosen = averaged[source]
    groups, number, width = clusters(chosen, count)
    told = f"Mean map of {len(alone)} people. {verdict(scores)}"
    told += f" The map of one person alone: {np.mean(alone):.0%} on average."
    info = NetworksInfo(
        model_id=model_id(model), source=source, names=NETWORKS, reference_from=reference.how, people=len(alone),
        parcels=int((reference.labels >= 0).sum()), scores=scores, clusters=number, silhouette=round(width, 4),
        cluster_nmi=round(agreement(groups, reference.labels), 4), verdict=told, seconds=clock.seconds,
    )  # fmt: skip
    arrays: dict[str, NDArray[Any]] = {
        "labels": labels[source].astype(np.int16), "reference": reference.labels.astype(np.int16),
        "clusters": groups.astype(np.int16), "coverage": reference.coverage, "alike": chosen,
        "agreement": own_share(chosen, reference.labels),
    }  # fmt: skip
    return Networks(info, arrays), first


class _Means:
    """Means over people of tables with gaps."""

    def __init__(self) -> None:
        self._sums: dict[str, NDArray[np.float64]] = {}
        self._counts: dict[str, NDArray[np.int_]] = {}

    def add(self, name: str, table: Floats) -> None:
        """Take one person's table."""
        known = np.isfinite(table)
        clean = np.where(known, table, 0).astype(np.float64)
        self._sums[name] = clean + self._sums[name] if name in self._sums else clean
        self._counts[name] = known + self._counts[name] if name in self._counts else known.astype(int)

    def tables(self) -> dict[str, Floats]:
        """Return the means; NaN where nobody has a value."""
        out = {}
        for name, total in self._sums.items():
            count = self._counts[name]
            out[name] = np.asarray(np.where(count > 0, total / np.maximum(count, 1), np.nan), np.float32)
        return out


def _tables(
    model: MaskedModel, recording: Recording, source: str, scaling: InputScaling | None, seed: int
) -> dict[str, Floats]:
    """Return one person's tables: of the source, of the simple ways, and of noise like the recording."""
    tables = {"connectivity": likeness(connectivity(recording)), "raw": likeness(zscored(recording))}
    if source in OF_MODEL:
        tables[source] = map_table(parcel_maps(model, recording, scaling=scaling), source)
        noise = parcel_maps(model, noise_like(recording, seed), windows=1, scaling=scaling)
        tables["noise"] = map_table(noise, source)
    return tables


def _check_alike(first: Recording, other: Recording) -> None:
    same = first.n_parcels == other.n_parcels
    if not same or np.nanmax(np.abs(np.nan_to_num(first.xyz) - np.nan_to_num(other.xyz))) > _APART_MM:
        raise BadInput(
            f"{other.name or 'A recording'} has other parcels than {first.name or 'the first'}: "
            f"{other.n_parcels} beside {first.n_parcels}.", "Choose a cohort that was parcellated with one atlas.",
        )  # fmt: skip


def _people(data: Path, count: int) -> Iterator[tuple[int, Recording]]:
    """Give how many there are, and their recordings one by one."""
    if is_abide(data):
        file = open_abide(data)
        named = [person for people in file.sites.values() for person in people]
        chosen = [named[at] for at in np.unique(np.linspace(0, len(named) - 1, min(count, len(named))).astype(int))]
        yield from ((len(chosen), recording) for recording in file.recordings(chosen))
        return
    cohort = open_cohort(data)
    tested = cohort.people("test")
    everybody = [*tested, *(person for person in cohort.files if person not in set(tested) and cohort.files[person])]
    chosen = everybody[:count]
    for person in chosen:
        yield len(chosen), load_recording(cohort.files[person][0])
