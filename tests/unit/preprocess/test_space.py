"""MNI or not: real scans, a simulated one, partial ones; and the questions that follow."""

from __future__ import annotations

from pathlib import Path

import nibabel as nib
import numpy as np
import pytest

from brainlm_engine.api.messages import SpaceReport
from brainlm_engine.atlas import mni_brain_mask
from brainlm_engine.io import VolumeScan, open_scan
from brainlm_engine.preprocess import check_space, describe


def report(path: Path) -> SpaceReport:
    scan = open_scan(path)
    assert isinstance(scan, VolumeScan)
    return check_space(scan)


def brain_scan(path: Path, moved_mm: float = 0.0, turned: bool = False, background: float = 0.0) -> Path:
    mask, affine = mni_brain_mask()
    rng = np.random.default_rng(0)
    volume = np.where(mask, 1000 + 100 * rng.standard_normal(mask.shape), background)
    affine = affine.copy()
    affine[2, 3] += moved_mm
    if turned:
        angle = np.deg2rad(40)
        affine = (
            np.array(
                [
                    [1, 0, 0, 0],
                    [0, np.cos(angle), -np.sin(angle), 0],
                    [0, np.sin(angle), np.cos(angle), 0],
                    [0, 0, 0, 1],
                ]
            )
            @ affine
        )
    data = np.stack([volume, volume + 1, volume + 2], -1).astype(np.float32)
    image = nib.Nifti1Image(data, affine)
    image.header.set_zooms((2, 2, 2, 2.0))
    image.to_filename(path)
    return path


def test_mni_brain(tmp_path: Path) -> None:
    found = report(brain_scan(tmp_path / "a.nii.gz", background=30))
    assert found.verdict == "mni"
    assert found.overlap > 0.95


@pytest.mark.parametrize(("moved", "turned"), [(45.0, False), (0.0, True)])
def test_moved_or_turned_brain(tmp_path: Path, moved: float, turned: bool) -> None:
    path = brain_scan(tmp_path / "a.nii", moved, turned)
    assert report(path).verdict != "mni"
    info = describe(open_scan(path))
    question = next(q for q in info.questions if q.question_id == "space")
    assert [choice.value for choice in question.choices] == ["affine", "atlas"]
    assert info.space is not None
    if moved:
        assert info.space.text.startswith("This scan is not in MNI space")


def test_empty_first_volume(tmp_path: Path) -> None:
    mask, affine = mni_brain_mask()
    nib.Nifti1Image(np.zeros((*mask.shape, 2), np.float32), affine).to_filename(tmp_path / "a.nii.gz")
    assert report(tmp_path / "a.nii.gz").verdict == "not_mni"


@pytest.mark.shared_data
@pytest.mark.parametrize(
    ("name", "verdict"),
    [
        ("brcdata_0040071_COBRE_3mm_MNI_5vol.nii.gz", "mni"),
        ("nitime_fmri1.nii.gz", "unknown"),
        ("pymvpa_haxby_1slice_1452vol.nii.gz", "unknown"),
        ("fslfeeds_filtered_func_data.nii", "unknown"),
        ("haxby2001_sub001_25mm/run-001/bold_25mm.nii.gz", "not_mni"),
        ("niivue_mpld_asl.nii.gz", "unknown"),
    ],
)
def test_real_scans(shared_data: Path, name: str, verdict: str) -> None:
    found = report(shared_data / "nifti" / name)
    assert found.verdict == verdict or (verdict == "not_mni" and found.verdict == "unknown")
    assert found.text.endswith(".")


@pytest.mark.shared_data
def test_tables_are_asked_for_positions(shared_data: Path) -> None:
    info = describe(open_scan(shared_data / "tables" / "nitime_fmri_timeseries.csv"))
    question = next(q for q in info.questions if q.question_id == "positions")
    assert question.required
    assert question.free
    assert "31 regions" in question.text


def test_a_table_with_the_atlas_names_is_recognised(tmp_path: Path) -> None:
    from brainlm_engine.atlas import load_atlas

    atlas = load_atlas("mni424")
    series = np.random.default_rng(0).standard_normal((40, atlas.n_parcels))
    lines = ["\t".join(atlas.names), *["\t".join(f"{v:.5f}" for v in row) for row in series]]
    (tmp_path / "t.tsv").write_text("\n".join(lines), encoding="utf-8")
    info = describe(open_scan(tmp_path / "t.tsv"))
    assert info.atlas_id == "mni424"
    np.save(tmp_path / "t.npy", series)
    questions = {q.question_id: q for q in describe(open_scan(tmp_path / "t.npy")).questions}
    assert "mni424" in [choice.value for choice in questions["positions"].choices]
