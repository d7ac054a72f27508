"""The left half of the brain divided into cortex, deep nuclei and cerebellum (the right half is its mirror image)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import label
from scipy.spatial import cKDTree

from brainlm_engine.atlas.mni424.subcortex import STRUCTURES, nuclei
from brainlm_engine.atlas.mni424.templates import load_template
from brainlm_engine.atlas.mni_grid import SHAPE, millimetres
from brainlm_engine.atlas.surfaces import SIDES, load_mesh, medial_wall

_TOUCHING = np.ones((3, 3, 3))
Mask = NDArray[np.bool_]


@dataclass(frozen=True)
class Tissues:
    """Masks (91, 109, 91) of the left hemisphere; ``nuclei`` in the order of ``STRUCTURES``."""

    cortex: Mask
    nuclei: tuple[Mask, ...]
    cerebellum: Mask


def distance_to_cortex(xyz: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the distance (mm) of each point to the nearer of the left and the mirrored right cortical sheet."""
    best = np.full(len(xyz), np.inf)
    for side in SIDES:
        sheet = _sheet(side) * ([1, 1, 1] if side == "left" else [-1, 1, 1])
        best = np.minimum(best, cKDTree(sheet).query(xyz)[0])
    return best


def _sheet(side: str) -> NDArray[np.float64]:
    """Return points on the pial, white and middle surface, vertices and face centres, without the medial wall."""
    assert side in SIDES
    wall = medial_wall(side)
    pial, faces = load_mesh("pial", side)
    white = load_mesh("white", side)[0]
    kept = faces[(~wall)[faces].all(1)]
    layers = [np.asarray(layer, np.float64) for layer in (pial, (pial + white) / 2, white)]
    return np.vstack([layer[~wall] for layer in layers] + [layer[kept].mean(1) for layer in layers])


def segment() -> Tissues:
    """Divide the left half of the template."""
    grey, xyz = load_template("gm"), millimetres()
    x, y, z = np.abs(xyz[..., 0]), xyz[..., 1], xyz[..., 2]
    left = xyz[..., 0] < 0
    far = np.full(SHAPE, 99.0)
    near_grey = left & (grey > 0.15)
    far[near_grey] = distance_to_cortex(xyz[near_grey])

    deep = np.full(SHAPE, -1, np.int8)
    deep[left] = nuclei(xyz[left], grey[left])
    parts = tuple(_largest(deep == index) for index in range(len(STRUCTURES)))
    subcortex = np.logical_or.reduce(parts)

    # The tentorium rises towards the midline; below it, away from the cortical sheet, lies the cerebellum.
    tentorium = -14 + 0.015 * np.clip(20 - x, 0, None) ** 2
    brain_stem = ((x < 14) & (y > -40) & (z > -40)) | ((x < 12) & (y > -49) & (z <= -40))
    zone = left & (y < -34) & (z < -2) & (x < 58) & (grey > 0.25) & ~brain_stem
    cerebellum = _largest(zone & (((far > 3) & (z < tentorium)) | ((z < -36) & (far > 2))))

    cortex = _largest(left & (grey > 0.35) & (far <= 4) & ~cerebellum & ~subcortex)
    return Tissues(cortex, parts, cerebellum)


def _largest(mask: Mask) -> Mask:
    parts, _ = label(mask, _TOUCHING)
    sizes = np.bincount(parts.ravel())
    sizes[0] = 0
    return np.asarray(parts == sizes.argmax())
