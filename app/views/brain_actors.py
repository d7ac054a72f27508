"""The VTK actors of every panel: made when first needed, lit when the camera turns, recoloured at every frame."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from app.views.brain_layout import Panel, Part
from app.views.brain_parts import DEEP, BrainParts

Array = NDArray[Any]


@dataclass
class _Drawn:
    """One part in one panel: its actor, and the light on it as last seen."""

    mesh: Any
    axes: Array
    brightness: Array


class BrainActors:
    """Keeps one mesh per panel, part and surface, since light differs by panel; one outline per part."""

    def __init__(self, parts: BrainParts) -> None:
        self._parts = parts
        self._drawn: dict[tuple[str, str, Part], _Drawn] = {}
        self._outlines: dict[Part, Any] = {}
        self._panels: list[Panel] = []
        self._table: Array = np.full((1, 3), 160, np.uint8)
        self._chosen: tuple[int, ...] = ()
        self._colour = (255, 255, 255)

    def forget(self, parts: Iterable[Part] | None = None) -> None:
        """The meshes of these parts (of all) are out of date."""
        gone = None if parts is None else set(parts)
        self._drawn = {} if gone is None else {key: drawn for key, drawn in self._drawn.items() if key[2] not in gone}

    def of_panels(self, panels: Sequence[Panel]) -> dict[str, list[Any]]:
        """VTK actors per panel, ready to be drawn."""
        from app.views.brain_scene import MeshActor, OutlineActor

        actors: dict[str, list[Any]] = {}
        self._panels = list(panels)
        for panel in panels:
            for part in panel.parts:
                key = self._key(panel, part)
                if key not in self._drawn:
                    none = np.zeros((0, 1), np.uint16)
                    self._drawn[key] = _Drawn(
                        MeshActor(self._parts.mesh(part), hide_back=part not in DEEP), np.zeros((3, 3)), none
                    )
                if part not in self._outlines:
                    self._outlines[part] = OutlineActor()
                actors.setdefault(panel.key, []).extend((self._drawn[key].mesh.actor, self._outlines[part].actor))
        self.outline(self._chosen, self._colour)
        self.light(panels, everything=True)
        return actors

    def _key(self, panel: Panel, part: Part) -> tuple[str, str, Part]:
        return (panel.key, "" if part in DEEP else self._parts.surface, part)

    def light(self, panels: Sequence[Panel], *, everything: bool = False) -> None:
        """The cameras stand as these panels say: light and paint again what is seen from elsewhere now."""
        self._panels = list(panels)
        colours: dict[Part, Array] = {}
        for panel in panels:
            axes = panel.camera.axes()
            for part in panel.parts:
                drawn = self._drawn.get(self._key(panel, part))
                if drawn is None:
                    continue
                turned = not np.array_equal(axes, drawn.axes)
                if turned:
                    drawn.axes, drawn.brightness = axes, self._parts.brightness(part, axes)
                if turned or everything:
                    if part not in colours:
                        colours[part] = self._parts.colours(part, self._table)
                    drawn.mesh.paint((colours[part] * drawn.brightness) >> 8)

    def paint(self, table: Array) -> None:
        """Colours by parcel: (V + 1, 3) uint8, row parcel + 1, row 0 = no parcel."""
        self._table = table
        self.light(self._panels, everything=True)

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
