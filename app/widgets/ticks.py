"""Round tick positions and numbers for axes and colour bars."""

from __future__ import annotations

import math


def round_step(span: float, wanted: int) -> float:
    """1, 2 or 5 times a power of ten, so that ``span`` holds about ``wanted`` steps."""
    rough = max(span, 1e-12) / max(wanted, 1)
    power = 10.0 ** math.floor(math.log10(rough))
    return min((m * power for m in (1.0, 2.0, 5.0, 10.0)), key=lambda step: abs(step - rough))


def round_ticks(lo: float, hi: float, wanted: int = 4) -> list[float]:
    """Round positions inside ``lo..hi``, ends included when they are round."""
    if not (math.isfinite(lo) and math.isfinite(hi)) or hi <= lo:
        return []
    step = round_step(hi - lo, wanted)
    first = math.ceil(lo / step - 1e-9)
    last = math.floor(hi / step + 1e-9)
    return [i * step for i in range(first, last + 1)]


def number(value: float, step: float = 0.0) -> str:
    """A value for reading, with the typographic minus; as many decimals as ``step`` needs."""
    if not math.isfinite(value):
        return "–"
    if step > 0:
        decimals = max(0, -math.floor(math.log10(step) + 1e-9))
        text = f"{value:.{min(decimals, 6)}f}" if abs(value) < 1e6 else f"{value:.3g}"
    else:
        text = f"{value:.3g}"
    if float(text) == 0:
        text = text.lstrip("-")
    return text.replace("-", "−")
