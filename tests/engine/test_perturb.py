"""Perturbing as the window does: previews while a target is dragged, the whole answer when it is let go."""

from __future__ import annotations

import asyncio
from pathlib import Path

import numpy as np
import pytest

from brainlm_engine.api.errors import BadInput, Cancelled
from brainlm_engine.api.messages import JobState
from brainlm_engine.api.perturb import Scenario, Target

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
