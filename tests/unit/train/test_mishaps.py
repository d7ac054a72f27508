"""What goes wrong in long trainings: kills, full disks, numbers that are none, too little memory, no progress."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors import safe_open
from safetensors.torch import load_file
from small_trainings import SMALL, Listener, curve, settings

from brainlm_engine.api.errors import BadInput, EngineError, NotANumber, OutOfMemory
from brainlm_engine.cohort import load_series, open_cohort
from brainlm_engine.models import load_model
from brainlm_engine.models.card import Card
from brainlm_engine.models.studio import Studio
from brainlm_engine.train import TrainSettings, pretrain
from brainlm_engine.train.checkpoint import CHECKPOINT
from brainlm_engine.train.faults import advice, ran_out_of_memory
from brainlm_engine.train.log import LOG
from brainlm_engine.train.precision import check_precision
from brainlm_engine.train.settings import settings_from
from brainlm_engine.train.windows import draw_batch
from brainlm_engine.training_folder import checkpoint_head, read_points

posix = pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such limits and signals")
linux = pytest.mark.skipif(sys.platform != "linux", reason="limits of anonymous memory are Linux's own")

TRAIN = """
import sys
from pathlib import Path
from brainlm_engine.train import pretrain, TrainSettings
def at(stage): pass
{before}
class Told:
    def __call__(self, fraction, stage=""): at(stage)
    def log(self, line): print(line, flush=True)
