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
    from safetensors.numpy import save_file

    kept = {name: np.ascontiguousarray(values, np.float32) for name, values in arrays.items()}
    with written_whole(path) as temporary:
        save_file(kept, temporary, metadata={"effective": info.model_dump_json()})


def effect_content(info: PerturbInfo, arrays: Mapping[str, Any], recording: Recording, name: str) -> bytes:
    """Return what a file called ``name`` holds: ``.csv``, ``.nii[.gz]`` or ``.dscalar.nii`` (fsaverage5), SD.

    Raises
    ------
    BadInput
        For another ending, or an atlas that is not on this computer.
    """
    check_ending(name)
    ending = name.lower()
    content = _table(info, arrays, recording) if ending.endswith(".csv") else _image(arrays, recording, ending)
    return gzip.compress(content, mtime=0) if ending.endswith(".gz") else content


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


def _image(arrays: Mapping[str, Any], recording: Recording, ending: str) -> bytes:
    import nibabel

    from brainlm_engine.atlas.registry import atlas_folder, load_atlas

    if not recording.atlas_id or atlas_folder(recording.atlas_id) is None:
        raise BadInput(
            "An image of the effect needs the atlas of the recording, and only positions are known.",
            "Write a .csv, or parcellate with an atlas of this program.",
        )
    atlas = load_atlas(recording.atlas_id)
    effect = np.nan_to_num(arrays["effect"]).astype(np.float32)
    if ending.endswith(".dscalar.nii"):
        return _surface(effect, atlas.surface_left, atlas.surface_right)
    values = np.concatenate([np.zeros(1, np.float32), effect])
    image = nibabel.Nifti1Image(values[atlas.labels], atlas.affine)
    image.header.set_xyzt_units("mm")
    image.header["descrip"] = b"effect of a perturbation, SD; simulation, not a treatment"
    return bytes(image.to_bytes())


def _surface(effect: NDArray[np.float32], left: NDArray[Any], right: NDArray[Any]) -> bytes:
    """Return CIFTI scalars on fsaverage5, 10 242 vertices a side; parcels per vertex in ``left`` and ``right``."""
    import nibabel

    sides = (("CORTEX_LEFT", left), ("CORTEX_RIGHT", right))
    models = [nibabel.cifti2.BrainModelAxis.from_mask(parcels >= 0, name=name) for name, parcels in sides]
    values = np.concatenate([effect[parcels[parcels >= 0]] for _, parcels in sides])[None]
    axes = (nibabel.cifti2.ScalarAxis(["effect of a perturbation, SD"]), models[0] + models[1])
    image = nibabel.Cifti2Image(values, nibabel.cifti2.Cifti2Header.from_axes(axes))
    image.update_headers()
    return bytes(image.to_bytes())
