"""``brainlm-engine simulate`` as a person types it."""

from __future__ import annotations

import json
from pathlib import Path

import nibabel
import pytest

from brainlm_engine.cli import main


def test_cohort(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["simulate", "cohort", "--out", str(tmp_path / "c"), "--people", "2", "--frames", "20", "--tr", "2"]
    assert main([*words, "--tasks", "rest,visual", "--seed", "4", "--json"]) == 0
    out, err = capsys.readouterr()
    assert json.loads(out) == {
        "out": str(tmp_path / "c"), "people": 2, "recordings": 4, "made": 4, "simulated": True,
    }  # fmt: skip
    assert "100.0 %" in err


def test_scan(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    target = tmp_path / "päinted scan.nii.gz"
    words = ["simulate", "--json", "scan", "--out", str(target), "--person", "1", "--frames", "10", "--voxel", "4"]
    assert main([*words, "--task", "visual"]) == 0
    assert json.loads(capsys.readouterr().out)["frames"] == 10
    assert nibabel.load(target).shape == (46, 55, 46, 10)
    assert json.loads((tmp_path / "päinted scan.json").read_text())["Simulated"] is True


def test_wrong_settings_end_with_two_and_one_sentence(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["simulate", "cohort", "--out", str(tmp_path / "c"), "--people", "2", "--tasks", "sleep"]) == 2
    assert "There is no task called 'sleep'" in capsys.readouterr().err
    assert main(["simulate", "scan", "--out", str(tmp_path / "scan.txt"), "--frames", "10", "--voxel", "4"]) == 2
    assert [path.name for path in tmp_path.iterdir() if path.name != "home"] == []
