"""What a training will need is known before it starts, and a cohort may be larger than memory."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from small_trainings import settings

from brainlm_engine.api.errors import Cancelled, OutOfMemory
from brainlm_engine.cli import main
from brainlm_engine.cohort import load_series, open_cohort
from brainlm_engine.cohort.arrow_file import Kind, write_rows
from brainlm_engine.hardware import memory_available
from brainlm_engine.recording import Recording
from brainlm_engine.train import memory
from brainlm_engine.train.estimate import estimate_training
from brainlm_engine.train.memory import MARGIN, Live, Need, fit, measure
from brainlm_engine.train.step import alone, new_learner
from brainlm_engine.train.trainable import new_model

linux = pytest.mark.skipif(sys.platform != "linux", reason="limits of anonymous memory are Linux's own")


def test_tensors_are_counted_as_long_as_they_live() -> None:
    there = torch.ones(1000)
    with Live() as live:
        a = there * 2
        b = a.view(10, 100).t()
        del a
        assert live.now == 4000, "a view keeps it alive"
        c = b + 1
        del b
        assert (live.now, live.peak) == (4000, 8000)
        there.add_(1)
        c.mul_(2)
        assert (live.now, live.peak) == (4000, 8000), "nothing new in place"


def test_parts_are_doubled_until_they_fit() -> None:
    need = Need(parameters=10, weights=80, learning=120, window=1000, windows=8, free=10_120)
    assert (need.parts, need.total(1)) == (1, 10_200)
    assert Need(10, 80, 120, 1000, 8, 10_119).parts == 2
    assert Need(10, 80, 120, 1000, 8, 1500).parts == 8
    tight = Need(10, 80, 120, 1000, 8, 1300)
    assert tight.parts is None
    assert "even with one window at a time" in tight.sentence()
    assert "it is run in 2 parts" in Need(10, 80, 120, 1000, 8, 10_119).sentence()


def test_measuring_leaves_everything_as_it_was(small_cohort: Path) -> None:
    plan = settings(batch=4)
    train = load_series(open_cohort(small_cohort), "train")
    torch.manual_seed(0)
    learner = new_learner(new_model("studio", plan.model, len(train.xyz), 100), plan)
    before, state = [value.clone() for value in learner.model.parameters()], torch.get_rng_state()
    need = measure(learner, train, plan, alone(plan))
    assert torch.equal(torch.get_rng_state(), state)
    assert all(torch.equal(left, right) for left, right in zip(before, learner.model.parameters(), strict=True))
    assert all(value.grad is None for value in learner.model.parameters())
    assert need.window > 36 * 20 * 4, "more than its own numbers"
    assert need.free <= memory_available() * 1.5
    larger = {**plan.model, "width": 32}
    wide = new_learner(new_model("studio", larger, len(train.xyz), 100), plan)
    assert measure(wide, train, plan, alone(plan)).window > 1.3 * need.window


def test_layers_are_computed_twice_when_not_even_one_window_fits(
    small_cohort: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plan = settings(batch=4, masks="random", model={"width": 32, "heads": 2, "encoder_layers": 4})
    train = load_series(open_cohort(small_cohort), "train")
    learner = new_learner(new_model("studio", plan.model, len(train.xyz), 100), plan)
    kept = measure(learner, train, plan, alone(plan))
    learner.runner.checkpoints = True
    twice = measure(learner, train, plan, alone(plan))
    learner.runner.checkpoints = False
    assert twice.window < 0.8 * kept.window
    enough = kept.learning + int(MARGIN * (kept.window + twice.window) / 2)
    monkeypatch.setattr(memory, "available", lambda team: enough)
    assert "layers are computed twice" in fit(learner, train, plan, alone(plan))
    assert (learner.runner.checkpoints, learner.parts) == (True, 4)
    stubborn = plan.model_copy(update={"checkpointing": "off"})
    with pytest.raises(OutOfMemory, match="even with one window at a time"):
        fit(new_learner(learner.model, stubborn), train, stubborn, alone(plan))


def test_an_estimate_before_the_start(small_cohort: Path, capsys: pytest.CaptureFixture[str]) -> None:
    told = estimate_training(small_cohort, settings(steps=100))
    assert told.fits
    assert told.n_parameters > 1000
    assert told.steps == 100
    assert told.minutes == pytest.approx(100 * told.step_s / 60)
    assert "100 steps take about" in told.sentence
    words = ["pretrain", str(small_cohort), "--out", str(small_cohort / "x"), "--minutes", "1", "--estimate"]
    assert main([*words, "--threads", "1", "--batch", "2", "--size", "width=16", "--size", "heads=2"]) == 0
    assert "steps take about" in capsys.readouterr().out
    assert not (small_cohort / "x").exists()


def test_an_estimate_is_given_up_when_nobody_waits_for_it(small_cohort: Path) -> None:
    asked = 0

    def left() -> bool:
        nonlocal asked
        asked += 1
        return asked > 400

    with pytest.raises(Cancelled):
        estimate_training(small_cohort, settings(steps=100), left)
    assert asked == 401


def test_a_model_too_large_for_this_computer_is_told_before_it_is_made_ready(
    small_cohort: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(memory, "available", lambda team: 1 << 16)
    told = estimate_training(small_cohort, settings(steps=100))
    assert not told.fits
    assert "even with one window at a time" in told.sentence
    assert "smaller model" in told.next_step


LARGER_THAN_MEMORY = """
import resource, sys
from pathlib import Path
import numpy as np, psutil
from brainlm_engine.cohort import load_series, open_cohort
from brainlm_engine.train import pretrain, TrainSettings
plan = TrainSettings.model_validate_json(sys.argv[4])
pretrain(Path(sys.argv[1]), Path(sys.argv[3]) / "first", plan)  # what torch and its threads need for themselves
most = psutil.Process().memory_info().data + int(sys.argv[5])
resource.setrlimit(resource.RLIMIT_DATA, (most, most))
print(pretrain(Path(sys.argv[2]), Path(sys.argv[3]) / "second", plan).steps, flush=True)
try:
    kept = [np.array(values) for values in load_series(open_cohort(Path(sys.argv[2])), "train").values]
