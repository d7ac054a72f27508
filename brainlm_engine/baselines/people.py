"""What a model folder carries for the simple methods: the covariance between parcels of the model's training people."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from brainlm_engine.files import written_whole
from brainlm_engine.recording import Recording

PEOPLE = "people.safetensors"


def save_people(covariance: NDArray[np.float32], xyz: NDArray[np.float32], folder: Path) -> None:
    """Write the (parcels, parcels) covariance, half precision, and the positions it holds for."""
    from safetensors.numpy import save_file

    with written_whole(folder / PEOPLE) as temporary:
        save_file(
            {"covariance": covariance.astype(np.float16), "xyz": np.ascontiguousarray(xyz, np.float32)}, temporary
        )


def people_covariance(folder: Path | None, recording: Recording) -> NDArray[np.float32] | None:
    """Return the covariance kept in a model's ``folder``, or None when it is for other parcels than the recording's."""
    found = None if folder is None else _read(folder / PEOPLE)
    if found is None or found[1].shape != recording.xyz.shape:
        return None
    return found[0] if np.allclose(found[1], recording.xyz, atol=0.5, equal_nan=True) else None


@lru_cache(maxsize=4)
def _read(path: Path) -> tuple[NDArray[np.float32], NDArray[np.float32]] | None:
    from safetensors import SafetensorError
    from safetensors.numpy import load_file

    if not path.is_file():
        return None
    try:
        arrays = load_file(path)
        return arrays["covariance"].astype(np.float32), arrays["xyz"]
    except (SafetensorError, OSError, KeyError, ValueError):
        return None
