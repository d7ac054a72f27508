"""Small recordings and a small cohort on disk, for the tests of training, tasks and evaluation."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from brainlm_engine.recording import Recording

SPLITS = ("train", "val", "test", "train", "train")


def wavy_recording(seed: int, frames: int = 240, tr_s: float = 0.72, parcels: int = 36) -> Recording:
    """Slow waves over space plus noise: near parcels go together, in everybody alike."""
    rng = np.random.default_rng(seed)
    xyz = np.random.default_rng(3).uniform(-60, 60, (parcels, 3)).astype(np.float32)
    waves = np.stack([np.ones(parcels), *(xyz.T / 40), np.abs(xyz[:, 0]) / 40])
    slow = np.cumsum(rng.standard_normal((len(waves), frames)), 1)
    slow = (slow - slow.mean(1, keepdims=True)) / slow.std(1, keepdims=True)
    series = 1000 + 10 * (waves.T @ slow + 0.7 * rng.standard_normal((parcels, frames)))
    return Recording(
        series=series.astype(np.float32), tr_s=tr_s, xyz=xyz, missing=np.zeros(parcels, bool),
        coverage=np.ones(parcels, np.float32), networks=tuple("AB"[index % 2] for index in range(parcels)),
        name=f"person {seed}",
    )  # fmt: skip


@pytest.fixture
def make_recording() -> Callable[..., Recording]:
    """Make a small recording: ``make_recording(seed, frames=240, tr_s=0.72, parcels=36)``."""
    return wavy_recording


@pytest.fixture
def small_cohort(tmp_path: Path) -> Path:
    """Ten people on disk: six to train on, two to look at, two to report on."""
    folder = tmp_path / "cohort"
    (folder / "recordings").mkdir(parents=True)
    rows = ["participant_id\tsplit"]
    for index in range(10):
        rows.append(f"sub-{index:02d}\t{SPLITS[index % 5]}")
        wavy_recording(index).save(folder / "recordings" / f"sub-{index:02d}_task-rest_run-1.safetensors")
    (folder / "participants.tsv").write_text("\n".join(rows) + "\n", encoding="utf-8")
    (folder / "dataset_description.json").write_text(json.dumps({"simulated": True}), encoding="utf-8")
    return folder