except MemoryError:
    print("as much as it should be", flush=True)
"""


@linux
def test_a_cohort_four_times_larger_than_memory_trains(
    tmp_path: Path, make_recording: Callable[..., Recording]
) -> None:
    cap = 40_000_000
    one = make_recording(0, frames=1000, parcels=60)
    noise = np.random.default_rng(0).standard_normal((60, 1200)).astype(np.float16)
    for name, count in (("few", 8), ("many", 4 * cap // (60 * 1000 * 2))):
        split = ["val" if index < 4 else "train" for index in range(count)]
        folder = tmp_path / name
        (folder / "arrow").mkdir(parents=True)
        rows = ((f"p{index}", f"p{index}_run-1", noise[:, index % 200 : index % 200 + 1000]) for index in range(count))
        assert write_rows(folder / "arrow" / "all-00000.arrow", Kind(0.72, one.xyz), rows) == count
        lines = [f"p{index}\t{part}\n" for index, part in enumerate(split)]
        (folder / "participants.tsv").write_text("participant_id\tsplit\n" + "".join(lines), encoding="utf-8")
    assert (tmp_path / "many" / "arrow" / "all-00000.arrow").stat().st_size >= 4 * cap
    plan = settings(steps=10, batch=4, variety=False)
    folders = (tmp_path / "few", tmp_path / "many", tmp_path)
    command = [sys.executable, "-c", LARGER_THAN_MEMORY, *folders, plan.model_dump_json(), str(cap)]
    trimmed = {**os.environ, "MALLOC_MMAP_THRESHOLD_": "65536"}  # what is freed goes back to the system at once
    done = subprocess.run(command, check=False, capture_output=True, text=True, timeout=200, env=trimmed)
    assert done.returncode == 0, done.stderr
    assert done.stdout.split("\n")[:2] == ["10", "as much as it should be"]
