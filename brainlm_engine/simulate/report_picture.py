"""The report's picture, written as SVG: FC by distance, distribution of FC, FC of the seven networks."""

from __future__ import annotations

from dataclasses import dataclass
from html import escape
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from brainlm_engine.simulate.fc_statistics import CORTICAL, DISTANCE_EDGES_MM, FC_BINS, CohortStatistics
from brainlm_engine.simulate.parameters import NETWORKS

Floats = NDArray[np.float64]

_SIMULATED, _REAL, _INK, _FAINT = "#c2410c", "#1d4ed8", "#1f2937", "#d1d5db"
_SHORT = ("Vis", "Som", "DAN", "Sal", "Lim", "FPN", "DMN")
_BLUE_RED = np.array([[59, 76, 192], [141, 176, 254], [242, 242, 242], [244, 152, 122], [180, 4, 38]], float)


def picture(simulated: CohortStatistics, real: CohortStatistics) -> str:
    """Return the picture as SVG text, 1000 x 330."""
    edges = (0.0, *DISTANCE_EDGES_MM)
    middles = np.array([(a + b) / 2 for a, b in pairwise(edges)])
    bins = (FC_BINS[:-1] + FC_BINS[1:]) / 2
    parts = [
        '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 1000 330" font-family="sans-serif" font-size="12">',
        '<rect width="1000" height="330" fill="#ffffff"/>',
        _Axes(60, "FC by distance", "mm", "mean FC", (0, 160), (0, 0.7)).draw(
            middles, [(simulated.by_distance, _SIMULATED), (real.by_distance, _REAL)]
        ),
        _Axes(340, "FC of parcel pairs", "FC (r)", "share of pairs", (-0.6, 1), (0, 0.16)).draw(
            bins, [(simulated.histogram, _SIMULATED), (real.histogram, _REAL)]
        ),
        _matrix(600, "Networks, simulated", simulated.network_blocks, labels=True),
        _matrix(805, "Networks, real", real.network_blocks, labels=False),
        _legend(),
        "</svg>",
    ]
    return "\n".join(parts) + "\n"


@dataclass(frozen=True)
class _Axes:
    """A panel with curves: mean over recordings, band of one standard deviation."""

    left: int
    title: str
    xlabel: str
    ylabel: str
    xlim: tuple[float, float]
    ylim: tuple[float, float]
    top: int = 40
    width: int = 215
    height: int = 200

    def _x(self, value: float) -> float:
        return self.left + self.width * (value - self.xlim[0]) / (self.xlim[1] - self.xlim[0])

    def _y(self, value: float) -> float:
        share = (value - self.ylim[0]) / (self.ylim[1] - self.ylim[0])
        return self.top + self.height * (1 - min(max(share, 0.0), 1.0))

    def draw(self, x: Floats, curves: list[tuple[Floats, str]]) -> str:
        """Return the panel; each curve is (recordings, points)."""
        bottom = self.top + self.height
        keep = (x >= self.xlim[0]) & (x <= self.xlim[1])
        parts = [
            _text(self.left, 24, self.title, "start", weight="bold"),
            f'<path d="M{self.left},{self.top}V{bottom}H{self.left + self.width}" fill="none" stroke="{_INK}"/>',
            _text(self.left + self.width / 2, bottom + 34, self.xlabel, "middle"),
            f'<text transform="translate({self.left - 40},{self.top + self.height / 2}) rotate(-90)" '
            f'text-anchor="middle" fill="{_INK}">{escape(self.ylabel)}</text>',
        ]
        for share in (0, 0.5, 1):
            xv, yv = (low + share * (high - low) for low, high in (self.xlim, self.ylim))
            parts.append(_text(self._x(xv), bottom + 16, f"{xv:g}", "middle"))
            parts.append(_text(self.left - 6, self._y(yv) + 4, f"{yv:.2g}", "end"))
        for values, colour in curves:
            mean, sd = np.nanmean(values, axis=0)[keep], np.nanstd(values, axis=0)[keep]
            upper = [f"{self._x(a):.1f},{self._y(b):.1f}" for a, b in zip(x[keep], mean + sd, strict=True)]
            lower = [f"{self._x(a):.1f},{self._y(b):.1f}" for a, b in zip(x[keep], mean - sd, strict=True)]
            line = " ".join(f"{self._x(a):.1f},{self._y(b):.1f}" for a, b in zip(x[keep], mean, strict=True))
            parts.append(f'<polygon points="{" ".join(upper + lower[::-1])}" fill="{colour}" opacity="0.15"/>')
            parts.append(f'<polyline points="{line}" fill="none" stroke="{colour}" stroke-width="2"/>')
        return "\n".join(parts)


def _matrix(left: int, title: str, blocks: Floats, *, labels: bool) -> str:
    """A 7 x 7 matrix of mean FC with its numbers."""
    cell, top = 24, 52
    parts = [_text(left + (30 if labels else 0), 24, title, "start", weight="bold")]
    shift = left + (30 if labels else 0)
    for a in range(CORTICAL):
        if labels:
            parts.append(_text(shift - 5, top + cell * a + 16, _SHORT[a], "end"))
        parts.append(_text(shift + cell * a + cell / 2, top + cell * CORTICAL + 14, _SHORT[a], "middle", size=10))
        for b in range(CORTICAL):
            value = blocks[a, b]
            x, y = shift + cell * b, top + cell * a
            parts.append(f'<rect x="{x}" y="{y}" width="{cell}" height="{cell}" fill="{_colour(value)}"/>')
            parts.append(_text(x + cell / 2, y + 16, f"{value:.2f}".replace("0.", "."), "middle", size=10))
    return "\n".join(parts)


def _legend() -> str:
    names = f"{len(NETWORKS[:CORTICAL])} cortical networks; bands: one standard deviation over recordings"
    return "\n".join([
        f'<rect x="60" y="300" width="14" height="4" fill="{_SIMULATED}"/>', _text(80, 306, "simulated", "start"),
        f'<rect x="160" y="300" width="14" height="4" fill="{_REAL}"/>', _text(180, 306, "real (ABIDE)", "start"),
        _text(340, 306, names, "start"),
    ])  # fmt: skip


def _colour(value: float) -> str:
    """Blue below, red above 0.2; grey for nothing."""
    if not np.isfinite(value):
        return _FAINT
    place = float(np.clip((value + 0.2) / 0.8, 0, 1)) * (len(_BLUE_RED) - 1)
    low = min(int(place), len(_BLUE_RED) - 2)
    rgb = _BLUE_RED[low] + (place - low) * (_BLUE_RED[low + 1] - _BLUE_RED[low])
    return "#" + "".join(f"{round(channel):02x}" for channel in rgb)


def _text(x: float, y: float, text: str, anchor: str, *, weight: str = "normal", size: int = 12) -> str:
    return (
        f'<text x="{x:.0f}" y="{y:.0f}" text-anchor="{anchor}" font-weight="{weight}" font-size="{size}" fill="{_INK}">'
        f"{escape(text)}</text>"
    )
