"""4D scans made here: axis order, scaling, types, slices, and what goes wrong with files."""

from __future__ import annotations

import gzip
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest

from brainlm_engine.api.errors import BadInput
from brainlm_engine.io import VolumeScan, open_scan

MakeScan = Callable[..., Path]


def opened(path: Path) -> VolumeScan:
    scan = open_scan(path)
    assert isinstance(scan, VolumeScan)
    return scan


def signal(shape: tuple[int, ...] = (5, 6, 7, 30)) -> np.ndarray:
    return np.random.default_rng(0).normal(1000, 50, shape)


@pytest.mark.parametrize("axes", ["RAS", "LPS", "LAS", "PIR", "ASL", "SRP"])
@pytest.mark.parametrize("ending", [".nii", ".nii.gz"])
def test_any_axis_order_becomes_ras(make_scan: MakeScan, axes: str, ending: str) -> None:
    data = signal().astype(np.float32)
    affine = np.diag([2.0, 3.0, 4.0, 1.0])
    affine[:3, 3] = [-10, 20, 5]
    image = nib.Nifti1Image(data, affine)
    turned = image.as_reoriented(nib.io_orientation(affine) if axes == "RAS" else _towards(axes, affine))
    path = make_scan("scan" + ending, np.asarray(turned.dataobj), affine=turned.affine)
    scan = opened(path)
    np.testing.assert_allclose(scan.affine, affine)
    np.testing.assert_array_equal(scan.volume(3), data[..., 3])
    np.testing.assert_array_equal(scan.series((1, 2, 3)), data[1, 2, 3])
    sagittal, coronal, axial = scan.slices(29, (1, 2, 3))
    np.testing.assert_array_equal(sagittal, data[1, :, :, 29])
    np.testing.assert_array_equal(coronal, data[:, 2, :, 29])
    np.testing.assert_array_equal(axial, data[:, :, 3, 29])
    assert scan.info.zooms_mm == pytest.approx((2, 3, 4))


def _towards(axes: str, affine: np.ndarray) -> np.ndarray:
    return nib.orientations.ornt_transform(nib.io_orientation(affine), nib.orientations.axcodes2ornt(tuple(axes)))


@pytest.mark.parametrize("dtype", ["u1", "i1", "i2", "u2", "i4", "u4", "i8", "f4", "f8", ">i2", ">f4"])
def test_types(make_scan: MakeScan, dtype: str) -> None:
    data = np.round(signal() / 10).astype(dtype)
    scan = opened(make_scan("scan.nii", data))
    np.testing.assert_allclose(scan.volume(4), np.flip(data[..., 4], 0).astype(np.float32))


def test_slope_and_intercept(make_scan: MakeScan) -> None:
    data = np.round(signal()).astype(np.int16)
    path = make_scan("scan.nii.gz", data, slope=0.5, inter=7.0)
    np.testing.assert_allclose(opened(path).volume(0), np.flip(data[..., 0] * 0.5 + 7, 0), rtol=1e-6)


def test_nifti2(make_scan: MakeScan) -> None:
    assert opened(make_scan("scan.nii", signal().astype("f4"), nifti2=True)).info.format == "NIfTI-2"


@pytest.mark.parametrize(
    "name", ["two words.nii.gz", "brain 🧠.nii", "line\nbreak.nii.gz", "no_extension", "ümlaut.NII.GZ"]
)
def test_any_name(make_scan: MakeScan, tmp_path: Path, name: str) -> None:
    made = make_scan("scan.nii.gz" if name.lower().endswith("gz") else "scan.nii", signal().astype("f4"))
    path = tmp_path / name
    made.rename(path)
    info = opened(path).info
    assert info.shape == (5, 6, 7, 30)
    assert "\n" not in info.name
    path.write_bytes(path.read_bytes()[:200])
    with pytest.raises(BadInput) as caught:
        open_scan(path)
    assert "\n" not in caught.value.message


def test_name_that_is_no_unicode(make_scan: MakeScan, tmp_path: Path) -> None:
    path = Path(os.fsdecode(os.fsencode(tmp_path) + b"/scan_\xe9.nii"))
    shutil.copy(make_scan("scan.nii", signal().astype("f4")), path)
    opened(path).info.model_dump_json()


