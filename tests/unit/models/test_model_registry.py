"""Model folders: what is read, and what is refused in which words."""

from __future__ import annotations

import json
import pickle
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from brainlm_engine.api.errors import BadInput
from brainlm_engine.api.messages import ModelInfo
from brainlm_engine.models import DEFAULT_MODEL, list_models, load_model
from brainlm_engine.models.card import Card, check, known_answer
from brainlm_engine.models.registry import find_model, save_model
from brainlm_engine.models.studio import Studio, StudioConfig
from brainlm_engine.paths import data_dir

SMALL = StudioConfig(width=16, heads=2, encoder_layers=1, decoder_layers=1, registers=3, factors=8, place_width=24)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    torch.manual_seed(0)
    model = Studio(SMALL).eval()
    info = ModelInfo(
        model_id="small",
        title="Small",
        architecture="studio",
        n_parameters=1,
        patch_frames=20,
        window_frames=200,
        tr_s=0.72,
    )
    target = tmp_path / "small"
    save_model(model, "studio", Card(info=info, known_answer=known_answer(model)), target)
    return target


def rewrite(folder: Path, **changes: torch.Tensor | None) -> None:
    path = folder / "model.safetensors"
    tensors = load_file(path) | {key.replace("__", "."): value for key, value in changes.items() if value is not None}
    for key, value in changes.items():
        if value is None:
            del tensors[key.replace("__", ".")]
    save_file(tensors, path)


def refusal(folder: Path) -> str:
    with pytest.raises(BadInput) as caught:
        load_model(folder)
    assert caught.value.message.endswith(".")
    assert caught.value.next_step
    return caught.value.message


def test_what_is_saved_is_loaded(folder: Path) -> None:
    model = load_model(folder)
    assert model.card is not None
    assert (model.card.title, model.card.model_id) == ("Small", "small")
    assert not model.training
    assert check(model, Card.load(folder)).ok


def test_a_person_s_own_model_is_found_by_name(folder: Path) -> None:
    shutil.copytree(folder, data_dir() / "models" / "mine")
    assert find_model("mine") == data_dir() / "models" / "mine"
    assert "mine" in [info.model_id for info in list_models().models]
    assert load_model("mine").card is not None


def test_changed_weights_fail_the_known_answer(folder: Path) -> None:
    rewrite(folder, places__loadings__bias=torch.full((8,), 0.7))
    report = check(load_model(folder), Card.load(folder))
    assert not report.ok
    assert "does not give its known answer" in report.text


def test_missing_and_extra_keys(folder: Path) -> None:
    rewrite(folder, summary=None, decoder__9__weight=torch.zeros(2))
    text = refusal(folder)
    assert "lacks summary" in text
    assert "holds unknown decoder.9.weight" in text


def test_wrong_shape(folder: Path) -> None:
    rewrite(folder, summary=torch.zeros(1, 17))
    assert "summary is (1, 17), not (1, 16)" in refusal(folder)


def test_not_a_number(folder: Path) -> None:
    rewrite(folder, summary=torch.full((1, 16), torch.nan))
    assert "not numbers, in summary" in refusal(folder)


def test_truncated(folder: Path) -> None:
    path = folder / "model.safetensors"
    path.write_bytes(path.read_bytes()[:-1000])
    assert "damaged or incomplete" in refusal(folder)
    path.write_bytes(b"")
    assert "damaged or incomplete" in refusal(folder)


class Evil:
    def __reduce__(self) -> tuple[object, tuple[str]]:
        return (Path.touch, (Path("owned"),))


def test_pickles_are_never_opened(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    weights = folder / "model.safetensors"
    weights.write_bytes(pickle.dumps(Evil()))
    assert "pickle under another name" in refusal(folder)
    torch.save({"a": torch.zeros(1)}, weights)
    assert "pickle under another name" in refusal(folder)
    pytorch = weights.rename(folder / "pytorch_model.bin")
    assert "belong to another architecture" in refusal(folder)  # read as numbers, and nothing else
    torch.save(Evil(), pytorch)
    assert "could run a program" in refusal(folder)
    pytorch.write_bytes(pickle.dumps(Evil()))
    assert "could run a program" in refusal(folder)
    pytorch.rename(folder / "model.pt")
    assert "model.pt, a Python pickle" in refusal(folder)
    assert not (tmp_path / "owned").exists()


@pytest.mark.parametrize(
    ("config", "words"),
    [
        ("{", "config.json of the model small is damaged"),
        ("[]", "of another kind"),
        (json.dumps({"model_type": "bert"}), "model type “bert”"),
        (json.dumps({"format": "brainlm-studio model", "architecture": "x", "model": {}}), "architecture “x”"),
        (
            json.dumps({"format": "brainlm-studio model", "architecture": "studio", "model": {"width": -3}}),
            "possible model",
        ),
        (
            json.dumps({"format": "brainlm-studio model", "architecture": "studio", "model": {"heads": 0}}),
            "possible model",
        ),
        (
            json.dumps({"format": "brainlm-studio model", "architecture": "studio", "model": {"width": "a"}}),
            "possible model",
        ),
    ],
)
def test_configurations_that_are_refused(folder: Path, config: str, words: str) -> None:
    (folder / "config.json").write_text(config, encoding="utf-8")
    assert words in refusal(folder)


def test_no_configuration_and_no_weights(folder: Path) -> None:
    (folder / "model.safetensors").unlink()
    assert "holds no model.safetensors" in refusal(folder)
    (folder / "config.json").unlink()
    assert "holds no config.json" in refusal(folder)


def test_unknown_name_tells_the_known_ones() -> None:
    with pytest.raises(BadInput) as caught:
        load_model("nothing-like-this")
    assert DEFAULT_MODEL in caught.value.next_step


def test_a_damaged_card_does_not_hide_the_other_models(folder: Path) -> None:
    target = data_dir() / "models" / "torn"
    shutil.copytree(folder, target)
    (target / "card.json").write_text("{}", encoding="utf-8")
    listed = {info.model_id: info.problem for info in list_models().models}
    assert "damaged" in listed["torn"]
    assert listed[DEFAULT_MODEL] == ""


def test_listing_models_does_not_import_torch() -> None:
    code = "import sys; from brainlm_engine.models import list_models; list_models(); print('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "False\n"


def test_the_shipped_model_is_what_its_card_says() -> None:
    model = load_model()
    card = Card.load(find_model(DEFAULT_MODEL))
    assert list_models().models[0].model_id == DEFAULT_MODEL
    assert model.card is not None
    assert model.card.n_parameters == sum(parameter.numel() for parameter in model.parameters())
    assert check(model, card).ok
    assert (find_model(DEFAULT_MODEL) / "model.safetensors").stat().st_size < 20e6
    assert card.seed is not None
    assert card.command.startswith("brainlm-engine pretrain")
