"""Files are whole or not there at all."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from brainlm_engine.api.errors import OutOfSpace
from brainlm_engine.files import fingerprint, written_whole


def test_failure_keeps_the_old_file_and_leaves_nothing_else(tmp_path: Path) -> None:
    target = tmp_path / "deep" / "table.tsv"
    with written_whole(target) as temporary:
        temporary.write_text("old")
    with pytest.raises(RuntimeError), written_whole(target) as temporary:
        temporary.write_text("half")
        raise RuntimeError("power cut")
    assert target.read_text() == "old"
    assert list(target.parent.iterdir()) == [target]


def test_full_disk_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(OutOfSpace, match="The disk is full: big.npy"), written_whole(tmp_path / "big.npy"):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    assert list(tmp_path.glob("*big*")) == []


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full on this system")
def test_really_full_device_is_reported_too(tmp_path: Path) -> None:
    with (
        pytest.raises(OutOfSpace),
        written_whole(tmp_path / "big.npy"),
        Path("/dev/full").open("wb", buffering=0) as full,
    ):
        full.write(b"x" * 4096)


def test_fingerprint_follows_the_content(tmp_path: Path) -> None:
    path = tmp_path / "scan 🧠\nname.nii"
    path.write_bytes(b"a")
    first = fingerprint(path)
    assert first == fingerprint(path)
    path.write_bytes(b"ab")
    assert fingerprint(path) != first


@pytest.mark.skipif(os.name != "posix", reason="file modes are a POSIX matter")
def test_mode_is_the_usual_one_and_is_kept(tmp_path: Path) -> None:
    plain, whole = tmp_path / "plain", tmp_path / "whole"
    plain.touch()
    with written_whole(whole) as temporary:
        temporary.write_text("x")
    assert whole.stat().st_mode == plain.stat().st_mode
    whole.chmod(0o600)
    with written_whole(whole) as temporary:
        temporary.write_text("y")
    assert whole.stat().st_mode & 0o777 == 0o600
