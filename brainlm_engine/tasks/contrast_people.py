"""Whom a contrast is between: two groups of people, or everybody who has recordings of both tasks."""

from __future__ import annotations

import operator
import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from brainlm_engine.api.contrast import ContrastChoices
from brainlm_engine.api.errors import BadInput
from brainlm_engine.cohort import open_cohort
from brainlm_engine.cohort.people_table import TASK, coded, column_of, people_table, task_of
from brainlm_engine.cohort.reading import SPLITS, Cohort, Place

Table = dict[str, dict[str, str]]
LEAST = 3  # people in a group
_MOST_VALUES = 12  # of a column that is offered for choice
_SIDE = re.compile(r"(?P<side>[<>]=?)\s*(?P<number>[+-]?\d+(\.\d*)?)")
_SIDES: dict[str, Callable[[float, float], bool]] = {
    "<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge,
}  # fmt: skip


@dataclass(frozen=True)
class Asked:
    """What is contrasted.

    Attributes
    ----------
    column : 'task' (conditions of the same people) or a column of participants.tsv (groups of people)
    first, second : two values of it; t above 0 = more in ``second``
    covariates : columns whose linear part is taken off
    task : of groups, only recordings of this task; '' = all
    split : 'train', 'val', 'test', or '' for everybody
    """

    column: str
    first: str
    second: str
    covariates: tuple[str, ...] = ()
    task: str = ""
    split: str = ""


@dataclass(frozen=True)
class Chosen:
    """The people of a contrast; everybody counts once.

    Attributes
    ----------
    paired : both conditions of the same people
    people : who
    second : (people,) bool, of two groups: who is of the second
    places : per person, the recordings of each condition (pairs), or all (groups)
    notes : who was left out, and why
    """

    paired: bool
    people: list[str]
    second: NDArray[np.bool_]
    places: list[tuple[tuple[Place, ...], ...]]
    notes: tuple[str, ...] = ()

    @property
    def sizes(self) -> tuple[int, int]:
        """People in the first and in the second group or condition."""
        if self.paired:
            return len(self.people), len(self.people)
        return int((~self.second).sum()), int(self.second.sum())


def parse_between(text: str) -> tuple[str, str, str]:
    """Read 'sex=F,M' as column, first and second value; 'age=<40,>=40' are people on both sides of a number.

    Raises
    ------
    BadInput
        When it is not written so, or both values are the same.
    """
    column, equals, values = text.partition("=")
    both = [value.strip() for value in values.split(",")]
    if not equals or not column.strip() or len(both) != 2 or not all(both):
        raise BadInput(
            f"“{text}” does not say what is contrasted.", "Write column=first,second, for example task=rest,visual."
        )
    if unclear := [value for value in both if value[0] in "<>" and not _SIDE.fullmatch(value)]:
        raise BadInput(
            f"“{unclear[0]}” is no side of a number.", "Write column=<number,>=number, for example age=<40,>=40."
        )
    if both[0] == both[1]:
        raise BadInput(f"{both[0]} cannot be contrasted with itself.", "Give two different values.")
    return column.strip(), both[0], both[1]


def choose_people(cohort: Cohort, table: Table, asked: Asked) -> Chosen:
    """Find the people of a contrast.

    Raises
    ------
    BadInput
        When a column or a value is not there, or a group has fewer than three people.
    """
    if asked.split and asked.split not in SPLITS:
        raise BadInput(f"There is no split “{asked.split}”.", f"Choose one of {', '.join(SPLITS)}, or leave it out.")
    if asked.first == asked.second:
        raise BadInput(f"{asked.first} cannot be contrasted with itself.", "Choose two different values.")
    there = [
        person for person, part in cohort.split.items()
        if cohort.files.get(person) and asked.split in ("", part)
    ]  # fmt: skip
    chosen = _pairs(cohort, there, asked) if asked.column == TASK else _groups(cohort, table, there, asked)
    return _known(chosen, table, asked, cohort.folder)


