"""Hundreds of traces as one picture: every line's span in every pixel column is counted, and counts become opacity.

When rows are only a few pixels high, lines would cover each other and cost five times more to draw.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]


def count_lines(y: Array, columns: Array, shape: tuple[int, int]) -> Array:
    """How many lines cross each pixel.

    Parameters
    ----------
    y : (rows, n) float, vertical pixel of each sample; NaN = nothing drawn
    columns : (n,) float, horizontal pixel of each sample, ascending
    shape : height, width of the picture

    Returns
    -------
    (height, width) int64
    """
    height, width = shape
    low, high = _spans(y, columns, width)
    known = np.isfinite(low) & (high >= 0) & (low < height)
    top = np.clip(np.where(known, low, 0), 0, height - 1).astype(np.int64)
    bottom = np.clip(np.where(known, high, 0), 0, height - 1).astype(np.int64) + 1
    place = np.arange(width)
    begin = (top * width + place)[known]
    end = (bottom * width + place)[known]
    size = (height + 1) * width
    change = np.bincount(begin, minlength=size) - np.bincount(end, minlength=size)
    return np.asarray(np.cumsum(change.reshape(height + 1, width), axis=0)[:-1])


def _spans(y: Array, columns: Array, width: int) -> tuple[Array, Array]:
    """(rows, width) highest and lowest pixel of each line in each pixel column."""
    edges = np.arange(width + 1, dtype=np.float64)
    right = np.clip(np.searchsorted(columns, edges, side="right"), 1, len(columns) - 1)
    left = right - 1
    share = (edges - columns[left]) / np.maximum(columns[right] - columns[left], 1e-12)
    outside = (share < -1e-9) | (share > 1 + 1e-9)
    at = y[:, left] + (y[:, right] - y[:, left]) * share.astype(y.dtype)
    at[:, outside] = np.nan
    low, high = np.minimum(at[:, :-1], at[:, 1:]), np.maximum(at[:, :-1], at[:, 1:])
    if len(columns) > width:  # samples between the column edges: their extremes count too
        cell = np.clip(columns.astype(np.int64), 0, width - 1)
        starts = np.flatnonzero(np.diff(cell, prepend=-1))
        inside = cell[starts]
        low[:, inside] = np.fmin(low[:, inside], np.minimum.reduceat(y, starts, axis=1))
        high[:, inside] = np.fmax(high[:, inside], np.maximum.reduceat(y, starts, axis=1))
    return low, high


def opacity(counts: Array, typical: float) -> Array:
    """(height, width) uint8: nothing is clear, many lines are nearly solid."""
    table = 255.0 * (1.0 - np.exp(-np.arange(256) / max(typical, 0.5)))
    return np.asarray(table.astype(np.uint8)[np.minimum(counts, 255)])