def test_header_that_claims_ten_terabytes(tmp_path: Path) -> None:
    header = nib.Nifti1Header()
    header.set_data_shape((1000, 1000, 1000, 2500))
    header.set_data_dtype(np.float32)
    header["magic"], header["vox_offset"] = b"n+1", 352
    block = header.binaryblock + b"\0" * 5000
    for name, content in (("huge.nii", block), ("huge.nii.gz", gzip.compress(block))):
        (tmp_path / name).write_bytes(content)
        with pytest.raises(BadInput, match=r"incomplete: its header promises 10.0 TB"):
            open_scan(tmp_path / name)


def test_sizes_that_make_no_sense(make_scan: MakeScan) -> None:
    path = make_scan("scan.nii", signal().astype("f4"))
    content = bytearray(path.read_bytes())
    for dims in ([4, -3, 6, 7, 30], [4, 0, 6, 7, 30], [99, 5, 6, 7, 30]):
        content[40:50] = np.array(dims, "<i2").tobytes()
        path.write_bytes(content)
        with pytest.raises(BadInput, match="damaged header"):
            open_scan(path)


def test_unknown_data_type(make_scan: MakeScan) -> None:
    path = make_scan("scan.nii", signal().astype("f4"))
    content = bytearray(path.read_bytes())
    content[70:72] = np.array([777], "<i2").tobytes()
    path.write_bytes(content)
    with pytest.raises(BadInput, match=r"type this program does not know \(code 777\)"):
        open_scan(path)


@pytest.mark.parametrize(
    ("shape", "words"), [((5, 6, 7), "one volume"), ((5, 6, 7, 1), "one volume"), ((5, 6, 7, 4, 3), "5 dim")]
)
def test_no_time_series(make_scan: MakeScan, shape: tuple[int, ...], words: str) -> None:
    with pytest.raises(BadInput, match=words):
        open_scan(make_scan("scan.nii.gz", np.ones(shape, np.float32)))


@pytest.mark.parametrize("dtype", [np.complex64, np.dtype([("R", "u1"), ("G", "u1"), ("B", "u1")])])
def test_no_measured_signal(make_scan: MakeScan, dtype: np.dtype) -> None:
    with pytest.raises(BadInput, match="complex|colours"):
        open_scan(make_scan("scan.nii", np.zeros((4, 4, 4, 10), dtype)))


def test_header_and_image_pair(make_scan: MakeScan, tmp_path: Path) -> None:
    image = nib.Nifti1Pair(signal().astype("f4"), np.eye(4))
    image.to_filename(tmp_path / "pair.hdr")
    assert opened(tmp_path / "pair.img").info.shape == (5, 6, 7, 30)
    (tmp_path / "pair.img").rename(tmp_path / "elsewhere")
    with pytest.raises(BadInput, match=r"image pair.img is missing"):
        open_scan(tmp_path / "pair.hdr")
    (tmp_path / "elsewhere").rename(tmp_path / "lone.img")
    with pytest.raises(BadInput, match=r"its .hdr file is missing"):
        open_scan(tmp_path / "lone.img")