def thinned(chosen: Chosen, most: int | None) -> Chosen:
    """Return at most ``most`` people, evenly from the list, of two groups as many of each as their share says."""
    if most is None or most >= len(chosen.people):
        return chosen
    if chosen.paired:
        kept = _evenly(np.arange(len(chosen.people)), most)
    else:
        if most < 2 * LEAST:
            raise BadInput(
                f"{most} people are too few for two groups of at least {LEAST}.", f"Ask for {2 * LEAST} people or more."
            )
        first, second = np.flatnonzero(~chosen.second), np.flatnonzero(chosen.second)
        share = min(max(round(most * len(second) / len(chosen.people)), LEAST), len(second))
        kept = np.sort(np.r_[_evenly(first, max(most - share, LEAST)), _evenly(second, share)])
    return kept_people(chosen, kept, chosen.notes)


def contrast_choices(folder: Path) -> ContrastChoices:
    """Say what can be contrasted in a folder; what is no cohort carries a sentence."""
    try:
        cohort, table = open_cohort(folder), people_table(folder)
    except BadInput as error:
        return ContrastChoices(path=str(folder), problem=error.message, next_step=error.next_step)
    columns: dict[str, tuple[str, ...]] = {}
    with_task: dict[str, int] = {}
    for places in cohort.files.values():
        for task in {task_of(place.stem) for place in places} - {""}:
            with_task[task] = with_task.get(task, 0) + 1
    there = {person for person, places in cohort.files.items() if places}
    counted = {TASK: with_task}
    for column, cells in table.items():
        counted.setdefault(column, {})
        for person, value in cells.items():
            if person in there:
                counted[column][value] = counted[column].get(value, 0) + 1
    for column, counts in counted.items():
        values = sorted(value for value, number in counts.items() if number >= LEAST)
        if 2 <= len(values) <= _MOST_VALUES and column != "split":
            columns[column] = tuple(values)
    columns = dict(sorted(columns.items(), key=lambda item: (item[0] != TASK, len(item[1]))))
    numbers = tuple(name for name, cells in table.items() if cells and _all_numbers(list(cells.values())))
    problem = "" if columns else f"No column of {folder.name} has two values with {LEAST} people each."
    step = "" if columns else "Add a column to participants.tsv, or choose another cohort."
    return ContrastChoices(path=str(folder), columns=columns, numbers=numbers, problem=problem, next_step=step)


def _pairs(cohort: Cohort, people: list[str], asked: Asked) -> Chosen:
    found: list[str] = []
    places: list[tuple[tuple[Place, ...], ...]] = []
    tasks: set[str] = set()
    for person in people:
        by_task: dict[str, list[Place]] = {}
        for place in cohort.files[person]:
            by_task.setdefault(task_of(place.stem), []).append(place)
        tasks |= set(by_task) - {""}
        if asked.first in by_task and asked.second in by_task:
            found.append(person)
            places.append((tuple(by_task[asked.first]), tuple(by_task[asked.second])))
    for task in (asked.first, asked.second):
        if task not in tasks:
            names = ", ".join(sorted(tasks)) or "none that its files name"
            raise BadInput(f"{cohort.folder.name} has no recordings of the task “{task}”.", f"Its tasks: {names}.")
    if len(found) < LEAST:
        raise BadInput(
            f"{len(found)} people of {cohort.folder.name} have recordings of both {asked.first} and {asked.second}; "
            f"a contrast takes at least {LEAST}.",
            "Choose tasks that more people did.",
        )
    left = len(people) - len(found)
    notes = (f"{left} people without both tasks are left out.",) if left else ()
    return Chosen(True, found, np.zeros(len(found), bool), places, notes)


