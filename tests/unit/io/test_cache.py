"""The time-last cache: exact, atomic, found again, kept in bounds, and what can be seen before it is ready."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from brainlm_engine.api.errors import BadInput, Cancelled, OutOfSpace, StillLoading
from brainlm_engine.io import VolumeScan, build_cache, open_scan
from brainlm_engine.io.cache import clean, ensure_room
from brainlm_engine.io.faults import writing
from brainlm_engine.paths import cache_dir

MakeScan = Callable[..., Path]
SHAPE = (20, 22, 18, 210)

pytestmark = pytest.mark.usefixtures("nothing_is_small")


def opened(path: Path) -> VolumeScan:
    scan = open_scan(path)
    assert isinstance(scan, VolumeScan)
    return scan


def signal(dtype: str) -> np.ndarray:
    """Mostly zeros, as scans are."""
    data = np.zeros(SHAPE, dtype)
    data[5:15, 5:15, 5:15] = np.random.default_rng(0).integers(0, 3000, (10, 10, 10, SHAPE[3]))
    data[0, 0, 0] = np.arange(SHAPE[3])
    return data


@pytest.fixture
def packed(make_scan: MakeScan) -> Path:
    return make_scan("scan.nii.gz", signal("f4"), affine=np.eye(4))


def files() -> list[Path]:
    return sorted((cache_dir() / "scans").iterdir())


@pytest.mark.parametrize("dtype", ["i2", "f4", "f8"])
def test_cached_equals_the_file(make_scan: MakeScan, dtype: str) -> None:
    data = signal(dtype)
    path = make_scan("scan.nii.gz", data)  # x runs from right to left in the file
    scan = opened(path)
    assert not scan.cached
    build_cache(scan)
    assert scan.cached
    again = opened(path)
    assert again.info.cached
    assert again.loaded_frames == SHAPE[3]
    flipped = np.flip(data, 0)
    for frame in (0, 15, 16, 77, SHAPE[3] - 1):
        np.testing.assert_array_equal(again.volume(frame), flipped[..., frame])
        for part, whole in zip(again.slices(frame, (12, 8, 9)), _slices(flipped, frame, (12, 8, 9)), strict=True):
            np.testing.assert_array_equal(part, whole)
    np.testing.assert_array_equal(again.series((12, 8, 9)), flipped[12, 8, 9])
    stacked = np.concatenate([slab for _, slab in again.frames(32)])
    np.testing.assert_array_equal(stacked, np.moveaxis(flipped, 3, 0))


def _slices(data: np.ndarray, frame: int, ijk: tuple[int, int, int]) -> tuple[np.ndarray, ...]:
    i, j, k = ijk
    return data[i, :, :, frame], data[:, j, :, frame], data[:, :, k, frame]


def test_slope_is_applied_on_reading(make_scan: MakeScan) -> None:
    path = make_scan("scan.nii.gz", signal("i2"), slope=0.25, inter=-3)
    scan = opened(path)
    before = scan.volume(20)
    build_cache(scan)
    np.testing.assert_array_equal(scan.volume(20), before)


def test_before_the_cache_is_ready(packed: Path) -> None:
    scan = opened(packed)
    assert scan.loaded_frames == 1
    np.testing.assert_array_equal(scan.volume(60)[0, 0, 0], 60)  # near: inflated on the way
    assert scan.volume(61)[0, 0, 0] == 61
    assert scan.volume(3)[0, 0, 0] == 3
    with pytest.raises(StillLoading, match=r"Volume 210 of scan.nii.gz is still loading"):
        scan.slices(209, (1, 1, 1))
    with pytest.raises(StillLoading):
        scan.series((1, 1, 1))


def test_what_a_running_builder_has_read_can_be_seen(packed: Path) -> None:
    scan, viewer = opened(packed), opened(packed)
    seen: list[int] = []

    class Watch:
        def __call__(self, fraction: float, stage: str = "") -> None:
            if abs(fraction - 200 / 210) < 1e-9:
                seen.append(viewer.loaded_frames)
                assert viewer.volume(190)[0, 0, 0] == 190
                series = viewer.series((0, 0, 0))
                np.testing.assert_array_equal(series[:192], np.arange(192))
                assert np.isnan(series[192:]).all()

        def log(self, line: str) -> None:
            """Say nothing."""

    build_cache(scan, Watch())
    assert seen == [192]
    np.testing.assert_array_equal(viewer.series((0, 0, 0)), np.arange(210))


def test_cancelled_leaves_nothing(packed: Path) -> None:
    class Stop:
        def __call__(self, fraction: float, stage: str = "") -> None:
            if fraction > 0.5:
                raise Cancelled("Stopped.")

        def log(self, line: str) -> None:
            """Say nothing."""

    scan = opened(packed)
    with pytest.raises(Cancelled):
        build_cache(scan, Stop())
    assert files() == []
    assert not scan.cached


def test_damaged_scan_leaves_nothing(packed: Path) -> None:
    scan = opened(packed)
    content = bytearray(packed.read_bytes())
    stat = packed.stat()
    content[-8:-4] = b"\0\0\0\0"  # the checksum
    packed.write_bytes(content)
    os.utime(packed, ns=(stat.st_atime_ns, stat.st_mtime_ns))
    with pytest.raises(BadInput, match="checksum"):
        build_cache(scan)
    assert files() == []


def test_cache_of_a_changed_file_is_not_used(packed: Path) -> None:
    build_cache(opened(packed))
    os.utime(packed, ns=(0, 0))
    assert not opened(packed).cached


def test_damaged_cache_is_not_used(packed: Path) -> None:
    scan = opened(packed)
    build_cache(scan)
    (tiles,) = files()
    os.truncate(tiles, tiles.stat().st_size - 1)
    assert not opened(packed).cached
    tiles.write_bytes(b"not a cache")
    assert not opened(packed).cached


def test_plain_files_need_no_cache(make_scan: MakeScan) -> None:
    scan = opened(make_scan("scan.nii", signal("i2"), affine=np.eye(4)))
    assert scan.cached
    build_cache(scan)
    assert not (cache_dir() / "scans").exists() or files() == []
    assert scan.volume(209)[0, 0, 0] == 209
    np.testing.assert_array_equal(scan.series((0, 0, 0)), np.arange(210))


def test_old_caches_make_room(make_scan: MakeScan) -> None:
    paths = [make_scan(f"scan{i}.nii.gz", signal("i2"), affine=np.eye(4)) for i in range(3)]
    for path in paths[:2]:
        build_cache(opened(path))
        time.sleep(0.02)
    size = files()[0].stat().st_size
    assert opened(paths[0]).cached  # used last: stays
    build_cache(opened(paths[2]), limit_bytes=int(2.5 * size))
    assert [opened(path).cached for path in paths] == [True, False, True]
    assert clean(0) == 2 * size
    assert files() == []


def test_abandoned_pieces_are_removed(packed: Path) -> None:
    folder = cache_dir() / "scans"
    folder.mkdir()
    (folder / "0123456789abcdef.999999999.growing").write_bytes(b"x" * 10)
    clean()
    assert files() == []


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no device that is always full")
def test_full_disk(tmp_path: Path) -> None:
    with pytest.raises(OutOfSpace, match=r"Preparing scan.nii.gz .* needs 100.0 TB of disk"):
        ensure_room(tmp_path, 10**14, "scan.nii.gz")
    full = Path("/dev/full")  # every write to it fails as on a full disk
    with pytest.raises(OutOfSpace, match="disk is full"), writing(tmp_path / "scan"), full.open("wb", 0) as file:
        file.write(b"x")
