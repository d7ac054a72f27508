"""Maps from parcel to parcel: shares that sum to one, parcels left out are nowhere, any architecture."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from brainlm_engine.api.errors import BadInput
from brainlm_engine.cli import main
from brainlm_engine.cohort import zscored
from brainlm_engine.models import load_model
from brainlm_engine.models.base import MaskedModel
from brainlm_engine.models.brainlm_13m import BrainLM13M, Config13M
from brainlm_engine.recording import Recording
from brainlm_engine.tasks.parcel_maps import chosen_map, parcel_maps

Make = Callable[..., Recording]


@pytest.fixture(scope="module")
def model() -> MaskedModel:
    return load_model()


def test_shares_of_one_window(model: MaskedModel, make_recording: Make) -> None:
    recording = make_recording(1, frames=200)
    made = parcel_maps(model, recording)
    assert (made.info.layers, made.info.heads, made.info.windows) == (4, 4, 1)
    maps = made.arrays["maps"].astype(np.float64)
    assert maps.shape == (4, 4, 36, 36)
    assert np.allclose(maps.sum(-1), 1, atol=0.01)
    assert np.allclose(made.arrays["summary"].astype(np.float64).sum(-1), 1, atol=0.01)
    assert np.allclose(made.arrays["rollout"].sum(1), 1, atol=1e-4)
    expected = np.corrcoef(zscored(recording))
    assert np.allclose(made.arrays["connectivity"], expected, atol=1e-4)
    signal = torch.from_numpy(zscored(recording))[None]
    with torch.inference_mode():
        output = model(
            signal, torch.from_numpy(recording.xyz)[None], mask=torch.zeros(1, 36, 10, dtype=torch.bool), tr_s=0.72,
            attentions=True,
        )  # fmt: skip
    among = output.attentions[0][0, :, :, -36:, -36:].sum(0)
    among = among / among.sum(-1, keepdim=True)
    assert np.allclose(maps[0], among.numpy(), atol=2e-4), "the first layer, straight from the model"


def test_parcels_left_out_are_nowhere(model: MaskedModel, make_recording: Make) -> None:
    recording = make_recording(2)
    missing, xyz = recording.missing.copy(), recording.xyz.copy()
    missing[4], xyz[5] = True, np.nan
    made = parcel_maps(model, replace(recording, missing=missing, xyz=xyz))
    for name in ("rollout", "embedding"):
        shown = made.arrays[name]
        assert np.isnan(shown[[4, 5]]).all()
        assert np.isnan(shown[:, [4, 5]]).all()
        assert np.isfinite(np.delete(np.delete(shown, [4, 5], 0), [4, 5], 1)).all()
    assert any("2 of 36" in note for note in made.info.notes)


def test_the_published_architecture_too(make_recording: Make) -> None:
    torch.manual_seed(0)
    small = {"hidden_size": 32, "decoder_hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 2}
    config = Config13M(**small, decoder_num_attention_heads=2, num_brain_voxels=36, timepoint_patching_size=20)
    made = parcel_maps(BrainLM13M(config).eval(), make_recording(3, frames=100), frames=100)
    assert made.arrays["maps"].shape == (2, 2, 36, 36)
    assert np.allclose(made.arrays["maps"].astype(np.float64).sum(-1), 1, atol=0.01)


def test_one_map_by_name(model: MaskedModel, make_recording: Make) -> None:
    made = parcel_maps(model, make_recording(1, frames=200))
    assert np.allclose(chosen_map(made, "attention", layer=made.layer), made.shares)
    assert np.array_equal(chosen_map(made, "attention", 2, 3), made.arrays["maps"][1, 2].astype(np.float32))
    with pytest.raises(BadInput, match="no layer 9"):
        chosen_map(made, "attention", 9)


def test_the_verb(make_recording: Make, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    recording = make_recording(4)
    recording.save(path := tmp_path / "r.safetensors")
    assert main(["attention", str(path), "--parcel", "3", "--out", str(tmp_path / "maps.safetensors"), "--json"]) == 0
    said = json.loads(capsys.readouterr().out)
    row = chosen_map(parcel_maps(load_model(), recording), "attention")[2].copy()
    row[2] = -1
    assert said["strongest"][0]["parcel"] == int(row.argmax()) + 1
    assert (tmp_path / "maps.safetensors").is_file()
    assert main(["attention", str(path), "--parcel", "37"]) == 2
    assert "There is no parcel 37" in capsys.readouterr().err
    assert main(["attention", str(path), "--parcel", "1"]) == 0
    assert "not what causes what" in capsys.readouterr().out
