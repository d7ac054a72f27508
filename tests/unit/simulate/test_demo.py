"""The demo case: painted once, used again, painted anew when it is not whole."""

from __future__ import annotations

import json
from pathlib import Path

import nibabel
import numpy as np
import pytest

from brainlm_engine.api.errors import Cancelled
from brainlm_engine.preprocess.motion import displacement, read_motion, table_beside
from brainlm_engine.simulate import demo_case
from brainlm_engine.simulate.cohort import MOST_PEOPLE
from brainlm_engine.simulate.demo import DEMO_PERSON
from brainlm_engine.simulate.head_motion import realignment
from brainlm_engine.simulate.people import draw_person


def test_the_demo_person_is_in_no_cohort() -> None:
    assert DEMO_PERSON > MOST_PEOPLE


def test_the_demo_case_is_painted_once_and_mended_when_damaged(tmp_path: Path, stop_at: type) -> None:
    with pytest.raises(Cancelled):
        demo_case(tmp_path / "demo", 20, stop_at(0.5))
    assert list((tmp_path / "demo").iterdir()) == []

    scan = demo_case(tmp_path / "demo", 20)
    assert nibabel.load(scan).shape == (61, 73, 61, 20)
    sidecar = json.loads(scan.with_name(scan.name.replace(".nii.gz", ".json")).read_text())
    assert (sidecar["Simulated"], sidecar["TaskName"], sidecar["RepetitionTime"]) == (True, "visual", 0.72)

    moved = read_motion(table_beside(scan) or Path("none"), 20, "demo").fd_mm
    assert 0.05 < float(np.nanmean(moved)) < 0.5
    (table_beside(scan) or Path("none")).unlink()

    content, written = scan.read_bytes(), scan.stat().st_mtime_ns
    assert demo_case(tmp_path / "demo", 20) == scan
    assert scan.stat().st_mtime_ns == written
    np.testing.assert_array_equal(read_motion(table_beside(scan) or Path("none"), 20, "demo").fd_mm, moved)
    scan.write_bytes(content[:1000])
    assert demo_case(tmp_path / "demo", 20).read_bytes() == content
    assert nibabel.load(demo_case(tmp_path / "demo", 8)).shape[3] == 8
    assert read_motion(table_beside(scan) or Path("none"), 8, "demo").fd_mm.shape == (8,)


def test_the_head_jerks_where_the_signal_does() -> None:
    """The displacement is the person's own on the mean, and largest where the motion signal rises."""
    person = draw_person(2024, DEMO_PERSON)
    jerks = np.zeros(400)
    jerks[[100, 250]] = 5.0, 2.5
    fd = displacement(realignment(person, jerks, np.random.default_rng(1)))
    assert set(np.argsort(-np.nan_to_num(fd))[:4]) == {100, 101, 250, 251}
    assert fd[100] > fd[250] > 0.5
    assert float(np.nanmean(fd)) == pytest.approx(person.mean_fd, rel=0.2)
    still = displacement(realignment(person, np.zeros(400), np.random.default_rng(1)))
    assert float(np.nanmean(still)) == pytest.approx(person.mean_fd)
    assert np.nanmax(still) < 0.5
