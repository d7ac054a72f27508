"""Cohorts on disk: complete, resumable, never half-written."""

from __future__ import annotations

import csv
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from brainlm_engine.api.errors import BadInput, Cancelled, OutOfSpace
from brainlm_engine.atlas import Atlas
from brainlm_engine.recording import Recording
from brainlm_engine.simulate import Simulator, simulate_cohort


def _contents(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


def test_a_cohort_holds_people_scores_and_one_recording_per_run(tmp_path: Path, atlas: Atlas) -> None:
    made = simulate_cohort(tmp_path / "c", 4, n_frames=40, tasks=["visual", "rest"], seed=3, runs=2, atlas=atlas)
    assert (made.n_people, made.n_recordings, made.made) == (4, 16, 16)
    with (tmp_path / "c/participants.tsv").open() as file:
        rows = list(csv.DictReader(file, delimiter="\t"))
    assert [row["split"] for row in rows[:3]] == ["train", "val", "test"]
    dictionary = json.loads((tmp_path / "c/participants.json").read_text())
    assert set(rows[0]) == set(dictionary)
    description = json.loads((tmp_path / "c/dataset_description.json").read_text())
    assert description["simulated"] is True
    assert description["complete"] is True
    assert (description["seed"], description["tasks"], description["n_people"]) == (3, ["rest", "visual"], 4)
    recording = Recording.load(tmp_path / f"c/recordings/{rows[2]['participant_id']}_task-visual_run-2.safetensors")
    simulator = Simulator(atlas, 3)
    again = simulator.recording(simulator.person(2), 40, task="visual", run=2)
    np.testing.assert_allclose(recording.series, again.series, rtol=1e-6)
    assert recording.provenance["simulated"] is True


def test_a_stopped_cohort_goes_on_where_it_was(tmp_path: Path, atlas: Atlas, stop_at: type) -> None:
    whole, stopped = tmp_path / "whole", tmp_path / "stopped"
    simulate_cohort(whole, 6, n_frames=30, atlas=atlas)
    with pytest.raises(Cancelled):
        simulate_cohort(stopped, 6, n_frames=30, atlas=atlas, progress=stop_at(0.5))
    there = _contents(stopped)
    assert sum(name.endswith(".safetensors") for name in there) == 3
    assert not any(Path(name).name.startswith(".") for name in there)
    assert json.loads(there["dataset_description.json"])["complete"] is False
    made = simulate_cohort(stopped, 6, n_frames=30, atlas=atlas)
    assert made.made == 3
    assert _contents(stopped) == _contents(whole)
    assert simulate_cohort(stopped, 6, n_frames=30, atlas=atlas).made == 0


@pytest.mark.skipif(sys.platform == "win32", reason="no SIGKILL on Windows")
def test_a_killed_process_leaves_a_cohort_that_can_be_finished(tmp_path: Path, atlas: Atlas, stop_at: type) -> None:
    folder = tmp_path / "killed"
    command = [
        sys.executable,
        "-c",
        "from brainlm_engine.cli import main; main()",
        "simulate",
        "cohort",
        "--out",
        str(folder),
    ]
    with subprocess.Popen(
        [*command, "--out", str(folder), "--people", "400", "--frames", "200"],
        stderr=subprocess.DEVNULL,
        env={**os.environ},
    ) as process:
        waited = time.monotonic() + 60
        while len(list(folder.glob("recordings/sub-*.safetensors"))) < 3 and time.monotonic() < waited:
            time.sleep(0.02)
        process.send_signal(signal.SIGKILL)
    files = list(folder.glob("recordings/sub-*.safetensors"))
    assert 3 <= len(files) < 400
    assert all(Recording.load(file).n_frames == 200 for file in files)
    left_over = folder / "recordings/.sub-00399_task-rest_run-1.safetensors.abc.safetensors"
    left_over.write_bytes(b"half")
    os.utime(left_over, (0, 0))
    # nobody may add to it with other settings; the same settings are welcome
    with pytest.raises(BadInput, match="other settings"):
        simulate_cohort(folder, 400, n_frames=100, atlas=atlas)
    with pytest.raises(Cancelled):
        simulate_cohort(folder, 400, n_frames=200, atlas=atlas, progress=stop_at(0.01))
    assert len(list(folder.glob("recordings/sub-*.safetensors"))) > len(files)
    assert not left_over.exists()


def test_a_cohort_grows_and_nobody_changes_part(tmp_path: Path, atlas: Atlas) -> None:
    simulate_cohort(tmp_path / "c", 3, n_frames=20, atlas=atlas)
    before = (tmp_path / "c/participants.tsv").read_text()
    assert simulate_cohort(tmp_path / "c", 5, n_frames=20, atlas=atlas).made == 2
    assert (tmp_path / "c/participants.tsv").read_text().startswith(before)
    assert simulate_cohort(tmp_path / "c", 2, n_frames=20, atlas=atlas).n_people == 5


def test_a_damaged_recording_is_made_again(tmp_path: Path, atlas: Atlas) -> None:
    simulate_cohort(tmp_path / "c", 2, n_frames=20, atlas=atlas)
    before = _contents(tmp_path / "c")
    file = next((tmp_path / "c/recordings").iterdir())
    file.write_bytes(file.read_bytes()[:500])
    assert simulate_cohort(tmp_path / "c", 2, n_frames=20, atlas=atlas).made == 1
    assert _contents(tmp_path / "c") == before


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"n_people": 0}, "people"),
        ({"n_people": 3, "tasks": ["sleep"]}, "sleep"),
        ({"n_people": 3, "tasks": []}, "task"),
        ({"n_people": 3, "tr_s": 720.0}, "TR"),
        ({"n_people": 3, "n_frames": 1}, "frames"),
        ({"n_people": 3, "runs": 0}, "runs"),
    ],
)
def test_settings_that_make_no_sense_are_refused(tmp_path: Path, atlas: Atlas, settings: dict, said: str) -> None:
    with pytest.raises(BadInput, match=said):
        simulate_cohort(tmp_path / "c", atlas=atlas, **settings)
    assert not (tmp_path / "c").exists()


def test_other_peoples_folders_are_left_alone(tmp_path: Path, atlas: Atlas) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine/thesis.txt").write_text("years of work")
    (tmp_path / "damaged").mkdir()
    (tmp_path / "damaged/dataset_description.json").write_text("{")
    (tmp_path / "file").write_text("")
    for name, said in (("mine", "not empty"), ("damaged", "damaged"), ("file", "not a folder")):
        with pytest.raises(BadInput, match=said):
            simulate_cohort(tmp_path / name, 2, n_frames=20, atlas=atlas)
    assert [path.name for path in (tmp_path / "mine").iterdir()] == ["thesis.txt"]


def test_a_cohort_larger_than_the_disk_is_refused_before_anything_is_written(tmp_path: Path, atlas: Atlas) -> None:
    with pytest.raises(OutOfSpace, match="GB left") as refused:
        simulate_cohort(tmp_path / "c", 20_000, n_frames=100_000, tasks=["rest", "visual"], atlas=atlas)
    assert "nothing was written" in refused.value.next_step
    assert not (tmp_path / "c").exists()
