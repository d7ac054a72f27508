"""The command line: every verb explains itself, errors are sentences with the right exit code."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from brainlm_engine import __version__
from brainlm_engine.cli import VERBS, as_json, build_parser, main


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


@pytest.mark.parametrize("program", ["brainlm_engine", "app"])
def test_both_programs_tell_their_version(program: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", program, "--version"], capture_output=True, text=True, check=True, timeout=60
    )
    assert done.stdout.strip() == __version__


def test_unknown_verb_is_exit_code_2() -> None:
    with pytest.raises(SystemExit) as stop:
        build_parser("conquer").parse_args(["conquer"])
    assert stop.value.code == 2


@pytest.mark.parametrize(
    "line",
    [
        "reconstruct r --threads 0", "reconstruct r --seed 99999999999999999999", "reconstruct r --ratio 1",
        "reconstruct r --start -5", "reconstruct r --parcels 1 --network Vis", "evaluate m d --people 0",
        "evaluate m d --ratio nan", "simulate cohort --out c --people 3 --seed -5", "simulate scan --out s --person -3",
        "pretrain c --out m --steps 1 --batch 0", "pretrain c --out m --steps 1 --window 1",
        "pretrain c --out m --steps 1 --learning-rate -1", "serve --workers 0", "serve --idle-timeout -1",
    ],
)  # fmt: skip
def test_impossible_numbers_name_the_option(line: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(line.split()) == 2
    option = next(word for word in reversed(line.split()) if word.startswith("--"))
    said = capsys.readouterr().err
    assert f": argument {option}: " in said
    assert len(said.splitlines()) == 2, "the sentence, and where more is told"


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        ("--steps 1 --minutes 1", "said twice how long"),
        ("--steps 1 --size tiny --size small", "cannot be tiny and small"),
        ("--steps 1 --architecture brainlm-13m --size mini", "mini is a size of our own architecture"),
        ("--steps 1 --dask-address tcp://127.0.0.1:1", "--dask-address is of trainings that are started with"),
        ("--steps 1 --partition gpu", "--partition is of trainings that are started with --launch slurm"),
    ],
)  # fmt: skip
def test_options_without_effect_are_refused(words: str, sentence: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["pretrain", "c", "--out", "m", *words.split()]) == 2
    assert sentence in capsys.readouterr().err


@pytest.mark.parametrize(
    ("line", "cause"),
    [
        ("inspect --json", "required: file"), ("reconstruct x --ratio 3 --json", "--ratio"), ("--json", "VERB"),
        ("simulate cohort --people 0 --json", "--people: 0 is too small"), ("conquer --json", "conquer"),
    ],
)  # fmt: skip
def test_a_wrong_line_is_told_in_json_too(line: str, cause: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(line.split()) == 2
    said = capsys.readouterr()
    error = json.loads(said.out)["error"]
    assert error["code"] == "bad_input"
    assert cause in error["message"]
    assert "--help" in error["next_step"]
    assert "usage:" not in said.err
    assert main([word for word in line.split() if word != "--json"]) == 2
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        ("inspect x.tsv --answer foo=bar", "No file is asked 'foo'"),
        ("pretrain c --out m --steps 1 --size width=x", "--size width=x cannot be understood"),
        ("pretrain c --out m --steps 1 --size foo=3", "has no size called “foo”"),
        ("pretrain c --out m", "how long to train"),
        ("reconstruct nix.safetensors", "nix.safetensors is not there"),
        ("reconstruct .", "is a folder, not a recording"),
    ],
)
def test_wrong_words_are_sentences(line: str, sentence: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*line.split(), "--json"]) == 2
    said = capsys.readouterr()
    assert sentence in json.loads(said.out)["error"]["message"]
    assert "Traceback" not in said.err


def test_a_study_folder_that_is_a_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "home").touch()
    monkeypatch.setenv("BRAINLM_HOME", str(tmp_path / "home"))
    assert main(["jobs", "list"]) == 2
    assert "a part of this path is a file" in capsys.readouterr().err


def test_json_has_no_nan() -> None:
    told = json.loads(as_json({"r": float("nan"), "rows": [(1.5, float("-inf"))], "path": Path("a")}))
    assert told == {"r": None, "rows": [[1.5, None]], "path": "a"}


def test_outputs_never_replace_inputs(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    table, places = tmp_path / "x.tsv", tmp_path / "c.tsv"
    table.write_text("a\tb\n1\t2\n")
    places.write_text("x\ty\tz\n1\t2\t3\n")
    for option in ("--coordinates", "--confounds"):
        assert main(["parcellate", str(table), option, str(places), "--out", str(places)]) == 2
        assert "what this command reads" in capsys.readouterr().err
    assert main(["pretrain", str(tmp_path), "--out", str(tmp_path), "--steps", "1"]) == 2
    assert main(["parcellate", str(table), "--out", str(tmp_path / "x.json")]) == 2
    assert places.read_text() == "x\ty\tz\n1\t2\t3\n"