def _groups(cohort: Cohort, table: Table, people: list[str], asked: Asked) -> Chosen:
    column = column_of(table, asked.column, cohort.folder)
    found: list[str] = []
    second: list[bool] = []
    places: list[tuple[tuple[Place, ...], ...]] = []
    tasks: set[tuple[str, ...]] = set()
    for person in people:
        value = column.get(person, "")
        side = next((place for place, text in enumerate((asked.first, asked.second)) if _same(value, text)), None)
        own = tuple(place for place in cohort.files[person] if asked.task in ("", task_of(place.stem)))
        if side is not None and own:
            found.append(person)
            second.append(bool(side))
            places.append((own,))
            tasks.add(tuple(sorted({task_of(place.stem) for place in own})))
    there = {task_of(place.stem) for person in people for place in cohort.files[person]}
    if asked.task and asked.task not in there:
        raise BadInput(
            f"No recording is of the task “{asked.task}”.", f"Choose one of {', '.join(sorted(filter(None, there)))}."
        )
    for side, value in enumerate((asked.first, asked.second)):
        count = second.count(bool(side))
        if count < LEAST:
            values = sorted({column[person] for person in people if person in column})
            listed = ", ".join(values[:8]) + (", …" if len(values) > 8 else "") if values else "none"
            who = "1 person has" if count == 1 else f"{count or 'No'} people have" if count else "Nobody has"
            raise BadInput(
                f"{who} the value “{value}” in the column {asked.column} and a recording; "
                f"a group takes at least {LEAST}.",
                f"Choose two values that more people have; the column holds: {listed}.",
            )
    notes = []
    if left := len(people) - len(found):
        notes.append(f"{left} people with another value, none, or no recording are left out.")
    if len(tasks) > 1:
        notes.append("Not everybody has recordings of the same tasks; a task alone is compared with --task.")
    return Chosen(False, found, np.array(second, bool), places, tuple(notes))


def _known(chosen: Chosen, table: Table, asked: Asked, folder: Path) -> Chosen:
    """Leave out people of whom a covariate is not known."""
    if TASK in asked.covariates or asked.column in asked.covariates:
        raise BadInput(
            f"What is contrasted ({asked.column}) or the task cannot be a covariate too.",
            "Leave it out of --covariates.",
        )
    columns = [column_of(table, name, folder) for name in asked.covariates]
    kept = np.flatnonzero([all(person in column for column in columns) for person in chosen.people])
    notes = chosen.notes
    if left := len(chosen.people) - len(kept):
        notes = (*notes, f"{left} people are left out because {' or '.join(asked.covariates)} is not known of them.")
    found = kept_people(chosen, kept, notes)
    beside = sum(coded(column, found.people).shape[1] for column in columns)
    if min(found.sizes) < LEAST or sum(found.sizes) // (2 if found.paired else 1) - beside < LEAST:
        raise BadInput(
            f"With the covariates {', '.join(asked.covariates)} too few people are left ({len(found.people)}).",
            "Leave a covariate out.",
        )
    return found


def kept_people(chosen: Chosen, kept: NDArray[np.intp], notes: tuple[str, ...]) -> Chosen:
    """Return only the people at the places ``kept``."""
    return replace(
        chosen, people=[chosen.people[place] for place in kept], second=chosen.second[kept],
        places=[chosen.places[place] for place in kept], notes=notes,
    )  # fmt: skip


def _evenly(places: NDArray[np.intp], most: int) -> NDArray[np.intp]:
    picked = np.unique(np.linspace(0, len(places) - 1, min(most, len(places))).round().astype(int))
    return np.asarray(places[picked])


def _same(value: str, text: str) -> bool:
    """Return True when a cell is what is asked for: the same word or number, or on that side of '<40' or '>=40'."""
    if value == text:
        return True
    found = _SIDE.fullmatch(text)
    try:
        if found is None:
            return float(value) == float(text)
        return _SIDES[found["side"]](float(value), float(found["number"]))
    except ValueError:
        return False


def _all_numbers(texts: list[str]) -> bool:
    try:
        return bool(np.isfinite([float(text) for text in texts]).all())
    except ValueError:
        return False
