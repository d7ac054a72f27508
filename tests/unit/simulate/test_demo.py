"""The demo case: painted once, used again, painted anew when it is not whole."""

from __future__ import annotations

import json
from pathlib import Path

import nibabel
import pytest

from brainlm_engine.api.errors import Cancelled
from brainlm_engine.simulate import demo_case
from brainlm_engine.simulate.cohort import MOST_PEOPLE
from brainlm_engine.simulate.demo import DEMO_PERSON


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

    content, written = scan.read_bytes(), scan.stat().st_mtime_ns
    assert demo_case(tmp_path / "demo", 20) == scan
    assert scan.stat().st_mtime_ns == written
    scan.write_bytes(content[:1000])
    assert demo_case(tmp_path / "demo", 20).read_bytes() == content
    assert nibabel.load(demo_case(tmp_path / "demo", 8)).shape[3] == 8
