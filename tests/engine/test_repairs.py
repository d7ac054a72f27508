"""Repair as a job: looked for, written, refused, stopped; and a painted mask in a request."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import numpy as np

from brainlm_engine.api.messages import JobState, MaskSpec
from brainlm_engine.api.repair import RepairInfo, filled_in
from brainlm_engine.jobs.context import recordings_dir
from brainlm_engine.recording import Recording

from .conftest import Engine, connected, ended, using_home

RECORDING = "0123456789abcdef"


def _keep(engine: Engine) -> Recording:
    """Put a recording with two dropped parcels into the engine's study."""
    rng = np.random.default_rng(0)
    xyz = rng.uniform(-60, 60, (60, 3)).astype(np.float32)
    waves = np.stack([np.ones(60), *(xyz.T / 50)])
    slow = np.stack([np.convolve(rng.standard_normal(250), np.ones(11), "valid") for _ in waves])
    series = (1000 + 5 * waves.T @ slow + rng.standard_normal((60, 240))).astype(np.float32)
    series[[3, 40]] = np.nan
    missing = np.isin(np.arange(60), (3, 40))
    made = Recording(
        series, 0.72, xyz, missing, np.ones(60, np.float32), networks=("A", "B", "") * 20, name="kept"
    )  # fmt: skip
    with using_home(engine.home):
        made.save(recordings_dir() / f"{RECORDING}.safetensors")
    return made


def test_looked_for_written_and_refused(engine: Engine, tmp_path: Path) -> None:
    recording, out = _keep(engine), tmp_path / "new.safetensors"
    params = {"recording_id": RECORDING, "model_id": "studio-tiny", "spec": {"dvars": False, "method": "best"}}

    async def talk() -> None:
        async with connected(engine) as client:
            look = await ended(client, (await client.submit("repair", params)).job_id, timeout=120)
            assert look.state is JobState.DONE, look.error
            found = RepairInfo.model_validate((look.result or {})["info"])
            assert found.parcels == (3, 40)
            assert found.written == ""
            assert [kind.kind for kind in found.kinds] == ["parcels"]
            job = await client.submit("repair", {**params, "out": str(out)})
            done = await ended(client, job.job_id, timeout=120)
            assert done.state is JobState.DONE, done.error
            again = await ended(client, (await client.submit("repair", {**params, "out": str(out)})).job_id)
            assert again.error is not None
            assert "is there already" in again.error.message

    asyncio.run(talk())
    made = Recording.load(out)
    filled = filled_in(made.provenance, 60, 240)
    assert filled is not None
    assert np.flatnonzero(filled.all(1)).tolist() == [3, 40]
    assert np.array_equal(made.series[~filled], recording.series[~filled])
    assert json.loads(out.with_suffix(".json").read_text("utf-8"))["Repairs"][0]["model"] == "studio-tiny"


def test_a_stopped_repair_leaves_nothing(engine: Engine, tmp_path: Path) -> None:
    _keep(engine)
    params = {"recording_id": RECORDING, "model_id": "studio-tiny", "out": str(tmp_path / "n.safetensors")}

    async def talk() -> None:
        async with connected(engine) as client:
            job = await client.submit("repair", params)
            await client.cancel(job.job_id)
            assert (await ended(client, job.job_id)).state is JobState.CANCELLED

    asyncio.run(talk())
    assert list(tmp_path.iterdir()) == []


def test_a_painted_mask_and_scores_of_parts(engine: Engine) -> None:
    _keep(engine)

    async def talk() -> None:
        async with connected(engine) as client:
            mask = MaskSpec(kind="painted", patches=((0, 1), (1, 1), (5, 4)))
            answer = await client.reconstruct(RECORDING, "studio-tiny", 0, mask)
            assert np.argwhere(answer.arrays["mask"]).tolist() == [[0, 1], [1, 1], [5, 4]]
            assert [part.network for part in answer.message.networks] == ["A", "B", "none"]
            methods = len(answer.message.scores)
            assert answer.arrays["by_frame"].shape == (methods, 3, answer.message.n_frames)
            assert np.isfinite(answer.arrays["by_frame"][0, 2]).sum() == 40
            assert np.isfinite(answer.arrays["by_parcel"][0, 2]).sum() == 3

    asyncio.run(talk())
