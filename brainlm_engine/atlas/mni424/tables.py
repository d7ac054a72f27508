"""The two small tables of landmarks beside this file: anatomical names and reference networks by position."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

_HERE = Path(__file__).parent


@dataclass(frozen=True)
class Landmark:
    """A region and points (n, 3) on it; x is the distance from the midline, mm MNI."""

    name: str
    structure: str
    points: NDArray[np.float64]


def landmarks(structure: str) -> list[Landmark]:
    """Return the named regions of 'cortex' or 'cerebellum'."""
    return [
        Landmark(row["name"], row["structure"], _points(row["points"]))
        for row in _rows("landmarks.tsv")
        if row["structure"] == structure
    ]


def network_points() -> list[Landmark]:
    """Return points known to lie in each of the seven reference networks, in the networks' order."""
    return [Landmark(row["network"], "cortex", _points(row["points"])) for row in _rows("network_points.tsv")]


def _rows(file_name: str) -> list[dict[str, str]]:
    with (_HERE / file_name).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file, delimiter="\t"))


def _points(text: str) -> NDArray[np.float64]:
    return np.array([[float(value) for value in point.split(",")] for point in text.split(";")])
