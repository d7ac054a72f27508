"""A change that was found, for other programs: a table of regions, an image of its size, or all of it."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from brainlm_engine.api.errors import BadInput
from brainlm_engine.api.perturb import CAPTION
from brainlm_engine.api.steer import SteerInfo
from brainlm_engine.files import written_whole
from brainlm_engine.recording import Recording
from brainlm_engine.tasks.perturb.files import ENDINGS, image_content
from brainlm_engine.tasks.perturb.targets import region_name

ALL = ".safetensors"


def check_change_ending(name: str) -> None:
    """Refuse a name that says nothing of these; BadInput."""
    if not name.lower().endswith((*ENDINGS, ALL)):
        raise BadInput(f"{name} is no file of a change.", "Let its name end with " + ", ".join((*ENDINGS, ALL)) + ".")


def write_change(info: SteerInfo, arrays: Mapping[str, Any], recording: Recording, path: Path) -> None:
    """Write by the ending of ``path``, see :func:`change_content`; BadInput also when it cannot be written to."""
    content = change_content(info, arrays, recording, path.name)
    with written_whole(path) as temporary:
        temporary.write_bytes(content)


def change_content(info: SteerInfo, arrays: Mapping[str, Any], recording: Recording, name: str) -> bytes:
    """Return what a file called ``name`` holds.

    ``.csv``: every region's magnitude and sensitivity; ``.nii[.gz]`` and ``.dscalar.nii``: the magnitude, SD;
    ``.safetensors``: all arrays, with the question and the answer as metadata ``steer``.

    Raises
    ------
    BadInput
        For another ending, or an atlas that is not on this computer.
    """
    check_change_ending(name)
    ending = name.lower()
    if ending.endswith(".csv"):
        return _table(arrays, recording)
    if ending.endswith(ALL):
        from safetensors.numpy import save

        told = {"steer": info.model_dump_json(), "caption": CAPTION}
        return bytes(save({key: np.ascontiguousarray(values) for key, values in arrays.items()}, told))
    return image_content(arrays["magnitude"], recording, ending, "change towards a target, SD")


def _table(arrays: Mapping[str, Any], recording: Recording) -> bytes:
    text = io.StringIO()
    text.write(f"# {CAPTION}\n")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(("number", "region", "network", "magnitude_sd", "mean_sd", "sensitivity"))
    mean = np.where(np.isfinite(arrays["magnitude"]), arrays["change"].mean(1), np.nan)
    for parcel in range(recording.n_parcels):
        network = recording.networks[parcel] if recording.networks else ""
        cells = (arrays["magnitude"][parcel], mean[parcel], arrays["sensitivity"][parcel])
        told = ("" if np.isnan(value) else f"{value:.6g}" for value in cells)
        writer.writerow((parcel + 1, region_name(recording, parcel), network, *told))
    return text.getvalue().encode()
