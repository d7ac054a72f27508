"""The benches of training run through on a processor, in seconds, and count arithmetic as torch does."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
import torch

BENCH = Path(__file__).resolve().parents[2] / "bench"


def run(name: str, *words: str) -> str:
    done = subprocess.run(
        [sys.executable, BENCH / name, *words], capture_output=True, text=True, timeout=200, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_training_on_one_device_is_told_in_a_table(tmp_path: Path) -> None:
    out = tmp_path / "rows.json"
    words = (
        "--device",
        "cpu",
        "--models",
        "mini",
        "--seconds",
        "0.1",
        "--parcels",
        "40",
        "--batch",
        "1",
        "--most",
        "2",
    )
    told = run("bench_gpu.py", *words, "--no-compile", "--profile", "--json", str(out))
    assert "| mini | 32 | as they stand |" in told
    assert "inference mini, batch" in told
    assert "attention over time, packed by" in told
    assert "aten::" in told, "the profile"
    rows = json.loads(out.read_text(encoding="utf-8"))["rows"]
    assert not [row for row in rows if "failed" in row.get("note", "")]
    (measured,) = [row for row in rows if "model_flops" in row]
    assert measured["windows_per_s"] > 0
    assert measured["peak_mb"] > 50


def test_a_model_whose_time_is_over_leaves_a_sentence(tmp_path: Path) -> None:
    words = ("--device", "cpu", "--models", "large,mini", "--parcels", "40", "--minutes", "0.2", "--no-compile")
    told = run("bench_gpu.py", *words, "--json", str(tmp_path / "rows.json"))
    assert "large: stopped after" in told


@pytest.mark.parametrize(("name", "off"), [("mini", 0.1), ("small", 0.1), ("13m", 0.15)])
def test_the_formula_for_arithmetic_is_what_torch_counts(
    name: str, off: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(BENCH)
    from gpu_models import learner_for, settings_for, training_flops, windows

    from brainlm_engine.train.compiled import one_window
    from brainlm_engine.train.speed import Arithmetic

    plan = settings_for(name, device="cpu")
    learner = learner_for(plan, 60)
    with Arithmetic() as counter:
        one_window(learner, windows(plan, 1, 60), plan)
    assert training_flops(learner.model, 60, plan.queries) == pytest.approx(counter.flops, rel=off)


def test_the_device_is_compared_with_the_processor(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(BENCH)
    from gpu_checks import checks

    told = list(checks("cuda" if torch.cuda.is_available() else "cpu"))
    assert len([sentence for sentence in told if sentence.startswith("check: the ")]) == 4, told
    assert not [sentence for sentence in told if "WRONG" in sentence]


def test_waiting_for_data_is_told_as_a_share() -> None:
    told = run("bench_loading.py", "--size", "mini", "--batch", "2", "--steps", "3", "--parcels", "20")
    assert told.count("is waiting for data drawn ahead") == 2
    assert "RATIO loading_varied" in told