pretrain(Path(sys.argv[1]), Path(sys.argv[2]), TrainSettings.model_validate_json(sys.argv[3]), Told())
"""


def child(cohort: Path, out: Path, plan: TrainSettings, before: str = "") -> subprocess.Popen[str]:
    command = [sys.executable, "-c", TRAIN.format(before=textwrap.dedent(before)), cohort, out, plan.model_dump_json()]
    trimmed = {**os.environ, "MALLOC_MMAP_THRESHOLD_": "65536"}  # what is freed goes back to the system at once
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=trimmed)


@posix
def test_a_training_killed_at_any_moment_has_the_same_curve(small_cohort: Path, tmp_path: Path) -> None:
    plan = settings(steps=45, evaluate_every=7, checkpoint_every=3, variety=False)
    out = tmp_path / "killed"
    running = child(small_cohort, out, plan)
    until = time.monotonic() + 60
    while not (out / CHECKPOINT).exists() and time.monotonic() < until:
        time.sleep(0.01)
    time.sleep(random.uniform(0, 0.3))
    running.send_signal(signal.SIGKILL)
    running.communicate()
    assert running.returncode == -signal.SIGKILL, "killed in the middle"
    pretrain(small_cohort, out, plan)
    pretrain(small_cohort, tmp_path / "whole", plan)
    np.testing.assert_allclose(curve(out), curve(tmp_path / "whole"), atol=1e-6, rtol=0)
    left, right = (load_model(folder).state_dict() for folder in (out, tmp_path / "whole"))
    for key, value in left.items():
        torch.testing.assert_close(value, right[key], atol=1e-6, rtol=0)


def test_a_log_cut_short_by_a_kill_is_mended(small_cohort: Path, tmp_path: Path) -> None:
    pretrain(small_cohort, tmp_path / "out", settings(steps=4))
    with (tmp_path / "out" / LOG).open("a", encoding="utf-8") as file:
        file.write('{"step": 8, "lo')
    pretrain(small_cohort, tmp_path / "out", settings(steps=8))
    assert [step for step, _, _ in curve(tmp_path / "out")] == [1, 4, 8]


def test_numbers_that_are_none_stop_and_the_last_good_weights_stay(small_cohort: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    pretrain(small_cohort, out, settings(steps=5))
    wild = settings(steps=40, learning_rate=1e19)
    with pytest.raises(EngineError, match="no longer a number at step") as stopped:
        pretrain(small_cohort, out, wild)
    assert "recordings: sub-0" in stopped.value.message
    assert "The weights of step 5 are kept" in stopped.value.message
    assert all(value.isfinite().all() for value in load_file(out / CHECKPOINT).values())
    told = Listener()
    assert pretrain(small_cohort, out, settings(steps=8), told).steps == 8
    assert told.lines[0] == "Going on from step 5"


def test_the_learning_rate_may_be_lowered_afterwards(small_cohort: Path, tmp_path: Path) -> None:
    out, told = tmp_path / "out", Listener()
    pretrain(small_cohort, out, settings(steps=5, evaluate_every=5))
    rate = settings().learning_rate
    with pytest.raises(NotANumber) as stopped:
        pretrain(small_cohort, out, settings(steps=40, learning_rate=1e19))
    assert "Go on from there with a smaller learning rate, for example the default." in stopped.value.next_step
    half = settings(steps=8, learning_rate=rate / 2)
    result = pretrain(small_cohort, out, half, told)
    said = f"Learning rate lowered from {rate:g} to {rate / 2:g} at step 5."
    assert told.lines[:2] == ["Going on from step 5", said]
    card = Card.load(out)
    assert card.training["learning_rates"] == [[0, rate], [5, rate / 2]]
    assert said in card.limits
    assert read_points(out)[-1].step == 8
    assert checkpoint_head(out) == (8, rate / 2, ((0, rate), (5, rate / 2)))
    whole = pretrain(small_cohort, tmp_path / "whole", settings(steps=8, evaluate_every=5))
    assert "learning_rates" not in Card.load(tmp_path / "whole").training
    assert result.validation_r2 != whole.validation_r2, "the change had an effect"
    again = Listener()
    pretrain(small_cohort, out, half.model_copy(update={"steps": 10}), again)
    assert again.lines[:2] == ["Going on from step 8", said], "told each time, and not as a new change"


def test_numbers_that_are_none_before_any_checkpoint(small_cohort: Path, tmp_path: Path) -> None:
    with pytest.raises(EngineError, match="no longer a number") as stopped:
        pretrain(small_cohort, tmp_path / "out", settings(learning_rate=1e19, checkpoint_every=100))
    kept = (tmp_path / "out" / CHECKPOINT).exists()
    assert stopped.value.next_step.startswith("Go on from there" if kept else "Start it again")
    if (tmp_path / "out" / CHECKPOINT).exists():  # then of weights that were still numbers
        assert all(value.isfinite().all() for value in load_file(tmp_path / "out" / CHECKPOINT).values())


def test_weights_that_the_last_step_spoiled_become_no_model(small_cohort: Path, tmp_path: Path) -> None:
    spoiling = settings(steps=1, learning_rate=1e19, warm_up=0, evaluate_every=1, checkpoint_every=1)
    with pytest.raises(EngineError, match="R2 of validation people is no longer a number at step 1 .*recordings: sub-"):
        pretrain(small_cohort, tmp_path / "out", spoiling)
    assert {path.name for path in (tmp_path / "out").iterdir()} == {LOG, "levels.json"}


class SmallFiles(Listener):
    """Allows no file larger than 20 kB while steps 4 to 7 are done, as a disk that is full and then is not."""

    def __call__(self, fraction: float, stage: str = "") -> None:
        import resource

        _, most = resource.getrlimit(resource.RLIMIT_FSIZE)
        if stage == "Training, step 4":
            resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, most))
        if stage in ("Training, step 8", "Writing the model"):
            resource.setrlimit(resource.RLIMIT_FSIZE, (most, most))


@posix
def test_a_full_disk_costs_a_checkpoint_and_no_training(small_cohort: Path, tmp_path: Path) -> None:
    out, steps = tmp_path / "out", []

    class Watching(SmallFiles):
        def log(self, line: str) -> None:
            super().log(line)
            if line.startswith("No checkpoint"):
                with safe_open(out / CHECKPOINT, framework="pt") as file:
                    steps.append(json.loads(file.metadata()["training"])["step"])

    told = Watching()
    result = pretrain(small_cohort, out, settings(steps=12, checkpoint_every=3), told)
    assert result.steps == 12
    missed = [line for line in told.lines if line.startswith("No checkpoint could be written at step")]
    assert len(missed) == 1
    assert "at step 6" in missed[0]
    assert "the last checkpoint is kept" in missed[0]
    assert "tried again in 3 steps" in missed[0]
    assert steps == [3]
    assert not list(out.glob(".checkpoint*"))
    whole = pretrain(small_cohort, tmp_path / "whole", settings(steps=12, checkpoint_every=3))
    assert result.validation_r2 == pytest.approx(whole.validation_r2, abs=1e-6)


LIMIT = """
    import resource, numpy, psutil, scipy.linalg, torch
    torch.randn(64, 64, requires_grad=True).sum().backward()  # what torch needs for itself, and OpenBLAS, which
    scipy.linalg.cho_factor(numpy.eye(400) @ numpy.eye(400))  # waits for ever where it gets no room of its own
    def leave(more):  # of numbers, not of addresses, of which torch's threads reserve many
        most = psutil.Process().memory_info().data + more
        resource.setrlimit(resource.RLIMIT_DATA, (most, most))
