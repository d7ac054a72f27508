"""How an atlas lies on the disk, its own and added ones alike.

A folder with ``labels.nii.gz`` (int16, RAS+), ``table.tsv``, ``surface.npz`` (``left``, ``right``) and ``card.json``
(title, licence, sums).
"""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from brainlm_engine.api.errors import BadInput
from brainlm_engine.atlas.parcellation import Atlas
from brainlm_engine.atlas.table import ParcelRow, read_table, table_text
from brainlm_engine.files import written_whole

LABELS, TABLE, SURFACE, CARD = "labels.nii.gz", "table.tsv", "surface.npz", "card.json"
_ZIP_EPOCH = (1980, 1, 1, 0, 0, 0)


def write_atlas(
    folder: Path,
    labels: NDArray[np.int16],
    affine: NDArray[np.float64],
    rows: list[ParcelRow],
    *,
    surface: tuple[NDArray[np.int16], NDArray[np.int16]],
    card: dict[str, Any],
) -> None:
    """Write one atlas; the card comes last, so a folder without one is not an atlas.

    The same arrays always give the same bytes. ``card`` gains ``files``: the sha256 sum of each file.
    """
    folder.mkdir(parents=True, exist_ok=True)
    contents = {
        LABELS: nifti_bytes(labels.astype(np.int16), affine),
        TABLE: table_text(rows).encode(),
        SURFACE: _npz_bytes({"left": surface[0], "right": surface[1]}),
    }
    for name, content in contents.items():
        write_bytes(folder / name, content)
    card = card | {"files": {name: hashlib.sha256(content).hexdigest() for name, content in contents.items()}}
    write_bytes(folder / CARD, (json.dumps(card, indent=2, ensure_ascii=False) + "\n").encode())


def read_card(folder: Path) -> dict[str, Any]:
    """Read the card of the atlas in ``folder``."""
    try:
        card = json.loads((folder / CARD).read_text(encoding="utf-8"))
        if not isinstance(card, dict):
            raise TypeError("not a JSON object")
    except (OSError, ValueError, TypeError) as error:
        raise BadInput(
            f"The atlas in {folder.name} has no readable card.", "Add or fetch this atlas again.", str(error)
        ) from error
    return card


def read_atlas(folder: Path) -> Atlas:
    """Read the atlas in ``folder``, whose files must have the sums their card gives."""
    card = read_card(folder)
    contents = {name: _checked_bytes(folder / name, card) for name in (LABELS, TABLE, SURFACE)}
    labels, affine = read_nifti_bytes(contents[LABELS])
    rows = read_table(folder / TABLE)
    with np.load(io.BytesIO(contents[SURFACE]), allow_pickle=False) as surface:
        left, right = surface["left"], surface["right"]
    return Atlas(
        atlas_id=card["atlas_id"], title=card["title"], labels=labels, affine=affine,
        xyz=np.array([(row.x, row.y, row.z) for row in rows], np.float32).reshape(-1, 3),
        names=tuple(row.name for row in rows), networks=tuple(row.network for row in rows),
        network_names=tuple(card["network_names"]), structures=tuple(row.structure for row in rows),
        hemispheres=tuple(row.hemisphere for row in rows), surface_left=left, surface_right=right,
        licence=card["licence"], citation=card.get("citation", ""), description=card.get("description", ""),
        own=bool(card.get("own", False)), note=str(card.get("note", "")),
    )  # fmt: skip


def nifti_bytes(data: NDArray[Any], affine: NDArray[np.float64]) -> bytes:
    """Return a gzipped NIfTI-1 file in MNI152 space; the same arrays always give the same bytes."""
    import nibabel as nib

    image = nib.Nifti1Image(data, affine)
    image.set_sform(affine, code="mni")
    image.set_qform(affine, code="mni")
    image.header.set_xyzt_units("mm")
    return gzip.compress(image.to_bytes(), compresslevel=9, mtime=0)


def read_nifti_bytes(content: bytes) -> tuple[NDArray[Any], NDArray[np.float64]]:
    """Read what :func:`nifti_bytes` gave: the array and its affine."""
    import nibabel as nib

    image = nib.Nifti1Image.from_bytes(gzip.decompress(content))
    return np.ascontiguousarray(image.dataobj), np.asarray(image.affine, np.float64)


def write_bytes(target: Path, content: bytes) -> None:
    """Write ``content`` to ``target``, whole or not at all."""
    with written_whole(target) as temporary:
        temporary.write_bytes(content)
        temporary.chmod(0o644)


def _npz_bytes(arrays: dict[str, NDArray[np.int16]]) -> bytes:
    """Return an ``.npz`` without the clock in it (``numpy.savez`` writes the time of day)."""
    whole = io.BytesIO()
    with zipfile.ZipFile(whole, "w") as archive:
        for name, array in arrays.items():
            part = io.BytesIO()
            np.save(part, array.astype(np.int16), allow_pickle=False)
            archive.writestr(zipfile.ZipInfo(f"{name}.npy", _ZIP_EPOCH), part.getvalue(), zipfile.ZIP_DEFLATED)
    return whole.getvalue()


def _checked_bytes(path: Path, card: dict[str, Any]) -> bytes:
    try:
        content = path.read_bytes()
    except OSError as error:
        raise BadInput(
            f"{path.name} of the atlas {path.parent.name} is missing.", "Add or fetch this atlas again.", str(error)
        ) from error
    if hashlib.sha256(content).hexdigest() != card.get("files", {}).get(path.name):
        raise BadInput(
            f"{path.name} of the atlas {path.parent.name} is not the file it was: its checksum differs.",
            "Add or fetch this atlas again.",
        )
    return content
