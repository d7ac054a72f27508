"""What participants.tsv says of the people of a cohort, column by column."""

from __future__ import annotations

import csv
import math
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from brainlm_engine.api.errors import BadInput

#: what tables write where they know nothing
UNKNOWN = frozenset({"", "n/a", "na", "nan", "none", "null"})
TASK = "task"


def people_table(folder: Path) -> dict[str, dict[str, str]]:
    """Return column -> participant_id -> text; cells that hold nothing known are left out.

    Raises
    ------
    BadInput
        When the table is not there or cannot be read.
    """
    try:
        with (folder / "participants.tsv").open(newline="", encoding="utf-8") as file:
            rows = list(csv.DictReader(file, delimiter="\t"))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise BadInput(
            f"{folder.name or folder} has no participants.tsv that can be read.",
            "Choose the folder that holds participants.tsv and recordings.",
            str(error),
        ) from error
    table: dict[str, dict[str, str]] = {}
    for row in rows:
        for column, cell in row.items():
            if column and column != "participant_id" and isinstance(cell, str) and cell.strip().lower() not in UNKNOWN:
                table.setdefault(column, {})[row["participant_id"]] = cell.strip()
            elif column and column != "participant_id":
                table.setdefault(column, {})
    return table


def column_of(table: dict[str, dict[str, str]], column: str, folder: Path) -> dict[str, str]:
    """Return one column, participant_id -> text.

    Raises
    ------
    BadInput
        When there is no such column.
    """
    if column not in table:
        raise BadInput(
            f"participants.tsv of {folder.name} has no column “{column}”.",
            f"Choose one of: {', '.join(sorted(set(table) - {'split'})) or 'there is none'}.",
        )
    return table[column]


def task_of(stem: str) -> str:
    """Return the task in a file's name, ``sub-1_task-rest_run-1`` is ``rest``; '' when it names none."""
    return next((part.removeprefix("task-") for part in stem.split("_") if part.startswith("task-")), "")


def coded(column: dict[str, str], people: list[str]) -> NDArray[np.float64]:
    """Return a covariate as numbers (people, columns): itself when all are numbers, else one column per other kind."""
    texts = [column[person] for person in people]
    try:
        numbers = np.array([float(text) for text in texts])
    except ValueError:
        numbers = np.full(len(texts), math.nan)
    if np.isfinite(numbers).all():
        return numbers[:, None]
    kinds = sorted(set(texts))[1:]
    return np.array([[float(text == kind) for kind in kinds] for text in texts]).reshape(len(texts), len(kinds))
