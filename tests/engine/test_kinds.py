"""Every kind of job that makes something: the demo scan, a cohort, a model trained on it, an atlas."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
import pytest

from brainlm_engine.api.messages import JobRecord, JobState
from brainlm_engine.atlas import load_atlas
from brainlm_engine.jobs.kinds import KINDS, job_function

from .conftest import Engine, connected, ended


def _do(engine: Engine, kind: str, params: dict[str, Any]) -> JobRecord:
    async def talk() -> JobRecord:
        async with connected(engine) as client:
            return await ended(client, (await client.submit(kind, params)).job_id, timeout=120)

    return asyncio.run(talk())


def _result(engine: Engine, kind: str, params: dict[str, Any]) -> dict[str, Any]:
    job = _do(engine, kind, params)
    assert job.state is JobState.DONE, job.error
    assert job.result is not None
    return job.result


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_has_its_function(kind: str) -> None:
    assert callable(job_function(kind))


def test_the_demo_scan(engine: Engine) -> None:
    path = Path(_result(engine, "demo", {"n_frames": 20})["path"])
    assert nib.nifti1.load(path).shape[3] == 20


def test_a_cohort_and_a_model_trained_on_it(engine: Engine, tmp_path: Path) -> None:
    cohort, model = tmp_path / "cohort", tmp_path / "model"
    made = _result(engine, "simulate_cohort", {"out": str(cohort), "n_people": 12, "n_frames": 120})
    assert (made["n_people"], made["made"]) == (12, 12)
    settings = {"steps": 2, "batch": 2, "window_frames": 60, "threads": 1, "queries": 16, "title": "Tiny"}
    trained = _result(engine, "pretrain", {"cohort": str(cohort), "out": str(model), **settings})
    assert trained["steps"] == 2
    assert (model / "model.safetensors").is_file()
    longer = {"cohort": str(cohort), "out": str(model), **settings, "steps": 4, "devices": 2}
    assert _result(engine, "pretrain", longer)["steps"] == 4  # two processes go on where one stopped


def test_settings_that_make_no_sense_are_a_sentence(engine: Engine, tmp_path: Path) -> None:
    job = _do(engine, "pretrain", {"cohort": str(tmp_path), "out": str(tmp_path / "m"), "steps": -1})
    assert job.error is not None
    assert job.error.code == "bad_input"
    assert job.error.message == ("The setting steps of the training should be greater than or equal to 1; it is -1.")


def test_adding_an_atlas(engine: Engine, tmp_path: Path) -> None:
    ours = load_atlas("mni424")
    merged = ((ours.labels.astype(np.int16) + 9) // 10).astype(np.int16)
    nib.save(nib.Nifti1Image(merged, ours.affine), tmp_path / "own.nii.gz")
    params = {"label_file": str(tmp_path / "own.nii.gz"), "table_file": None, "atlas_id": "own", "title": "Own atlas"}
    assert _result(engine, "add_atlas", params) == {"atlas_id": "own", "n_parcels": 43}

    async def listed() -> list[str]:
        async with connected(engine) as client:
            return [atlas.atlas_id for atlas in (await client.atlases()).atlases]

    assert "own" in asyncio.run(listed())


def test_fetching_an_atlas_nobody_offers_is_a_sentence(engine: Engine) -> None:
    job = _do(engine, "fetch_atlas", {"atlas_id": "nonesuch"})
    assert job.error is not None
    assert job.error.code == "bad_input"
    assert "nonesuch" in job.error.message
