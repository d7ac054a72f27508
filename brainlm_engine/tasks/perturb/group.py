"""One scenario in many people of a cohort, with statistics over people; groups or conditions may be compared."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from brainlm_engine.api.errors import BadInput
from brainlm_engine.api.group_effects import GroupEffect, GroupEffectsInfo
from brainlm_engine.api.perturb import Scenario
from brainlm_engine.cohort import open_cohort
from brainlm_engine.cohort.people_table import people_table
from brainlm_engine.cohort.reading import Place, load_recording
from brainlm_engine.models.base import MaskedModel
from brainlm_engine.progress import SILENT, Progress
from brainlm_engine.recording import Recording
from brainlm_engine.tasks.contrast_people import LEAST, Asked, choose_people, thinned
from brainlm_engine.tasks.contrast_statistics import Tested, between_groups, within_people
from brainlm_engine.tasks.input_scaling import InputScaling
from brainlm_engine.tasks.perturb.asked import parsed_target
from brainlm_engine.tasks.perturb.intervene import intervene
from brainlm_engine.tasks.reconstruct import model_id
from brainlm_engine.tasks.scoring import Clock

Floats = NDArray[np.float64]
_DRAWS = 2000
_SURE = 0.05


@dataclass(frozen=True)
class GroupEffects:
    """What follows in many people; arrays as in :class:`GroupEffectsInfo`."""

    info: GroupEffectsInfo
    arrays: dict[str, NDArray[Any]]


@dataclass(frozen=True)
class _Answer:
    """One person: ``effect (P,)``, specific effects by network, reach."""

    effect: Floats
    networks: dict[str, float]
    reach: float


def group_effects(
    model: MaskedModel,
    folder: Path,
    targets: Sequence[str],
    *,
    between: Asked | None = None,
    people: int = 40,
    add: bool = False,
    ahead: int = 0,
    scaling: InputScaling | None = None,
    progress: Progress = SILENT,
) -> GroupEffects:
    """Set ``targets`` in every person.

    Parameters
    ----------
    targets : as :func:`brainlm_engine.tasks.perturb.asked.parsed_target` reads them, in each recording anew
    between : groups or conditions to compare; None = nobody
    people : at most

    Raises
    ------
    BadInput
        When the folder is no cohort, a target fits no recording, or fewer than three people are left.
    """
    clock = Clock()
    names, places, second, notes = _chosen(folder, between, people)
    found: list[tuple[str, _Answer, bool]] = []
    left_out: list[str] = []
    for number, (person, sides) in enumerate(zip(names, places, strict=True)):
        progress(number / len(names), f"Person {number + 1} of {len(names)}")
        try:
            answers = [
                _mean([_ask(model, load_recording(place), (targets, add, ahead), scaling) for place in side])
                for side in sides
            ]
        except BadInput as error:
            left_out.append(f"{person}: {error.message}")
            continue
        found.append((person, answers[0] if len(answers) == 1 else _less(answers[1], answers[0]), bool(second[number])))
    if len(found) < LEAST:
        raise BadInput(
            f"{len(found)} people of {folder.name} could be asked; statistics take at least {LEAST}.",
            left_out[0] if left_out else "Choose a larger cohort.",
        )
    marks = np.array([mark for _, _, mark in found])
    groups = between is not None and len(places[0]) == 1
    if groups and min(marks.sum(), (~marks).sum()) < LEAST:
        raise BadInput(f"A group has fewer than {LEAST} people who could be asked.", "Choose other groups.")
    networks = tuple(dict.fromkeys(name for _, each, _ in found for name in each.networks))
    table = np.array([[each.networks.get(name, np.nan) for name in networks] for _, each, _ in found])
    tested = between_groups(table, marks) if groups else within_people(table)
    rows = _rows(networks, table, marks if groups else None, tested)
    told = ""
    if between is not None:
        told = f"{between.second} less {between.first} ({between.column})"
    sizes = (int((~marks).sum()), int(marks.sum())) if groups else (len(found), len(found))
    info = GroupEffectsInfo(
        model_id=model_id(model), cohort=folder.name, targets=tuple(targets),
        people=tuple(name for name, _, _ in found),
        compared=told, sizes=sizes, reach=float(np.mean([each.reach for _, each, _ in found])), networks=rows,
        left_out=tuple(left_out), verdict=_verdict(rows, len(found), told), notes=tuple(notes), seconds=clock.seconds,
    )  # fmt: skip
    effect = np.stack([each.effect for _, each, _ in found]).astype(np.float32)
    return GroupEffects(info, {"effect": effect, "networks": table.astype(np.float32)})


def _chosen(
    folder: Path, between: Asked | None, people: int
) -> tuple[list[str], list[tuple[tuple[Place, ...], ...]], NDArray[np.bool_], tuple[str, ...]]:
    """Return people, their recordings by condition, who is of the second group, and notes."""
    cohort = open_cohort(folder)
    if between is not None:
        chosen = thinned(choose_people(cohort, people_table(folder), between), people)
        return chosen.people, chosen.places, chosen.second, chosen.notes
    names = [person for person, places in cohort.files.items() if places][:people]
    places: list[tuple[tuple[Place, ...], ...]] = [(tuple(cohort.files[name]),) for name in names]
    return names, places, np.zeros(len(names), bool), ()


def _ask(
    model: MaskedModel, recording: Recording, asked: tuple[Sequence[str], bool, int], scaling: InputScaling | None
) -> _Answer:
    targets, add, ahead = asked
    wanted = tuple(parsed_target(text, recording, add=add) for text in targets)
    made = intervene(model, recording, Scenario(targets=wanted, ahead=ahead, nulls=0), scaling=scaling)
    specific = {row.network: row.specific for row in made.info.networks}
    return _Answer(made.effect.astype(np.float64), specific, made.info.reach)


def _mean(answers: list[_Answer]) -> _Answer:
    names = answers[0].networks
    return _Answer(
        np.mean([each.effect for each in answers], axis=0),
        {name: float(np.mean([each.networks.get(name, np.nan) for each in answers])) for name in names},
        float(np.mean([each.reach for each in answers])),
    )  # fmt: skip


def _less(one: _Answer, other: _Answer) -> _Answer:
    shared = {name: one.networks[name] - other.networks[name] for name in one.networks if name in other.networks}
    return _Answer(one.effect - other.effect, shared, (one.reach + other.reach) / 2)


def _rows(
    networks: tuple[str, ...], table: Floats, second: NDArray[np.bool_] | None, tested: Tested
) -> tuple[GroupEffect, ...]:
    rng = np.random.default_rng(0)

    def drawn(rows: Floats) -> Floats:
        return np.asarray(rows[rng.integers(0, len(rows), (_DRAWS, len(rows)))].mean(1))

    if second is None:
        mean, draws = table.mean(0), drawn(table)
    else:
        mean = table[second].mean(0) - table[~second].mean(0)
        draws = drawn(table[second]) - drawn(table[~second])
    low, high = np.nanquantile(draws, (0.025, 0.975), axis=0)
    return tuple(
        GroupEffect(
            network=name, mean=float(mean[n]), low=float(low[n]), high=float(high[n]), p=float(tested.p[n]),
            q=float(tested.q[n]),
        )
        for n, name in enumerate(networks)
    )  # fmt: skip


def _verdict(rows: tuple[GroupEffect, ...], people: int, compared: str) -> str:
    sure = sorted((row for row in rows if row.q <= _SURE), key=lambda row: -abs(row.mean))
    listed = ", ".join(f"{row.network} ({row.mean:+.2f} SD)" for row in sure)
    if compared:
        differ = f"differ in what follows: {listed}" if sure else "do not differ in what follows in any network"
        return f"In {people} people, {compared}: they {differ}."
    moved = f"moves beyond the brain's mean: {listed}" if sure else "moves no network beyond the brain's mean"
    return f"In {people} people the change {moved}."
