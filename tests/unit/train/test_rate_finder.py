"""The learning-rate finder: it finds where the loss falls, and leaves everything as it was."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from small_trainings import SMALL, settings

from brainlm_engine.api.errors import BadInput
from brainlm_engine.cli import main
from brainlm_engine.train import pretrain
from brainlm_engine.train.checkpoint import CHECKPOINT
from brainlm_engine.train.rate_finder import RateCurve, drawn, find_learning_rate, suggested


def test_a_tenth_of_the_lowest_is_suggested() -> None:
    rates = list(np.geomspace(1e-6, 1, 101))
    losses = [1 / (1 + (rate / 1e-3) ** 2) + (rate / 3e-2) ** 4 for rate in rates]
    assert 3e-4 < suggested(rates, losses) < 2e-3
    with pytest.raises(BadInput, match="falls at no learning rate"):
        suggested(rates, [1 + rate for rate in rates])


def test_the_suggested_rate_learns_more_than_far_smaller_ones(small_cohort: Path, tmp_path: Path) -> None:
    plan = settings(variety=False, masks="random", steps=30, evaluate_every=30, warm_up=0, ema=0.0, batch=4)
    found = find_learning_rate(small_cohort, plan, steps=60)
    assert list(found.rates) == sorted(found.rates)
    assert found.losses[-1] > 2 * min(found.losses) or len(found.rates) == 60, "until it explodes"
    reached = {
        factor: pretrain(
            small_cohort, tmp_path / str(factor), plan.model_copy(update={"learning_rate": found.suggestion * factor})
        ).validation_r2
        for factor in (0.01, 1)
    }
    assert reached[1] == max(reached.values())


def test_it_starts_from_a_training_and_changes_nothing(small_cohort: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    pretrain(small_cohort, out, settings(steps=60, learning_rate=0.01, variety=False))
    before = {path.name: path.read_bytes() for path in out.iterdir()}
    fresh = find_learning_rate(small_cohort, settings(variety=False), steps=40)
    trained = find_learning_rate(small_cohort, settings(variety=False), start=out, steps=40)
    assert min(trained.losses) > min(fresh.losses), "most of what can be learned was learned"
    assert {path.name: path.read_bytes() for path in out.iterdir()} == before
    assert (out / CHECKPOINT).exists()


def test_the_curve_is_drawn_with_its_suggestion() -> None:
    rates = tuple(np.geomspace(1e-5, 1, 50))
    lines = drawn(RateCurve(rates, tuple(1 - 0.01 * index for index in range(50)), 1e-3)).splitlines()
    assert len(lines) == 24
    (marked,) = [line for line in lines if line.endswith("  <")]
    assert 5e-4 < float(marked.split()[0]) < 2e-3


def test_the_command(small_cohort: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    sizes = [f"--size={name}={value}" for name, value in SMALL.items()]
    words = ["pretrain", str(small_cohort), "--out", str(tmp_path / "mine"), "--batch", "2", "--window", "60", *sizes]
    assert main([*words, "--find-learning-rate", "--threads", "1", "--no-variety", "--json"]) == 0
    said = capsys.readouterr()
    result = json.loads(said.out)
    assert 1e-6 < result["suggested_learning_rate"] < 1
    assert result["curve"][0][0] == 1e-6
    assert "  <" in said.err
    assert not (tmp_path / "mine").exists()
