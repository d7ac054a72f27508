"""Making any label file an atlas of this program."""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from brainlm_engine.api.errors import BadInput
from brainlm_engine.atlas.catalogue import OFFERS
from brainlm_engine.atlas.derived import derive
from brainlm_engine.atlas.label_file import LabelVolume, read_label_file
from brainlm_engine.atlas.mask import mni_brain_mask
from brainlm_engine.atlas.parcel_list import ListedParcel, read_parcel_list
from brainlm_engine.atlas.parcellation import Atlas
from brainlm_engine.atlas.placing import REACH_MM, placed_by_position
from brainlm_engine.atlas.projection import project_to_surface
from brainlm_engine.atlas.registry import DEFAULT_ATLAS, added_folder, installed_ids, load_atlas
from brainlm_engine.atlas.scratch import scratch_folder
from brainlm_engine.atlas.storage import write_atlas
from brainlm_engine.atlas.table import ParcelRow
from brainlm_engine.io.faults import shown
from brainlm_engine.progress import SILENT, Progress

_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_IN_BRAIN = 0.5  # least share of labelled voxels in the MNI brain
_FAR_MM = 20.0  # a table whose positions are further from the parcels (median) belongs to another atlas


@dataclass(frozen=True)
class Words:
    """What is told about an atlas beside its parcels."""

    atlas_id: str
    title: str
    description: str = ""
    licence: str = "not stated"
    citation: str = ""
    more: dict[str, Any] = field(default_factory=dict)


def add_atlas(
    label_file: Path, table_file: Path | None, atlas_id: str, title: str, progress: Progress = SILENT
) -> Atlas:
    """Add an atlas from a person's own files.

    Parameters
    ----------
    label_file : 3D NIfTI of whole numbers in MNI space (4D probability maps are turned into labels), or CIFTI dlabel
    table_file : TSV, CSV or ``.dat`` with names, networks or positions (MNI mm); None when there is none
    atlas_id : letters, digits, dot, dash, underscore; not yet used, and not that of an atlas that can be fetched
    title : what the person calls it
    """
    check_id(atlas_id)
    if atlas_id.lower() in OFFERS:
        raise BadInput(
            f"“{atlas_id}” is the id of an atlas that can be fetched, with its checksums.",
            f"Fetch it (brainlm-engine atlas fetch {atlas_id.lower()}), or choose another id for your own files.",
        )
    progress(0.0, f"Reading {shown(Path(label_file))}")
    volume = read_label_file(Path(label_file), progress)
    listed = read_parcel_list(Path(table_file)) if table_file is not None else []
    words = Words(atlas_id, title.strip() or atlas_id, f"Added from {shown(Path(label_file))}.")
    return install(
        volume,
        listed,
        words,
        label_file=Path(label_file),
        table_file=Path(table_file) if table_file is not None else None,
        progress=progress,
    )


def check_id(atlas_id: str) -> None:
    """Raise a sentence when ``atlas_id`` cannot be used for a new atlas."""
    if not _ID.fullmatch(atlas_id):
        raise BadInput(
            f"“{''.join(letter for letter in atlas_id if letter.isprintable())}” cannot be the id of an atlas.",
            "Use letters, digits, dot, dash and underscore only, and start with a letter or digit.",
        )
    if atlas_id.lower() in (known.lower() for known in installed_ids()):
        raise BadInput(f"There already is an atlas “{atlas_id}”.", "Choose another id.")


