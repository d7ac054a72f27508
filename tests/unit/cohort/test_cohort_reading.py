"""Cohort folders: who is in which split, and what is refused."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from brainlm_engine.api.errors import BadInput
from brainlm_engine.cohort import load_series, open_cohort, zscored
from brainlm_engine.cohort.abide import open_abide
from brainlm_engine.recording import Recording


def test_splits_share_nobody(small_cohort: Path) -> None:
    cohort = open_cohort(small_cohort)
    parts = [set(cohort.people(split)) for split in ("train", "val", "test")]
    assert [len(part) for part in parts] == [6, 2, 2]
    assert len(set.union(*parts)) == 10
    assert cohort.simulated


def test_series_are_zscored_half_precision(small_cohort: Path) -> None:
    series = load_series(open_cohort(small_cohort), "train")
    assert len(series) == 6
    assert series.values[0].dtype == np.float16
    assert series.values[0].shape == (36, 240)
    assert abs(float(series.values[0].astype(np.float32).std(1).mean()) - 1) < 1e-2
    assert len(load_series(open_cohort(small_cohort), "train", most=2)) == 2


def test_missing_and_flat_parcels_stay_nan(make_recording: Callable[..., Recording]) -> None:
    recording = make_recording(0)
    recording.series[3] = np.nan
    recording.missing[3] = True
    recording.series[4] = 812.5
    scaled = zscored(recording)
    assert np.isnan(scaled[3:5]).all()
    assert np.isfinite(np.delete(scaled, (3, 4), 0)).all()


def test_no_cohort_here(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="is not a cohort"):
        open_cohort(tmp_path)


@pytest.mark.parametrize(
    ("table", "words"),
    [
        ("participant_id\tage\nsub-00\t3\n", "no column split"),
        ("participant_id\tsplit\n", "lists nobody"),
        ("participant_id\tsplit\nsub-00\ttrain\nsub-00\ttest\n", "stands in two splits"),
        ("participant_id\tsplit\nsub-00\tlater\n", "has the split “later”"),
    ],
)
def test_tables_that_are_refused(small_cohort: Path, table: str, words: str) -> None:
    (small_cohort / "participants.tsv").write_text(table, encoding="utf-8")
    with pytest.raises(BadInput, match=words):
        open_cohort(small_cohort)


def test_mixed_tr_and_mixed_atlases_are_refused(small_cohort: Path, make_recording: Callable[..., Recording]) -> None:
    file = small_cohort / "recordings" / "sub-03_task-rest_run-1.safetensors"
    make_recording(3, tr_s=2.0).save(file)
    with pytest.raises(BadInput, match="TR of 2 s"):
        load_series(open_cohort(small_cohort), "train")
    make_recording(3, parcels=20).save(file)
    with pytest.raises(BadInput, match="another atlas"):
        load_series(open_cohort(small_cohort), "train")
    file.write_bytes(b"torn")
    with pytest.raises(BadInput, match="damaged"):
        load_series(open_cohort(small_cohort), "train")


def test_an_empty_split(small_cohort: Path) -> None:
    for file in (small_cohort / "recordings").glob("sub-0[16]*"):
        file.unlink()
    with pytest.raises(BadInput, match="no recordings in its split “val”"):
        load_series(open_cohort(small_cohort), "val")


@pytest.mark.shared_data
def test_abide(shared_data: Path) -> None:
    file = open_abide(shared_data / "abide" / "abide_cc200_nofilt_noglobal.h5")
    assert sum(len(people) for people in file.sites.values()) == 678
    chosen = file.choose(40)
    assert {file.site_of()[person] for person in chosen} == set(file.sites)
    for recording in file.recordings(chosen[:3]):
        assert recording.n_parcels == 200
        assert 1.5 <= recording.tr_s <= 3
        assert np.isnan(recording.series[recording.missing]).all()


def test_files_that_are_not_abide(tmp_path: Path) -> None:
    path = tmp_path / "x.h5"
    path.write_bytes(b"nothing")
    with pytest.raises(BadInput, match="positions of the regions"):
        open_abide(path)
    (tmp_path / "cc200_coordinates.csv").write_text("roi,x,y,z\n1,2,3,4\n", encoding="utf-8")
    with pytest.raises(BadInput, match="not a file of ABIDE"):
        open_abide(path)
