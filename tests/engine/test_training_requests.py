"""Trainings as the window follows them: cohorts, curves while the engine writes, pause, continuation, evaluation."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from brainlm_engine.api.client import EngineClient
from brainlm_engine.api.errors import BadInput
from brainlm_engine.api.messages import JobState
from brainlm_engine.api.training import TrainingInfo

from .conftest import Engine, connected, ended

SETTINGS: dict[str, Any] = {
    "batch": 2, "window_frames": 60, "threads": 1, "queries": 16, "evaluate_every": 2, "checkpoint_every": 2,
    "model": {
        "width": 16, "heads": 2, "encoder_layers": 1, "decoder_layers": 1, "registers": 2, "factors": 8,
        "place_width": 24,
    },
}  # fmt: skip


async def made_cohort(client: EngineClient, folder: Path) -> Path:
    job = await client.submit("simulate_cohort", {"out": str(folder), "n_people": 12, "n_frames": 120})
    assert (await ended(client, job.job_id)).state is JobState.DONE
    return folder


async def learned(client: EngineClient, job_id: str, points: int) -> TrainingInfo:
    """Wait until the curve has some points."""
    for _ in range(1500):
        told = (await client.training(job_id)).message
        if len(told.points) >= points or told.state.ended:
            return told
        await asyncio.sleep(0.03)
    raise AssertionError("the curve stays empty")


def test_from_a_cohort_to_an_evaluated_model(engine: Engine, tmp_path: Path) -> None:
    async def talk() -> None:
        async with connected(engine) as client:
            cohort = await made_cohort(client, tmp_path / "people")
            looked = await client.inspect_cohort(cohort)
            assert (looked.problem, looked.n_parcels, looked.n_frames, looked.simulated) == ("", 424, 120, True)
            assert sum(looked.people.values()) == 12
            assert "is not a cohort" in (await client.inspect_cohort(tmp_path)).problem

            params = {"cohort": str(cohort), "model_id": "mine", "title": "Mine", "steps": 4000, **SETTINGS}
            estimate = await client.pretrain_estimate(params)
            assert (estimate.fits, estimate.parts, estimate.steps) == (True, 1, 4000)
            assert "4000 steps take about" in estimate.sentence
            assert estimate.look_s > 0
            with pytest.raises(BadInput, match="exactly 424 parcels and 200 frames"):
                await client.pretrain_estimate(
                    {"cohort": str(cohort), "architecture": "brainlm-vitmae", "steps": 1, "window_frames": 100}
                )
            job = await client.submit("pretrain", params, "Train")
            told = await learned(client, job.job_id, 2)
            assert told.state is JobState.RUNNING, told.problem
            assert told.simulated
            assert {level.method for level in told.levels} >= {"ridge_people", "mean"}
            await client.cancel(job.job_id)
            assert (await ended(client, job.job_id)).state is JobState.CANCELLED
            paused = (await client.training(job.job_id)).message
            assert paused.resumable
            assert not paused.usable
            assert paused.step >= told.points[-1].step

            again = await client.submit("pretrain", {**paused.params, "steps": paused.step + 4}, "Train")
            done = await ended(client, again.job_id)
            assert done.state is JobState.DONE, done.error
            assert done.result is not None
            assert done.result["steps"] == paused.step + 4
            assert "mine" in [model.model_id for model in (await client.models()).models]

            scored = await client.submit("evaluate", {"model": "mine", "data": str(cohort), "threads": 1})
            assert (await ended(client, scored.job_id)).state is JobState.DONE
            reply = await client.training(job.job_id)
            final = reply.message
            assert (final.job_id, final.usable, final.resumable) == (again.job_id, True, False)
            assert final.evaluation is not None
            assert [row.method for row in final.evaluation.rows][:2] == ["model", "ridge_people"]
            assert final.evaluation.verdict.endswith(".")
            assert final.preview is not None
            assert final.preview.names[0] != "Parcel 1"
            assert reply.arrays["measured"].shape == reply.arrays["predicted"].shape
            assert np.isfinite(reply.arrays["measured"]).all()

            (listed,) = (await client.trainings()).trainings
            assert (listed.title, listed.cohort_name, listed.points) == ("Mine", "people", ())
            assert str(cohort) in [info.path for info in (await client.cohorts()).cohorts]
            with pytest.raises(BadInput, match="no training"):
                await client.training("gone")

    asyncio.run(talk())


def test_a_training_whose_engine_was_killed_can_go_on(make_engine: Callable[..., Engine], tmp_path: Path) -> None:
    running = make_engine()

    async def until_killed() -> tuple[str, int]:
        async with connected(running) as client:
            cohort = await made_cohort(client, tmp_path / "people")
            params = {"cohort": str(cohort), "model_id": "mine", "steps": 4000, **SETTINGS}
            job = await client.submit("pretrain", params, "Train")
            told = await learned(client, job.job_id, 3)
            for process in running.tree:
                os.kill(process.pid, signal.SIGKILL)
            return job.job_id, told.points[-1].step

    job_id, step = asyncio.run(until_killed())
    running.process.wait()

    async def after() -> None:
        async with connected(make_engine()) as client:
            told = (await client.training(job_id)).message
            assert told.state is JobState.INTERRUPTED
            assert told.resumable
            assert told.step >= step
            again = await client.submit("pretrain", {**told.params, "steps": told.step + 2}, "Train")
            done = await ended(client, again.job_id)
            assert done.state is JobState.DONE, done.error
            steps = [point.step for point in (await client.training(again.job_id)).message.points]
            assert steps == sorted(set(steps))
            assert steps[:2] == [1, 2]

    asyncio.run(after())


def test_a_training_that_came_to_no_number_is_resumed_with_a_smaller_rate(engine: Engine, tmp_path: Path) -> None:
    async def talk() -> str:
        async with connected(engine) as client:
            cohort = await made_cohort(client, tmp_path / "people")
            params = {"cohort": str(cohort), "model_id": "wild", "learning_rate": 1e-3, **SETTINGS}
            first = await client.submit("pretrain", {**params, "steps": 4}, "Train")
            assert (await ended(client, first.job_id)).state is JobState.DONE
            wild = await client.submit("pretrain", {**params, "steps": 40, "learning_rate": 1e19}, "Train")
            failed = await ended(client, wild.job_id)
            assert failed.error is not None
            assert failed.error.code == "not_a_number"
            told = (await client.training(wild.job_id)).message
            assert (told.spoiled, told.resumable, told.learning_rate, told.step) == (True, True, 1e19, 4)
            assert "smaller learning rate" in told.next_step
            return wild.job_id

    job_id = asyncio.run(talk())
    command = [sys.executable, "-m", "brainlm_engine", "jobs", "resume", job_id, "--learning-rate", "5e-4", "--wait"]
    environment = {**os.environ, "BRAINLM_HOME": str(engine.home)}
    made = subprocess.run([*command, "--json"], env=environment, capture_output=True, text=True, check=True)
    again = json.loads(made.stdout)
    assert (again["state"], again["params"]["learning_rate"], again["params"]["steps"]) == ("done", 5e-4, 40)

    async def after() -> None:
        async with connected(engine) as client:
            told = (await client.training(again["job_id"])).message
            assert not told.spoiled
            assert told.rates == "Learning rate lowered from 0.001 to 0.0005 at step 4."
            assert told.step == 40
            other = await client.submit("demo_cohort", {"size": "none"})
            await ended(client, other.job_id)
            refused = subprocess.run(
                [*command[:5], other.job_id, "--learning-rate", "1"],
                env=environment,
                capture_output=True,
                text=True,
                check=False,
            )
            assert refused.returncode == 2
            assert "is no training" in refused.stderr + refused.stdout

    asyncio.run(after())


def test_what_can_be_chosen(engine: Engine) -> None:
    async def talk() -> None:
        async with connected(engine) as client:
            choices = await client.training_choices()
            assert [size.size_id for size in choices.sizes if not size.published] == [
                "mini", "tiny", "small", "base", "large",
            ]  # fmt: skip
            assert [size.size_id for size in choices.sizes if size.published] == [
                "brainlm-13m", "brainlm-vitmae", "brainlm-causal",
            ]  # fmt: skip
            assert choices.devices[0] == "cpu"
            assert choices.launches[0] == "here"

    asyncio.run(talk())


@pytest.mark.parametrize("model_id", ["", "../elsewhere", ".hidden"])
def test_a_model_needs_a_plain_name(engine: Engine, tmp_path: Path, model_id: str) -> None:
    async def talk() -> None:
        async with connected(engine) as client:
            params = {"cohort": str(tmp_path), "model_id": model_id, "steps": 1}
            failed = await ended(client, (await client.submit("pretrain", params)).job_id)
            assert failed.error is not None
            assert failed.error.code == "bad_input"

    asyncio.run(talk())
