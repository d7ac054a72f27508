"""Forms of our architecture, network masks and population scaling through a whole training, and what comes of them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from small_trainings import SMALL, settings

from brainlm_engine.api.errors import BadInput
from brainlm_engine.api.messages import MaskSpec
from brainlm_engine.atlas.nearest_network import nearest_networks
from brainlm_engine.cli.pretrain import sizes
from brainlm_engine.cohort import load_series, open_cohort
from brainlm_engine.models import load_model
from brainlm_engine.models.card import Card, check
from brainlm_engine.models.studio import Studio
from brainlm_engine.preprocess.population_scaling import PopulationScaling
from brainlm_engine.recording import Recording
from brainlm_engine.tasks import reconstruct
from brainlm_engine.train import pretrain
from brainlm_engine.train.scaling import fit_scaling_of, scaled
from brainlm_engine.train.windows import draw_batch


def recording(cohort: Path) -> Recording:
    return Recording.load(sorted((cohort / "recordings").iterdir())[2])


@pytest.mark.parametrize(
    "form",
    [
        {"guess": "person", "left_out": True, "bands": 5},
        {"coordinates": "learned"},
        {"patch_unit": "frames"},
        {"attention": "joint", "registers": 0},
        {"decoder_layers": 0, "factors": 0},
    ],
)
def test_a_form_is_trained_kept_and_loaded(small_cohort: Path, tmp_path: Path, form: dict[str, Any]) -> None:
    made = pretrain(small_cohort, tmp_path / "m", settings(steps=6, model={**SMALL, **form}))
    model = load_model(made.folder)
    assert isinstance(model, Studio)
    assert {name: getattr(model.config, name) for name in form} == form
    assert check(model, Card.load(made.folder)).ok
    found = reconstruct(model, recording(small_cohort), mask=MaskSpec(ratio=0.5))
    assert np.isfinite(found.predicted).all()
    assert model.card is not None
    assert model.card.any_atlas == (form.get("coordinates") != "learned")
    assert model.card.patch_s == (0 if "patch_unit" in form else pytest.approx(14.4))


def test_network_masks_hide_whole_networks_in_every_atlas(small_cohort: Path) -> None:
    series = load_series(open_cohort(small_cohort), "train")
    whole = 0
    for step in range(40):
        batch = draw_batch(series, settings(masks="networks", batch=3), step)
        networks = nearest_networks(batch.xyz[0].numpy())
        hidden = batch.hidden.all(2).numpy()
        assert (batch.hidden.sum((1, 2)) == batch.hidden[0].sum()).all()
        whole += any(hidden[:, networks == code].all() for code in set(networks.tolist()))
    assert whole > 30


def test_population_scaling_is_kept_in_the_card_and_applied(small_cohort: Path, tmp_path: Path) -> None:
    plan = settings(scaling="population", steps=6)
    made = pretrain(small_cohort, tmp_path / "m", plan)
    card, model = Card.load(made.folder), load_model(made.folder)
    assert "interquartile range" in card.scaling
    assert not card.info.any_atlas
    assert card.statistics is not None
    assert model.scaling is not None
    one = recording(small_cohort)
    found = reconstruct(model, one, mask=MaskSpec(ratio=0.5, seed=1))
    louder = Recording(one.series * 3, one.tr_s, one.xyz, one.missing, one.coverage)
    other = reconstruct(model, louder, mask=MaskSpec(ratio=0.5, seed=1))
    np.testing.assert_allclose(other.measured, found.measured, atol=1e-4)  # z-scores of both
    assert np.abs(other.predicted - found.predicted).max() > 1e-3, "how much a parcel moves is seen"
    fewer = Recording(one.series[:20], one.tr_s, one.xyz[:20], one.missing[:20], one.coverage[:20])
    with pytest.raises(BadInput, match="an atlas of 36 parcels; this recording has 20"):
        reconstruct(model, fewer)


def test_population_statistics_are_those_of_the_centred_recordings(small_cohort: Path) -> None:
    train = load_series(open_cohort(small_cohort), "train")
    scaling = fit_scaling_of(train, settings(scaling="population"))
    assert scaling is not None
    raw = [Recording.load(small_cohort / "recordings" / f"{name}.safetensors").series for name in train.names]
    centred = np.concatenate([values - values.mean(1, keepdims=True) for values in raw], 1)
    low, middle, high = np.percentile(centred, [25, 50, 75], axis=1)
    np.testing.assert_allclose(scaling.iqr, high - low, rtol=2e-3)
    seen = scaled(train, scaling).values[1].astype(np.float32)
    np.testing.assert_allclose(seen, (centred[:, 240:480] - middle[:, None]) / (high - low)[:, None], atol=0.02)
    back = scaling.as_zscores(
        scaling.of_zscores(train.values[1].astype(np.float32), train.spreads[1]), train.spreads[1]
    )
    np.testing.assert_allclose(back, train.values[1].astype(np.float32), atol=1e-4)


def test_damaged_statistics_are_refused(small_cohort: Path, tmp_path: Path) -> None:
    made = pretrain(small_cohort, tmp_path / "m", settings(scaling="population", steps=2))
    card = Card.load(made.folder)
    assert PopulationScaling.of_content(card.statistics or {}).recordings == 6
    card.model_copy(update={"statistics": {"method": "robust", "median": [1.0]}}).save(made.folder)
    with pytest.raises(BadInput, match="statistics in the card of the model m are damaged"):
        load_model(made.folder)


def test_forms_on_the_command_line() -> None:
    words = ["width=96", "guess=person", "left_out=true", "registers=0", "coordinates = xyz"]
    assert sizes(words) == {"width": 96, "guess": "person", "left_out": True, "registers": 0, "coordinates": "xyz"}
    for wrong in ("width=x", "guess=3", "width", "=3"):
        with pytest.raises(BadInput, match="cannot be understood"):
            sizes([wrong])