def test_missing_folder_unknown(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="is not there"):
        open_scan(tmp_path / "nothing.nii")
    with pytest.raises(BadInput, match="is a folder"):
        open_scan(tmp_path)
    for path in ("", "\0", "x" * 5000):
        with pytest.raises(BadInput):
            open_scan(path)
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    with pytest.raises(BadInput, match="could not be read"):
        open_scan(tmp_path / "loop")
    (tmp_path / "photo.png").write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(range(256)))
    with pytest.raises(BadInput, match="not a scan or table"):
        open_scan(tmp_path / "photo.png")
    (tmp_path / "x.dcm").write_bytes(b"\0" * 128 + b"DICM" + b"\0" * 500)
    with pytest.raises(BadInput, match="DICOM"):
        open_scan(tmp_path / "x.dcm")
    (tmp_path / "short.nii").write_bytes(b"\x5c\x01\0\0" + b"\0" * 50)
    with pytest.raises(BadInput):
        open_scan(tmp_path / "short.nii")


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no named pipes")
def test_pipe(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.nii")
    with pytest.raises(BadInput, match="a device or a pipe"):
        open_scan(tmp_path / "pipe.nii")


@pytest.mark.skipif(not hasattr(os, "geteuid"), reason="user accounts of this system cannot be changed in a test")
def test_unreadable_file(make_scan: MakeScan, tmp_path: Path) -> None:
    path = make_scan("scan.nii", signal().astype("f4"))
    path.chmod(0)
    if os.geteuid() == 0:  # root may read anything: become somebody else for a moment
        os.seteuid(65534)
    try:
        with pytest.raises(BadInput, match="may not be read by your user account"):
            open_scan(path)
    finally:
        if os.getuid() == 0:
            os.seteuid(0)


@pytest.mark.usefixtures("nothing_is_small")
@pytest.mark.parametrize("ending", [".nii", ".nii.gz"])
def test_file_that_disappears_or_changes(make_scan: MakeScan, ending: str) -> None:
    path = make_scan("scan" + ending, signal().astype("f8"))
    scan = opened(path)
    scan.volume(0)
    path.unlink()
    with pytest.raises(BadInput, match="is not there"):
        list(scan.frames())
    scan = opened(make_scan("scan" + ending, signal().astype("f8")))
    make_scan("scan" + ending, signal((5, 6, 7, 31)).astype("f8"))
    with pytest.raises(BadInput, match="has changed since it was opened"):
        list(scan.frames())


@pytest.mark.usefixtures("nothing_is_small")
def test_plain_file_cut_while_it_is_read(make_scan: MakeScan) -> None:
    path = make_scan("scan.nii", signal().astype("f8"))
    frames = opened(path).frames(1)
    next(frames)
    os.truncate(path, 20_000)
    with pytest.raises(BadInput, match="cut off in volume"):
        list(frames)


@pytest.mark.usefixtures("nothing_is_small")
def test_damage_in_a_large_gzip_is_told_with_its_volume(make_scan: MakeScan) -> None:
    path = make_scan("scan.nii.gz", signal((20, 20, 20, 20)))
    content = path.read_bytes()
    path.write_bytes(content[: len(content) // 2])
    with pytest.raises(BadInput, match="cut off: the compressed data end early in volume"):
        open_scan(path)
    bad = bytearray(content)
    bad[len(bad) // 2 : len(bad) // 2 + 40] = b"\xaa" * 40
    path.write_bytes(bad)
    scan = opened(path)  # looks whole from outside; the first volume is there
    with pytest.raises(BadInput, match="fail their checksum|cut off"):
        list(scan.frames())


def test_no_position_in_the_header(make_scan: MakeScan) -> None:
    path = make_scan("scan.nii", signal().astype("f4"))
    content = bytearray(path.read_bytes())
    content[252:256] = b"\0\0\0\0"  # qform_code, sform_code
    path.write_bytes(content)
    scan = opened(path)
    assert any("no position in space" in note for note in scan.info.notes)
    assert not scan.header.has_position
    content[80:92] = np.array([np.nan, 0, 0], "<f4").tobytes()  # voxel sizes
    path.write_bytes(content)
    assert opened(path).info.zooms_mm == (1, 1, 1)


@pytest.mark.usefixtures("nothing_is_small")
def test_gzip_of_several_members(make_scan: MakeScan) -> None:
    path = make_scan("scan.nii", signal().astype("f4"))
    content = path.read_bytes()
    packed = path.with_name("scan.nii.gz")
    packed.write_bytes(b"".join(gzip.compress(content[i : i + 5000]) for i in range(0, len(content), 5000)))
    np.testing.assert_array_equal(opened(packed).volume(29), opened(path).volume(29))


@pytest.mark.usefixtures("nothing_is_small")
def test_frames_may_be_changed_by_who_asked_for_them(make_scan: MakeScan) -> None:
    scan = opened(make_scan("scan.nii.gz", signal((5, 1, 1, 30)).astype("f4"), affine=np.eye(4)))
    before = scan.volume(3).copy()
    scan.volume(3)[:] = 0
    np.testing.assert_array_equal(scan.volume(3), before)


def test_voxels_outside_are_refused(make_scan: MakeScan) -> None:
    scan = opened(make_scan("scan.nii", signal().astype("f4")))
    with pytest.raises(BadInput, match="lies outside"):
        scan.slices(0, (5, 0, 0))
    with pytest.raises(BadInput, match="volumes 1 to 30"):
        scan.volume(30)


def test_reading_imports_nothing_heavy(make_scan: MakeScan) -> None:
    path = make_scan("scan.nii", signal().astype("f4"))
    code = (
        "import sys; from brainlm_engine.io import open_scan; import brainlm_engine.preprocess;"
        f"open_scan({str(path)!r}).info; "
        "heavy = {'torch', 'nilearn', 'sklearn', 'pandas', 'h5py'} & set(sys.modules);"
        "assert not heavy, heavy"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
