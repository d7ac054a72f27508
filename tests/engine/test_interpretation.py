"""Looking into a model as the window does: one parcel hidden, all of them by a job, people contrasted by a job."""

from __future__ import annotations

import asyncio
from pathlib import Path

import numpy as np
import pytest

from brainlm_engine.api.errors import BadInput
from brainlm_engine.api.messages import JobState
from brainlm_engine.recording import Recording
from brainlm_engine.simulate import simulate_cohort

from .conftest import Engine, connected, ended

PARCELS = 24


def small(path: Path) -> Path:
    """Write a recording of a few parcels with positions."""
    rng = np.random.default_rng(0)
    series, xyz = np.cumsum(rng.standard_normal((PARCELS, 60)), 1), rng.uniform(-50, 50, (PARCELS, 3))
    none, all_of_it = np.zeros(PARCELS, bool), np.ones(PARCELS, np.float32)
    Recording(series.astype(np.float32), 0.72, xyz.astype(np.float32), none, all_of_it, name="small").save(path)
    return path


def test_parcels_hidden(engine: Engine, tmp_path: Path) -> None:
    path = small(tmp_path / "small.safetensors")

    async def talk() -> None:
        async with connected(engine) as client:
            params = {"path": str(path), "answers": {}, "atlas_id": ""}
            made = await ended(client, (await client.submit("table", params)).job_id)
            assert made.state is JobState.DONE, made.error
            recording_id = str((made.result or {})["recording_id"])
            one = await client.occlusion(recording_id, "studio-tiny", 5)
            assert one.arrays["change"].shape == (PARCELS, 1)
            job = await client.submit("occlude", {"recording_id": recording_id, "model_id": "studio-tiny"})
            done = await ended(client, job.job_id, timeout=240)
            assert done.state is JobState.DONE, done.error
            every = await client.occlusion_all(job.job_id)
            assert every.message.parcels == tuple(range(PARCELS))
            assert np.allclose(
                every.arrays["change"][:, 5], one.arrays["change"][:, 0], rtol=1e-3, atol=1e-7, equal_nan=True
            )
            with pytest.raises(BadInput, match="no parcel 99"):
                await client.occlusion(recording_id, "studio-tiny", 99)
            for wrong in ("nothing", "../recordings/x"):
                with pytest.raises(BadInput):
                    await client.occlusion_all(wrong)

    asyncio.run(talk())


def test_people_contrasted(engine: Engine, tmp_path: Path) -> None:
    people = simulate_cohort(tmp_path / "people", 4, n_frames=40, tasks=("rest", "visual")).folder

    async def talk() -> None:
        async with connected(engine) as client:
            choices = await client.contrast_choices(people)
            assert choices.columns["task"] == ("rest", "visual")
            assert next(iter(choices.columns)) == "task"
            assert "age" in choices.numbers
            assert "participants.tsv" in (await client.contrast_choices(tmp_path)).problem
            params = {
                "model": "studio-tiny", "cohort": str(people), "column": "task", "first": "rest", "second": "visual",
                "permutations": 100,
            }  # fmt: skip
            job = await client.submit("contrast", params)
            done = await ended(client, job.job_id, timeout=240)
            assert done.state is JobState.DONE, done.error
            found = await client.contrast_result(job.job_id)
            assert found.message.people == (4, 4)
            assert found.message.verdict == (done.result or {})["verdict"]
            assert found.arrays["attention_t"].shape == (424,)
            assert np.isfinite(found.arrays["strength_t"]).all()
            wrong = await ended(client, (await client.submit("contrast", {**params, "second": "music"})).job_id)
            assert wrong.error is not None
            assert "no recordings of the task “music”" in wrong.error.message
            with pytest.raises(BadInput, match="Run it again"):
                await client.contrast_result("nothing")

    asyncio.run(talk())