def install(
    volume: LabelVolume,
    listed: list[ListedParcel],
    words: Words,
    *,
    label_file: Path,
    table_file: Path | None = None,
    progress: Progress = SILENT,
) -> Atlas:
    """Number the parcels from 1, complete what is not known, and store the atlas, whole or not at all."""
    progress(0.3, "Numbering the parcels")
    originals = volume.labels()
    listed = _in_label_order(originals, listed, label_file, table_file)
    reference = load_atlas(DEFAULT_ATLAS)
    volume, placed = _with_voxels(volume, originals, listed, reference, label_file)
    lookup = np.zeros(int(originals[-1]) + 1, np.int16)
    lookup[originals] = np.arange(1, len(originals) + 1)
    labels = lookup[volume.values]
    _check_space(labels, volume.affine, label_file)

    progress(0.5, "Comparing with MNI-424")
    derived = derive(labels, volume.affine, reference)
    given = [item.network for item in listed]
    own_networks = any(given)
    networks = tuple(given) if own_networks else derived.networks
    network_names = tuple(dict.fromkeys(name for name in given if name)) if own_networks else reference.network_names
    centroids, sizes = _centroids(labels, volume.affine)
    xyz = _positions(listed, centroids, table_file)
    names = _names(originals, listed, volume.names)
    rows = [
        ParcelRow(
            index=place + 1, name=names[place], hemisphere=item.hemisphere or derived.hemispheres[place],
            structure=item.structure or derived.structures[place], network=networks[place],
            x=float(xyz[place, 0]), y=float(xyz[place, 1]), z=float(xyz[place, 2]), voxels=int(sizes[place]),
        )
        for place, item in enumerate(listed)
    ]  # fmt: skip

    progress(0.7, "Projecting to fsaverage5")
    surface = project_to_surface(
        labels, volume.affine, tuple(row.structure for row in rows), tuple(row.hemisphere for row in rows)
    )
    card = _card(words, network_names, None if own_networks else derived.shares, placed) | {
        "original_labels": [int(value) for value in originals]
    }
    progress(0.9, "Writing")
    with scratch_folder() as folder:
        write_atlas(folder, labels, volume.affine, rows, surface=surface, card=card)
        _put_in_place(folder, words.atlas_id)
    return load_atlas(words.atlas_id)


def _with_voxels(
    volume: LabelVolume, originals: NDArray[np.int32], listed: list[ListedParcel], reference: Atlas, label_file: Path
) -> tuple[LabelVolume, tuple[int, ...]]:
    """Give parcels that the file holds on the surface only the cortex around their positions; return their labels."""
    if not volume.surface_only:
        return volume, ()
    places = {int(value): item.xyz for value, item in zip(originals, listed, strict=True)}
    positions = {label: place for label in volume.surface_only if (place := places[label]) is not None}
    if len(positions) < len(volume.surface_only):
        raise BadInput(
            f"{shown(label_file)} holds {len(volume.surface_only)} of its {len(originals)} parcels only on the "
            "cortical surface (fs_LR 32k), whose positions in the brain are not in the file.",
            "Give a table with their positions (index, x, y, z in MNI mm), or the volumetric version of this atlas.",
        )
    filled = placed_by_position(volume.values, volume.affine, volume.surface_only, positions, reference)
    if gone := [label for label in positions if not (filled == label).any()]:
        raise BadInput(
            f"{len(gone)} of the positions given for {shown(label_file)} have no cortex near them.",
            "Check that they are MNI millimetres and belong to these labels.",
        )
    return replace(volume, values=filled), tuple(sorted(positions))


def _card(
    words: Words, network_names: tuple[str, ...], shares: NDArray[np.float64] | None, placed: tuple[int, ...]
) -> dict[str, Any]:
    description = words.description
    networks: dict[str, Any] = {"derived": shares is not None}
    more: dict[str, Any] = {}
    if placed:
        note = (
            f"Of {len(placed)} cortical parcels only the positions are known: each is the cortex nearest to its "
            f"position, within {REACH_MM:.0f} mm, not the atlas's own border."
        )
        description += f" {note}"
        more = {"note": note, "placed_by_position": {"labels": list(placed), "reach_mm": REACH_MM}}
    if shares is not None:
        covered = shares[shares > 0]
        median = float(np.median(covered)) if covered.size else 0.0
        description += (
            " Its networks are not its own: each parcel was given the network of MNI-424 that covers most of it "
            f"({median:.0%} of a parcel in the median)."
        )
        networks |= {"from": DEFAULT_ATLAS, "share": [round(float(share), 3) for share in shares]}
    return {
        "atlas_id": words.atlas_id, "title": words.title, "description": description.strip(), "own": False,
        "licence": words.licence, "citation": words.citation, "network_names": list(network_names),
        "networks": networks, **more, **words.more,
    }  # fmt: skip


