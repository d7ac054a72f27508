"""The realism report: its statistics on series of known structure, and the page on real recordings."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from pathlib import Path

import numpy as np
import pytest

from brainlm_engine.api.errors import BadInput
from brainlm_engine.atlas import Atlas
from brainlm_engine.simulate import Simulator, simulate_cohort
from brainlm_engine.simulate.fc_statistics import Layout, cohort_statistics, connectivity, detrended, lag_one
from brainlm_engine.simulate.real_reference import at_tr
from brainlm_engine.simulate.report import main


def test_statistics_of_series_with_known_structure() -> None:
    rng = np.random.default_rng(0)
    xyz = np.array([[-40.0, y, 0] for y in range(0, 60, 20)] + [[40.0, y, 0] for y in range(0, 60, 20)])
    layout = Layout(xyz, np.array([0, 1, 2, 0, 1, 2]))
    people = []
    for _ in range(12):
        mirrored = rng.standard_normal((3, 2000))
        people.append(np.vstack([mirrored, mirrored]) + rng.standard_normal((6, 2000)))
    found = cohort_statistics(people, layout)
    mean = {name: values.mean() for name, values in found.per_recording.items()}
    assert mean["homotopic FC"] == pytest.approx(0.5, abs=0.02)
    assert mean["heterotopic FC"] == pytest.approx(0.0, abs=0.02)
    assert mean["within-network FC"] == pytest.approx(0.5, abs=0.02)
    assert mean["lag-1 autocorrelation"] == pytest.approx(0.0, abs=0.02)
    assert found.network_blocks[0, 0] == pytest.approx(0.5, abs=0.02)


def test_lag_one_of_a_known_process() -> None:
    rng = np.random.default_rng(1)
    series = rng.standard_normal((20, 4000))
    for frame in range(1, 4000):
        series[:, frame] += 0.6 * series[:, frame - 1]
    assert lag_one(series) == pytest.approx(0.6, abs=0.02)


def test_trends_go_and_constant_parcels_are_missing() -> None:
    t = np.linspace(0, 1, 100)
    series = np.stack([5 + t + 3 * t**2, np.full(100, 7.0), np.sin(40 * t)])
    clean = detrended(series)
    assert np.abs(clean[0]).max() < 1e-9
    assert np.isnan(clean[1]).all()
    assert np.isnan(connectivity(clean)[1]).all()


def test_reading_at_a_longer_tr_picks_frames(simulator: Simulator) -> None:
    recording = simulator.recording(simulator.person(0), 100, 0.5)
    np.testing.assert_array_equal(at_tr(recording, 2.0), recording.series[:, ::4])
    with pytest.raises(BadInput, match="cannot be read every"):
        at_tr(recording, 0.3)


@pytest.mark.shared_data
def test_the_page_compares_with_real_recordings(tmp_path: Path, atlas: Atlas, shared_data: Path) -> None:
    simulate_cohort(tmp_path / "c", 10, n_frames=400, seed=5, atlas=atlas)
    real = shared_data / "abide" / "abide_cc200_nofilt_noglobal.h5"
    page = tmp_path / "page.md"
    assert main(["--cohort", str(tmp_path / "c"), "--abide", str(real), "--out", str(page), "--tr", "1.5"]) == 0
    text = page.read_text("utf-8")
    assert "| homotopic FC |" in text
    assert "n = 10 simulated" in text
    assert "nan" not in text
    assert ET.parse(tmp_path / "page.svg").getroot().tag.endswith("svg")


def test_a_page_without_real_recordings_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "cc200_coordinates.csv").write_text("roi,x,y,z\n1,-40,0,0\n")
    (tmp_path / "c").mkdir()
    words = ["--abide", str(tmp_path / "none.h5"), "--out", str(tmp_path / "page.md")]
    assert main(["--cohort", str(tmp_path / "c"), *words]) == 2
    assert "no simulated resting recordings" in capsys.readouterr().err
    assert not (tmp_path / "page.md").exists()
