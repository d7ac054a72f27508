"""The command line: every verb explains itself, errors are sentences with the right exit code."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from brainlm_engine.cli import VERBS, build_parser


def engine(*args: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "brainlm_engine", *args], capture_output=True, text=True, check=False, timeout=120
    )


def test_every_verb_has_a_summary_and_takes_json() -> None:
    text = build_parser().format_help()
    for verb in VERBS:
        assert verb in text
        assert "--json" in build_parser(only=verb)._subparsers._group_actions[0].choices[verb].format_help()


def test_bad_input_is_one_sentence_and_exit_code_2(tmp_path: Path) -> None:
    missing = tmp_path / "no such scan.nii.gz"
    done = engine("inspect", str(missing), "--json")
    assert done.returncode == 2
    assert "Traceback" not in done.stderr
    error = json.loads(done.stdout)["error"]
    assert missing.name in error["message"]
    assert error["next_step"]


def test_result_is_one_json_object_on_stdout(tmp_path: Path) -> None:
    table = tmp_path / "series.tsv"
    rows = ["\t".join(f"{(i * 7 + j * 3) % 11 + 0.1 * i:.2f}" for j in range(6)) for i in range(60)]
    table.write_text("\n".join(["\t".join("abcdef"), *rows]))
    done = engine("inspect", str(table), "--json")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["n_frames"] == 60


def test_unknown_verb_is_exit_code_2() -> None:
    with pytest.raises(SystemExit) as stop:
        build_parser("conquer").parse_args(["conquer"])
    assert stop.value.code == 2
