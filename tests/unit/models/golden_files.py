"""The golden files under ``tests/data``: inputs that can be made anew anywhere, and the thinning of large answers."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
from safetensors.numpy import load_file

DATA = Path(__file__).resolve().parents[2] / "data"


def window(parcels: int, frames: int, *, gaps: bool = False) -> np.ndarray:
    """Return a fixed signal (parcels, frames) float64, about -2..2, exact on every machine; NaN in some places."""
    v, t = np.arange(parcels)[:, None], np.arange(frames)[None, :]
    signal = ((v * 7919 + t * 104729 + v * t * 31 + v * v * t * t) % 257 - 128) / 64
    if gaps:
        signal[parcels // 2 : parcels // 2 + 2] = np.nan
        signal[1, frames // 2 :: 7] = np.nan
    return signal


def positions(parcels: int) -> np.ndarray:
    """Return fixed positions (parcels, 3) in mm, with many equal Y."""
    v = np.arange(parcels)
    return np.stack([v * 37 % 127 - 62, v * 91 % 79 * 2 - 92, v * 53 % 125 - 54], -1).astype(np.float64)


def every(key: str, values: np.ndarray) -> np.ndarray:
    """Thin out the large answers: of pictures some rows and columns, of many tokens each 16th."""
    if values.shape == (424, 200):
        return values[::8, ::8] if key == "mask" else values[::16, ::8]  # each patch holds a place of the mask
    return values[::16] if key == "latent" and len(values) > 100 else values


def golden(name: str) -> tuple[dict[str, Any], Path, dict[str, dict[str, np.ndarray]]]:
    """Return config, folder and the answers of each case of a golden model."""
    folder = DATA / name
    cases: dict[str, dict[str, np.ndarray]] = {}
    for key, value in load_file(folder / "answers.safetensors").items():
        case, _, part = key.partition(".")
        cases.setdefault(case, {})[part] = value
    return json.loads((folder / "config.json").read_text()), folder, cases
