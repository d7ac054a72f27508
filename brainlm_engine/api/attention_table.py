"""Attention as tables: one map with a row per parcel, or the whole matrix."""

from __future__ import annotations

import csv
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from brainlm_engine.files import written_whole


def write_map(
    title: str, heads: Sequence[str], cells: Any, parcels: tuple[Sequence[str], Sequence[str]], path: Path
) -> None:
    """Write number from 0, name, network and ``cells (P, heads)`` of every parcel; unknown stays empty.

    Parameters
    ----------
    title : what the map is, in the head of the first column
    parcels : names and networks, either may be empty

    Raises
    ------
    BadInput
        When the file cannot be written to, or the disk is full.
    """
    names, networks = parcels
    with written_whole(path) as temporary, temporary.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(("parcel", "name", "network", *(f"{title}: {head}" for head in heads)))
        for place, row in enumerate(cells):
            told = (names[place] if place < len(names) else "", networks[place] if place < len(networks) else "")
            writer.writerow((place, *told, *map(_written, row)))


def write_matrix(unit: str, matrix: Any, names: Sequence[str], path: Path) -> None:
    """Write ``matrix (P, P)``, a row for each parcel that takes, a column for each that gives; unknown stays empty.

    Raises
    ------
    BadInput
        When the file cannot be written to, or the disk is full.
    """
    shown = [names[place] if place < len(names) else str(place) for place in range(len(matrix))]
    with written_whole(path) as temporary, temporary.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow((unit, *shown))
        for name, row in zip(shown, matrix, strict=True):
            writer.writerow((name, *map(_written, row)))


def _written(value: float) -> str:
    return "" if math.isnan(value) else f"{value:.6g}"
