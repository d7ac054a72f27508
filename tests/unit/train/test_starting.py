"""Fine-tuning: a training that begins from the weights of another model."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from small_trainings import SMALL, curve, settings

from brainlm_engine.api.errors import BadInput
from brainlm_engine.models import load_model
from brainlm_engine.models.card import Card
from brainlm_engine.models.masks import plan_mask
from brainlm_engine.train import pretrain, settings_from


def test_it_begins_where_the_model_stands(small_cohort: Path, tmp_path: Path) -> None:
    first, second = tmp_path / "first", tmp_path / "second"
    pretrain(small_cohort, first, settings(keep="last"))
    still = settings(start=str(first), model={}, steps=1, learning_rate=1e-12, evaluate_every=1, masks="last")
    assert still.architecture == "studio"
    assert still.model["width"] == SMALL["width"]
    pretrain(small_cohort, second, still)
    assert curve(second)[0][2] == pytest.approx(curve(first)[-1][2], abs=1e-4)
    for one, other in zip(load_model(first).parameters(), load_model(second).parameters(), strict=True):
        assert torch.allclose(one, other, atol=1e-6)
    card = Card.load(second)
    assert card.info.trained_on.endswith("beginning from first")
    assert card.training["settings"]["start"] == str(first)


def test_the_rate_is_gentler_unless_it_is_said(small_cohort: Path) -> None:
    usual = settings_from({"steps": 1}).learning_rate
    assert settings_from({"steps": 1, "start": "studio-tiny"}).learning_rate == pytest.approx(usual / 4)
    assert settings_from({"steps": 1, "start": "studio-tiny", "learning_rate": 0.1}).learning_rate == 0.1


def test_what_does_not_fit_is_refused(small_cohort: Path, tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="has width 64, and 32 is asked for"):
        settings_from({"steps": 1, "start": "studio-tiny", "model": {"width": 32}})
    with pytest.raises(BadInput, match="of the architecture studio, not brainlm-13m"):
        settings_from({"steps": 1, "start": "studio-tiny", "architecture": "brainlm-13m"})
    with pytest.raises(BadInput, match="scaled by recording, not by population"):
        pretrain(small_cohort, tmp_path / "m", settings(start="studio-tiny", model={}, scaling="population"))
    assert not (tmp_path / "m" / "config.json").exists()


def test_the_last_patch_is_hidden_and_nothing_else() -> None:
    draw = torch.Generator().manual_seed(0)
    hidden = plan_mask("last", 10, draw).draw((2, 5, 10), draw)
    assert hidden[:, :, -1].all()
    assert not hidden[:, :, :-1].any()
