"""A forecast as a table: one row per region and frame, in the recording's own unit."""

from __future__ import annotations

import csv
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from brainlm_engine.api.forecasting import ForecastInfo
from brainlm_engine.files import written_whole


def write_forecast(info: ForecastInfo, arrays: Mapping[str, Any], names: Sequence[str], path: Path) -> None:
    """Write region, frame, time, forecast, 90 % band and what followed; whole or not at all.

    Parameters
    ----------
    arrays : as described at :class:`ForecastInfo`
    names : of the regions

    Raises
    ------
    BadInput
        When the file cannot be written to, or the disk is full.
    """
    centre, scale = arrays["centre"][:, None], arrays["scale"][:, None]
    guess, width = arrays["forecast"][0], arrays["half_width"][-1]
    values = [each * scale + centre for each in (guess, guess - width, guess + width, arrays["truth"])]
    with written_whole(path) as temporary, temporary.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(("region", "frame", "time_s", "forecast", "low_90", "high_90", "followed"))
        for parcel, name in enumerate(names):
            for lead in range(info.horizon):
                frame = info.origin + lead
                here = [float(each[parcel, lead]) for each in values]
                told = ["" if math.isnan(value) else f"{value:.6g}" for value in here]
                writer.writerow((name, frame, f"{frame * info.tr_s:.3f}", *told))
