"""Parcel means: equal to nilearn's, whatever the format; holes become missing; memory stays small."""

from __future__ import annotations

import subprocess
import sys
import warnings
from dataclasses import replace
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest

from brainlm_engine.api.errors import BadInput, Cancelled
from brainlm_engine.atlas import Atlas, load_atlas
from brainlm_engine.io import VolumeScan, open_scan
from brainlm_engine.preprocess import parcellate
from brainlm_engine.recording import Recording


def save_scan(path: Path, data: np.ndarray, affine: np.ndarray, tr: float = 2.0) -> Path:
    image = nib.Nifti1Image(data, affine)
    image.header.set_zooms((*image.header.get_zooms()[:3], tr))
    image.header.set_xyzt_units("mm", "sec")
    image.to_filename(path)
    return path


def made(path: Path, atlas: Atlas, **answers: str) -> Recording:
    scan = open_scan(path, answers)
    assert isinstance(scan, VolumeScan)
    return parcellate(scan, atlas)


def data_for(atlas: Atlas, frames: int = 30) -> np.ndarray:
    return np.random.default_rng(0).normal(1000, 30, (*atlas.labels.shape, frames)).astype(np.float32)


def nilearn_series(image: Path | nib.Nifti1Image, atlas: Atlas) -> np.ndarray:
    from nilearn.maskers import NiftiLabelsMasker

    labels = nib.Nifti1Image(atlas.labels.astype(np.int32), atlas.affine)
    masker = NiftiLabelsMasker(labels, strategy="mean", standardize=False, resampling_target=None)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return masker.fit_transform(str(image) if isinstance(image, Path) else image).T


@pytest.mark.parametrize("ending", [".nii", ".nii.gz"])
@pytest.mark.parametrize("dtype", ["f4", "i2", "f8", ">f4"])
def test_equals_nilearn(tmp_path: Path, small_atlas: Atlas, ending: str, dtype: str) -> None:
    path = save_scan(tmp_path / f"s{ending}", data_for(small_atlas).astype(dtype), small_atlas.affine)
    recording = made(path, small_atlas)
    np.testing.assert_allclose(recording.series, nilearn_series(path, small_atlas), rtol=1e-5)
    assert recording.tr_s == 2.0
    assert not recording.missing.any()
    np.testing.assert_allclose(recording.coverage, 1.0)
    assert recording.names == small_atlas.names
    assert recording.unit == "raw"


@pytest.mark.shared_data
def test_equals_nilearn_on_a_real_mni_scan(shared_data: Path) -> None:
    path = shared_data / "nifti" / "brcdata_0040071_COBRE_3mm_MNI_5vol.nii.gz"
    atlas = load_atlas("mni424")
    scan = open_scan(path)
    assert isinstance(scan, VolumeScan)
    from brainlm_engine.atlas import resample_labels

    on_grid = replace(atlas, labels=resample_labels(atlas, scan.canonical.shape, scan.affine), affine=scan.affine)
    recording = parcellate(scan, atlas)
    canonical = nib.as_closest_canonical(nib.load(path))
    reference = nilearn_series(canonical, on_grid)
    keep = ~recording.missing
    assert keep.sum() > 400
    np.testing.assert_allclose(recording.series[keep], reference[keep], rtol=1e-5)
    assert np.median(recording.coverage) > 0.95


@pytest.mark.shared_data
def test_same_series_from_every_form_of_the_same_image(shared_data: Path) -> None:
    folder = shared_data / "awkward" / "derived_from_real"
    reference = open_scan(shared_data / "nifti" / "nitime_fmri1.nii.gz")
    assert isinstance(reference, VolumeScan)
    rng = np.random.default_rng(0)
    labels = rng.integers(0, 25, reference.canonical.shape).astype(np.int16)
    empty = np.full(10242, -1, np.int16)
    names = tuple(map(str, range(24)))
    atlas = Atlas(
        "r", "r", labels, reference.affine, np.zeros((24, 3), np.float32), names, names, (), names, names, empty, empty
    )
    series = parcellate(reference, atlas).series
    for name in (
        "float64_4d.nii.gz", "big_endian_4d.nii", "nifti2_4d.nii.gz", "pair_4d.hdr", "reoriented_RAS_same_data.nii.gz",
        "reoriented_LPS.nii.gz",
    ):  # fmt: skip
        np.testing.assert_allclose(made(folder / name, atlas).series, series, rtol=1e-5, err_msg=name)


def test_other_axis_order_and_grid(tmp_path: Path, small_atlas: Atlas) -> None:
    data = data_for(small_atlas)
    image = nib.Nifti1Image(data, small_atlas.affine)
    turned = image.as_reoriented(nib.orientations.axcodes2ornt(("P", "S", "L")))
    one = made(save_scan(tmp_path / "a.nii", data, small_atlas.affine), small_atlas)
    other = made(save_scan(tmp_path / "b.nii.gz", np.asarray(turned.dataobj), turned.affine), small_atlas)
    np.testing.assert_allclose(one.series, other.series, rtol=1e-6)
    fine = small_atlas.affine @ np.diag([0.5, 0.5, 0.5, 1])
    fine[:3, 3] -= 0.75
    split = np.repeat(np.repeat(np.repeat(data, 2, 0), 2, 1), 2, 2)
    finer = made(save_scan(tmp_path / "c.nii", split, fine), small_atlas)
    np.testing.assert_allclose(one.series, finer.series, rtol=1e-5)