def _in_label_order(
    originals: NDArray[np.int32], listed: list[ListedParcel], label_file: Path, table_file: Path | None
) -> list[ListedParcel]:
    """Return one entry per label, ascending; a sentence that shows the difference when table and labels do not fit."""
    if table_file is None and not listed:
        return [ListedParcel(int(value)) for value in originals]
    table = shown(table_file) if table_file else "The table"
    here, there = {int(value) for value in originals}, {item.label for item in listed if item.label is not None}
    if not there and len(listed) == len(originals):
        return listed
    if here == there:
        return sorted(listed, key=lambda item: item.label or 0)
    message = f"{table} does not fit {shown(label_file)}: {len(listed)} lines for {len(originals)} labels"
    if there:
        message += "".join(
            f"; {text} {_some(values)}"
            for text, values in (("no line for", here - there), ("no voxel for", there - here))
            if values
        )
    raise BadInput(f"{message}.", "Choose the table that belongs to this label file.")


def _some(values: set[int]) -> str:
    first = ", ".join(str(value) for value in sorted(values)[:5])
    return f"{first} and {len(values) - 5} more" if len(values) > 5 else first


def _names(originals: NDArray[np.int32], listed: list[ListedParcel], carried: dict[int, str]) -> list[str]:
    """Return one name per parcel, all different."""
    names = [
        item.name or carried.get(int(value), "") or f"Parcel {value}"
        for value, item in zip(originals, listed, strict=True)
    ]
    return [
        f"{name} (label {value})" if names.count(name) > 1 else name
        for value, name in zip(originals, names, strict=True)
    ]


def _centroids(labels: NDArray[np.int16], affine: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    voxels = np.argwhere(labels > 0)
    parcel = labels[tuple(voxels.T)].astype(np.int64) - 1
    sizes = np.bincount(parcel)
    mean = np.stack([np.bincount(parcel, weights=voxels[:, axis]) / sizes for axis in range(3)], axis=1)
    return mean @ affine[:3, :3].T + affine[:3, 3], sizes


def _positions(
    listed: list[ListedParcel], centroids: NDArray[np.float64], table_file: Path | None
) -> NDArray[np.float64]:
    """Return the table's positions when it has some (and they lie where the labels lie), else the centroids."""
    if any(item.xyz is None for item in listed):
        return centroids
    given = np.array([item.xyz for item in listed], np.float64)
    apart = float(np.median(np.linalg.norm(given - centroids, axis=1)))
    if apart > _FAR_MM:
        raise BadInput(
            f"The positions in {shown(table_file) if table_file else 'the table'} are not those of these parcels: "
            f"they lie {apart:.0f} mm away in the median.",
            "Check that they are MNI millimetres and in the order of the labels.",
        )
    return given


def _check_space(labels: NDArray[np.int16], affine: NDArray[np.float64], label_file: Path) -> None:
    mask, mask_affine = mni_brain_mask()
    to_mask = np.linalg.inv(mask_affine) @ affine
    ijk = np.rint(np.argwhere(labels > 0) @ to_mask[:3, :3].T + to_mask[:3, 3]).astype(int)
    inside = ((ijk >= 0) & (ijk < mask.shape)).all(1)
    share = float(mask[tuple(ijk[inside].T)].sum() / len(ijk))
    if share < _IN_BRAIN:
        raise BadInput(
            f"The labels of {shown(label_file)} do not lie in the MNI brain: {share:.0%} of their voxels do.",
            "Bring the atlas to MNI space first.",
        )


def _put_in_place(folder: Path, atlas_id: str) -> None:
    folder.chmod(0o755)
    try:
        folder.replace(added_folder() / atlas_id)
    except OSError as error:
        if (added_folder() / atlas_id).exists():  # another window was faster
            raise BadInput(f"There already is an atlas “{atlas_id}”.", "Choose another id.", str(error)) from error
        raise
