"""Middle and spread of each row of a (rows, frames) array that may have holes, without numpy's slow detour for NaN."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]


def row_medians(series: Array) -> Array:
    """(V,) float32 median of the finite values of each row of ``series`` (V, T); NaN where there is none."""
    return _by_row(series, np.median)


def row_means(series: Array) -> Array:
    """(V,) float32 mean of the finite values of each row of ``series`` (V, T); NaN where there is none."""
    return _by_row(series, np.mean)


def typical_spread(series: Array) -> float:
    """Return the median over rows of the standard deviation of each row; 1 when no row varies or none is known."""
    spread = _by_row(series, np.std)
    spread = spread[np.isfinite(spread)]
    return (float(np.median(spread)) if spread.size else 1.0) or 1.0


def _by_row(series: Array, measure: Any) -> Array:
    """Whole rows together, which is fast; the few with holes one by one."""
    out = np.full(len(series), np.nan, np.float32)
    if series.size == 0:
        return out
    finite = np.isfinite(series)
    whole = finite.all(1)
    out[whole] = measure(series[whole], axis=1) if whole.any() else out[whole]
    for row in np.flatnonzero(finite.any(1) & ~whole):
        out[row] = measure(series[row][finite[row]])
    return out
