"""Group effects as a table of people, or as maps."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from brainlm_engine.api.errors import BadInput
from brainlm_engine.api.group_effects import GroupEffectsInfo
from brainlm_engine.api.perturb import CAPTION
from brainlm_engine.files import written_whole

ENDINGS = (".csv", ".safetensors")


def check_group_ending(name: str) -> None:
    """Refuse a name that says nothing of these; BadInput."""
    if not name.lower().endswith(ENDINGS):
        raise BadInput(f"{name} is no file of group effects.", "Let its name end with " + " or ".join(ENDINGS) + ".")


def write_group(info: GroupEffectsInfo, arrays: Mapping[str, Any], path: Path) -> None:
    """Write by the ending of ``path``: a row per person with the networks' specific effects, SD; or all maps.

    Raises
    ------
    BadInput
        When it cannot be written to.
    """
    with written_whole(path) as temporary:
        temporary.write_bytes(_content(info, arrays, path.suffix.lower()))


def _content(info: GroupEffectsInfo, arrays: Mapping[str, Any], ending: str) -> bytes:
    if ending == ".safetensors":
        from safetensors.numpy import save

        told = {"group": info.model_dump_json(), "caption": CAPTION}
        return bytes(save({key: np.ascontiguousarray(values, np.float32) for key, values in arrays.items()}, told))
    text = io.StringIO()
    text.write(f"# {CAPTION}\n")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(("participant_id", *(row.network for row in info.networks)))
    for person, row in zip(info.people, arrays["networks"], strict=True):
        writer.writerow((person, *("" if np.isnan(value) else f"{value:.6g}" for value in row)))
    return text.getvalue().encode()
