"""A forecast as a table: one row per region and frame, in the recording's own unit."""

from __future__ import annotations

import csv
import math
from collections.abc import Sequence
from pathlib import Path

from app.state.data import Forecast


def write_table(result: Forecast, names: Sequence[str], path: Path) -> None:
    """Write region, frame, time, forecast, 90 % band and what followed; whole or not at all.

    Raises
    ------
    OSError
        When the disk does not take it.
    """
    arrays, info = result.arrays, result.info
    centre, scale = arrays["centre"][:, None], arrays["scale"][:, None]
    guess, width = result.of("forecast"), arrays["half_width"][-1]
    values = [each * scale + centre for each in (guess, guess - width, guess + width, arrays["truth"])]
    temporary = path.with_name(f".{path.name}.part")
    try:
        with temporary.open("w", newline="", encoding="utf-8") as file:
            writer = csv.writer(file, lineterminator="\n")
            writer.writerow(("region", "frame", "time_s", "forecast", "low_90", "high_90", "followed"))
            for parcel, name in enumerate(names):
                for lead in range(info.horizon):
                    frame = info.origin + lead
                    here = [float(each[parcel, lead]) for each in values]
                    told = ["" if math.isnan(value) else f"{value:.6g}" for value in here]
                    writer.writerow((name, frame, f"{frame * info.tr_s:.3f}", *told))
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)
