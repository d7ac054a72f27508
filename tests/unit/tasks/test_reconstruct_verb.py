"""``brainlm-engine reconstruct`` as a person runs it: on recordings, on tables and on scans."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest

from brainlm_engine.cli import main
from brainlm_engine.recording import Recording

Make = Callable[..., Recording]


def run(capsys: pytest.CaptureFixture[str], *args: object) -> tuple[int, dict]:
    code = main([*map(str, args), "--json"])
    return code, json.loads(capsys.readouterr().out)


@pytest.fixture
def table(make_recording: Make, tmp_path: Path) -> Path:
    """A table of 36 regions x 240 frames and, beside it, their positions."""
    recording = make_recording(1)
    names = ",".join(f"r{i}" for i in range(36))
    np.savetxt(tmp_path / "t.csv", recording.series.T, delimiter=",", header=names, comments="")
    np.savetxt(tmp_path / "c.csv", recording.xyz, delimiter=",", header="x,y,z", comments="")
    return tmp_path / "t.csv"


def test_a_table_that_parcellate_wrote(table: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    places, out = table.with_name("c.csv"), tmp_path / "a.tsv"
    assert run(capsys, "parcellate", table, "--coordinates", places, "--tr", "0.72", "--out", out)[0] == 0
    code, own = run(capsys, "reconstruct", out, "--seed", 3)
    assert code == 0
    code, other = run(capsys, "reconstruct", table, "--coordinates", places, "--tr", "0.72", "--seed", 3)
    assert code == 0
    assert own["scores"][0]["r2"] == pytest.approx(other["scores"][0]["r2"], abs=1e-3)


def test_what_a_table_does_not_say_is_asked_by_options(table: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, told = run(capsys, "reconstruct", table)
    assert (code, told["error"]["next_step"]) == (2, "Give it with --tr, for example --tr 2.0.")
    code, told = run(capsys, "reconstruct", table, "--answer", "tr=0.72")
    assert code == 2
    assert "--coordinates FILE" in told["error"]["next_step"]


def test_a_scan_is_averaged_over_the_atlas_first(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    affine = np.diag([6.0, 6.0, 6.0, 1.0])
    affine[:3, 3] = -90, -126, -72
    data = np.random.default_rng(0).normal(1000, 10, (31, 37, 31, 24)).astype(np.float32)
    image = nib.Nifti1Image(data, affine)
    image.header.set_zooms((6, 6, 6, 2))
    image.header.set_xyzt_units("mm", "sec")
    image.to_filename(tmp_path / "s.nii")
    args = ["reconstruct", tmp_path / "s.nii", "--answer", "space=affine"]
    code, told = run(capsys, *args, "--atlas", "mni424", "--out", tmp_path / "out.safetensors")
    assert code == 0, told
    assert any("in MNI space" in note for note in told["notes"]), told["notes"]
    assert (tmp_path / "out.safetensors").exists()
    assert run(capsys, *args, "--atlas", "none-such")[0] == 2


def test_a_window_nobody_asked_for_is_not_called_asked_for(
    make_recording: Make, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    make_recording(1, frames=176).save(tmp_path / "r.safetensors")
    said = {}
    for words in ((), ("--whole",), ("--frames", 200), ("--frames", 100)):
        code, told = run(capsys, "reconstruct", tmp_path / "r.safetensors", *words)
        assert code == 0
        said[words] = [note for note in told["notes"] if "frames are used" in note]
    assert said[()] == ["The recording is shorter than a usual window of 200 frames: 160 frames are used."]
    assert said["--frames", 200] == ["The recording is shorter than the 200 frames asked for: 160 frames are used."]
    assert not said["--whole",]
    assert not said["--frames", 100]


def test_a_person_reads_rounded_figures(
    make_recording: Make, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    make_recording(1).save(tmp_path / "r.safetensors")
    r2 = run(capsys, "reconstruct", tmp_path / "r.safetensors")[1]["scores"][0]["r2"]
    assert len(str(r2)) > 8  # a program gets all of it
    assert main(["reconstruct", str(tmp_path / "r.safetensors")]) == 0
    said = capsys.readouterr().out
    assert said.startswith("The model explains")
    assert f"{r2:.3f}" in said
    assert str(r2) not in said
    assert "nan" not in said
    mean = next(line for line in said.splitlines() if line.endswith("Mean of the recording"))
    assert "–" in mean  # its r means nothing
    assert not any(mark in said for mark in ("{", "r2="))
