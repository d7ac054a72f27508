"""The pieces of the brain: hemispheres, subcortex, cerebellum; which parcel each vertex belongs to, and its colours."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from app.views.brain_camera import pick
from app.views.brain_layout import Panel, Part
from app.views.brain_mesh import Blobs, Mesh, fold_shade, lit, make_mesh, outline

Array = NDArray[Any]
Surface = Literal["pial", "inflated"]
HEMISPHERES: tuple[Part, ...] = ("left", "right")
DEEP: tuple[Part, ...] = ("subcortex", "cerebellum")


@dataclass(frozen=True)
class Picked:
    """What a click met: ``parcel`` (or -1) and the place in MNI ``mm``, on the real (pial) surface."""

    parcel: int
    mm: tuple[float, float, float]
    depth: float


class BrainParts:
    """Meshes and parcels of one brain; knows nothing of drawing."""

    def __init__(self) -> None:
        self.surface: Surface = "pial"
        self.blobs: dict[Part, Blobs] = {}
        self._cortex: dict[tuple[Surface, Part], Mesh] = {}
        self._shade: dict[Part, Array] = {}
        self._parcel: dict[Part, Array] = {}
        self._points: dict[tuple[Surface, tuple[Part, ...]], Array] = {}

    @property
    def ready(self) -> bool:
        """Surfaces have arrived."""
        return bool(self._cortex)

    def set_surfaces(self, arrays: Mapping[str, Array]) -> None:
        """Keys ``{pial,inflated}_{left,right}_{vertices,faces}`` and ``sulc_{left,right}``."""
        surfaces: tuple[Surface, ...] = ("pial", "inflated")
        for side in HEMISPHERES:
            for surface in surfaces:
                key = f"{surface}_{side}"
                self._cortex[surface, side] = make_mesh(arrays[f"{key}_vertices"], arrays[f"{key}_faces"])
            count = len(self._cortex["pial", side].vertices)
            sulc = arrays.get(f"sulc_{side}")
            shade = np.ones(count, np.float32) if sulc is None else fold_shade(sulc)
            self._shade[side] = np.rint(shade * 256).astype(np.uint16)[:, None]
            self._parcel.setdefault(side, np.full(count, -1, np.int32))
        self._part_inflated()
        self._points.clear()

    def _part_inflated(self) -> None:
        """Inflated hemispheres overlap in the middle: move each to its own side."""
        sides: tuple[tuple[Part, float], ...] = (("left", -1.0), ("right", 1.0))
        for side, sign in sides:
            mesh = self._cortex["inflated", side]
            inner = mesh.vertices[:, 0].max() if sign < 0 else mesh.vertices[:, 0].min()
            shift = np.array([sign * 2.0 - inner, 0, 0], np.float32)
            moved = Mesh(mesh.vertices + shift, mesh.faces, mesh.normals)
            self._cortex["inflated", side] = moved

    def set_parcels(self, left: Array, right: Array, deep: Mapping[Part, Blobs]) -> None:
        """Parcel per vertex (-1 = none) of both hemispheres, and the blobs below the cortex."""
        self._parcel["left"] = np.asarray(left, np.int32)
        self._parcel["right"] = np.asarray(right, np.int32)
        self.set_blobs(deep)

    def set_blobs(self, deep: Mapping[Part, Blobs]) -> None:
        """The surfaces of the parcels below the cortex."""
        self.blobs = dict(deep)
        self._points.clear()

    def mesh(self, part: Part) -> Mesh:
        """The mesh of a part on the present surface."""
        return self.blobs[part].mesh if part in self.blobs else self._cortex[self.surface, part]

    def parts(self) -> list[Part]:
        """Parts that exist now."""
        return ([*HEMISPHERES] if self._cortex else []) + [part for part in DEEP if part in self.blobs]

    def points(self, parts: Sequence[Part]) -> Array:
        """(n, 3) float32 all vertices of some parts, for framing."""
        key = (self.surface, tuple(parts))
        if key not in self._points:
            self._points[key] = np.concatenate([self.mesh(part).vertices for part in parts])
        return self._points[key]

    def parcel(self, part: Part) -> Array:
        """Parcel per vertex, -1 = none."""
        return self.blobs[part].parcel if part in self.blobs else self._parcel[part]

    def brightness(self, part: Part, axes: Array) -> Array:
        """(n, 1) uint16 up to 255: light on the part as seen along ``axes``, folds included."""
        light = lit(self.mesh(part).normals, axes)
        return light if part in self.blobs else np.asarray((light * self._shade[part]) >> 8)

    def colours(self, part: Part, table: Array) -> Array:
        """(n, 3) uint8 before light, from ``table`` (V + 1, 3) uint8, row parcel + 1, row 0 = no parcel."""
        rows = self.parcel(part) + 1
        return np.asarray(table[np.where(rows < len(table), rows, 0)])

    def outline(self, part: Part, parcels: Sequence[int]) -> Array:
        """End points in pairs, (2 * segments, 3), round each of ``parcels`` on this part."""
        own = self.parcel(part)
        if part in self.blobs:
            mesh = self.mesh(part)
            return _face_border(mesh, np.isin(own, parcels)[mesh.faces[:, 0]])
        return outline(self.mesh(part), np.isin(own, parcels))

    def centre(self, parcel: int) -> tuple[Part, Array] | None:
        """The part a parcel lies on and the (3,) mean of its vertices, on the present surface."""
        for part in self.parts():
            own = self.parcel(part) == parcel
            if own.any():
                return part, np.asarray(self.mesh(part).vertices[own].mean(0))
        return None

    def nearest(self, mm: Array) -> Array:
        """(3,) where MNI ``mm`` is drawn: itself on the pial surface, the nearest vertex's place when inflated."""
        if self.surface == "pial" or not self._cortex:
            return np.asarray(mm, np.float64)
        side: Part = "left" if mm[0] < 0 else "right"
        row = ((self._cortex["pial", side].vertices - mm) ** 2).sum(1).argmin()
        return np.asarray(self._cortex["inflated", side].vertices[row], np.float64)

    def pick(self, panel: Panel, x: float, y: float) -> Picked | None:
        """What lies under widget pixel (x, y) of a panel."""
        left, top, width, height = panel.box
        best: Picked | None = None
        for part in panel.parts:
            mesh = self.mesh(part)
            hit = pick(panel.camera, mesh.vertices, mesh.faces, (x - left, y - top), (width, height))
            if hit is None or (best is not None and hit.depth <= best.depth):
                continue
            corners = mesh.faces[hit.face]
            parcel = int(self.parcel(part)[corners[int(hit.weights.argmax())]])
            real = mesh if part in self.blobs else self._cortex["pial", part]
            mm = hit.weights @ real.vertices[corners]
            best = Picked(parcel, (float(mm[0]), float(mm[1]), float(mm[2])), hit.depth)
        return best


def _face_border(mesh: Mesh, inside: Array) -> Array:
    """Edges that belong to one face of the marked ones only, lifted a little."""
    faces = mesh.faces[inside]
    edges = np.sort(np.concatenate([faces[:, [0, 1]], faces[:, [1, 2]], faces[:, [2, 0]]]), axis=1)
    unique, count = np.unique(edges, axis=0, return_counts=True)
    raised = mesh.vertices + 0.4 * mesh.normals
    return np.asarray(raised[unique[count == 1]].reshape(-1, 3), np.float32)
