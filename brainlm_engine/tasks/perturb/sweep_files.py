"""A sweep as a table: a row per cell, or as maps."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from brainlm_engine.api.errors import BadInput
from brainlm_engine.api.perturb import CAPTION
from brainlm_engine.api.sweep import SweepInfo
from brainlm_engine.files import written_whole

ENDINGS = (".csv", ".safetensors")


def check_sweep_ending(name: str) -> None:
    """Refuse a name that says nothing of these; BadInput."""
    if not name.lower().endswith(ENDINGS):
        raise BadInput(f"{name} is no file of a sweep.", "Let its name end with " + " or ".join(ENDINGS) + ".")


def write_sweep(info: SweepInfo, arrays: Mapping[str, Any], path: Path) -> None:
    """Write by the ending of ``path``: the cells as a table, or maps (cells, parcels) with the sweep as metadata."""
    content = sweep_content(info, arrays, path.name)
    with written_whole(path) as temporary:
        temporary.write_bytes(content)


def sweep_content(info: SweepInfo, arrays: Mapping[str, Any], name: str) -> bytes:
    """Return what a file called ``name`` holds; BadInput for another ending."""
    check_sweep_ending(name)
    if name.lower().endswith(".safetensors"):
        from safetensors.numpy import save

        told = {"sweep": info.model_dump_json(), "caption": CAPTION}
        return bytes(save({key: np.ascontiguousarray(values, np.float32) for key, values in arrays.items()}, told))
    text = io.StringIO()
    text.write(f"# {CAPTION}\n")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(("place", "start_s", "value_sd", "reach_sd", "beyond_usual", *(f"{n}_sd" for n in info.networks)))
    for cell in info.cells:
        numbers = (cell.value, cell.reach, cell.beyond, *cell.networks)
        writer.writerow(
            (info.places[cell.place].name, f"{cell.start * info.tr_s:g}",
             *("" if np.isnan(value) else f"{value:.6g}" for value in numbers))
        )  # fmt: skip
    return text.getvalue().encode()
