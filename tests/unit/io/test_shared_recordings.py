"""The real scans and tables of the shared folder open with the right shape, TR and direction of time."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from brainlm_engine.api.errors import BadInput
from brainlm_engine.io import TableScan, VolumeScan, open_scan

pytestmark = pytest.mark.shared_data

SCANS: dict[str, tuple[tuple[int, int, int, int], float]] = {
    "brainiak_subject1_bet.nii.gz": ((64, 64, 26, 10), 1.0),
    "brcdata_0040071_COBRE_3mm_MNI_5vol.nii.gz": ((61, 73, 61, 5), 2.0),
    "fsleyes_4d.nii.gz": ((10, 10, 5, 45), 5.0),
    "fslfeeds_filtered_func_data.nii": ((64, 64, 5, 45), 3.0),
    "fslfeeds_fmri_64x64x5x45_nosform.nii.gz": ((64, 64, 5, 45), 1.0),
    "nibabel_example4d.nii.gz": ((128, 96, 24, 2), 2.0),
    "nibabel_example_nifti2.nii.gz": ((32, 20, 12, 2), 2.0),
    "nibabel_functional.nii": ((17, 21, 3, 20), 2.0),
    "niivue_mpld_asl.nii.gz": ((64, 64, 24, 25), 4.1),
    "nitime_fmri1.nii.gz": ((10, 18, 10, 40), 1.35),
    "nitime_fmri2.nii.gz": ((10, 18, 10, 40), 1.35),
    "pyhrf_dummySmallBOLD.nii.gz": ((4, 5, 3, 125), 1.0),
    "pyhrf_subj0_bold_session0.nii.gz": ((53, 63, 46, 125), 1.0),
    "pymvpa_haxby_1slice_1452vol.nii.gz": ((40, 20, 1, 1452), 2.5),
    **{f"haxby2001_sub001_25mm/run-{run:03d}/bold_25mm.nii.gz": ((6, 10, 10, 121), 2.5) for run in range(1, 13)},
}
NOT_4D = (
    "pyhrf_real_data_vol_4_regions_mask.nii.gz", "pyhrf_stanford_willard_parcellation_3x3x3mm.nii.gz",
    "pyhrf_subj0_parcellation.nii.gz",
)  # fmt: skip
TABLES: dict[str, tuple[int, int]] = {
    "nireports_sub-001_ses-001_task-qct_desc-denoised_bold.tsv": (64, 98),
    "nireports_sub-001_ses-003_task-qct_desc-denoised_bold.tsv": (64, 98),
    "nireports_sub-001_ses-004_task-qct_desc-denoised_bold.tsv": (64, 91),
    "nitime_fmri_timeseries.csv": (31, 250),
    "nitime_event_related_fmri.csv": (2, 3360),
}


def test_no_scan_is_forgotten(shared_data: Path) -> None:
    folder = shared_data / "nifti"
    there = {str(path.relative_to(folder)) for path in folder.rglob("*.nii*")}
    assert there == set(SCANS) | set(NOT_4D)


@pytest.mark.parametrize("name", sorted(SCANS))
def test_scan(shared_data: Path, name: str) -> None:
    shape, tr = SCANS[name]
    scan = open_scan(shared_data / "nifti" / name)
    assert isinstance(scan, VolumeScan)
    info = scan.info
    assert info.shape == shape
    assert info.tr_s == pytest.approx(tr)
    middle = (shape[0] // 2, shape[1] // 2, shape[2] // 2)
    sagittal, coronal, axial = scan.slices(0, middle)
    assert (sagittal.shape, coronal.shape, axial.shape) == (
        (shape[1], shape[2]), (shape[0], shape[2]), (shape[0], shape[1]),
    )  # fmt: skip
    if scan.cached:
        series = scan.series(middle)
        assert series.shape == (shape[3],)
        assert series[0] == axial[middle[:2]]


def test_scan_matches_nibabel(shared_data: Path) -> None:
    import nibabel as nib

    path = shared_data / "nifti" / "nitime_fmri1.nii.gz"
    image = nib.as_closest_canonical(nib.load(path))
    scan = open_scan(path)
    assert isinstance(scan, VolumeScan)
    np.testing.assert_allclose(scan.affine, image.affine)
    np.testing.assert_array_equal(scan.volume(17), image.get_fdata()[..., 17])
    np.testing.assert_array_equal(scan.series((3, 11, 6)), image.get_fdata()[3, 11, 6])


@pytest.mark.parametrize("name", NOT_4D)
def test_label_images_are_no_recordings(shared_data: Path, name: str) -> None:
    with pytest.raises(BadInput, match="one volume"):
        open_scan(shared_data / "nifti" / name)


@pytest.mark.parametrize("name", ["nibabel_example4d.nii.gz", "nibabel_example_nifti2.nii.gz"])
def test_2000_seconds_are_questioned(shared_data: Path, name: str) -> None:
    path = shared_data / "nifti" / name
    info = open_scan(path).info
    question = next(q for q in info.questions if q.question_id == "tr")
    assert question.text == "The header says 2000 s per volume. Use 2.0 s?"
    assert (question.default, info.tr_source) == ("2.0", "assumed")
    answered = open_scan(path, {"tr": "2,5"}).info
    assert (answered.tr_s, answered.tr_source) == (2.5, "answer")


def test_asl_is_noted(shared_data: Path) -> None:
    info = open_scan(shared_data / "nifti" / "niivue_mpld_asl.nii.gz").info
    assert any("ASL" in note for note in info.notes)


@pytest.mark.parametrize("name", sorted(TABLES))
def test_table(shared_data: Path, name: str) -> None:
    scan = open_scan(shared_data / "tables" / name)
    assert isinstance(scan, TableScan)
    assert scan.matrix.shape == TABLES[name]
    assert not scan.missing.any()


def test_people_are_no_recording(shared_data: Path) -> None:
    for name in ("tables/nilearn_development_fmri_phenotypes.csv", "abide/participants.tsv"):
        with pytest.raises(BadInput, match="table of people"):
            open_scan(shared_data / name)


def test_positions_and_confounds_are_no_recording(shared_data: Path) -> None:
    for name in ("abide/cc200_coordinates.csv", "atlases/A424_Coordinates.dat"):
        with pytest.raises(BadInput, match="positions of"):
            open_scan(shared_data / name)
    for path in sorted((shared_data / "confounds").iterdir()):
        with pytest.raises(BadInput, match="confounds|JSON"):
            open_scan(path)


@pytest.mark.parametrize("person", ["OHSU_0050142", "Caltech_0051456", "UM_1_0050272", "KKI_0050772"])
def test_abide_1d(shared_data: Path, person: str) -> None:
    path = shared_data / "abide" / "raw_1D_examples" / f"{person}_rois_cc200.1D"
    scan = open_scan(path)
    assert isinstance(scan, TableScan)
    table = np.loadtxt(path)
    assert scan.matrix.shape == (200, len(table))
    assert scan.info.format == "1D"
    keep = ~scan.missing
    np.testing.assert_array_equal(scan.missing, np.ptp(table, axis=0) == 0)
    np.testing.assert_allclose(scan.matrix[keep], table.T[keep], rtol=1e-6)


def test_abide_h5_asks_which_recording(shared_data: Path) -> None:
    path = shared_data / "abide" / "abide_cc200_nofilt_noglobal.h5"
    scan = open_scan(path)
    question = next(q for q in scan.info.questions if q.question_id == "recording")
    assert len(question.choices) == 678
    assert question.free
    other = open_scan(path, {"recording": "50142"})
    assert isinstance(other, TableScan)
    assert other.tr_s == 2.5
    assert other.n_frames == 78
    with pytest.raises(BadInput, match="no recording '1234567'"):
        open_scan(path, {"recording": "1234567"})


def test_time_is_found_in_both_directions(shared_data: Path, tmp_path: Path) -> None:
    import h5py

    wrong = 0
    with h5py.File(shared_data / "abide" / "abide_cc200_nofilt_noglobal.h5") as file:
        people = list(file["ts"])[::40]
        for person in people:
            series = file["ts"][person][()]
            for table, way in ((series, "frames_rows"), (series.T, "frames_columns")):
                np.save(tmp_path / "table.npy", table)
                info = open_scan(tmp_path / "table.npy").info
                wrong += next(q for q in info.questions if q.question_id == "orientation").default != way
    assert wrong == 0
