"""Scaling with kept statistics, quality measures, confound regression."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from brainlm_engine.api.errors import BadInput
from brainlm_engine.preprocess import fit_scaling, quality, read_confounds, regress_out, scale
from brainlm_engine.preprocess.scaling import Scaling
from brainlm_engine.recording import Recording


def recording(frames: int = 100, parcels: int = 20) -> Recording:
    series = np.random.default_rng(0).normal(1000, 20, (parcels, frames)).astype(np.float32)
    missing = np.zeros(parcels, bool)
    missing[3] = True
    series[3] = np.nan
    coverage = np.where(missing, 0, 1).astype(np.float32)
    return Recording(series, 2.0, np.zeros((parcels, 3), np.float32), missing, coverage, name="r")


@pytest.mark.parametrize("method", ["zscore", "robust"])
def test_scaling(tmp_path: Path, method: str) -> None:
    series = recording().series
    series[5] = 7.0
    scaled = scale(series, method)
    assert np.isnan(scaled.series[[3, 5]]).all()
    keep = [i for i in range(20) if i not in (3, 5)]
    if method == "zscore":
        np.testing.assert_allclose(scaled.series[keep].mean(1), 0, atol=1e-4)
        np.testing.assert_allclose(scaled.series[keep].std(1), 1, rtol=1e-4)
    else:
        np.testing.assert_allclose(np.median(scaled.series[keep], 1), 0, atol=1e-4)
        low, high = np.percentile(scaled.series[keep], [25, 75], axis=1)
        np.testing.assert_allclose(high - low, 1, rtol=1e-3)
    np.testing.assert_allclose(scaled.scaling.undo(scaled.series)[keep], series[keep], rtol=1e-5)
    scaled.scaling.save(tmp_path / "s.json")
    again = Scaling.load(tmp_path / "s.json")
    np.testing.assert_array_equal(again.apply(series), scaled.series)
    assert again.method == method


def test_scaling_faults(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="unknown scaling"):
        fit_scaling(recording().series, "magic")
    with pytest.raises(ValueError, match="does not fit"):
        fit_scaling(recording().series).apply(np.zeros((3, 5), np.float32))
    (tmp_path / "x.json").write_text("[]")
    with pytest.raises(BadInput, match="no scaling statistics"):
        Scaling.load(tmp_path / "x.json")


def test_quality() -> None:
    made = recording()
    made.series[:, 40:] += np.where(made.missing, 0, 300)[:, None].astype(np.float32)
    found = quality(made, fd_mm=np.full(100, 0.2, np.float32))
    assert found.dvars.shape == (100,)
    assert np.isnan(found.dvars[0])
    assert 40 in found.spiky_frames
    assert np.isnan(found.tsnr[3])
    assert np.nanmin(found.tsnr) > 1
    assert any("0.20 mm" in note for note in found.notes)
    flat = Recording(
        np.full((2, 10), np.nan, np.float32),
        2.0,
        np.zeros((2, 3), np.float32),
        np.ones(2, bool),
        np.zeros(2, np.float32),
    )
    assert np.isnan(quality(flat).dvars).all()


def test_regression_equals_least_squares(tmp_path: Path) -> None:
    made = recording()
    rng = np.random.default_rng(1)
    motion = rng.standard_normal((100, 3))
    made.series[0] += (50 * motion[:, 0]).astype(np.float32)
    rows = ["a\tb\tc\tconstant\ttext", *["\t".join(f"{v:.9f}" for v in row) + "\t1\tword" for row in motion]]
    (tmp_path / "c.tsv").write_text("\n".join(rows))
    confounds = read_confounds(tmp_path / "c.tsv")
    assert confounds.names == ("a", "b", "c")
    cleaned = regress_out(made, confounds)
    design = np.column_stack([np.ones(100), motion])
    for i in (0, 7):
        beta = np.linalg.lstsq(design, made.series[i].astype(float), rcond=None)[0]
        expected = made.series[i] - design @ beta + made.series[i].mean()
        np.testing.assert_allclose(cleaned.series[i], expected, rtol=1e-5)
    assert np.isnan(cleaned.series[3]).all()
    assert "3 confounds (a, b, c) from c.tsv" in cleaned.provenance["steps"][-1]


def test_confounds_that_do_not_fit(tmp_path: Path) -> None:
    made = recording()
    (tmp_path / "short.tsv").write_text("a\tb\n" + "1\t2\n3\t5\n")
    with pytest.raises(BadInput, match="has 2 rows, r has 100 frames"):
        regress_out(made, read_confounds(tmp_path / "short.tsv"))
    many = np.random.default_rng(0).standard_normal((100, 120))
    lines = ["\t".join(f"c{i}" for i in range(120)), *["\t".join(map(str, row)) for row in many]]
    (tmp_path / "many.tsv").write_text("\n".join(lines))
    with pytest.raises(BadInput, match="nothing would be left"):
        regress_out(made, read_confounds(tmp_path / "many.tsv"))
    assert regress_out(made, read_confounds(tmp_path / "many.tsv", ["c1", "c2"])).n_frames == 100
    with pytest.raises(BadInput, match="no column 'c999'"):
        read_confounds(tmp_path / "many.tsv", ["c999"])
    (tmp_path / "empty.tsv").write_text("")
    with pytest.raises(BadInput, match="not a table of confounds"):
        read_confounds(tmp_path / "empty.tsv")


@pytest.mark.shared_data
def test_fmriprep_confounds(shared_data: Path) -> None:
    found = read_confounds(shared_data / "confounds" / "aomic_sub-0001_desc-confounds_regressors.tsv")
    assert found.values.shape[0] == 480
    assert np.isfinite(found.values).all()
    assert found.fd_mm is not None
    some = read_confounds(
        shared_data / "confounds" / "nilearn_test-v21_desc-confounds_timeseries.tsv", ["trans_x", "rot_x", "csf"]
    )
    assert some.values.shape[1] == 3
