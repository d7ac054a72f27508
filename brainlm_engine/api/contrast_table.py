"""A contrast as a table: one row per test, the model's measure and the simple one below each other."""

from __future__ import annotations

import csv
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from brainlm_engine.api.contrast import ContrastInfo
from brainlm_engine.files import written_whole

_FIELDS = ("t", "p", "p_family", "q", "effect", "low", "high")


def write_contrast(info: ContrastInfo, arrays: Mapping[str, Any], path: Path) -> None:
    """Write measure, number from 0, name, t, p values, effect size and its interval; what is not known stays empty.

    Raises
    ------
    BadInput
        When the file cannot be written to, or the disk is full.
    """
    effect = "dz" if info.paired else "d"
    with written_whole(path) as temporary, temporary.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        sizes = (effect, f"{effect}_low", f"{effect}_high")
        writer.writerow(
            ("measure", "number", "name", f"t_{info.df}", "p", "p_family_wise", "q_false_discovery", *sizes)
        )
        for method in info.methods:
            for place, name in enumerate(method.names):
                values = [float(arrays[f"{method.method}_{field}"][place]) for field in _FIELDS]
                cells = ["" if math.isnan(value) else f"{value:.6g}" for value in values]
                writer.writerow((method.title, place, name, *cells))