def test_parcels_outside_or_empty_are_missing(tmp_path: Path, small_atlas: Atlas) -> None:
    data = data_for(small_atlas)[:11]  # the atlas goes on to the right
    first = small_atlas.labels == 1
    data[first[:11]] = 0
    half = np.argwhere(small_atlas.labels == 2)[:32]
    data[tuple(half.T)] = 0
    recording = made(save_scan(tmp_path / "s.nii.gz", data, small_atlas.affine), small_atlas)
    outside = small_atlas.xyz[:, 0] > small_atlas.affine[0, 3] + 3 * 11
    assert recording.missing[0]
    assert recording.missing[outside].all()
    assert recording.missing.sum() == 1 + outside.sum()
    assert np.isnan(recording.series[recording.missing]).all()
    assert np.isfinite(recording.series[~recording.missing]).all()
    assert recording.coverage[0] == 0
    assert recording.coverage[1] == pytest.approx(0.5)
    assert (recording.coverage[outside] == 0).all()


@pytest.mark.parametrize("frame", [0, 17])
def test_voxels_without_numbers_are_left_out_for_the_whole_recording(
    tmp_path: Path, small_atlas: Atlas, frame: int
) -> None:
    data = data_for(small_atlas)
    voxel = tuple(np.argwhere(small_atlas.labels == 5)[10])
    data[(*voxel, frame)] = np.nan
    data[tuple(np.argwhere(small_atlas.labels == 7).T)] = np.inf
    recording = made(save_scan(tmp_path / "s.nii.gz", data, small_atlas.affine), small_atlas)
    expected = data[small_atlas.labels == 5]
    expected = np.delete(expected, 10, axis=0).mean(0)
    np.testing.assert_allclose(recording.series[4], expected, rtol=1e-6)
    assert list(np.flatnonzero(recording.missing)) == [6]
    assert recording.coverage[4] == pytest.approx(63 / 64)


def test_a_volume_without_numbers_is_bridged(tmp_path: Path, small_atlas: Atlas) -> None:
    data = data_for(small_atlas)
    data[..., 12] = np.nan
    recording = made(save_scan(tmp_path / "s.nii", data, small_atlas.affine), small_atlas)
    np.testing.assert_allclose(
        recording.series[:, 12], (recording.series[:, 11] + recording.series[:, 13]) / 2, rtol=1e-5
    )
    assert any("bridged" in note for note in recording.provenance["notes"])


def test_no_overlap_no_tr(tmp_path: Path, small_atlas: Atlas) -> None:
    away = small_atlas.affine.copy()
    away[0, 3] += 500
    with pytest.raises(BadInput, match="does not overlap the atlas"):
        made(save_scan(tmp_path / "s.nii", data_for(small_atlas), away), small_atlas)
    path = save_scan(tmp_path / "t.nii", data_for(small_atlas), small_atlas.affine, tr=0.0)
    with pytest.raises(BadInput, match="how many seconds"):
        made(path, small_atlas)
    assert made(path, small_atlas, tr="1.5").tr_s == 1.5


def test_stops_when_told(tmp_path: Path, small_atlas: Atlas) -> None:
    class Stop:
        def __call__(self, fraction: float, stage: str = "") -> None:
            if fraction > 0.5:
                raise Cancelled("Stopped.")

        def log(self, line: str) -> None:
            """Say nothing."""

    scan = open_scan(save_scan(tmp_path / "s.nii.gz", data_for(small_atlas), small_atlas.affine))
    assert isinstance(scan, VolumeScan)
    with pytest.raises(Cancelled):
        parcellate(scan, small_atlas, Stop())


@pytest.mark.skipif(sys.platform != "linux", reason="peak memory is read from /proc")
def test_memory_does_not_grow_with_the_scan(tmp_path: Path) -> None:
    """160 MB of voxels as float32 pass through a process that never exceeds 150 MB in all."""
    rng = np.random.default_rng(0)
    frame = rng.normal(1000, 20, (91, 109, 91)).astype(np.float32)
    header = nib.Nifti1Header()
    header.set_data_shape((91, 109, 91, 45))
    header.set_data_dtype(np.float32)
    header.set_zooms((2, 2, 2, 2))
    header.set_sform(load_atlas().affine, 4)
    header["magic"], header["vox_offset"] = b"n+1", 352
    path = tmp_path / "s.nii"
    with path.open("wb") as file:
        file.write(header.binaryblock + b"\0" * 4)
        for t in range(45):
            file.write((frame + t % 7).tobytes(order="F"))
    code = (
        "from brainlm_engine.atlas import load_atlas; from brainlm_engine.io import open_scan\n"
        "from brainlm_engine.preprocess import parcellate\n"
        f"r = parcellate(open_scan({str(path)!r}), load_atlas()); assert r.series.shape == (424, 45)\n"
        "print(*[line.split()[1] for line in open('/proc/self/status') if line.startswith('VmHWM')])"
    )
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert float(done.stdout) < 150_000


def test_what_an_atlas_is_not_is_told_with_the_recording(tmp_path: Path, small_atlas: Atlas) -> None:
    path = save_scan(tmp_path / "s.nii", data_for(small_atlas), small_atlas.affine)
    noted = replace(small_atlas, note="Its parcels are spheres.")
    assert "Its parcels are spheres." in made(path, noted).provenance["notes"]


def test_one_missing_parcel_is_told_in_the_singular(tmp_path: Path, small_atlas: Atlas) -> None:
    data = data_for(small_atlas)
    data[small_atlas.labels == 1] = 0
    data[..., 5] = np.nan
    notes = made(save_scan(tmp_path / "s.nii", data, small_atlas.affine), small_atlas).provenance["notes"]
    assert f"1 of {small_atlas.n_parcels} parcels has no usable signal in this scan." in notes
    assert "1 volume holds no numbers and was bridged by interpolation." in notes
