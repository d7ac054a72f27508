"""The table: held-out people, the same hidden patches for all methods, intervals over people; and the commands."""

from __future__ import annotations

import json
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from brainlm_engine.cli import main
from brainlm_engine.models import load_model
from brainlm_engine.models.card import Card
from brainlm_engine.models.registry import find_model
from brainlm_engine.recording import Recording
from brainlm_engine.tasks.evaluate import evaluate


def test_held_out_people_of_a_cohort(small_cohort: Path) -> None:
    table = evaluate(load_model(), small_cohort, frames=100)
    assert table.people == 2
    assert table.hidden_frames == 2 * 27 * 100
    assert [row.method for row in table.rows] == [
        "model",
        "ridge_people",
        "ridge",
        "pca",
        "interpolation",
        "kriging",
        "mean",
    ]
    for row in table.rows:
        assert row.low is not None
        assert row.high is not None
        assert row.low <= row.r2 <= row.high
        assert row.model_minus_this == pytest.approx(table.rows[0].r2 - row.r2, abs=2e-4)
    assert table == evaluate(load_model(), small_cohort, frames=100)
    alone = evaluate(load_model(), small_cohort, frames=60, people=1)
    assert {(row.low, row.high, row.difference_low) for row in alone.rows} == {(None, None, None)}
    assert alone.notes == ("One person: no interval can be given.",)


@pytest.mark.shared_data
def test_abide_is_scored_site_by_site(shared_data: Path) -> None:
    table = evaluate(load_model(), shared_data / "abide" / "abide_cc200_nofilt_noglobal.h5", people=12)
    assert 12 <= table.people <= 15
    assert len(table.by_site) == 12
    rows = {row.method: row.r2 for row in table.rows}
    assert rows["model"] > rows["mean"] + 0.1


def test_evaluate_command(small_cohort: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    saved = tmp_path / "table.json"
    command = ["evaluate", "studio-tiny", str(small_cohort), "--frames", "60", "--threads", "1"]
    command += ["--parts", "reconstruction"]
    command += ["--save", str(saved), "--json"]
    assert main(command) == 0
    assert json.loads(capsys.readouterr().out) == json.loads(saved.read_text(encoding="utf-8"))
    mine = tmp_path / "mine"
    shutil.copytree(find_model("studio-tiny"), mine)
    assert (
        main(
            [
                "evaluate",
                str(mine),
                str(small_cohort),
                "--frames",
                "60",
                "--threads",
                "1",
                "--card",
                "--parts",
                "reconstruction",
            ]
        )
        == 0
    )
    noted = Card.load(mine).info.figures[json.loads(saved.read_text(encoding="utf-8"))["data"]]
    assert noted["people"] == 2
    assert len(noted["r2_low_high"]["model"]) == 3
    assert main(["evaluate", "studio-tiny", str(small_cohort), "--ratio", "1"]) == 2
    assert main(["evaluate", "nothing", str(small_cohort)]) == 2
    assert main(["evaluate", "studio-tiny", str(tmp_path)]) == 2


def test_reconstruct_command(small_cohort: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    from safetensors.numpy import load_file

    recording, out = next((small_cohort / "recordings").iterdir()), tmp_path / "out.safetensors"
    assert main(["reconstruct", str(recording), "--span", "2:4", "--frames", "100", "--out", str(out), "--json"]) == 0
    assert "verdict" in json.loads(capsys.readouterr().out)
    assert load_file(out)["mask"].sum() == 2 * 36
    whole = ["reconstruct", str(recording), "--whole", "--frames", "120", "--out", str(out), "--json"]
    before = out.read_bytes()
    assert main(whole) == 2
    assert "there already" in json.loads(capsys.readouterr().out)["error"]["message"]
    assert out.read_bytes() == before
    assert main([*whole, "--replace"]) == 0
    assert load_file(out)["predicted"].shape == (36, Recording.load(recording).n_frames)
    assert main(["reconstruct", str(recording), "--parcels", "1,x"]) == 2
    assert (
        main(["reconstruct", str(recording), "--parcels", "1", "--frames", "100", "--out", str(out), "--replace"]) == 0
    )
    assert load_file(out)["mask"].any(1).nonzero()[0].tolist() == [0]
    assert main(["reconstruct", str(tmp_path / "none.safetensors")]) == 2


def test_models_command(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["models", "list", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["models"][0]["model_id"] == "studio-tiny"
    assert main(["models", "show", "studio-tiny"]) == 0
    assert "command" in capsys.readouterr().out
    assert main(["models", "check", "studio-tiny", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["ok"] is True
    assert main(["models", "check", "nothing"]) == 2


def test_pretrain_command(small_cohort: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    small = [f"--size={name}" for name in ("width=16", "heads=2", "encoder_layers=1", "decoder_layers=1", "factors=8")]
    command = ["pretrain", str(small_cohort), "--out", str(tmp_path / "mine"), "--batch", "2", "--window", "60", *small]
    assert main([*command, "--steps", "3", "--threads", "1", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["steps"] == 3
    card = json.loads((tmp_path / "mine" / "card.json").read_text(encoding="utf-8"))
    assert card["command"].startswith("brainlm-engine pretrain cohort --out mine --steps 3 --seed 0")
    assert main(["models", "check", str(tmp_path / "mine")]) == 0
    assert main([*command]) == 2


def test_pretrain_interrupted_leaves_a_checkpoint(small_cohort: Path, tmp_path: Path) -> None:
    small = [f"--size={name}" for name in ("width=16", "heads=2", "encoder_layers=1", "decoder_layers=1", "factors=8")]
    words = ["pretrain", str(small_cohort), "--out", str(tmp_path / "mine"), "--batch", "2", "--window", "60", *small]
    command = [sys.executable, "-m", "brainlm_engine", *words, "--steps", "100000"]
    command += ["--evaluate-every", "20", "--threads", "1"]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        for line in process.stderr:
            if line.startswith("step 20 "):
                process.send_signal(signal.SIGTERM)
                break
        said = process.stderr.read()
        assert process.wait(30) == 1
    assert "Give the same command again to go on." in said
    assert "Traceback" not in said
    assert (tmp_path / "mine" / "checkpoint.safetensors").stat().st_size > 1000
