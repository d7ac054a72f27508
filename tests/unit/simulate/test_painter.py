"""Painted scans: MNI space, the parcels' series come back, nothing half-written."""

from __future__ import annotations

import sys
from pathlib import Path

import nibabel
import numpy as np
import pytest

from brainlm_engine.api.errors import BadInput, Cancelled, OutOfSpace
from brainlm_engine.atlas import Atlas, mni_brain_mask
from brainlm_engine.files import written_whole
from brainlm_engine.io import VolumeScan, open_scan
from brainlm_engine.preprocess import check_space, parcellate
from brainlm_engine.recording import Recording
from brainlm_engine.simulate import Simulator, paint_nifti
from brainlm_engine.simulate.painter import Canvas, mni_grid, paint_into, prepare_canvas


@pytest.fixture(scope="module")
def recording(simulator: Simulator) -> Recording:
    return simulator.recording(simulator.person(0), 100, 0.72, "visual")


@pytest.fixture(scope="module")
def canvas(atlas: Atlas) -> Canvas:
    return prepare_canvas(atlas, 4.0)


@pytest.fixture(scope="module")
def painted(tmp_path_factory: pytest.TempPathFactory, recording: Recording, atlas: Atlas) -> Path:
    return paint_nifti(recording, atlas, tmp_path_factory.mktemp("painted") / "scan.nii.gz", zoom_mm=3.0)


def test_the_header_says_mni_seconds_and_simulated(painted: Path) -> None:
    image = nibabel.load(painted)
    header = image.header
    assert image.shape == (61, 73, 61, 100)
    assert header.get_data_dtype() == np.int16
    np.testing.assert_allclose(header.get_zooms(), (3, 3, 3, 0.72), rtol=1e-6)
    assert header.get_xyzt_units() == ("mm", "sec")
    assert (int(header["sform_code"]), int(header["qform_code"])) == (4, 4)
    np.testing.assert_allclose(image.get_qform(), image.get_sform(), atol=1e-4)
    assert bytes(header["descrip"]).startswith(b"simulated")


def test_parcellating_it_gives_the_series_back(painted: Path, recording: Recording, atlas: Atlas) -> None:
    scan = open_scan(painted)
    assert isinstance(scan, VolumeScan)
    assert not [question for question in scan.info.questions if question.required]
    found = parcellate(scan, atlas)
    r = np.array([np.corrcoef(a, b)[0, 1] for a, b in zip(found.series, recording.series, strict=True)])
    assert np.median(r) > 0.9
    assert np.percentile(r, 5) > 0.8
    assert not found.missing.any()
    assert check_space(scan).verdict == "mni"


def test_it_looks_like_an_epi_brain(painted: Path) -> None:
    image = nibabel.load(painted)
    volume = np.asarray(image.dataobj[..., 0], np.float32)
    to_voxel = np.linalg.inv(image.affine)

    def around(x: float, y: float, z: float) -> float:
        i, j, k = np.rint(to_voxel @ [x, y, z, 1])[:3].astype(int)
        return float(volume[i - 1 : i + 2, j - 1 : j + 2, k - 1 : k + 2].mean())

    white, ventricle, orbitofrontal = around(27, -12, 32), around(-27, -48, 12), around(0, 38, -24)
    cortex, air = around(-50, -30, 45), float(volume[:5, :5].mean())
    assert ventricle > cortex > white > orbitofrontal > air
    assert 0 < air < 5
    mask, affine = mni_brain_mask()
    grid = np.indices(volume.shape).reshape(3, -1)
    ijk = np.rint(np.linalg.inv(affine)[:3] @ image.affine @ np.vstack([grid, np.ones(grid.shape[1])])).astype(int)
    inside = mask[tuple(np.clip(ijk, 0, np.array(mask.shape)[:, None] - 1))].reshape(volume.shape)
    bright = volume > 200
    assert 2 * (bright & inside).sum() / (bright.sum() + inside.sum()) > 0.9


def test_the_same_recording_is_painted_the_same_way(tmp_path: Path, recording: Recording, canvas: Canvas) -> None:
    files = [tmp_path / name for name in ("a.nii.gz", "b.nii.gz", "c.nii")]
    for file in files:
        paint_into(file, recording, canvas)
    assert files[0].read_bytes() == files[1].read_bytes()
    packed, plain = (np.asarray(nibabel.load(file).dataobj) for file in files[1:])
    np.testing.assert_array_equal(packed, plain)


def test_a_missing_parcel_is_painted_without_signal_change(
    tmp_path: Path, recording: Recording, atlas: Atlas, canvas: Canvas
) -> None:
    series, missing = recording.series.copy(), recording.missing.copy()
    series[10], missing[10] = np.nan, True
    with_hole = Recording(series, 0.72, recording.xyz, missing, recording.coverage)
    paint_into(tmp_path / "hole.nii", with_hole, canvas)
    found = parcellate(open_scan(tmp_path / "hole.nii"), atlas)
    assert np.isfinite(found.series).all()
    change = found.series.std(axis=1) / found.series.mean(axis=1)
    assert change[10] < 0.6 * np.median(change)


def test_cancelling_leaves_nothing(tmp_path: Path, recording: Recording, atlas: Atlas, stop_at: type) -> None:
    progress = stop_at(0.5)
    with pytest.raises(Cancelled):
        paint_nifti(recording, atlas, tmp_path / "scan.nii.gz", progress, zoom_mm=4.0)
    assert len(progress.seen) > 40
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(not Path("/dev/full").exists(), reason=f"no full device on {sys.platform}")
def test_a_full_disk_gives_one_sentence_and_leaves_nothing(
    tmp_path: Path, recording: Recording, canvas: Canvas
) -> None:
    target = tmp_path / "scan.nii.gz"
    with pytest.raises(OutOfSpace, match="The disk is full: scan.nii.gz"), written_whole(target) as temporary:
        temporary.unlink()
        temporary.symlink_to("/dev/full")  # every write to it fails as on a full disk
        paint_into(temporary, recording, canvas)
    assert list(tmp_path.iterdir()) == []


def test_a_scan_larger_than_the_disk_is_refused_at_once(tmp_path: Path, recording: Recording, atlas: Atlas) -> None:
    endless = Recording(
        np.broadcast_to(recording.series[:, :1], (424, 10**9)), 0.72, recording.xyz, recording.missing,
        recording.coverage,
    )  # fmt: skip
    with pytest.raises(OutOfSpace, match="nothing was written"):
        paint_nifti(endless, atlas, tmp_path / "scan.nii")
    assert list(tmp_path.iterdir()) == []


def test_wrong_names_atlases_and_grids_are_refused(tmp_path: Path, recording: Recording, atlas: Atlas) -> None:
    with pytest.raises(BadInput, match="not the name of a NIfTI"):
        paint_nifti(recording, atlas, tmp_path / "scan.png")
    fewer = Recording(
        recording.series[:9], 0.72, recording.xyz[:9], recording.missing[:9], recording.coverage[:9], name="nine"
    )
    with pytest.raises(BadInput, match="nine has 9 parcels"):
        paint_nifti(fewer, atlas, tmp_path / "scan.nii")
    with pytest.raises(BadInput, match="2, 3 or 4"):
        mni_grid(1.0)
