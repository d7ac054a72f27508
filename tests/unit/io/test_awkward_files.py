"""Every file of the shared folder ``awkward``: it opens correctly, or one plain sentence says why not."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from brainlm_engine.api.errors import BadInput
from brainlm_engine.io import TableScan, VolumeScan, open_scan

pytestmark = pytest.mark.shared_data

NITIME = (10, 18, 10, 40)

# file -> (shape, TR) of what opens; None = the TR has to be asked for
OPENS: dict[str, tuple[tuple[int, ...], float | None]] = {
    "as_found/example4d+orig.HEAD": ((33, 41, 25, 3), 3.0),
    "as_found/example4d+orig.BRIK.gz": ((33, 41, 25, 3), 3.0),
    "as_found/phantom_EPI_asc_CLEAR_2_1.PAR": ((64, 64, 9, 3), 2.0),
    "as_found/phantom_EPI_asc_CLEAR_2_1.REC": ((64, 64, 9, 3), 2.0),
    "as_found/rsHRF_demo_TR0.nii": ((3, 3, 3, 200), None),
    "as_found/test.mgz": ((5, 4, 3, 2), 2.0),
    "derived_from_real/big_endian_4d.nii": (NITIME, 1.35),
    "derived_from_real/fived_xyz1t.nii.gz": (NITIME, 1.0),
    "derived_from_real/float64_4d.nii.gz": (NITIME, 1.35),
    "derived_from_real/gzipped_but_named.nii": (NITIME, 1.35),
    "derived_from_real/nan_inf_voxels.nii.gz": (NITIME, 1.0),
    "derived_from_real/nifti2_4d.nii.gz": (NITIME, 1.35),
    "derived_from_real/pair_4d.hdr": (NITIME, 1.0),
    "derived_from_real/pair_4d.img": (NITIME, 1.0),
    "derived_from_real/qform_sform_disagree_40mm.nii.gz": (NITIME, 1.0),
    "derived_from_real/reoriented_LPS.nii.gz": (NITIME, 1.35),
    "derived_from_real/reoriented_RAS_same_data.nii.gz": (NITIME, 1.35),
    "derived_from_real/tr_1350_but_unit_says_sec.nii.gz": (NITIME, 1.35),
    "derived_from_real/tr_in_msec_1350.nii.gz": (NITIME, 1.35),
    "derived_from_real/tr_zero.nii.gz": (NITIME, None),
    "derived_from_real/uncompressed_but_named.nii.gz": (NITIME, 1.35),
    "derived_from_real/ts_constant_and_duplicate_roi.csv": ((31, 250), None),
    "derived_from_real/ts_excel.xlsx": ((31, 250), None),
    "derived_from_real/ts_float16.npy": ((31, 250), None),
    "derived_from_real/ts_index_column.csv": ((31, 250), None),
    "derived_from_real/ts_inf_and_spike.csv": ((31, 250), None),
    "derived_from_real/ts_nan_column.csv": ((31, 250), None),
    "derived_from_real/ts_no_header_space.txt": ((31, 250), None),
    "derived_from_real/ts_only_20_timepoints.csv": ((31, 20), None),
    "derived_from_real/ts_semicolon_decimal_comma.csv": ((31, 250), None),
    "derived_from_real/ts_subjects_3d_wrong_axis.npz": ((31, 250), None),
    "derived_from_real/ts_transposed_regions_by_time.csv": ((31, 250), None),
    "derived_from_real/ts_utf16.csv": ((31, 250), None),
}

# file -> words of its sentence
REFUSED: dict[str, str] = {
    "as_found/analyze.hdr": "Analyze header without its image",
    "as_found/anatomical.nii": "one volume, not a time series",
    "as_found/bad_attribute+orig.HEAD": "BRIK file is missing",
    "as_found/bad_datatype+orig.HEAD": "BRIK file is missing",
    "as_found/complex64_epi.nii.gz": "complex numbers",
    "as_found/lfs_pointer_named_nii.nii.gz": "Git LFS pointer",
    "as_found/minc1_4d.mnc": "MINC",
    "as_found/minc2_4d.mnc": "MINC",
    "as_found/minc2_baddim.mnc": "MINC",
    "as_found/nifti1.hdr": "one volume, not a time series",
    "as_found/nifti2.hdr": "one volume, not a time series",
    "as_found/phantom_truncated.PAR": "header is inconsistent",
    "as_found/phantom_truncated.REC": "header is inconsistent",
    "as_found/reoriented_anat_moved.nii": "one volume, not a time series",
    "as_found/resampled_anat_moved.nii": "one volume, not a time series",
    "as_found/rgb24_dtype.nii.gz": "colours (RGB)",
    "as_found/row_major.dconn.nii": "without a time axis",
    "as_found/rsHRF_demo.gii": "surface file (GIFTI)",
    "as_found/scaled+tlrc.BRIK": "one volume, not a time series",
    "as_found/scaled+tlrc.HEAD": "one volume, not a time series",
    "as_found/single_epi_volume_3d.nii.gz": "one volume, not a time series",
    "as_found/small.mnc": "MINC",
    "as_found/standard.nii.gz": "one volume, not a time series",
    "as_found/stat_map_not_bold.nii.gz": "statistical map",
    "derived_from_real/crc_corrupt_middle.nii.gz": "checksum",
    "derived_from_real/only_3d.nii.gz": "one volume, not a time series",
    "derived_from_real/participants_coded_duplicates_missing.csv": "table of people",
    "derived_from_real/participants_leading_zeros.csv": "table of people",
    "derived_from_real/truncated_60pct.nii.gz": "cut off",
    "derived_from_real/ts_empty.csv": "empty (0 bytes)",
    "derived_from_real/ts_header_only.csv": "no numbers below",
    "derived_from_real/ts_object_array.npy": "pickle",
    "derived_from_real/zero_byte.nii.gz": "empty (0 bytes)",
}

SAME_IMAGE = (
    "float64_4d.nii.gz", "big_endian_4d.nii", "nifti2_4d.nii.gz", "pair_4d.hdr", "pair_4d.img", "gzipped_but_named.nii",
    "reoriented_RAS_same_data.nii.gz", "reoriented_LPS.nii.gz", "uncompressed_but_named.nii.gz", "fived_xyz1t.nii.gz",
)  # fmt: skip

SAME_TABLE = (
    "ts_excel.xlsx", "ts_index_column.csv", "ts_no_header_space.txt", "ts_semicolon_decimal_comma.csv",
    "ts_transposed_regions_by_time.csv", "ts_utf16.csv", "ts_subjects_3d_wrong_axis.npz",
)  # fmt: skip


def test_no_file_is_forgotten(shared_data: Path) -> None:
    folder = shared_data / "awkward"
    there = {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}
    assert there == set(OPENS) | set(REFUSED)


@pytest.mark.parametrize("name", sorted(OPENS))
def test_opens(shared_data: Path, name: str) -> None:
    shape, tr = OPENS[name]
    scan = open_scan(shared_data / "awkward" / name)
    assert scan.info.shape == shape
    assert scan.tr_s == pytest.approx(tr) if tr else scan.tr_s is None
    if tr is None:
        assert any(q.question_id == "tr" and q.required for q in scan.info.questions)
    if isinstance(scan, VolumeScan):
        frames = np.concatenate([slab for _, slab in scan.frames(7)])
        assert frames.shape == (shape[3], *shape[:3])
        np.testing.assert_array_equal(frames[-1], scan.volume(shape[3] - 1))


@pytest.mark.parametrize("name", sorted(REFUSED))
def test_is_refused_in_one_sentence(shared_data: Path, name: str) -> None:
    path = shared_data / "awkward" / name
    with pytest.raises(BadInput) as caught:
        open_scan(path)
    error = caught.value
    assert REFUSED[name] in error.message
    assert path.name.split(".")[0].split("+")[0] in error.message
    assert error.message.endswith(".")
    assert "\n" not in error.message
    assert error.next_step.endswith((".", ")."))


@pytest.mark.parametrize("name", SAME_IMAGE)
def test_same_canonical_image(shared_data: Path, name: str) -> None:
    reference = open_scan(shared_data / "nifti" / "nitime_fmri1.nii.gz")
    scan = open_scan(shared_data / "awkward" / "derived_from_real" / name)
    assert isinstance(reference, VolumeScan)
    assert isinstance(scan, VolumeScan)
    np.testing.assert_allclose(scan.affine, reference.affine, atol=1e-3)
    for (_, one), (_, other) in zip(reference.frames(), scan.frames(), strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-5)


@pytest.mark.parametrize("name", SAME_TABLE)
def test_same_table(shared_data: Path, name: str) -> None:
    reference = open_scan(shared_data / "tables" / "nitime_fmri_timeseries.csv")
    scan = open_scan(shared_data / "awkward" / "derived_from_real" / name)
    assert isinstance(reference, TableScan)
    assert isinstance(scan, TableScan)
    np.testing.assert_allclose(scan.matrix, reference.matrix, rtol=1e-5)
    if "no_header" not in name and not name.endswith("npz"):
        assert scan.names == reference.names


def test_faults_of_tables_are_missing_not_zero(shared_data: Path) -> None:
    folder = shared_data / "awkward" / "derived_from_real"
    scan = open_scan(folder / "ts_constant_and_duplicate_roi.csv")
    assert isinstance(scan, TableScan)
    assert [scan.names[i] for i in np.flatnonzero(scan.missing)] == ["LPut", "LMTG"]
    assert np.isnan(scan.matrix[scan.missing]).all()
    assert np.isfinite(scan.matrix[~scan.missing]).all()
    assert any("constant" in note for note in scan.notes)
    assert any("copy" in note for note in scan.notes)
    scan = open_scan(folder / "ts_nan_column.csv")
    assert isinstance(scan, TableScan)
    assert [scan.names[i] for i in np.flatnonzero(scan.missing)] == ["LThal"]
    scan = open_scan(folder / "ts_inf_and_spike.csv")
    assert isinstance(scan, TableScan)
    assert not scan.missing.any()
    reference = open_scan(shared_data / "tables" / "nitime_fmri_timeseries.csv")
    assert isinstance(reference, TableScan)
    assert np.abs(scan.matrix).max() < 1.01 * np.abs(reference.matrix).max()
    assert any("frame 101" in note for note in scan.notes)


def test_nan_voxels_are_noted(shared_data: Path) -> None:
    scan = open_scan(shared_data / "awkward" / "derived_from_real" / "nan_inf_voxels.nii.gz")
    assert any("NaN or infinite" in note for note in scan.info.notes)


def test_two_positions_of_the_head_are_asked_about(shared_data: Path) -> None:
    path = shared_data / "awkward" / "derived_from_real" / "qform_sform_disagree_40mm.nii.gz"
    scan = open_scan(path)
    question = next(q for q in scan.info.questions if q.question_id == "affine")
    assert question.default == "sform"
    other = open_scan(path, {"affine": "qform"})
    assert isinstance(scan, VolumeScan)
    assert isinstance(other, VolumeScan)
    assert np.linalg.norm((scan.affine - other.affine)[:3, 3]) > 30
    with pytest.raises(BadInput, match="not an answer"):
        open_scan(path, {"affine": "both"})


def test_broken_afni_headers_beside_a_brik(shared_data: Path, tmp_path: Path) -> None:
    for name in ("bad_attribute", "bad_datatype"):
        (tmp_path / f"{name}+orig.HEAD").write_bytes((shared_data / f"awkward/as_found/{name}+orig.HEAD").read_bytes())
        (tmp_path / f"{name}+orig.BRIK").write_bytes(b"\0" * 1000)
        with pytest.raises(BadInput, match="damaged or unusual AFNI"):
            open_scan(tmp_path / f"{name}+orig.HEAD")


@pytest.mark.parametrize("name", ["scan.nii", "scan.NII.GZ"])
def test_text_named_as_a_scan_is_called_damaged(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes(b"not found\n404\n")
    with pytest.raises(BadInput, match="named as a NIfTI scan and is none") as caught:
        open_scan(tmp_path / name)
    assert caught.value.next_step
