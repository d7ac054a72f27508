"""The VTK actors of every part of the brain: made when first needed, recoloured at every frame."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from app.views.brain_layout import Part
from app.views.brain_parts import DEEP, BrainParts

Array = NDArray[Any]


class BrainActors:
    """Keeps one mesh per part and surface, and one outline per part."""

    def __init__(self, parts: BrainParts) -> None:
        self._parts = parts
        self._meshes: dict[tuple[str, Part], Any] = {}
        self._outlines: dict[Part, Any] = {}
        self._table: Array = np.full((1, 3), 160, np.uint8)
        self._chosen: tuple[int, ...] = ()
        self._colour = (255, 255, 255)
        self._opacity = 1.0

    def forget(self, parts: Iterable[Part] | None = None) -> None:
        """The meshes of these parts (of all) are out of date."""
        gone = None if parts is None else set(parts)
        self._meshes = {} if gone is None else {key: mesh for key, mesh in self._meshes.items() if key[1] not in gone}

    def of_parts(self) -> dict[str, list[Any]]:
        """VTK actors per part, ready to be drawn."""
        from app.views.brain_scene import MeshActor, OutlineActor

        actors: dict[str, list[Any]] = {}
        for part in self._parts.parts():
            key = self._key(part)
            if key not in self._meshes:
                self._meshes[key] = MeshActor(self._parts.mesh(part), per_face=part in DEEP)
            if part not in self._outlines:
                self._outlines[part] = OutlineActor()
            actors[part] = [self._meshes[key].actor, self._outlines[part].actor]
        self.paint(self._table)
        self.set_opacity(self._opacity)
        self.outline(self._chosen, self._colour)
        return actors

    def _key(self, part: Part) -> tuple[str, Part]:
        return ("" if part in DEEP else self._parts.surface, part)

    def paint(self, table: Array) -> None:
        """Colours by parcel: (V + 1, 3) uint8, row parcel + 1, row 0 = no parcel."""
        self._table = table
        for part in self._parts.parts():
            mesh = self._meshes.get(self._key(part))
            if mesh is not None:
                mesh.paint(self._parts.colours(part, table))

    def set_opacity(self, opacity: float) -> None:
        """Of the cortex; 1 is solid."""
        self._opacity = opacity
        for (_surface, part), mesh in self._meshes.items():
            if part not in DEEP:
                mesh.set_opacity(opacity)

    def outline(self, parcels: Sequence[int], rgb: tuple[int, int, int]) -> list[tuple[Part, Array]]:
        """Draw a line round each parcel.

        Returns
        -------
        deep parcels that have no border with another parcel, with their place: they need a ring
        """
        self._chosen, self._colour = tuple(parcels), rgb
        lonely: list[tuple[Part, Array]] = []
        for part in self._parts.parts():
            ends = self._parts.outline(part, parcels) if parcels else np.zeros((0, 3), np.float32)
            if part in self._outlines:
                self._outlines[part].draw(ends, rgb)
            if part in DEEP and len(ends) == 0:
                found = [self._parts.centre(parcel) for parcel in parcels]
                lonely += [spot for spot in found if spot is not None and spot[0] == part]
        return lonely
