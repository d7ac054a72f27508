"""Scaling statistics over many recordings: small known answers, files, faults, and the published toolkit's output."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load_file

from brainlm_engine.api.errors import BadInput
from brainlm_engine.preprocess import PopulationScaling, RecordingFiles, Scaling, fit_population, scale
from brainlm_engine.recording import Recording

METHODS = ["robust", "toolkit_compat"]


def recording(series: np.ndarray, name: str = "") -> Recording:
    series = series.astype(np.float32)
    missing = np.isnan(series).any(1)
    return Recording(
        series, 0.735, np.zeros((len(series), 3), np.float32), missing, (~missing).astype(np.float32), name=name
    )


def study(count: int = 4, parcels: int = 6, frames: int = 230) -> list[Recording]:
    draw = np.random.default_rng(3)
    made = [recording(draw.normal(500, 20, (parcels, frames + 10 * i)), f"r{i}") for i in range(count)]
    made[1].series[2] = np.nan
    made[1].missing[2] = True
    return made


def test_robust_by_hand() -> None:
    one = recording(np.array([[1, 2, 3], [7, 7, 7], [np.nan] * 3]))
    two = recording(np.array([[4, 5], [7, 7], [10, 30]]))
    found = fit_population([one, two])
    np.testing.assert_array_equal(found.median, [3, 7, 20])
    np.testing.assert_array_equal(found.iqr, [2, np.nan, 10])
    scaled = found.scale(two.series).series
    np.testing.assert_array_equal(scaled, np.array([[0.5, 1], [np.nan, np.nan], [-1, 1]], np.float32))
    np.testing.assert_array_equal(found.with_gain(7).scale(two.series).series, 7 * scaled)


def test_toolkit_by_hand() -> None:
    # parcel 0: mean 0, the first 200 frames hold 100 zeros, 60 times 1 and 40 times -1, the rest levels the mean;
    # without the zeros the quartiles are -1 and 1
    values = np.r_[np.zeros(100), np.ones(60), -np.ones(40), -np.ones(20)]
    shown = np.stack([values + 50, np.full(220, 3.0), 2 * values])
    shown[2, :100] += np.tile([4, 6], 50)  # a median that is not zero
    made = recording(shown)
    found = fit_population([made], "toolkit_compat")
    assert found.frames == 200
    centred = shown - shown.mean(1, keepdims=True)
    assert found.median[0] == 0
    assert found.iqr[0] == 2
    assert np.isnan(found.iqr[1])
    scaled = found.scale(made.series).series
    np.testing.assert_array_equal(scaled[0], centred[0].astype(np.float32))
    assert np.isnan(scaled[1]).all()
    low, high = np.percentile(centred[2, :200], [25, 75])
    np.testing.assert_allclose(scaled[2], centred[2] - np.median(centred[2, :200]) / (high - low), rtol=1e-5)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("gain", [1, 7])
def test_kept_and_undone(method: str, gain: float, tmp_path: Path) -> None:
    recordings = study()
    found = fit_population(recordings, method, gain)
    found.save(tmp_path / "s.json")
    again = PopulationScaling.load(tmp_path / "s.json")
    np.testing.assert_array_equal(again.median, found.median)
    np.testing.assert_array_equal(again.iqr, found.iqr)
    assert (again.method, again.gain, again.recordings) == (method, gain, 4)
    for one in recordings:
        scaled = again.scale(one.series)
        np.testing.assert_array_equal(scaled.series, found.scale(one.series).series)
        np.testing.assert_array_equal(np.isnan(scaled.series), np.isnan(one.series))
        np.testing.assert_allclose(scaled.scaling.undo(scaled.series), one.series, rtol=1e-6)
        # the scaling of one recording is a file of its own, to undo by when the recording is gone
        scaled.scaling.save(tmp_path / "one.json")
        undone = Scaling.load(tmp_path / "one.json").undo(scaled.series)
        np.testing.assert_allclose(undone, one.series, rtol=1e-6)
    shown = again.describe()
    assert method in shown
    assert "of 4 recordings" in shown
    assert "6 of 6 parcels" in shown
    assert ("times 7" in shown) == (gain == 7)


@pytest.mark.parametrize("method", METHODS)
def test_little_memory_gives_the_same(method: str, tmp_path: Path) -> None:
    recordings = study()
    for one in recordings:
        one.save(tmp_path / f"{one.name}.safetensors")
    files = RecordingFiles(sorted(tmp_path.glob("*.safetensors")))
    assert [one.name for one in files[1:]] == ["r1", "r2", "r3"]
    in_one, parcel_by_parcel = fit_population(recordings, method), fit_population(files, method, memory_mb=1e-6)
    np.testing.assert_array_equal(in_one.median, parcel_by_parcel.median)
    np.testing.assert_array_equal(in_one.iqr, parcel_by_parcel.iqr)


def test_gain_of_one_recording() -> None:
    series = study()[0].series
    np.testing.assert_allclose(scale(series, "robust", gain=7).series, 7 * scale(series, "robust").series, rtol=1e-6)
    scaled = scale(series, gain=2.5)
    np.testing.assert_allclose(scaled.series.std(1), 2.5, rtol=1e-5)
    np.testing.assert_allclose(scaled.scaling.undo(scaled.series), series, rtol=1e-6)
    np.testing.assert_array_equal(scaled.scaling.with_gain(1).apply(series), scale(series).series)


def test_faults(tmp_path: Path) -> None:
    recordings = study()
    short = recording(np.ones((6, 199)), "visit 2")
    with pytest.raises(BadInput, match="visit 2 has 199 frames; the toolkit's scaling takes the first 200 of each"):
        fit_population([*recordings, short], "toolkit_compat")
    assert fit_population([*recordings, short]).recordings == 5
    with pytest.raises(BadInput, match="Recording 5 has 3 parcels, the recordings before it have 6"):
        fit_population([*recordings, recording(np.ones((3, 300)))])
    with pytest.raises(BadInput, match="no recordings"):
        fit_population([])
    with pytest.raises(ValueError, match="unknown scaling"):
        fit_population(recordings, "zscore")
    with pytest.raises(ValueError, match="gain must be"):
        fit_population(recordings, gain=0)
    with pytest.raises(ValueError, match="does not fit"):
        fit_population(recordings).scale(np.zeros((3, 5), np.float32))
    scale(recordings[0].series).scaling.save(tmp_path / "other.json")  # of one recording
    (tmp_path / "uneven.json").write_text(
        json.dumps({"method": "robust", "median": [1], "iqr": [1, 2], "recordings": 1, "frames": 1})
    )
    for name in ("other.json", "uneven.json", "absent.json"):
        with pytest.raises(BadInput, match="no scaling statistics"):
            PopulationScaling.load(tmp_path / name)


@pytest.mark.shared_data
def test_published_toolkit(shared_reference: Path) -> None:
    golden = load_file(shared_reference / "golden_preproc" / "io.safetensors")
    recordings = [recording(raw.T) for raw in golden["raw_T_by_V"]]
    found = fit_population(recordings, "toolkit_compat")
    np.testing.assert_array_equal(found.median, golden["median"])
    np.testing.assert_array_equal(found.iqr, golden["iqr"])
    for index, where, key in ((0, np.s_[:12, :12], "rec0_first12x12"), (2, np.s_[-8:, -8:], "rec2_last8x8")):
        scaled = found.scale(recordings[index].series).series.T[where]  # the toolkit stores frames x parcels
        theirs = golden[f"Voxelwise_RobustScaler_Normalized_Recording__{key}"]
        np.testing.assert_array_equal(scaled, theirs.astype(np.float32))
    # what the toolkit meant: the same statistics, the parentheses where they belong
    meant = Scaling("robust", recordings[0].series.astype(np.float64).mean(1) + found.median, found.iqr)
    np.testing.assert_allclose(
        meant.apply(recordings[0].series).T[:12, :12], golden["correct_robust_rec0_first12x12"], atol=2e-5
    )
