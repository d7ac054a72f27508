"""Masks in files: matrices and spans are read, wrong ones are one sentence, what is written is read again."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from brainlm_engine.api.errors import BadInput
from brainlm_engine.api.mask_file import MaskWindow, read_mask, write_mask
from brainlm_engine.api.messages import MaskSpec
from brainlm_engine.cli import main
from brainlm_engine.recording import Recording
from brainlm_engine.tasks.masking import build_mask

WINDOW = MaskWindow(4, 5, 20, 40, 0.5, ("Left V1", "Right V1", "a", "b"))


@pytest.mark.parametrize("name", ["m.csv", "m.npy"])
def test_what_is_written_is_read_again(tmp_path: Path, name: str) -> None:
    hidden = np.random.default_rng(0).random((4, 5)) < 0.4
    write_mask(tmp_path / name, hidden)
    spec = read_mask(tmp_path / name, WINDOW)
    assert spec.kind == "painted"
    assert np.array_equal(build_mask(spec, 4, 5), hidden)
    assert MaskSpec.model_validate_json(spec.model_dump_json()) == spec


@pytest.mark.parametrize("mark", [",", ";", "\t"])
def test_spans_in_seconds(tmp_path: Path, mark: str) -> None:
    rows = ("parcel,start_s,end_s", "Right V1,30,40", "2,31,49.5", "all,69,500", "0,0,20")
    (tmp_path / "t.csv").write_text("\n".join(rows).replace(",", mark))
    hidden = build_mask(read_mask(tmp_path / "t.csv", WINDOW), 4, 5)
    assert hidden.astype(int).tolist() == [[0, 0, 0, 0, 1], [0, 1, 0, 0, 1], [0, 1, 1, 0, 1], [0, 0, 0, 0, 1]]


@pytest.mark.parametrize(
    ("name", "text", "told"),
    [
        ("a.csv", "0,1\n1,0\n", "a.csv holds 2 x 2 values"),
        ("b.csv", "0,1,2,0,0\n" * 4, "other values than 0 and 1"),
        ("c.csv", "hello\n", "neither a table of 0 and 1"),
        ("d.csv", "", "d.csv is empty"),
        ("e.csv", "0,0,0,0,0\n" * 4, "hides nothing"),
        ("f.csv", "1,1,1,1,1\n" * 4, "hides everything"),
        ("g.csv", "parcel,start_s,end_s\n0,40,30\n", "Line 2 of g.csv is not a parcel"),
        ("h.csv", "parcel,start_s,end_s\nV9,30,40\n", "names the parcel V9"),
        ("i.npy", "not numpy", "not a NumPy file"),
    ],
)
def test_wrong_files_are_one_sentence(tmp_path: Path, name: str, text: str, told: str) -> None:
    (tmp_path / name).write_text(text)
    with pytest.raises(BadInput, match=told):
        read_mask(tmp_path / name, WINDOW)


def test_a_missing_or_binary_file(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match=r"none\.csv cannot be read as a mask"):
        read_mask(tmp_path / "none.csv", WINDOW)
    (tmp_path / "x.csv").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(BadInput, match="is no text"):
        read_mask(tmp_path / "x.csv", WINDOW)


def test_a_mask_of_another_window_is_refused() -> None:
    with pytest.raises(BadInput, match="painted for another window"):
        build_mask(MaskSpec(kind="painted", patches=((3, 7),)), 4, 5)
    assert not build_mask(MaskSpec(kind="painted"), 4, 5).any()


def test_the_verb_takes_a_file(
    make_recording: Callable[..., Recording], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    make_recording(1).save(tmp_path / "r.safetensors")
    (tmp_path / "m.csv").write_text("parcel,start_s,end_s\n7,14.4,28.8\n")
    args = ["reconstruct", str(tmp_path / "r.safetensors"), "--scores", str(tmp_path / "s.csv")]
    assert main([*args, "--mask-file", str(tmp_path / "m.csv"), "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert [part["network"] for part in told["networks"]] == ["B"]
    lines = (tmp_path / "s.csv").read_text().splitlines()
    assert sum(line.startswith("frame,") and ",model," in line for line in lines) == 20
    assert main([*args, "--mask-file", str(tmp_path / "m.csv"), "--whole"]) == 2
    assert main([*args, "--whole", "--combine", "mean", "--mask-file", str(tmp_path / "none.csv")]) == 2
    capsys.readouterr()
    assert main([*args[:2], "--whole", "--combine", "mean"]) == 0
    assert "Network" in capsys.readouterr().out
