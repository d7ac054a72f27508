"""States as a table: one row per window."""

from __future__ import annotations

import csv
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from brainlm_engine.api.states import StatesInfo
from brainlm_engine.files import written_whole


def write_states(info: StatesInfo, arrays: Mapping[str, Any], path: Path) -> None:
    """Write start, condition, states (from 1), components and network activity of every window; what is left out
    stays empty.

    Raises
    ------
    BadInput
        When the file cannot be written to, or the disk is full.
    """
    with written_whole(path) as temporary, temporary.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        kinds = ("model", "series")
        heads = [f"{kind}_{what}" for kind in kinds for what in ("state", "component_1", "component_2")]
        activity = [f"{name} activity, SD" for name in info.networks]
        writer.writerow(("window", "frame", "time_s", *["condition"] * bool(info.conditions), *heads, *activity))
        for window, start in enumerate(arrays["starts"]):
            cells: list[str] = []
            if info.conditions:
                condition = int(arrays["condition"][window])
                cells.append(info.conditions[condition] if condition >= 0 else "")
            for kind in kinds:
                state, values = int(arrays[f"{kind}_states"][window]), arrays[f"{kind}_xy"][window]
                cells.append(str(state + 1) if state >= 0 else "")
                cells += ["" if math.isnan(value) else f"{value:.6g}" for value in map(float, values)]
            cells += [f"{value:.6g}" for value in arrays["activity"][:, window]]
            writer.writerow((window + 1, int(start), f"{start * info.tr_s:.3f}", *cells))
