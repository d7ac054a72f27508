"""Contrasts: do two groups of people, or two conditions of the same people, differ in what a model attends to?"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from brainlm_engine.api.contrast import ALPHA, ContrastInfo, ContrastMethod, What
from brainlm_engine.cohort import load_recording, open_cohort
from brainlm_engine.cohort.people_table import coded, people_table
from brainlm_engine.cohort.reading import check_same, kind_of
from brainlm_engine.models.base import MaskedModel
from brainlm_engine.progress import SILENT, Progress
from brainlm_engine.recording import Recording
from brainlm_engine.tasks.contrast_measures import TITLES, Measured, measure
from brainlm_engine.tasks.contrast_people import Asked, Chosen, choose_people, thinned
from brainlm_engine.tasks.contrast_statistics import PERMUTATIONS, Tested, between_groups, within_people
from brainlm_engine.tasks.reconstruct import model_id
from brainlm_engine.tasks.scoring import Clock

Floats = NDArray[np.float64]
_FIELDS = ("t", "p", "p_family", "q", "effect", "low", "high")


@dataclass(frozen=True)
class Contrast:
    """A contrast; the arrays are described at :class:`ContrastInfo`."""

    info: ContrastInfo
    arrays: dict[str, NDArray[np.generic]]


def contrast(
    model: MaskedModel,
    data: Path,
    asked: Asked,
    *,
    what: What = "attention",
    layer: int | None = None,
    windows: int | None = None,
    people: int | None = None,
    permutations: int = PERMUTATIONS,
    seed: int = 0,
    progress: Progress = SILENT,
) -> Contrast:
    """Measure everybody, average what belongs to one person, permute people.

    Parameters
    ----------
    data : a cohort folder
    asked : what is contrasted, with which covariates, of which split
    what : 'attention' (of the summary token, per parcel), 'networks' (between the seven networks), or 'embedding'
    layer : of the attention, from 1 on; None = mean of all
    windows : of each recording at most, None = all of it
    people : at most so many, evenly from both groups
    seed : of the permutations

    Raises
    ------
    BadInput
        When the column or a value is not there, a group has fewer than three people, or the model has nothing to read.
    """
    clock = Clock()
    cohort, table = open_cohort(data), people_table(data)
    chosen = thinned(choose_people(cohort, table, asked), people)
    values, names = _measured(
        chosen, lambda recording: measure(model, recording, what, layer=layer, windows=windows), progress
    )
    columns = [coded(table[name], chosen.people) for name in asked.covariates]
    covariates = np.column_stack(columns) if columns else None
    tests: dict[str, Tested] = {}
    for method, rows in values.items():
        progress(0.95, "Permuting people")
        if chosen.paired:
            apart = rows[:, 1] - rows[:, 0]
            tests[method] = within_people(apart, covariates, permutations=permutations, seed=seed)
        else:
            tests[method] = between_groups(
                rows[:, 0], chosen.second, covariates, permutations=permutations, seed=seed
            )  # fmt: skip
    progress(1.0, "Tested")
    told = {"model_id": model_id(model), "data": cohort.folder.name, "what": what, "seed": seed}
    return _told(told | {"seconds": clock.seconds}, asked, chosen, tests, names)


def _measured(
    chosen: Chosen, of: Callable[[Recording], Measured], progress: Progress
) -> tuple[dict[str, Floats], dict[str, tuple[str, ...]]]:
    """Return per method the values (people, conditions, tests); several recordings of one condition are averaged."""
    people = len(chosen.people)
    rows: list[list[dict[str, Floats]]] = []
    first, last = None, Measured({}, {})
    for number, conditions in enumerate(chosen.places):
        progress(0.95 * number / people, f"Measuring person {number + 1} of {people}")
        own = []
        for places in conditions:
            made = []
            for place in places:
                recording = load_recording(place)
                kind = kind_of(recording)
                first = first or kind
                check_same(first, kind, place.name)
                made.append(last := of(recording))
            own.append({name: np.mean([each.values[name] for each in made], 0) for name in last.values})
        rows.append(own)
    values = {name: np.array([[each[name] for each in own] for own in rows]) for name in last.values}
    return values, last.names


def _told(
    told: dict[str, Any], asked: Asked, chosen: Chosen, tests: dict[str, Tested], names: dict[str, tuple[str, ...]]
) -> Contrast:
    arrays: dict[str, NDArray[np.generic]] = {
        f"{method}_{field}": getattr(tested, field).astype(np.float32)
        for method, tested in tests.items() for field in _FIELDS
    }  # fmt: skip
    methods = tuple(_method(name, tested, names[name]) for name, tested in tests.items())
    ours, simple = tests.values()
    alike, only = float("nan"), 0
    if names[methods[0].method] == names[methods[1].method]:
        known = np.isfinite(ours.t) & np.isfinite(simple.t)
        if known.sum() > 2 and ours.t[known].std() > 0 and simple.t[known].std() > 0:
            alike = float(np.corrcoef(ours.t[known], simple.t[known])[0, 1])
        only = int(((ours.p_family < ALPHA) & ~(simple.p_family < ALPHA)).sum())
    left = int(np.isnan(ours.t).sum())
    notes = (*chosen.notes, *([f"{left} of {len(ours.t)} tests could not be done: missing in somebody."] * bool(left)))
    info = ContrastInfo(
        **told, column=asked.column, first=asked.first, second=asked.second,
        paired=chosen.paired, people=chosen.sizes, covariates=asked.covariates,
        recordings=sum(len(places) for own in chosen.places for places in own), permutations=ours.permutations,
        df=ours.df, methods=methods, agreement=alike, only_model=only, notes=notes,
        verdict=_verdict(methods, only, alike, asked),
    )  # fmt: skip
    return Contrast(info, arrays)


def _method(method: str, tested: Tested, names: tuple[str, ...]) -> ContrastMethod:
    known = np.isfinite(tested.t)
    facts: dict[str, Any] = {}
    if known.any():
        best = int(np.nanargmax(np.abs(tested.t)))
        facts = {
            "strongest": names[best], "strongest_t": float(tested.t[best]),
            "strongest_effect": float(tested.effect[best]), "smallest_p": float(np.nanmin(tested.p_family)),
        }  # fmt: skip
    return ContrastMethod(
        method=method, title=TITLES[method], names=names, of_parcels=method in ("attention", "strength"),
        tested=int(known.sum()), significant=int((tested.p_family < ALPHA).sum()),
        discovered=int((tested.q < ALPHA).sum()), **facts,
    )  # fmt: skip


def _verdict(methods: tuple[ContrastMethod, ...], only: int, alike: float, asked: Asked) -> str:
    """Say in a sentence or two whether there is a difference, and whether the simple measure shows it too."""
    ours, simple = methods
    title = simple.title[0].lower() + simple.title[1:]
    between = f"between {asked.first} and {asked.second}"
    if not ours.significant and not simple.significant:
        return f"No sure difference {between}, neither in the model nor in {title}."
    if not ours.significant:
        return f"No sure difference {between} in the model; {simple.significant} of {simple.tested} in {title}."
    told = (
        f"{ours.significant} of {ours.tested} differ {between} in the model, "
        f"{simple.significant} of {simple.tested} in {title}."
    )
    if np.isfinite(alike):
        told += f" {only} differ in the model only; both maps of t go together with r {alike:.2f}."
    return told
