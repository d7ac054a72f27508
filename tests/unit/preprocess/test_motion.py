"""Framewise displacement: found beside a scan by its BIDS name, read or computed, refused in one sentence."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from brainlm_engine.api.errors import BadInput
from brainlm_engine.preprocess.motion import displacement, read_motion, table_beside

SIX = ("trans_x", "trans_y", "trans_z", "rot_x", "rot_y", "rot_z")


@pytest.mark.parametrize(
    ("scan", "table"),
    [
        (
            "sub-01_ses-2_task-rest_run-1_space-MNI152NLin2009cAsym_res-2_desc-preproc_bold.nii.gz",
            "sub-01_ses-2_task-rest_run-1_desc-confounds_timeseries.tsv",
        ),
        (
            "sub-01_task-rest_space-MNI152NLin6Asym_desc-preproc_bold.nii",
            "sub-01_task-rest_desc-confounds_regressors.tsv",
        ),
        ("sub-01_task-rest_bold_space-MNI152NLin2009cAsym_preproc.nii.gz", "sub-01_task-rest_bold_confounds.tsv"),
        ("sub-01_task-rest_atlas-cc200_timeseries.tsv", "sub-01_task-rest_desc-confounds_timeseries.tsv"),
    ],
)
def test_the_table_of_the_same_run_is_found(tmp_path: Path, scan: str, table: str) -> None:
    others = ("sub-02_task-rest_desc-confounds_timeseries.tsv", "sub-01_task-nback_desc-confounds_timeseries.tsv")
    for other in (*others, "sub-01_ses-2_task-rest_run-2_desc-confounds_timeseries.tsv"):
        (tmp_path / other).touch()
    assert table_beside(tmp_path / scan) is None
    (tmp_path / table).touch()
    assert table_beside(tmp_path / scan) == tmp_path / table


def test_a_name_that_says_nothing_finds_nothing(tmp_path: Path) -> None:
    (tmp_path / "desc-confounds_timeseries.tsv").touch()
    (tmp_path / "bold_confounds.tsv").touch()
    assert table_beside(tmp_path / "bold.nii.gz") is None


def write(path: Path, columns: dict[str, list[object]]) -> Path:
    rows = zip(*columns.values(), strict=True)
    path.write_text("\n".join(["\t".join(columns), *("\t".join(map(str, row)) for row in rows)]))
    return path


def test_displacement_is_powers(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    moved = np.cumsum(rng.normal(0, 0.05, (30, 6)), axis=0) * ([1] * 3 + [0.02] * 3)
    way = np.abs(np.diff(moved, axis=0))
    expected = way[:, :3].sum(1) + 50 * way[:, 3:].sum(1)
    assert np.isnan(displacement(moved)[0])
    for names in (SIX, ("X", "Y", "Z", "RotX", "RotY", "RotZ")):
        table = write(tmp_path / "m.tsv", {name: list(moved[:, i]) for i, name in enumerate(names)})
        found = read_motion(table, 30, "scan")
        assert found.computed
        assert np.isnan(found.fd_mm[0])
        np.testing.assert_allclose(found.fd_mm[1:], expected, rtol=1e-5)
    table = write(tmp_path / "fd.tsv", {"framewise_displacement": ["n/a", 0.25, 0.5], "words": ["a", "b", "c"]})
    found = read_motion(table, 3, "scan")
    assert not found.computed
    np.testing.assert_array_equal(found.fd_mm, np.array([np.nan, 0.25, 0.5], np.float32))


def test_what_does_not_fit_is_refused_by_name(tmp_path: Path) -> None:
    fd = write(tmp_path / "fd.tsv", {"framewise_displacement": ["n/a", 0.2, 0.1]})
    with pytest.raises(BadInput, match=r"^fd\.tsv has 3 rows, scan\.nii has 9 frames\."):
        read_motion(fd, 9, "scan.nii")
    some = write(tmp_path / "some.tsv", {name: [0.1, 0.2] for name in SIX[:5]})
    with pytest.raises(BadInput, match=r"^some\.tsv has no column framewise_displacement, nor all of trans_x,"):
        read_motion(some, 2, "scan.nii")
    words = write(tmp_path / "words.tsv", {"framewise_displacement": ["n/a", "much"]})
    with pytest.raises(BadInput, match=r"framewise_displacement of words\.tsv holds text"):
        read_motion(words, 2, "scan.nii")
    empty = write(tmp_path / "empty.tsv", {"framewise_displacement": ["n/a", "n/a"]})
    with pytest.raises(BadInput, match=r"empty\.tsv holds no numbers"):
        read_motion(empty, 2, "scan.nii")
    with pytest.raises(BadInput, match=r"gone\.tsv is not there"):
        read_motion(tmp_path / "gone.tsv", 2, "scan.nii")


@pytest.mark.shared_data
def test_real_tables_give_their_own_displacement_back(shared_data: Path) -> None:
    """What fMRIPrep computed and what the six parameters give are the same number."""
    path = shared_data / "confounds" / "nilearn_test-v21_desc-confounds_timeseries.tsv"
    lines = [line.split("\t") for line in path.read_text().splitlines()]
    own = read_motion(path, len(lines) - 1, "scan").fd_mm
    columns = [lines[0].index(name) for name in SIX]
    moved = np.array([[float(row[i]) for i in columns] for row in lines[1:]])
    np.testing.assert_allclose(displacement(moved)[1:], own[1:], atol=2e-3)
