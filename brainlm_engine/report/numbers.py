"""Measured numbers as a person reads them."""

from __future__ import annotations

import math

NOT_KNOWN = "–"


def share(value: float | None) -> str:
    """Return an R2 or a correlation with three decimals (what lies below is noise), '–' for none: 0.508, -0.007."""
    if value is None or not math.isfinite(value):
        return NOT_KNOWN
    return f"{value:.3f}".replace("-0.000", "0.000")


def interval(low: float | None, high: float | None) -> str:
    """Return '0.413 to 0.440' for an R2, '–' when there is none."""
    return NOT_KNOWN if low is None or high is None else f"{share(low)} to {share(high)}"
