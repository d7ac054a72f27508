"""A recording survives the disk; a damaged one is refused in a sentence."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from brainlm_engine.api.errors import BadInput
from brainlm_engine.recording import Recording


def make_recording(parcels: int = 5, frames: int = 30) -> Recording:
    rng = np.random.default_rng(0)
    missing = np.zeros(parcels, bool)
    missing[1] = True
    series = rng.standard_normal((parcels, frames)).astype(np.float32)
    series[missing] = np.nan
    return Recording(
        series=series,
        tr_s=0.72,
        xyz=rng.uniform(-60, 60, (parcels, 3)).astype(np.float32),
        missing=missing,
        coverage=np.linspace(0, 1, parcels, dtype=np.float32),
        atlas_id="mni424",
        names=tuple(f"Ünit {i}" for i in range(parcels)),
        networks=("Visual",) * parcels,
        unit="raw",
        name="sub-01 🧠",
        provenance={"steps": ["parcellate"], "tr": 0.72},
    )


def test_saved_and_loaded_recording_is_the_same(tmp_path: Path) -> None:
    recording = make_recording()
    recording.save(tmp_path / "a.safetensors")
    again = Recording.load(tmp_path / "a.safetensors")
    for name in ("series", "xyz", "missing", "coverage"):
        np.testing.assert_array_equal(getattr(again, name), getattr(recording, name))
    assert (again.tr_s, again.names, again.networks) == (recording.tr_s, recording.names, recording.networks)
    assert (again.unit, again.name, again.provenance) == (recording.unit, recording.name, recording.provenance)
    assert [p.name for p in tmp_path.iterdir() if p.is_file()] == ["a.safetensors"]


@pytest.mark.parametrize("keep", [0, 10, 200])
def test_truncated_recording_is_refused_in_one_sentence(tmp_path: Path, keep: int) -> None:
    path = tmp_path / "half.safetensors"
    make_recording().save(path)
    path.write_bytes(path.read_bytes()[:keep])
    with pytest.raises(BadInput, match=r"half\.safetensors is not a recording"):
        Recording.load(path)


def test_shapes_that_do_not_fit_are_refused() -> None:
    good = make_recording()
    with pytest.raises(ValueError, match="do not fit"):
        Recording(good.series, 1.0, good.xyz[:3], good.missing, good.coverage)