"""


@linux
def test_too_little_memory_is_foreseen(small_cohort: Path, tmp_path: Path) -> None:
    plan = settings(steps=1, batch=256, variety=False, queries=36)
    running = child(small_cohort, tmp_path / "out", plan, LIMIT + "    leave(150_000_000)")
    out, errors = running.communicate(timeout=120)
    assert running.returncode == 0, errors
    assert "A step of 256 windows would take about" in out
    assert "Memory ran out" not in out
    parts = int(out.split("run in ")[1].split()[0])
    assert parts > 1
    roomy = pretrain(small_cohort, tmp_path / "roomy", plan.model_copy(update={"accumulate": parts}))
    np.testing.assert_allclose(curve(tmp_path / "out"), curve(roomy.folder), atol=1e-6, rtol=0)


@linux
def test_memory_that_runs_out_later_halves_what_is_run_at_once(small_cohort: Path, tmp_path: Path) -> None:
    plan = settings(steps=1, batch=256, variety=False, queries=36)
    taken = (
        LIMIT
        + """
    def at(stage):
        if stage == "Training, step 0": leave(50_000_000)
    """
    )
    out, errors = child(small_cohort, tmp_path / "out", plan, taken).communicate(timeout=120)
    assert "Memory ran out: from step 0 on, 256 windows are run in" in out, errors
    parts = int(out.split("are run in ")[1].split()[0])
    roomy = pretrain(small_cohort, tmp_path / "roomy", plan.model_copy(update={"accumulate": parts}))
    np.testing.assert_allclose(curve(tmp_path / "out"), curve(roomy.folder), atol=1e-6, rtol=0)


@linux
def test_a_window_for_which_there_is_no_memory_is_refused_before_the_first_step(
    small_cohort: Path, tmp_path: Path
) -> None:
    plan = settings(steps=1, window_frames=240, model={**SMALL, "width": 512, "encoder_layers": 8})
    running = child(small_cohort, tmp_path / "out", plan, LIMIT + "    leave(450_000_000)")
    _, errors = running.communicate(timeout=120)
    assert running.returncode == 1
    assert "OutOfMemory" in errors.splitlines()[-1]
    assert "window" in errors.splitlines()[-1]
    assert not (tmp_path / "out").exists()


@posix
def test_a_disk_that_takes_nothing_leaves_no_folder(small_cohort: Path, tmp_path: Path) -> None:
    full = """
        import resource, signal
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    """
    running = child(small_cohort, tmp_path / "new" / "out", settings(steps=1), full)
    _, errors = running.communicate(timeout=120)
    assert running.returncode == 1
    assert "OutOfSpace" in errors.splitlines()[-1], errors
    assert not (tmp_path / "new").exists()


def test_what_counts_as_too_little_memory() -> None:
    assert ran_out_of_memory(torch.OutOfMemoryError("CUDA out of memory."))
    assert ran_out_of_memory(RuntimeError("[enforce fail] DefaultCPUAllocator: can't allocate memory: you tried"))
    assert not ran_out_of_memory(RuntimeError("shapes cannot be multiplied"))
    with pytest.raises(RuntimeError) as caught:
        torch.empty(2**55)
    assert ran_out_of_memory(caught.value)
    assert issubclass(OutOfMemory, EngineError)


def test_training_ends_early_and_the_best_weights_are_kept(small_cohort: Path, tmp_path: Path) -> None:
    wild = settings(steps=300, evaluate_every=3, patience=3, learning_rate=0.3, ema=0.0, warm_up=20, variety=False)
    told = Listener()
    result = pretrain(small_cohort, tmp_path / "out", wild, told)
    lines = curve(tmp_path / "out")
    best = max(r2 for _, _, r2 in lines)
    assert result.steps < 300
    assert result.validation_r2 == best > lines[-1][2]
    assert [step for step, _, r2 in lines if r2 == best] == [result.steps - 9]
    assert any("Nothing got better since step" in line for line in told.lines)
    again = pretrain(small_cohort, tmp_path / "out", wild)  # over is over
    assert again.steps == result.steps
    assert again.validation_r2 == best
    last = pretrain(small_cohort, tmp_path / "out", wild.model_copy(update={"keep": "last"}))
    assert last.validation_r2 == lines[-1][2]


def test_the_log_tells_speed_and_memory(small_cohort: Path, tmp_path: Path) -> None:
    told = Listener()
    pretrain(small_cohort, tmp_path / "out", settings(), told)
    for line in (tmp_path / "out" / LOG).read_text(encoding="utf-8").splitlines():
        figures = json.loads(line)
        assert figures["windows_per_s"] > 0
        assert figures["memory_mb"] > 50
        assert figures["gflop_per_s"] > 0
        assert "mfu" not in figures, "no maker says what this processor can do"
    assert any("windows/s" in line for line in told.lines)


def test_tensorboard_reads_the_same_figures(small_cohort: Path, tmp_path: Path) -> None:
    from tensorboardX.proto.event_pb2 import Event

    out = tmp_path / "out"
    pretrain(small_cohort, out, settings(steps=8, tensorboard=True))
    time.sleep(1.1)  # files are named after the second
    pretrain(small_cohort, out, settings(steps=12, tensorboard=True))
    r2 = {}
    for path in sorted((out / "tensorboard").iterdir()):
        content, start = path.read_bytes(), 0
        while start < len(content):  # length (8 bytes), its sum (4), an event, its sum (4)
            length = int.from_bytes(content[start : start + 8], "little")
            event = Event.FromString(content[start + 12 : start + 12 + length])
            for value in event.summary.value:
                if value.tag == "validation_r2":
                    r2[event.step] = value.simple_value
            start += 16 + length
    lines = curve(out)
    assert list(r2) == [step for step, _, _ in lines] == [1, 4, 8, 12]
    np.testing.assert_allclose(list(r2.values()), [value for _, _, value in lines], rtol=1e-6)


def test_half_precision_trains_after_a_comparison(small_cohort: Path, tmp_path: Path) -> None:
    for architecture in ("studio", "brainlm-13m"):
        told = Listener()
        plan = settings(architecture=architecture, precision="bf16", steps=2)
        result = pretrain(small_cohort, tmp_path / architecture, plan, told)
        assert "% apart" in told.lines[0]
        exact = pretrain(small_cohort, tmp_path / f"{architecture}-32", plan.model_copy(update={"precision": "32"}))
        assert result.validation_r2 == pytest.approx(exact.validation_r2, abs=0.02)
        assert curve(result.folder)[0][1] != curve(exact.folder)[0][1]


def test_half_precision_that_gives_another_loss_is_refused(small_cohort: Path) -> None:
    plan = settings(precision="bf16", variety=False)
    batch = draw_batch(load_series(open_cohort(small_cohort), "train"), plan, 0)
    batch.signal[:] = batch.signal[:, :1]  # all parcels alike, and one factor that carries just that: nearly no error
    model = Studio.from_config(SMALL)
    with torch.no_grad():
        model.places.loadings.weight.zero_()
        model.places.loadings.bias.copy_(torch.eye(8)[0] * 100)
    with pytest.raises(BadInput, match="more than the 2 % allowed"):
        check_precision(model, batch, plan)


def test_half_of_a_sensible_learning_rate_is_advised_and_no_half_of_a_slip() -> None:
    assert "half of it: 0.001" in advice(0.002, kept=True)
    assert "the default" in advice(1e30, kept=False)


@pytest.mark.parametrize("changes", [{"batch": 2_147_483_647}, {"threads": 100_000}])
def test_numbers_that_no_computer_has_are_refused(changes: dict[str, int]) -> None:
    with pytest.raises(BadInput, match=f"setting {next(iter(changes))} of the training"):
        settings_from({"steps": 1, **changes})
