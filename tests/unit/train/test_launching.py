"""The same training, launched elsewhere: as submitit's job (its local executor), and as a task of a Dask cluster."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from small_trainings import SMALL, Listener, curve, settings

from brainlm_engine.api.errors import BadInput, Cancelled
from brainlm_engine.cli import main
from brainlm_engine.models.card import Card
from brainlm_engine.train import pretrain
from brainlm_engine.train.checkpoint import CHECKPOINT
from brainlm_engine.train.mailbox import CLUSTER, Mailbox
from brainlm_engine.train.slurm import parameters
from brainlm_engine.training_folder import checkpoint_step

posix = pytest.mark.skipif(sys.platform == "win32", reason="SLURM and submitit are for POSIX systems")
LOCAL: dict[str, Any] = {"launch": "slurm", "cluster": {"executor": "local"}}


class StopsAfter(Listener):
    """A person who stops when some steps are done."""

    def __init__(self, step: int) -> None:
        super().__init__()
        self.step = step

    def __call__(self, fraction: float, stage: str = "") -> None:
        if stage.startswith("Training, step") and int(stage.rpartition(" ")[2]) >= self.step:
            raise Cancelled("Stopped by hand.")


@posix
def test_a_job_of_two_processes_learns_what_one_does(small_cohort: Path, tmp_path: Path) -> None:
    plan = settings(steps=6, batch=4, evaluate_every=2, **LOCAL)
    told = Listener()
    made = pretrain(small_cohort, tmp_path / "job", plan.model_copy(update={"devices": 2}), told)
    assert (made.steps, made.folder) == (6, tmp_path / "job")
    handed, *lines = told.lines
    assert "was handed over. Logs:" in handed
    assert "Watch: ps -p" in handed
    assert "2 processes trained together" in lines
    (box,) = (tmp_path / "job" / CLUSTER).iterdir()
    assert str(box) in handed
    assert len(list(box.glob("*_log.err"))) == 2
    pretrain(small_cohort, tmp_path / "here", settings(steps=6, batch=4, evaluate_every=2))
    np.testing.assert_allclose(curve(made.folder), curve(tmp_path / "here"), atol=1e-5, rtol=0)
    card = Card.load(made.folder).training["settings"]
    assert "cluster" not in card, "whose account it was is nobody's business"


@posix
def test_a_job_stops_with_a_checkpoint_when_asked(small_cohort: Path, tmp_path: Path) -> None:
    plan = settings(steps=100_000, checkpoint_every=100_000, evaluate_every=100, **LOCAL)
    with pytest.raises(Cancelled, match="by hand"):
        pretrain(small_cohort, tmp_path / "job", plan, StopsAfter(5))
    assert checkpoint_step(tmp_path / "job") >= 5


@posix
def test_a_job_goes_on_without_its_follower_who_comes_back(small_cohort: Path, tmp_path: Path) -> None:
    out = tmp_path / "job"
    small = [f"--size={name}={value}" for name, value in SMALL.items()]
    words = [
        "pretrain", str(small_cohort), "--out", str(out), "--window", "60", "--steps", "100000", "--threads", "1",
        "--evaluate-every", "5", "--launch", "slurm", "--submitit", "local", "--json", *small,
    ]  # fmt: skip
    with (tmp_path / "handed").open("w+") as handed:  # the job keeps it open
        subprocess.run([sys.executable, "-m", "brainlm_engine", *words, "--detach"], check=True, stdout=handed)
        handed.seek(0)
        job = json.load(handed)
    assert Path(job["logs"]).parent == out / CLUSTER
    until = time.monotonic() + 100
    while not (out / CHECKPOINT).exists() and time.monotonic() < until:
        time.sleep(0.1)
    follower = subprocess.Popen(
        [sys.executable, "-m", "brainlm_engine", *words], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    try:
        assert follower.stderr is not None
        first = follower.stderr.readline()
        assert f"Job {job['job']} on this computer is doing this training already and is followed." in first
    finally:
        Mailbox(Path(job["logs"])).ask_to_stop()
        told, _ = follower.communicate(timeout=100)
    assert json.loads(told)["error"]["code"] == "cancelled"
    assert checkpoint_step(out) >= 5


@posix
def test_what_slurm_is_asked_for(small_cohort: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cluster = {"partition": "gpu", "account": "lab", "minutes": 90, "memory_gb": 64}
    plan = settings(steps=2, batch=16, launch="slurm", devices=4, nodes=2, cluster=cluster)
    asked = parameters(plan.model_copy(update={"device": "cuda"}), "mine")
    assert asked["gpus_per_node"] == 4
    with pytest.raises(BadInput, match="no SLURM on this computer"):
        pretrain(small_cohort, tmp_path / "job", plan)
    programs = tmp_path / "bin"  # SLURM's own commands, as far as handing over needs them
    programs.mkdir()
    sbatch = f"cp $1 {tmp_path}/script; echo Submitted batch job 4242"
    for name, text in {"sbatch": sbatch, "srun": "", "sacct": ""}.items():
        (programs / name).write_text(f"#!/bin/sh\n{text}\n", encoding="utf-8")
        (programs / name).chmod(0o755)
    monkeypatch.setenv("PATH", f"{programs}{os.pathsep}{os.environ['PATH']}")
    words = ["pretrain", str(small_cohort), "--out", str(tmp_path / "mine"), "--steps", "2", "--launch", "slurm"]
    more = ["--nodes", "2", "--devices", "4", "--partition", "gpu", "--account", "lab", "--time-limit", "90"]
    assert main([*words, *more, "--batch", "16", "--detach"]) == 0
    script = (tmp_path / "script").read_text(encoding="utf-8")
    for line in ("partition=gpu", "account=lab", "time=90", "nodes=2", "ntasks-per-node=4", "job-name=brainlm-mine"):
        assert f"#SBATCH --{line}\n" in script
    assert "--kill-on-bad-exit=1" in script
    assert str(tmp_path / "mine" / CLUSTER) in script
    shutil.rmtree(programs)


@pytest.fixture
def _cluster_of_a_person() -> Iterator[None]:
    """Outside the engine, whose connections are all encrypted; other tests may have started one in this process."""
    import dask
    import distributed  # noqa: F401 (its settings must be there first)

    with dask.config.set({"distributed.comm.require-encryption": False}):
        yield


@pytest.mark.usefixtures("_cluster_of_a_person")
def test_a_task_of_a_dask_cluster(small_cohort: Path, tmp_path: Path) -> None:
    from distributed import LocalCluster

    plan = settings(steps=6, evaluate_every=2, launch="dask", cluster={"resources": {"TRAINING": 1}})
    with LocalCluster(
        n_workers=1, threads_per_worker=1, dashboard_address=None, host="127.0.0.1", resources={"TRAINING": 1}
    ) as cluster:
        there = plan.cluster.model_copy(update={"address": cluster.scheduler_address})
        told = Listener()
        made = pretrain(small_cohort, tmp_path / "out", plan.model_copy(update={"cluster": there}), told)
        assert "of the Dask cluster at" in told.lines[0]
        assert made.steps == 6
        pretrain(small_cohort, tmp_path / "here", settings(steps=6, evaluate_every=2))
        assert curve(tmp_path / "out") == curve(tmp_path / "here")
        endless = {"steps": 100_000, "checkpoint_every": 100_000, "evaluate_every": 100, "cluster": there}
        with pytest.raises(Cancelled, match="by hand"):
            pretrain(small_cohort, tmp_path / "stopped", plan.model_copy(update=endless), StopsAfter(5))
        assert checkpoint_step(tmp_path / "stopped") >= 5


@pytest.mark.parametrize("encrypted", [False, True], ids=["outside", "in the engine"])
def test_a_dask_cluster_of_its_own_trains_in_two_processes(small_cohort: Path, tmp_path: Path, encrypted: bool) -> None:
    import dask
    import distributed  # noqa: F401

    with dask.config.set({"distributed.comm.require-encryption": encrypted}):
        trained_in_two_processes(small_cohort, tmp_path)


def trained_in_two_processes(small_cohort: Path, tmp_path: Path) -> None:
    told = Listener()
    made = pretrain(small_cohort, tmp_path / "out", settings(steps=2, launch="dask", devices=2), told)
    assert made.steps == 2
    assert "2 processes trained together" in told.lines


def test_no_scheduler_at_the_address(small_cohort: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("brainlm_engine.train.dask_task._CONNECT_S", 1)
    plan = settings(steps=2, launch="dask", cluster={"address": "tcp://127.0.0.1:9"})
    with pytest.raises(BadInput, match="No Dask scheduler answers at tcp://127.0.0.1:9"):
        pretrain(small_cohort, tmp_path / "out", plan)
