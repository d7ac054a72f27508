"""Occlusion: what changes is what the model makes of one parcel less, seen straight from the model."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from brainlm_engine.api.errors import BadInput
from brainlm_engine.cli import main
from brainlm_engine.cohort import zscored
from brainlm_engine.models import load_model
from brainlm_engine.models.base import MaskedModel
from brainlm_engine.recording import Recording
from brainlm_engine.tasks.occlusion import occlude
from brainlm_engine.tasks.reconstruct import predict
from brainlm_engine.tasks.recording import hide_each_once

Make = Callable[..., Recording]


@pytest.fixture(scope="module")
def model() -> MaskedModel:
    return load_model()


def test_one_parcel_straight_from_the_model(model: MaskedModel, make_recording: Make) -> None:
    recording = make_recording(1, frames=200)
    made = occlude(model, recording, [7])
    hidden, first = hide_each_once(36, 10, 18, np.random.default_rng(0))
    series = zscored(recording)[:, :200]
    change, error = np.zeros(36), np.zeros(36)
    for half in range(2):
        less = hidden[half].copy()
        less[7] = True
        before, after = (predict(model, series[None], recording, mask[None])[0] for mask in (hidden[half], less))
        scored = np.repeat(first[half], 20, 1)
        change += np.where(scored, (after - before) ** 2, 0).sum(1)
        error += np.where(scored, (after - series) ** 2 - (before - series) ** 2, 0).sum(1)
    others = np.delete(np.arange(36), 7)
    assert np.allclose(made.arrays["change"][others, 0], change[others] / 200, rtol=1e-3, atol=1e-7)
    assert np.allclose(made.arrays["error"][others, 0], error[others] / 200, rtol=1e-2, atol=1e-6)
    assert np.isnan(made.arrays["change"][7, 0])
    assert made.info.runs == 4
    assert (made.arrays["change"][others, 0] > 0).any()


def test_all_parcels_hold_what_one_does(model: MaskedModel, make_recording: Make) -> None:
    recording = make_recording(2, frames=100)
    every, one = occlude(model, recording), occlude(model, recording, [5])
    assert every.arrays["change"].shape == (36, 36)
    assert np.isnan(np.diag(every.arrays["change"])).all()
    assert np.allclose(every.arrays["change"][:, 5], one.arrays["change"][:, 0], rtol=1e-3, atol=1e-7, equal_nan=True)
    assert every.info.runs == 2 + 2 * 36


def test_parcels_left_out(model: MaskedModel, make_recording: Make) -> None:
    recording = make_recording(3, frames=100)
    missing = recording.missing.copy()
    missing[4] = True
    recording = replace(recording, missing=missing)
    made = occlude(model, recording, [5])
    assert np.isnan(made.arrays["change"][[4, 5], 0]).all()
    assert np.isfinite(np.delete(made.arrays["change"][:, 0], [4, 5])).all()
    with pytest.raises(BadInput, match="hiding it changes nothing"):
        occlude(model, recording, [4])
    with pytest.raises(BadInput, match="no parcel 99"):
        occlude(model, recording, [99])


def test_the_verb(make_recording: Make, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    make_recording(4, frames=100).save(path := tmp_path / "r.safetensors")
    words = ["attention", str(path), "--source", "occlusion", "--parcel", "3"]
    assert main([*words, "--out", str(tmp_path / "o.safetensors"), "--json"]) == 0
    said = json.loads(capsys.readouterr().out)
    assert said["runs"] == 4
    assert 3 not in [row["parcel"] for row in said["strongest"]]
    assert (tmp_path / "o.safetensors").is_file()
    assert main(words) == 0
    assert "not what the brain does" in capsys.readouterr().out
