"""The driver of the ablation: its variants make models, its differences pair people, its table says what it knows."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest
import torch

sys.path.insert(0, str(Path(__file__).parents[2] / "bench"))

from ablation import settings_like, table, without_value
from ablation_scores import Window, can_read, summary, window_of
from ablation_variants import BASE, VARIANTS, Variant, chosen

from brainlm_engine.cohort import load_series, open_cohort
from brainlm_engine.models.studio import Studio
from brainlm_engine.train import settings_from
from brainlm_engine.train.trainable import check_sizes, new_model
from brainlm_engine.train.windows import draw_batch


@pytest.mark.parametrize("variant", VARIANTS, ids=lambda variant: variant.name)
def test_every_variant_makes_a_model_that_takes_its_batches(variant: Variant, small_cohort: Path) -> None:
    settings = settings_from(settings_like(variant, minutes=1, batch=2, window_frames=100))
    check_sizes(settings.architecture, settings.model)
    series = load_series(open_cohort(small_cohort), "train")
    model = new_model(settings.architecture, settings.model, 36, 100).eval()
    batch = draw_batch(series, settings, 1)
    with torch.no_grad():
        loss = model(batch.signal, batch.xyz, mask=batch.hidden, tr_s=batch.tr_s).loss
    assert torch.isfinite(loss)
    assert variant.name == BASE or (variant.model, variant.settings) != ({}, {}), "something differs from the base line"


def test_variants_have_names_of_their_own_and_the_base_line_comes_first() -> None:
    assert len({variant.name for variant in VARIANTS}) == len({variant.title for variant in VARIANTS}) == len(VARIANTS)
    assert [variant.name for variant in chosen("joint,base,xyz")] == ["base", "joint", "xyz"]
    assert chosen("") == list(VARIANTS)
    with pytest.raises(SystemExit, match="no variant nonsense"):
        chosen("base,nonsense")
    assert type(new_model("studio", chosen(BASE)[0].model, 36, 100)) is Studio


def test_differences_are_of_the_same_people() -> None:
    """People differ much, the variants little: unpaired the difference would drown."""
    draw = np.random.default_rng(1)
    total = draw.uniform(50, 150, 60)
    share = draw.uniform(0.2, 0.9, 60)
    base = np.stack([total * share, total], 1)
    better = np.stack([total * (share - 0.01 - 0.002 * draw.standard_normal(60)), total], 1)
    found, alone = summary(better, base), summary(base)
    assert found["minus_low"] > 0.008
    assert found["minus_high"] < 0.012
    assert alone["high"] - alone["low"] > 0.05
    assert alone["r2"] == pytest.approx(1 - base[:, 0].sum() / base[:, 1].sum(), abs=1e-4)
    assert summary(np.stack([base, better]))["r2"] == pytest.approx((alone["r2"] + found["r2"]) / 2, abs=1e-4)


def test_windows_hide_three_quarters_or_one_network(make_recording) -> None:  # type: ignore[no-untyped-def]
    recording = make_recording(1)
    random = window_of(recording, 20, 200, 3, "random")
    assert random.hidden.sum(0).tolist() == [27] * 10
    network = window_of(recording, 20, 200, 3, "network")
    assert 0 < network.hidden.all(1).sum() < 36
    assert not (network.hidden.any(1) & ~network.hidden.all(1)).any()
    assert window_of(recording, 20, 200, 3, "random").hidden.tolist() == random.hidden.tolist()


def test_errors_are_those_of_hidden_frames() -> None:
    measured = np.array([[1.0, 2, 3, 4], [0, 0, 2, 2]], np.float32)
    window = Window(measured, np.array([[True, False], [False, False]]), 2)
    error, total = window.errors(measured + 1)
    assert (error, total) == (2.0, pytest.approx(1.5**2 + 0.5**2))
    with pytest.raises(ValueError, match="not a number"):
        window.errors(np.full_like(measured, np.nan))


def test_a_model_of_one_atlas_cannot_read_another(make_recording) -> None:  # type: ignore[no-untyped-def]
    from brainlm_engine.models import load_model

    model, recording = load_model("studio-tiny"), make_recording(1)
    assert can_read(model, recording)
    assert model.card is not None
    model.card = model.card.model_copy(update={"any_atlas": False})
    assert not can_read(model, recording)


def test_the_table_says_what_could_not_be_done() -> None:
    some = {"r2": 0.4, "low": 0.3, "high": 0.5, "people": 9}
    ahead = {"minus_base": 0.02, "minus_low": 0.01, "minus_high": 0.03}
    result = {
        "command": "python x", "machine": {"device": "a card"}, "seconds": 30.0, "batch": 8, "window_frames": 200,
        "workers": 2, "seeds": "0", "data": {"simulated": "them", "abide": "others"},
        "variants": {
            "base": {"title": "Base", "parameters": 1000, "windows": 2000.0, "simulated": some, "abide": some},
            "13m": {"title": "Big", "parameters": 13, "windows": 7.0, "simulated": {**some, **ahead},
                    "abide": {"cannot": "other atlas: cannot"}},
            "bad": {"title": "Bad", "failed": "it broke"},
        },
        "simple": {"ridge": {"title": "Ridge", "simulated": {**some, **ahead}}},
    }  # fmt: skip
    lines = table(result).splitlines()
    assert "| Base | 1,000 | 2,000 | 0.400 (0.300 to 0.500) |  | 0.400 (0.300 to 0.500) |  |" in lines[2]
    assert "+0.020 (+0.010 to +0.030) | other atlas: cannot |" in lines[3]
    assert "| Bad |  | it broke |" in lines[4]
    assert "*Ridge*" in lines[5]
    assert len({line.count("|") for line in lines[:6]}) == 1, "all lines have as many cells"


def test_options_are_passed_on_without_those_of_the_driver() -> None:
    words = ["--only", "a,b", "--out", "x", "--seeds=0,1", "--batch", "4"]
    assert without_value(words, ("--only", "--seeds")) == ["--out", "x", "--batch", "4"]
