"""Files are whole or not there at all."""

from __future__ import annotations

import errno
import os
import sys
from pathlib import Path

import numpy as np
import pytest
from safetensors import SafetensorError
from safetensors.numpy import save_file

from brainlm_engine.api.errors import BadInput, OutOfSpace
from brainlm_engine.files import check_output, fingerprint, folder_whole, refusal, written_whole
from brainlm_engine.io.faults import writing
from brainlm_engine.server.failures import as_engine_error


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


@pytest.mark.skipif(sys.platform == "win32", reason="no file size limits on this system")
@pytest.mark.parametrize("ending", ["bin", "safetensors"])
def test_a_file_that_may_not_be_so_large(tmp_path: Path, ending: str) -> None:
    import resource

    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    data = np.zeros(1_000_000, np.float32)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1_000_000, hard))
    try:
        with (
            pytest.raises(OutOfSpace, match=f"big.{ending} would be larger than a file may be"),
            written_whole(tmp_path / f"big.{ending}") as temporary,
        ):
            if ending == "bin":
                temporary.write_bytes(data.tobytes())
            else:
                save_file({"data": data}, temporary)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert list(tmp_path.glob("*big*")) == []


def test_a_folder_is_whole_or_not_there(tmp_path: Path) -> None:
    target = tmp_path / "m"
    with pytest.raises(OutOfSpace, match="The disk is full: m could not be written"), folder_whole(target) as made:
        (made / "card.json").write_text("{}")
        with written_whole(made / "weights"):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    assert list(tmp_path.iterdir()) == []
    target.mkdir()
    usual = target.stat().st_mode
    with folder_whole(target) as made:
        (made / "card.json").write_text("{}")
    assert [path.name for path in target.iterdir()] == ["card.json"]
    assert target.stat().st_mode == usual
    with pytest.raises(BadInput, match="m is there already"), folder_whole(target):
        pass
    assert list(tmp_path.iterdir()) == [target]


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EDQUOT, errno.EFBIG])
def test_no_room_is_the_same_everywhere(code: int, tmp_path: Path) -> None:
    error = OSError(code, os.strerror(code), str(tmp_path / "x"))
    assert isinstance(refusal(tmp_path / "x", error), OutOfSpace)
    assert isinstance(as_engine_error(error, "writing x"), OutOfSpace)
    with pytest.raises(OutOfSpace), writing(tmp_path / "x"):
        raise error


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


def _write(target: Path) -> None:
    with written_whole(target) as temporary:
        temporary.write_text("new")


@pytest.mark.skipif(os.name != "posix", reason="named pipes in folders are a POSIX matter")
def test_only_usual_files_are_replaced(tmp_path: Path) -> None:
    pipe, plain = tmp_path / "pipe", tmp_path / "plain"
    os.mkfifo(pipe)
    plain.write_text("old")
    (tmp_path / "link to pipe").symlink_to(pipe)
    for target in (pipe, tmp_path / "link to pipe"):
        with pytest.raises(BadInput, match="a device or a pipe"):
            _write(target)
    for target in (tmp_path, Path(), Path("..")):
        with pytest.raises(BadInput, match="is a folder"):
            _write(target)
    with pytest.raises(BadInput, match="a part of .* is a file"):
        _write(plain / "deeper" / "table.tsv")
    assert pipe.is_fifo()
    assert plain.read_text() == "old"


@pytest.mark.skipif(os.name != "posix", reason="symbolic links need rights on Windows")
def test_a_link_stays_a_link(tmp_path: Path) -> None:
    real, link = tmp_path / "elsewhere" / "real.tsv", tmp_path / "link.tsv"
    real.parent.mkdir()
    link.symlink_to(real)
    _write(link)
    assert link.is_symlink()
    assert real.read_text() == "new"
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    with pytest.raises(BadInput, match="leads nowhere"):
        _write(tmp_path / "loop")


def test_a_full_disk_as_safetensors_tells_it(tmp_path: Path) -> None:
    told = SafetensorError("Error while serializing: I/O error: No space left on device (os error 28)")
    with pytest.raises(OutOfSpace, match="The disk is full"), written_whole(tmp_path / "x.safetensors"):
        raise told
    assert list(tmp_path.iterdir()) == []


def test_an_output_is_no_input(tmp_path: Path) -> None:
    source = tmp_path / "series.tsv"
    source.write_text("old")
    os.link(source, tmp_path / "same.tsv")
    for output in (source, tmp_path / "sub" / ".." / "series.tsv", tmp_path / "same.tsv"):
        with pytest.raises(BadInput, match="what this command reads"):
            check_output(output, (None, source, tmp_path / "not there"))
    check_output(tmp_path / "other.tsv", (source,))
