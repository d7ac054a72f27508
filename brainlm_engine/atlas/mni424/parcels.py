"""From tissues to 424 numbered, named parcels."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from brainlm_engine.atlas.mni424.geodesic_kmeans import geodesic_kmeans
from brainlm_engine.atlas.mni424.naming import regions, unique_names
from brainlm_engine.atlas.mni424.networks import reference_networks
from brainlm_engine.atlas.mni424.subcortex import STRUCTURES
from brainlm_engine.atlas.mni424.tissues import Tissues
from brainlm_engine.atlas.mni424.voxel_graph import voxel_graph
from brainlm_engine.atlas.mni_grid import SHAPE, millimetres
from brainlm_engine.atlas.table import ParcelRow
from brainlm_engine.progress import SILENT, Progress

N_CORTEX, N_CEREBELLUM = 180, 14  # per hemisphere; subcortex: the sum over STRUCTURES
N_SUBCORTEX = sum(item.parcels for item in STRUCTURES)


@dataclass(frozen=True)
class Half:
    """The parcels of one structure in the left hemisphere: ``labels`` 1..n in the volume, one name each."""

    structure: str
    labels: NDArray[np.int16]
    names: list[str]
    networks: list[str]


def build_parcels(tissues: Tissues, progress: Progress = SILENT) -> tuple[NDArray[np.int16], list[ParcelRow]]:
    """Cut both hemispheres into parcels.

    Returns
    -------
    labels : (91, 109, 91) int16, 1..424: left then right cortex, left then right subcortex, left then right cerebellum
    rows : one per parcel, in the order of the labels
    """
    progress(0.2, "Cutting the cortex into parcels")
    cortex = _cortex(tissues)
    progress(0.7, "Cutting the deep nuclei and the cerebellum")
    halves = [cortex, _subcortex(tissues), _cerebellum(tissues)]
    labels = np.zeros(SHAPE, np.int16)
    rows: list[ParcelRow] = []
    for half in halves:
        for hemisphere, side in (("L", half.labels), ("R", half.labels[::-1])):
            labels[side > 0] = side[side > 0] + len(rows)
            rows += _rows(half, side, hemisphere, first=len(rows) + 1)
    return labels, rows


def _cut(
    mask: NDArray[np.bool_], k: int, on_left_cortex: bool = False
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    xyz = millimetres()[mask]
    return geodesic_kmeans(voxel_graph(mask, xyz, on_left_cortex), xyz, k), xyz


def _cortex(tissues: Tissues) -> Half:
    cell, xyz = _cut(tissues.cortex, N_CORTEX, on_left_cortex=True)
    centroids = _centroids(cell, xyz)
    names = unique_names(regions(cell, xyz, "cortex"), centroids)
    return Half("cortex", _painted(tissues.cortex, cell), names, reference_networks(centroids))


def _cerebellum(tissues: Tissues) -> Half:
    cell, xyz = _cut(tissues.cerebellum, N_CEREBELLUM)
    names = unique_names(regions(cell, xyz, "cerebellum"), _centroids(cell, xyz))
    return Half("cerebellum", _painted(tissues.cerebellum, cell), names, [""] * N_CEREBELLUM)


def _subcortex(tissues: Tissues) -> Half:
    labels = np.zeros(SHAPE, np.int16)
    names: list[str] = []
    for item, mask in zip(STRUCTURES, tissues.nuclei, strict=True):
        cell, xyz = _cut(mask, item.parcels)
        labels[mask] = cell + 1 + len(names)
        names += unique_names([item.name] * item.parcels, _centroids(cell, xyz))
    return Half("subcortex", labels, names, [""] * len(names))


def _painted(mask: NDArray[np.bool_], cell: NDArray[np.int64]) -> NDArray[np.int16]:
    labels = np.zeros(SHAPE, np.int16)
    labels[mask] = cell + 1
    return labels


def _centroids(cell: NDArray[np.int64], xyz: NDArray[np.float64]) -> NDArray[np.float64]:
    sizes = np.bincount(cell)
    return np.stack([np.bincount(cell, weights=xyz[:, axis]) / sizes for axis in range(3)], axis=1)


def _rows(half: Half, side: NDArray[np.int16], hemisphere: str, first: int) -> list[ParcelRow]:
    inside = side > 0
    cell, xyz = side[inside].astype(np.int64) - 1, millimetres()[inside]
    word = {"L": "Left", "R": "Right"}[hemisphere]
    return [
        ParcelRow(
            index=first + number, name=f"{word} {half.names[number]}", hemisphere=hemisphere, structure=half.structure,
            network=half.networks[number], x=float(x), y=float(y), z=float(z), voxels=int(voxels),
        )
        for number, ((x, y, z), voxels) in enumerate(zip(_centroids(cell, xyz), np.bincount(cell), strict=True))
    ]  # fmt: skip
