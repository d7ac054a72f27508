"""How the brain view is divided: one large brain with an inset, or lateral and medial panels side by side."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Literal

from app.views.brain_camera import VIEWS, Array, Camera

Part = Literal["left", "right", "subcortex", "cerebellum"]
Box = tuple[float, float, float, float]

GAP = 4.0
TITLE = 28.0
CAPTION = 24.0
FOOT = (4.0, CAPTION)
LONG = 1.35
"""a hemisphere from the side is this much longer than high"""
LETTER = 14.0
"""room for L or R beside what is seen"""
COLUMN, ROW = 0.28, 0.24
"""share of the width or of the height for subcortex and cerebellum"""


@dataclass(frozen=True)
class Panel:
    """One picture in the view.

    Attributes
    ----------
    key : stable name
    parts : what is drawn in it
    box : x, y, width, height in widget pixels, y from the top
    camera : where it is seen from
    caption : short words below
    pad : free pixels above and below, for title and caption
    mirrored : a drag turns it the other way round (right hemisphere beside left)
    """

    key: str
    parts: tuple[Part, ...]
    box: Box
    camera: Camera
    caption: str = ""
    pad: tuple[float, float] = (6.0, 6.0)
    mirrored: bool = False

    @property
    def lettered(self) -> bool:
        """Seen from front, back, above or below, with both sides in sight: L and R stand beside it."""
        return abs(float(self.camera.axes()[0][0])) >= 0.7 and not _one_hemisphere(self)

    def contains(self, x: float, y: float) -> bool:
        """Pixel inside this panel."""
        left, top, width, height = self.box
        return left <= x < left + width and top <= y < top + height


def _look(view: str, elevation: float = 0.0) -> Camera:
    azimuth, base = VIEWS[view]
    return Camera(azimuth=azimuth, elevation=base + elevation)


def whole_brain(size: tuple[float, float], view: str, parts: tuple[Part, ...], inset: tuple[Part, ...]) -> list[Panel]:
    """One large brain; what the cortex would hide stands beside or below it, seen from the same side."""
    width, height = size
    main = Panel("main", parts, (0.0, 0.0, width, height), _look(view), pad=(TITLE, 10.0))
    if not inset:
        return [main]
    if width >= 1.15 * height:
        column = min(0.26 * width, 0.5 * height)
        tall = min(height, 1.1 * column)
        box: Box = (width - column, height - tall, column, tall)
        main = replace(main, box=(0.0, 0.0, width - column, height))
    else:
        row = 0.24 * height
        box = (0.35 * width, height - row, 0.65 * width, row)
        main = replace(main, box=(0.0, 0.0, width, height - row))
    return [main, Panel("inset", inset, box, _look(view), "inset", pad=(4.0, CAPTION))]


def four_views(size: tuple[float, float], deep: tuple[Part, ...]) -> list[Panel]:
    """Lateral above medial, left beside right; subcortex and cerebellum beside or below, where it leaves more room."""
    width, height = size
    beside, below = _hemisphere_box(size, COLUMN if deep else 0.0, 0.0), _hemisphere_box(size, 0.0, ROW)
    wide = _drawn_height(beside) >= _drawn_height(below)
    column = COLUMN * width if deep and wide else 0.0
    row = ROW * height if deep and not wide else 0.0
    w, h = beside if wide else below
    low = TITLE + h + GAP
    foot = FOOT
    panels = [
        Panel("left lateral", ("left",), (0, TITLE, w, h), _look("left"), "left lateral", foot),
        Panel(
            "right lateral", ("right",), (w + GAP, TITLE, w, h), _look("right"), "right lateral", foot, mirrored=True
        ),
        Panel("left medial", ("left",), (0, low, w, h), _look("right"), "left medial", foot),
        Panel("right medial", ("right",), (w + GAP, low, w, h), _look("left"), "right medial", foot, mirrored=True),
    ]
    for i, part in enumerate(deep):
        if wide:
            share = (height - TITLE) / len(deep)
            box: Box = (width - column, TITLE + i * share, column, share)
        else:
            share = width / len(deep)
            box = (i * share, height - row, share, row)
        camera = _look("front", 20.0) if part == "subcortex" else _look("back", -10.0)
        panels.append(Panel(part, (part,), box, camera, part, foot))
    return panels


def _hemisphere_box(size: tuple[float, float], column: float, row: float) -> tuple[float, float]:
    """Width and height of one of four panels when shares of the whole go to a column and a row for the rest."""
    width, height = size
    return ((1 - column) * width - GAP) / 2, ((1 - row) * height - TITLE - GAP) / 2


def _drawn_height(box: tuple[float, float]) -> float:
    """Pixels a hemisphere gets inside a panel of that width and height."""
    return min(box[0] / LONG, box[1] - sum(FOOT))


def fitted(panels: list[Panel], points: Callable[[tuple[Part, ...]], Array]) -> list[Panel]:
    """Frame every panel; hemispheres side by side share one scale, so that their sizes can be compared."""
    framed = [_framed(panel, points(panel.parts)) for panel in panels]
    shared = [p.camera.scale for p in framed if _one_hemisphere(p)]
    scale = max(shared, default=0.0)
    return [replace(p, camera=_rescaled(p, scale)) if _one_hemisphere(p) else p for p in framed]


def _one_hemisphere(panel: Panel) -> bool:
    return panel.parts in (("left",), ("right",))


def _framed(panel: Panel, points: Array) -> Panel:
    _x, _y, width, height = panel.box
    inner = max(height - sum(panel.pad), 20.0)
    camera = panel.camera.fitted(points, max(width - 2 * LETTER * panel.lettered, 20.0), inner)
    return replace(panel, camera=_rescaled(replace(panel, camera=camera), camera.scale * height / inner))


def _rescaled(panel: Panel, scale: float) -> Camera:
    """The camera at a scale, its picture in the middle of what the pads leave free."""
    above, below = panel.pad
    shift = (below - above) / 2 * 2 * scale / panel.box[3]
    return replace(panel.camera, scale=scale, pan=(0.0, shift))
