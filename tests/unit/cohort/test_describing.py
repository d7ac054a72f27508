"""A folder is looked at before anything is trained on it: facts, or one sentence."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

from brainlm_engine.cohort.describing import describe_cohort
from brainlm_engine.recording import Recording


def test_the_facts_of_a_cohort(small_cohort: Path) -> None:
    info = describe_cohort(small_cohort)
    assert info.problem == ""
    assert info.people == {"train": 6, "val": 2, "test": 2}
    assert (info.n_recordings, info.n_parcels, info.n_frames, info.tr_s) == (10, 36, 240, 0.72)
    assert info.simulated


def broken(folder: Path, make_recording: Callable[..., Recording]) -> dict[str, Callable[[], object]]:
    recordings = folder / "recordings"
    table = folder / "participants.tsv"
    first = recordings / "sub-00_task-rest_run-1.safetensors"
    return {
        "is not a cohort": table.unlink,
        "holds no recordings": lambda: shutil.rmtree(recordings),
        "split “val” is empty": lambda: table.write_text(table.read_text().replace("val", "test")),
        "not a recording": lambda: first.write_bytes(b"nothing"),
        "parcels": lambda: make_recording(1, parcels=30).save(first),
        "a TR of 2 s": lambda: make_recording(1, tr_s=2.0).save(recordings / "sub-03_task-rest_run-1.safetensors"),
    }


def test_each_fault_is_one_sentence_with_a_next_step(
    small_cohort: Path, make_recording: Callable[..., Recording], tmp_path: Path
) -> None:
    for number, words in enumerate(broken(small_cohort, make_recording)):
        folder = tmp_path / f"copy-{number}"
        shutil.copytree(small_cohort, folder)
        broken(folder, make_recording)[words]()
        info = describe_cohort(folder)
        assert words in info.problem, words
        assert info.problem.count("\n") == 0
        assert info.next_step


def test_a_folder_that_is_not_there_is_a_sentence_too(tmp_path: Path) -> None:
    assert "is not a cohort" in describe_cohort(tmp_path / "gone").problem
