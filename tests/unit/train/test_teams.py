"""Several processes train as one does: real ones, on this computer, over the loopback."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import psutil
import pytest
from small_trainings import SMALL, Listener, curve, settings

from brainlm_engine.api.errors import BadInput, Cancelled, EngineError
from brainlm_engine.cli import main
from brainlm_engine.jobs.context import JobContext
from brainlm_engine.jobs.kinds import job_function
from brainlm_engine.models import load_model
from brainlm_engine.models.card import Card, check
from brainlm_engine.train import pretrain
from brainlm_engine.train.checkpoint import CHECKPOINT
from brainlm_engine.train.fabric_team import seat
from brainlm_engine.train.processes import command, environment
from brainlm_engine.training_folder import checkpoint_step

ROOT = Path(__file__).resolve().parents[3]


def test_two_processes_learn_what_one_does(small_cohort: Path, tmp_path: Path) -> None:
    plan = settings(steps=10, batch=4, evaluate_every=1, accumulate=2)
    told = Listener()
    two = pretrain(small_cohort, tmp_path / "two", plan.model_copy(update={"devices": 2}), told)
    one = pretrain(small_cohort, tmp_path / "one", plan)
    assert "2 processes trained together" in told.lines
    assert (two.steps, two.windows) == (one.steps, one.windows) == (10, 40)
    np.testing.assert_allclose(curve(two.folder), curve(one.folder), atol=1e-5, rtol=0)
    left, right = (load_model(result.folder).state_dict() for result in (two, one))
    for key, value in left.items():
        np.testing.assert_allclose(value, right[key], atol=1e-4, rtol=0)


class StopsAtOnce(Listener):
    """A person who stops when the first steps are done."""

    def __init__(self) -> None:
        super().__init__()
        self.stopped_at = 0

    def __call__(self, fraction: float, stage: str = "") -> None:
        step = int(stage.rpartition(" ")[2]) if stage.startswith("Training, step") else 0
        if step > 3:
            self.stopped_at = step
            raise Cancelled("Stopped by hand.")


def test_a_stop_reaches_all_processes_and_one_goes_on_from_there(small_cohort: Path, tmp_path: Path) -> None:
    out, plan, person = tmp_path / "out", settings(steps=2000, batch=4, checkpoint_every=5000), StopsAtOnce()
    with pytest.raises(Cancelled, match="by hand"):
        pretrain(small_cohort, out, plan.model_copy(update={"devices": 2}), person)
    assert not list(out.glob("config.json")), "a stopped training is no model yet"
    alone = StopsAtOnce()
    with pytest.raises(Cancelled):
        pretrain(small_cohort, out, plan, alone)
    assert alone.lines[0].startswith("Going on from step")


def test_what_one_of_them_finds_wrong_is_told(small_cohort: Path, tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="fewer than the 2 processes"):
        pretrain(small_cohort, tmp_path / "out", settings(batch=1, devices=2))
    with pytest.raises(EngineError, match="no longer a number at step .*recordings: sub-0"):
        pretrain(small_cohort, tmp_path / "wild", settings(learning_rate=1e19, devices=2))


def test_several_computers_are_started_from_outside(small_cohort: Path, tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="started on each of them"):
        pretrain(small_cohort, tmp_path / "out", settings(nodes=2))


def test_processes_end_with_the_one_that_started_them(small_cohort: Path, tmp_path: Path) -> None:
    plan = settings(steps=100_000, batch=4, devices=2)
    script = (
        "import sys; from pathlib import Path; from brainlm_engine.train import pretrain, TrainSettings;"
        "pretrain(Path(sys.argv[1]), Path(sys.argv[2]), TrainSettings.model_validate_json(sys.argv[3]))"
    )
    out = tmp_path / "out"
    parent = subprocess.Popen([sys.executable, "-c", script, small_cohort, out, plan.model_dump_json()])
    try:
        until = time.monotonic() + 100
        while not (out / CHECKPOINT).exists() and time.monotonic() < until and parent.poll() is None:
            time.sleep(0.05)
        family = psutil.Process(parent.pid).children(recursive=True)
        assert len(family) >= 3, "torchrun and two processes"
    finally:
        parent.kill()
        parent.wait()
    _, alive = psutil.wait_procs(family, timeout=20)
    assert not alive


def ranks(parent: int) -> dict[int, psutil.Process]:
    """Return rank -> process of a training that the process ``parent`` started."""
    found = {}
    for process in psutil.Process(parent).children(recursive=True):
        if "brainlm_engine.train.rank" in process.cmdline() and "RANK" in process.environ():
            found[int(process.environ()["RANK"])] = process
    return found


@pytest.mark.parametrize("lost", [0, 1])
def test_a_lost_process_ends_the_others_and_is_told(small_cohort: Path, tmp_path: Path, lost: int) -> None:
    out = tmp_path / "out"
    small = [f"--size={name}={value}" for name, value in SMALL.items()]
    words = [
        "pretrain", str(small_cohort), "--out", str(out), "--window", "60", "--steps", "100000", "--threads", "1",
        "--evaluate-every", "5", "--devices", "2", "--json", *small,
    ]  # fmt: skip
    running = subprocess.Popen(
        [sys.executable, "-m", "brainlm_engine", *words], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    until = time.monotonic() + 100
    while not (out / CHECKPOINT).exists() and time.monotonic() < until and running.poll() is None:
        time.sleep(0.05)
    family, team = psutil.Process(running.pid).children(recursive=True), ranks(running.pid)
    assert sorted(team) == [0, 1]
    team[lost].kill()
    killed = time.monotonic()
    told, errors = running.communicate(timeout=100)
    assert time.monotonic() - killed < 30, "they end within seconds"
    assert running.returncode == 1, errors
    error = json.loads(told)["error"]
    assert error["message"] == (
        f"Process {lost + 1} of 2 of the training was killed from outside (SIGKILL); the others were ended too."
    )
    assert "it goes on from the checkpoint of step" in error["next_step"]
    _, alive = psutil.wait_procs(family, timeout=10)
    assert not alive
    step = checkpoint_step(out)
    assert step >= 5
    plan = settings(steps=step + 2, batch=8, window_frames=60, evaluate_every=5, checkpoint_every=5, warm_up=50)
    again = Listener()
    assert pretrain(small_cohort, out, plan.model_copy(update={"seed": 0, "queries": 128}), again).steps == step + 2
    assert again.lines[0] == f"Going on from step {step}"


SHORT_OF_MEMORY = """
import os, resource, sys
from pathlib import Path
import psutil, torch
from brainlm_engine.train import pretrain, TrainSettings
class Told:
    def __call__(self, fraction, stage=""):
        if stage == "Training, step 0" and os.environ["RANK"] == "1":
            most = psutil.Process().memory_info().vms + 50_000_000
            resource.setrlimit(resource.RLIMIT_AS, (most, most))
    def log(self, line):
        if os.environ["RANK"] == "0": print(line, flush=True)
