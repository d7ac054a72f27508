"""Perturbing as the window does: previews while a target is dragged, the whole answer when it is let go."""

from __future__ import annotations

import asyncio
from pathlib import Path

import numpy as np
import pytest

from brainlm_engine.api.errors import BadInput, Cancelled
from brainlm_engine.api.messages import JobState
from brainlm_engine.api.perturb import Scenario, Target
from brainlm_engine.api.steer import Aim, SteerSpec
from brainlm_engine.recording import Recording

from .conftest import Engine, connected, ended
from .test_interpretation import PARCELS, small


def test_previews_and_the_whole_answer(engine: Engine, tmp_path: Path) -> None:
    path = small(tmp_path / "small.safetensors")

    def asked(value: float, nulls: int = 0) -> Scenario:
        return Scenario(targets=(Target(regions=(5,), start=25, stop=45, value=value),), nulls=nulls)

    async def talk() -> None:
        async with connected(engine) as client:
            params = {"path": str(path), "answers": {}, "atlas_id": ""}
            made = await ended(client, (await client.submit("table", params)).job_id)
            assert made.state is JobState.DONE, made.error
            recording_id = str((made.result or {})["recording_id"])
            whole = await client.perturb(recording_id, "studio-tiny", asked(1.5, nulls=3), judged=True)
            assert whole.message.nulls == 3
            assert whole.message.scenario == asked(1.5, nulls=3)
            assert whole.arrays["perturbed"].shape[0] == PARCELS
            exact = await client.perturb_preview(recording_id, "studio-tiny", asked(1.5), 0)
            assert exact.message.exact
            assert np.allclose(exact.arrays["perturbed"], whole.arrays["perturbed"], atol=1e-5, equal_nan=True)
            between = await client.perturb_preview(recording_id, "studio-tiny", asked(1.0), 0)
            assert not between.message.exact
            assert np.abs(between.arrays["effect"][:5]).max() > 0
            plain = await client.perturb(recording_id, "studio-tiny", asked(1.5, nulls=3))
            assert plain.message.nulls == 0
            file = await client.perturb_file("effect.csv")
            assert b"treatment" in file.arrays["content"].tobytes()
            judged = asyncio.create_task(
                client.perturb(recording_id, "studio-tiny", asked(1.5, nulls=999), judged=True)
            )
            for _ in range(40):  # however late it begins, what is asked for after that ends it
                await asyncio.sleep(0.3)
                await client.perturb(recording_id, "studio-tiny", asked(1.0))
                if judged.done():
                    break
            with pytest.raises(Cancelled):
                await judged
            with pytest.raises(BadInput, match="no target 3"):
                await client.perturb_preview(recording_id, "studio-tiny", asked(1.0), 2)
            with pytest.raises(BadInput, match="hardly any value"):
                await client.perturb_preview(recording_id, "studio-tiny", asked(20.0), 0)

    asyncio.run(talk())


def test_a_search_is_watched_and_ended(engine: Engine, tmp_path: Path) -> None:
    path = small(tmp_path / "small.safetensors")
    other = Recording.load(path)
    other.series[3:6] += 3 * np.sin(np.arange(60) / 5)
    other.save(tmp_path / "other.safetensors")

    async def talk() -> None:
        async with connected(engine) as client:
            ids = []
            for each in (path, tmp_path / "other.safetensors"):
                params = {"path": str(each), "answers": {}, "atlas_id": ""}
                made = await ended(client, (await client.submit("table", params)).job_id)
                assert made.state is JobState.DONE, made.error
                ids.append(str((made.result or {})["recording_id"]))
            aim = Aim(kind="recordings", recordings=(ids[1],))
            spec = SteerSpec(aim=aim, steps=8, restarts=1, nulls=3)
            found = await client.steer(ids[0], "studio-tiny", spec)
            assert found.message.left < 0.9
            assert found.arrays["magnitude"].shape == (PARCELS,)
            assert not found.message.stopped
            file = await client.steer_file("change.csv")
            assert b"magnitude_sd" in file.arrays["content"].tobytes()
            long = spec.model_copy(update={"steps": 1000, "restarts": 20, "method": "adam"})
            for keep in (True, False):
                searching = asyncio.create_task(client.steer(ids[0], "studio-tiny", long))
                while True:
                    so_far = await client.steer_so_far()
                    if so_far.message.running and len(so_far.message.curve) > 3 and not searching.done():
                        break
                    await asyncio.sleep(0.05)
                assert so_far.arrays["magnitude"].shape == (PARCELS,)
                await client.steer_end(keep=keep)
                if keep:
                    answer = await searching
                    assert answer.message.stopped
                    assert answer.message.left < 1
                else:
                    with pytest.raises(Cancelled):
                        await searching
                assert not (await client.steer_so_far()).message.running
            with pytest.raises(BadInput, match="no file of a change"):
                await client.steer_file("change.png")

    asyncio.run(talk())
