"""Networks written for other programs: a table, a volume, or CIFTI labels on the surface."""

from __future__ import annotations

import csv
import gzip
import io
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from brainlm_engine.api.errors import BadInput
from brainlm_engine.atlas.registry import atlas_folder, load_atlas
from brainlm_engine.files import written_whole
from brainlm_engine.recording import Recording
from brainlm_engine.tasks.networks import Networks

#: of the reference networks, as in Yeo et al. 2011; and of others
_COLOURS = (
    (120, 18, 134), (70, 130, 180), (0, 118, 14), (196, 58, 250), (220, 248, 164), (230, 148, 34), (205, 62, 78),
    (31, 119, 180), (255, 127, 14), (44, 160, 44), (214, 39, 40), (148, 103, 189), (140, 86, 75), (127, 127, 127),
)  # fmt: skip
ENDINGS = (".csv", ".dlabel.nii", ".nii", ".nii.gz")


def write_networks(made: Networks, recording: Recording, path: Path, *, which: str = "labels") -> None:
    """Write by the ending of ``path``, see :func:`networks_content`."""
    content = networks_content(made, recording, path.name, which=which)
    with written_whole(path) as temporary:
        temporary.write_bytes(content)


def networks_content(made: Networks, recording: Recording, name: str, *, which: str = "labels") -> bytes:
    """Return what a file called ``name`` holds: ``.csv`` (everything), ``.nii[.gz]`` or ``.dlabel.nii`` (``which``).

    Parameters
    ----------
    which : 'labels', 'reference' or 'clusters'

    Raises
    ------
    BadInput
        When the ending is none of these, or the atlas is not on this computer.
    """
    ending = name.lower()
    if not ending.endswith(ENDINGS):
        raise BadInput(f"{name} is no file of networks.", "Let its name end with " + ", ".join(ENDINGS) + ".")
    if ending.endswith(".csv"):
        return _csv(made, recording).encode()
    if not recording.atlas_id or atlas_folder(recording.atlas_id) is None:
        raise BadInput(
            "An image of the networks needs the atlas of the recording, and only positions are known.",
            "Write a .csv, or parcellate with an atlas of this program.",
        )
    values = np.asarray(made.arrays[which], np.int64)
    names = made.info.names if which != "clusters" else tuple(f"Cluster {i + 1}" for i in range(made.info.clusters))
    image = (_surface if ending.endswith(".dlabel.nii") else _volume)(recording.atlas_id, values, names)
    content = bytes(image.to_bytes())
    return gzip.compress(content, mtime=0) if ending.endswith(".gz") else content


def _csv(made: Networks, recording: Recording) -> str:
    arrays, info = made.arrays, made.info

    def word(number: int) -> str:
        return info.names[number] if number >= 0 else ""

    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(("region", "network", "reference", "coverage", "cluster", "neighbours_agree"))
    for parcel in range(recording.n_parcels):
        region = recording.names[parcel] if recording.names else str(parcel + 1)
        cluster, agrees = int(arrays["clusters"][parcel]), float(arrays["agreement"][parcel])
        writer.writerow(
            (
                region, word(int(arrays["labels"][parcel])), word(int(arrays["reference"][parcel])),
                f"{arrays['coverage'][parcel]:.3f}", cluster + 1 if cluster >= 0 else "",
                "" if np.isnan(agrees) else f"{agrees:.1f}",
            )
        )  # fmt: skip
    return text.getvalue()


def _volume(atlas_id: str, values: NDArray[np.int64], _names: Sequence[str]) -> Any:
    import nibabel as nib

    atlas = load_atlas(atlas_id)
    of_label = np.concatenate([[0], values + 1]).astype(np.int16)
    image = nib.Nifti1Image(of_label[atlas.labels], atlas.affine)
    image.header["descrip"] = b"networks, 0 = none"
    return image


def _surface(atlas_id: str, values: NDArray[np.int64], names: Sequence[str]) -> Any:
    """Return CIFTI labels on fsaverage5, 10 242 vertices a side."""
    import nibabel as nib

    atlas = load_atlas(atlas_id)
    sides = (("CORTEX_LEFT", atlas.surface_left), ("CORTEX_RIGHT", atlas.surface_right))
    axis, columns = None, []
    for structure, parcels in sides:
        one = nib.cifti2.BrainModelAxis.from_mask(parcels >= 0, name=f"{structure}")
        axis = one if axis is None else axis + one
        columns.append(values[parcels[parcels >= 0]] + 1)
    table = {0: ("???", (0.0, 0.0, 0.0, 0.0))}
    for number, name in enumerate(names):
        red, green, blue = _COLOURS[number % len(_COLOURS)]
        table[number + 1] = (name, (red / 255, green / 255, blue / 255, 1.0))
    labels = nib.cifti2.LabelAxis(["networks"], [table])
    data = np.concatenate(columns)[None].astype(np.float32)
    image = nib.Cifti2Image(data, nib.cifti2.Cifti2Header.from_axes((labels, axis)))
    image.update_headers()
    return image
