"""How the brain view is divided: one large brain with an inset, or lateral and medial panels side by side."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Literal

from app.views.brain_camera import VIEWS, Array, Camera

Part = Literal["left", "right", "subcortex", "cerebellum"]
Box = tuple[float, float, float, float]

GAP = 4.0


@dataclass(frozen=True)
class Panel:
    """One picture in the view.

    Attributes
    ----------
    key : stable name
    parts : what is drawn in it
    box : x, y, width, height in widget pixels, y from the top
    camera : where it is seen from
    caption : short words in its corner
    mirrored : a drag turns it the other way round (right hemisphere beside left)
    """

    key: str
    parts: tuple[Part, ...]
    box: Box
    camera: Camera
    caption: str = ""
    mirrored: bool = False

    def contains(self, x: float, y: float) -> bool:
        """Pixel inside this panel."""
        left, top, width, height = self.box
        return left <= x < left + width and top <= y < top + height


def _look(view: str, elevation: float = 0.0) -> Camera:
    azimuth, base = VIEWS[view]
    return Camera(azimuth=azimuth, elevation=base + elevation)


def whole_brain(
    width: float, height: float, view: str, parts: tuple[Part, ...], inset: tuple[Part, ...]
) -> list[Panel]:
    """One large brain; what the cortex would hide stands in an inset at the lower right, seen from the same side."""
    main = Panel("main", parts, (0.0, 0.0, width, height), _look(view))
    if not inset:
        return [main]
    side = max(min(0.30 * width, 0.38 * height), 60.0)
    beside = Panel("inset", inset, (width - side, height - 0.8 * side, side, 0.8 * side), _look(view), "inset")
    if width > 1.25 * height:  # room at the right: nothing overlaps
        main = replace(main, box=(0.0, 0.0, width - 0.72 * side, height))
    return [main, beside]


def four_views(width: float, height: float, deep: tuple[Part, ...]) -> list[Panel]:
    """Lateral above medial, left beside right; subcortex and cerebellum in a column of their own, or in a row below."""
    wide = width >= 1.25 * height
    column = 0.24 * width if deep and wide else 0.0
    row = 0.24 * height if deep and not wide else 0.0
    w, h = (width - column - GAP) / 2, (height - row - GAP) / 2
    panels = [
        Panel("left lateral", ("left",), (0, 0, w, h), _look("left"), "left lateral"),
        Panel("right lateral", ("right",), (w + GAP, 0, w, h), _look("right"), "right lateral", mirrored=True),
        Panel("left medial", ("left",), (0, h + GAP, w, h), _look("right"), "left medial"),
        Panel("right medial", ("right",), (w + GAP, h + GAP, w, h), _look("left"), "right medial", mirrored=True),
    ]
    for i, part in enumerate(deep):
        if wide:
            share = height / len(deep)
            box: Box = (width - column, i * share, column, share)
        else:
            share = width / len(deep)
            box = (i * share, height - row, share, row)
        camera = _look("front", 20.0) if part == "subcortex" else _look("back", -10.0)
        panels.append(Panel(part, (part,), box, camera, part))
    return panels


def fitted(panels: list[Panel], points: Callable[[tuple[Part, ...]], Array]) -> list[Panel]:
    """Frame every panel; hemispheres side by side share one scale, so that their sizes can be compared."""
    framed = [replace(p, camera=p.camera.fitted(points(p.parts), p.box[2], p.box[3])) for p in panels]
    shared = [p.camera.scale for p in framed if p.parts in (("left",), ("right",))]
    if not shared:
        return framed
    scale = max(shared)
    return [
        replace(p, camera=replace(p.camera, scale=scale)) if p.parts in (("left",), ("right",)) else p for p in framed
    ]
