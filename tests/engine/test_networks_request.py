"""Networks from a real engine: the first answer, the controls behind it, the file, and the job."""

from __future__ import annotations

import asyncio
import csv
import io

import numpy as np
import pytest

from brainlm_engine.api.errors import BadInput
from brainlm_engine.atlas.registry import load_atlas
from brainlm_engine.jobs.context import recordings_dir
from brainlm_engine.recording import Recording

from .conftest import Engine, connected, ended, using_home

MODEL = "studio-tiny"


def put(engine: Engine, name: str, frames: int = 60, parcels: int = 48) -> None:
    """Keep a recording in the engine's home: cortical parcels of the default atlas, by position only."""
    atlas = load_atlas()
    chosen = np.flatnonzero(np.array(atlas.networks) != "")[:: len(atlas.names) // parcels][:parcels]
    series = np.random.default_rng(0).normal(size=(len(chosen), frames)).astype(np.float32)
    with using_home(engine.home):
        Recording(
            series=series, tr_s=0.72, xyz=atlas.xyz[chosen], missing=np.zeros(len(chosen), bool),
            coverage=np.ones(len(chosen), np.float32), atlas_id="", names=tuple(atlas.names[p] for p in chosen),
            networks=tuple(atlas.networks[p] for p in chosen),
        ).save(recordings_dir() / f"{name}.safetensors")  # fmt: skip


def test_first_answer_then_controls_then_file(engine: Engine) -> None:
    put(engine, "one")

    async def story() -> None:
        async with connected(engine) as client:
            first = await client.networks("one", MODEL, "attention", 3, controls=False)
            whole = await client.networks("one", MODEL, "attention", 3)
            assert not first.message.complete
            assert whole.message.complete
            scores = {score.method: score for score in whole.message.scores}
            assert {"noise", "added", "untrained"} <= set(scores) - {s.method for s in first.message.scores}
            assert all(repr(scores[score.method]) == repr(score) for score in first.message.scores)
            assert "With noise as input" in whole.message.verdict
            for name, array in first.arrays.items():
                np.testing.assert_array_equal(array, whole.arrays[name])
            asked = ("one", MODEL, "attention", 3, "")
            file = await client.networks_file(*asked, "n.csv", "labels")
            rows = list(csv.DictReader(io.StringIO(file.arrays["content"].tobytes().decode())))
            assert len(rows) == len(whole.arrays["labels"])
            with pytest.raises(BadInput, match="needs the atlas"):
                await client.networks_file(*asked, "n.nii.gz", "labels")
            with pytest.raises(BadInput, match="no longer held"):
                await client.networks_file("one", MODEL, "raw", 3, "", "n.csv", "labels")
            with pytest.raises(BadInput, match="cannot be compared by"):
                await client.networks("one", MODEL, "dreams")

    asyncio.run(story())


def test_responses_are_a_job(engine: Engine) -> None:
    put(engine, "two", parcels=16)

    async def story() -> None:
        async with connected(engine) as client:
            params = {"recording_id": "two", "model_id": MODEL, "source": "responses", "count": 2, "scaling": ""}
            job = await client.submit("networks", params, "Networks of two")
            done = await ended(client, job.job_id, 400)
            assert done.state.value == "done", done.error
            found = await client.networks_of_job(job.job_id)
            assert found.message.source == "responses"
            assert found.message.scores[0].method == "responses"
            assert (done.result or {})["verdict"] == found.message.verdict
            file = await client.networks_file("two", MODEL, "responses", 2, "", "n.csv", "labels")
            assert file.arrays["content"].size
            with pytest.raises(BadInput, match="not there or cannot be read"):
                await client.networks_of_job("nothing")

    asyncio.run(story())