pretrain(Path(sys.argv[1]), Path(sys.argv[2]), TrainSettings.model_validate_json(sys.argv[3]), Told())
"""


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such limits")
def test_when_memory_is_short_in_one_process_all_halve(small_cohort: Path, tmp_path: Path) -> None:
    plan = settings(steps=3, batch=512, variety=False, queries=36)
    script = tmp_path / "short.py"
    script.write_text(SHORT_OF_MEMORY, encoding="utf-8")
    torchrun = command(2, tmp_path)
    start = [*torchrun[: torchrun.index("-m", 2)], str(script), str(small_cohort), str(tmp_path / "two")]
    trimmed = {**environment(), "MALLOC_MMAP_THRESHOLD_": "65536"}
    done = subprocess.run(
        [*start, plan.model_dump_json()], check=False, env=trimmed, capture_output=True, text=True, timeout=200
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("Memory ran out: from step 0 on, 512 windows are run in") == 1, done.stdout
    pretrain(small_cohort, tmp_path / "one", plan.model_copy(update={"accumulate": 8}))
    np.testing.assert_allclose(curve(tmp_path / "two"), curve(tmp_path / "one"), atol=1e-5, rtol=0)


def test_seats_are_read_from_torchrun_and_slurm(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith(("SLURM_", "TORCHELASTIC_"))]:
        monkeypatch.delenv(name)
    assert seat() is None
    slurm = {"SLURM_PROCID": "5", "SLURM_NTASKS": "8", "SLURM_NNODES": "2"}
    for name, value in slurm.items():
        monkeypatch.setenv(name, value)
    assert seat() is None, "inside a job, but not started by srun"
    monkeypatch.setenv("SLURM_STEP_ID", "0")
    place = seat()
    assert place is not None
    assert (place.rank, place.world, place.devices, place.nodes) == (5, 8, 4, 2)
    elastic = {"TORCHELASTIC_RUN_ID": "x", "RANK": "1", "WORLD_SIZE": "2", "LOCAL_WORLD_SIZE": "2"}
    for name, value in elastic.items():
        monkeypatch.setenv(name, value)
    place = seat()
    assert place is not None
    assert (place.rank, place.world, place.devices, place.nodes) == (1, 2, 2, 1)


def test_a_job_on_a_worker_that_slurm_started_trains_by_itself(
    small_cohort: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    slurm = {"SLURM_PROCID": "1", "SLURM_NTASKS": "2", "SLURM_NNODES": "1", "SLURM_STEP_ID": "0"}
    for name, value in slurm.items():
        monkeypatch.setenv(name, value)
    params = {"cohort": str(small_cohort), "out": str(tmp_path / "out")}
    plan = settings(steps=2).model_dump(exclude={"seed"})
    assert job_function("pretrain")({**params, **plan}, Listener(), JobContext("1"))["steps"] == 2


def test_the_command_line_joins_when_torchrun_started_it_and_weights_can_be_spread(
    small_cohort: Path, tmp_path: Path
) -> None:
    torchrun = command(2, tmp_path)
    start = torchrun[: torchrun.index("-m", 2)]
    small = [f"--size={name}={value}" for name, value in SMALL.items()]
    words = ["pretrain", str(small_cohort), "--window", "60", "--evaluate-every", "3", "--threads", "1", *small]
    spread = [*words, "--out", str(tmp_path / "two"), "--strategy", "fsdp", "--accumulate", "2"]
    whole = [*start, "-m", "brainlm_engine", *spread, "--steps", "6", "--json"]
    for folder in ("one", "two"):  # two processes go on where one was
        assert main([*words, "--out", str(tmp_path / folder), "--steps", "3"]) == 0
    done = subprocess.run(whole, check=False, env=environment(), capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    assert done.stdout.count('"steps": 6') == 1
    assert done.stderr.count("2 processes trained together") == 1
    assert check(load_model(tmp_path / "two"), Card.load(tmp_path / "two")).ok
    assert main([*words, "--out", str(tmp_path / "one"), "--steps", "6"]) == 0
    for folder in ("one", "two"):  # and one goes on where two were
        assert main([*words, "--out", str(tmp_path / folder), "--steps", "9"]) == 0
    np.testing.assert_allclose(curve(tmp_path / "two"), curve(tmp_path / "one"), atol=1e-5, rtol=0)
