"""Colour maps without matplotlib: 256-row tables from ``resources/palettes``, values to RGBA bytes."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

import numpy as np
from numpy.typing import NDArray

Values = NDArray[Any]
Bytes = NDArray[np.uint8]

GREY = "grey"
NAMES = ("cividis", "batlow", "vik", "vikO", GREY)
DIVERGING = frozenset({"vik"})
CYCLIC = frozenset({"vikO"})


@dataclass(frozen=True)
class ColourMap:
    """A named table of 256 colours.

    Attributes
    ----------
    name : one of :data:`NAMES`
    table : (256, 3) uint8, red green blue
    """

    name: str
    table: Bytes

    @property
    def diverging(self) -> bool:
        """Zero belongs in the middle of its range."""
        return self.name in DIVERGING

    def indices(self, values: Values, lo: float, hi: float) -> Values:
        """Table row per value, same shape, intp; out of range is clamped, cyclic maps wrap; NaN gives row 0."""
        span = hi - lo if hi > lo else 1.0
        with np.errstate(invalid="ignore", over="ignore"):
            scaled = (np.asarray(values, np.float32) - lo) * (255.999 / span)
        scaled = np.nan_to_num(scaled, nan=0.0, posinf=255.0, neginf=0.0)
        if self.name in CYCLIC:
            return np.asarray(scaled.astype(np.intp) % 256)
        return np.asarray(np.clip(scaled, 0, 255), np.intp)

    def rgb(self, values: Values, lo: float, hi: float, nan: tuple[int, int, int] = (154, 157, 163)) -> Bytes:
        """Colour per value, shape + (3,) uint8; NaN takes ``nan``."""
        colours = self.table[self.indices(values, lo, hi)]
        colours[np.isnan(values)] = nan
        return colours


@cache
def colour_map(name: str) -> ColourMap:
    """The palette called ``name``; an unknown name is a programming error and raises KeyError."""
    if name not in NAMES:
        raise KeyError(f"no colour map {name!r}; there are {', '.join(NAMES)}")
    if name == GREY:
        table = np.repeat(np.arange(256, dtype=np.uint8)[:, None], 3, axis=1)
    else:
        text = files("resources").joinpath("palettes", f"{name}.txt").read_text("ascii")
        rows = [line.split() for line in text.splitlines() if not line.startswith("#")]
        table = np.array(rows, np.uint8)
    table.setflags(write=False)
    return ColourMap(name, table)


def symmetric(lo: float, hi: float) -> tuple[float, float]:
    """The smallest zero-centred range that holds ``lo..hi``."""
    reach = max(abs(lo), abs(hi)) or 1.0
    return -reach, reach


def hex_rgb(colour: str) -> tuple[int, int, int]:
    """``#RRGGBB`` as three bytes."""
    return int(colour[1:3], 16), int(colour[3:5], 16), int(colour[5:7], 16)
