"""A perturbation's effect for other programs: a table of regions, or a volume of the atlas."""

from __future__ import annotations

import csv
import gzip
import io
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from brainlm_engine.api.effective import EffectiveInfo
from brainlm_engine.api.errors import BadInput
from brainlm_engine.api.perturb import CAPTION, PerturbInfo
from brainlm_engine.files import written_whole
from brainlm_engine.recording import Recording
from brainlm_engine.tasks.perturb.targets import region_name

ENDINGS = (".csv", ".dscalar.nii", ".nii", ".nii.gz")


def check_ending(name: str) -> None:
    """Refuse a name that says nothing of these; BadInput."""
    if not name.lower().endswith(ENDINGS):
        raise BadInput(f"{name} is no file of an effect.", "Let its name end with " + ", ".join(ENDINGS) + ".")


def write_effect(info: PerturbInfo, arrays: Mapping[str, Any], recording: Recording, path: Path) -> None:
    """Write by the ending of ``path``, see :func:`effect_content`; BadInput also when it cannot be written to."""
    content = effect_content(info, arrays, recording, path.name)
    with written_whole(path) as temporary:
        temporary.write_bytes(content)


def write_maps(info: EffectiveInfo, arrays: Mapping[str, Any], path: Path) -> None:
    """Write maps (P, P) to a safetensors file, with ``info`` as its metadata; BadInput when it cannot be written to."""
    content = maps_content(info, arrays)
    with written_whole(path) as temporary:
        temporary.write_bytes(content)


def maps_content(info: EffectiveInfo, arrays: Mapping[str, Any]) -> bytes:
    """Return maps (P, P) as the content of a safetensors file."""
    from safetensors.numpy import save

    kept = {name: np.ascontiguousarray(values, np.float32) for name, values in arrays.items()}
    return bytes(save(kept, {"effective": info.model_dump_json()}))


def effect_content(info: PerturbInfo, arrays: Mapping[str, Any], recording: Recording, name: str) -> bytes:
    """Return what a file called ``name`` holds: ``.csv``, ``.nii[.gz]`` or ``.dscalar.nii`` (fsaverage5), SD.

    Raises
    ------
    BadInput
        For another ending, or an atlas that is not on this computer.
    """
    check_ending(name)
    ending = name.lower()
    if ending.endswith(".csv"):
        return _table(info, arrays, recording)
    return image_content(arrays["effect"], recording, ending, "effect of a perturbation, SD")


def _table(info: PerturbInfo, arrays: Mapping[str, Any], recording: Recording) -> bytes:
    text = io.StringIO()
    text.write(f"# {CAPTION}\n")
    writer = csv.writer(text, lineterminator="\n")
    drawn = "p" in arrays
    writer.writerow(
        ("number", "region", "network", "set", "effect_sd", "specific_sd", *(("random_sd", "p") if drawn else ()))
    )
    for parcel in range(recording.n_parcels):
        network = recording.networks[parcel] if recording.networks else ""
        cells = [arrays[name][parcel] for name in ("effect", "specific", *(("null_sd", "p") if drawn else ()))]
        writer.writerow(
            (parcel + 1, region_name(recording, parcel), network, int(arrays["set"][parcel].any()),
             *("" if np.isnan(value) else f"{value:.6g}" for value in cells))
        )  # fmt: skip
    return text.getvalue().encode()


def image_content(values: NDArray[np.floating], recording: Recording, ending: str, what: str) -> bytes:
    """Return ``values (P,)`` as a volume or on the surface of the recording's atlas; NaN becomes 0.

    Raises
    ------
    BadInput
        When the recording's atlas is not on this computer.
    """
    import nibabel

    from brainlm_engine.atlas.registry import atlas_folder, load_atlas

    if not recording.atlas_id or atlas_folder(recording.atlas_id) is None:
        raise BadInput(
            "An image needs the atlas of the recording, and only positions are known.",
            "Write a .csv, or parcellate with an atlas of this program.",
        )
    atlas = load_atlas(recording.atlas_id)
    whole = np.nan_to_num(values).astype(np.float32)
    if ending.endswith(".dscalar.nii"):
        return _surface(whole, what, atlas.surface_left, atlas.surface_right)
    table = np.concatenate([np.zeros(1, np.float32), whole])
    image = nibabel.Nifti1Image(table[atlas.labels], atlas.affine)
    image.header.set_xyzt_units("mm")
    image.header["descrip"] = f"{what}; simulation, not a treatment".encode()
    content = bytes(image.to_bytes())
    return gzip.compress(content, mtime=0) if ending.endswith(".gz") else content


def _surface(effect: NDArray[np.float32], what: str, left: NDArray[Any], right: NDArray[Any]) -> bytes:
    """Return CIFTI scalars on fsaverage5, 10 242 vertices a side; parcels per vertex in ``left`` and ``right``."""
    import nibabel

    sides = (("CORTEX_LEFT", left), ("CORTEX_RIGHT", right))
    models = [nibabel.cifti2.BrainModelAxis.from_mask(parcels >= 0, name=name) for name, parcels in sides]
    values = np.concatenate([effect[parcels[parcels >= 0]] for _, parcels in sides])[None]
    axes = (nibabel.cifti2.ScalarAxis([what]), models[0] + models[1])
    image = nibabel.Cifti2Image(values, nibabel.cifti2.Cifti2Header.from_axes(axes))
    image.update_headers()
    return bytes(image.to_bytes())
