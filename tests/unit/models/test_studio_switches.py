"""Every form of our architecture keeps its promises: parcels in any order, missing ones, any batch, no peeping."""

from __future__ import annotations

from dataclasses import asdict, replace
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from brainlm_engine.api.errors import BadInput
from brainlm_engine.models import load_model
from brainlm_engine.models.card import Card
from brainlm_engine.models.first_guess import FirstGuess, people_guess
from brainlm_engine.models.masks import random_mask
from brainlm_engine.models.patches import PATCH_S
from brainlm_engine.models.registry import find_model
from brainlm_engine.models.sizes import SIZES
from brainlm_engine.models.studio import Studio
from brainlm_engine.models.studio_config import StudioConfig

SMALL = StudioConfig(width=16, heads=2, encoder_layers=2, decoder_layers=1, registers=3, factors=8, place_width=24)
FORMS: dict[str, dict[str, Any]] = {
    "xyz": {"coordinates": "xyz"},
    "window": {"guess": "window"},
    "person": {"guess": "person"},
    "left out": {"left_out": True},
    "bands": {"bands": 5},
    "all of the guess": {"guess": "person", "left_out": True, "bands": 4},
    "no factors": {"factors": 0},
    "joint": {"attention": "joint"},
    "joint without registers": {"attention": "joint", "registers": 0},
    "tied": {"attention": "tied"},
    "tied, all of the guess": {"attention": "tied", "guess": "person", "left_out": True},
    "no registers": {"registers": 0},
    "frames": {"patch_unit": "frames"},
    "no decoder": {"decoder_layers": 0},
    "deep decoder": {"decoder_layers": 4},
}
ENCODER = ("encoder", "over_time", "encoder_norm", "to_decoder", "embed_patch", "registers", "summary", "places")


def made(changes: dict[str, Any]) -> Studio:
    torch.manual_seed(1)
    model = Studio(replace(SMALL, **changes)).eval()
    torch.nn.init.normal_(model.head[-1].weight, std=0.3)  # a fresh model only gives its first guess
    return model


@pytest.fixture(params=FORMS, scope="module")
def model(request: pytest.FixtureRequest) -> Studio:
    return made(FORMS[request.param])


def brain(parcels: int, frames: int, batch: int = 1) -> tuple[Tensor, Tensor]:
    draw = torch.Generator().manual_seed(parcels)
    course = torch.randn(batch, 3, frames, generator=draw).cumsum(-1) / 4
    xyz = 50 * torch.randn(batch, parcels, 3, generator=draw)
    return xyz / 50 @ course + torch.randn(batch, parcels, frames, generator=draw), xyz


def mask(batch: int, parcels: int, patches: int, ratio: float = 0.6) -> Tensor:
    return random_mask((batch, parcels, patches), ratio, torch.Generator().manual_seed(3))


@pytest.mark.parametrize(
    ("parcels", "frames", "tr_s"), [(60, 100, 0.72), (30, 78, 2.5), (7, 60, 0.5), (1, 41, 3.5), (5, 9, 0.72)]
)
def test_any_parcels_length_and_tr(model: Studio, parcels: int, frames: int, tr_s: float) -> None:
    signal, xyz = brain(parcels, frames, batch=2)
    with torch.inference_mode():
        out = model(signal, xyz, tr_s=tr_s, attentions=True)
    patch = model.frames_per_patch(tr_s)
    assert out.prediction.shape == (2, parcels, -(-frames // patch), patch)
    assert torch.isfinite(out.prediction).all()
    assert out.latent.shape == (2, 1 + out.tokens.shape[1], SMALL.width)
    assert len(out.attentions) == SMALL.encoder_layers
    for weights in out.attentions:
        torch.testing.assert_close(weights.sum(-1), torch.ones(weights.shape[:-1]))


def test_permuting_parcels_permutes_the_answer(model: Studio) -> None:
    signal, xyz = brain(40, 100)
    hidden, order = mask(1, 40, 5), torch.randperm(40, generator=torch.Generator().manual_seed(9))
    with torch.inference_mode():
        plain = model(signal, xyz, mask=hidden)
        shuffled = model(signal[:, order], xyz[:, order], mask=hidden[:, order])
    torch.testing.assert_close(plain.prediction[:, order], shuffled.prediction, atol=5e-5, rtol=1e-3)
    torch.testing.assert_close(plain.latent[:, 0], shuffled.latent[:, 0], atol=5e-5, rtol=1e-3)


def test_answer_does_not_depend_on_the_batch(model: Studio) -> None:
    signal, xyz = brain(40, 100, batch=3)
    signal[1, :11] = torch.nan  # fewer visible parcels: the batch must be padded
    hidden = mask(3, 40, 5, 0.5)
    hidden[2, :, 4] = True
    with torch.inference_mode():
        together = model(signal, xyz, mask=hidden)
        for row in range(3):
            alone = model(signal[row : row + 1], xyz[row : row + 1], mask=hidden[row : row + 1])
            torch.testing.assert_close(alone.prediction[0], together.prediction[row], atol=5e-5, rtol=1e-3)
            torch.testing.assert_close(alone.latent[0, 0], together.latent[row, 0], atol=5e-5, rtol=1e-3)


@pytest.mark.parametrize("what", ["signal", "position"])
def test_missing_parcels_do_not_touch_the_others(model: Studio, what: str) -> None:
    signal, xyz = brain(40, 100)
    hidden = mask(1, 40, 5)
    with torch.inference_mode():
        without = model(signal[:, 10:], xyz[:, 10:], mask=hidden[:, 10:])
        (signal if what == "signal" else xyz)[:, :10] = torch.nan
        out = model(signal, xyz, mask=hidden)
    torch.testing.assert_close(out.prediction[:, 10:], without.prediction, atol=5e-5, rtol=1e-3)
    torch.testing.assert_close(out.loss, without.loss)


def test_hidden_values_are_never_read(model: Studio) -> None:
    signal, xyz = brain(40, 100)
    hidden = mask(1, 40, 5)
    changed = torch.where(hidden.repeat_interleave(20, 2), 100.0, signal)
    with torch.inference_mode():
        assert torch.equal(model(signal, xyz, mask=hidden).prediction, model(changed, xyz, mask=hidden).prediction)


def test_embed_is_deterministic_and_sees_everything(model: Studio) -> None:
    signal, xyz = brain(12, 60)
    with torch.inference_mode():
        (latent, tokens), (again, _) = model.embed(signal, xyz), model.embed(signal, xyz)
        out = model(signal, xyz, mask=torch.zeros(1, 12, 3, dtype=torch.bool))
    assert torch.equal(latent, again)
    assert tokens.shape == (1, 36)
    torch.testing.assert_close(latent, out.latent)


def test_everything_hidden_still_answers(model: Studio) -> None:
    signal, xyz = brain(10, 40)
    with torch.inference_mode():
        out = model(signal, xyz, mask=torch.ones(1, 10, 2, dtype=torch.bool))
    assert torch.isfinite(out.prediction).all()


@pytest.mark.parametrize("form", FORMS)
def test_every_weight_learns(form: str) -> None:
    model = made(FORMS[form]).train()
    signal, xyz = brain(40, 100, batch=2)
    model(signal, xyz, mask=mask(2, 40, 5), queries=torch.arange(0, 40, 2)).loss.backward()
    still = {name for name, value in model.named_parameters() if value.grad is None or not value.grad.any()}
    silent = {"registers"} if not model.config.registers else set()  # there are none
    if model.over_time:  # what the last mixing tells tokens of other patches is read through registers and summary
        silent |= {f"over_time.{len(model.over_time) - 1}.attention.query.bias"}
    if not model.config.decoder_layers:  # told in the docstring: nothing of the encoder reaches a hidden patch
        silent |= {name for name, _ in model.named_parameters() if name.split(".")[0] in ENCODER}
    assert still <= silent
    assert all(torch.isfinite(value.grad).all() for value in model.parameters() if value.grad is not None)


def test_the_shipped_model_is_the_size_tiny_and_answers_as_it_did() -> None:
    model = load_model("studio-tiny")
    assert isinstance(model, Studio)
    tiny = next(size for size in SIZES if size.size_id == "tiny")
    assert asdict(model.config) == asdict(StudioConfig(**tiny.sizes))  # type: ignore[arg-type]
    stored = Card.load(find_model("studio-tiny")).known_answer
    assert stored is not None
    from brainlm_engine.models.card import known_answer

    assert np.abs(np.subtract(known_answer(model).values, stored.values)).max() < 2e-5


def test_forms_are_kept_in_the_config() -> None:
    for changes in FORMS.values():
        model = made(changes)
        again = Studio.from_config(model.config_dict())
        assert again.config == model.config
        again.load_state_dict(model.state_dict())


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"coordinates": "polar"}, "coordinates must be fourier, xyz or learned"),
        ({"guess": "nobody"}, "guess must be people, window or person"),
        ({"attention": "none"}, "attention must be factorised, joint or tied"),
        ({"patch_unit": "volts"}, "patch_unit must be seconds or frames"),
        ({"bands": 3}, "bands must divide 20"),
        ({"factors": 0, "guess": "person"}, "no first guess to refine"),
        ({"coordinates": "learned"}, "number of parcels"),
        ({"parcels": 30}, "number of parcels"),
        ({"encoder_layers": 0}, "encoder_layers must be above 0"),
        ({"registers": -1}, "registers must be above 0"),
        ({"left_out": 1}, "left_out must be true or false"),
        ({"attention": "tied", "registers": 0}, "tied attention needs registers"),
    ],
)
def test_impossible_forms_are_refused(changes: dict[str, Any], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        replace(SMALL, **changes)


def test_learned_places_read_one_atlas_only() -> None:
    model = made({"coordinates": "learned", "parcels": 40})
    signal, xyz = brain(40, 60)
    with torch.inference_mode():
        first = model(signal, xyz).prediction
        assert torch.equal(first, model(signal, xyz + 5).prediction), "positions do not count"
        with pytest.raises(BadInput, match="40 parcels of its own atlas only; this recording has 30"):
            model(*brain(30, 60))
    assert any("one atlas" in limit for limit in model.limits)


def test_frames_or_seconds() -> None:
    by_frames, by_time = made({"patch_unit": "frames"}), made({})
    assert (by_frames.frames_per_patch(2.0), by_time.frames_per_patch(2.0)) == (20, 7)
    assert (by_frames.patch_s, by_time.patch_s) == (0.0, PATCH_S)
    signal, xyz = brain(20, 60)
    with torch.inference_mode():
        assert torch.equal(by_frames(signal, xyz, tr_s=2.0).prediction, by_frames(signal, xyz).prediction)
        assert torch.equal(by_frames(signal, xyz).prediction, by_time(signal, xyz, tr_s=0.72).prediction)


class TestFirstGuess:
    """The closed form against slow arithmetic."""

    def window(self, patches: int = 6, parcels: int = 30) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        draw = torch.Generator().manual_seed(2)
        loadings = torch.randn(1, parcels, 4, generator=draw, dtype=torch.float64)
        precision = 0.5 + torch.rand(1, parcels, 1, generator=draw, dtype=torch.float64)
        course = torch.randn(1, patches, 4, 20, generator=draw, dtype=torch.float64)
        samples = torch.einsum("bvr,bnrs->bvns", loadings, course)
        samples = samples + torch.randn(samples.shape, generator=draw, dtype=torch.float64)
        return samples, ~random_mask((1, parcels, patches), 0.5, draw), precision, loadings

    def rule(self, **changes: Any) -> FirstGuess:
        return FirstGuess(replace(SMALL, factors=4, **changes)).double()

    def test_bands_of_equal_gain_are_one_band(self) -> None:
        samples, visible, precision, loadings = self.window()
        plain = people_guess(samples, precision * visible, loadings)
        banded = self.rule(bands=5)(samples, visible, precision, loadings).everywhere
        torch.testing.assert_close(banded, plain, atol=1e-5, rtol=1e-5)

    def test_a_strong_prior_makes_the_window_like_everybody(self) -> None:
        samples, visible, precision, loadings = self.window()
        rule = self.rule(guess="window")
        torch.nn.init.constant_(rule.log_nu, 20.0)
        plain = people_guess(samples, precision * visible, loadings)
        torch.testing.assert_close(rule(samples, visible, precision, loadings).everywhere, plain, atol=1e-4, rtol=1e-4)

    @pytest.mark.parametrize("changes", [{}, {"bands": 5}])
    def test_what_the_others_say_is_the_guess_without_that_parcel(self, changes: dict[str, Any]) -> None:
        samples, visible, precision, loadings = self.window()
        visible[0, 7, 2] = True
        rule = self.rule(left_out=True, **changes)
        if changes:
            torch.nn.init.normal_(rule.log_gain, std=0.5)
        said = rule(samples, visible, precision, loadings).of_visible[0, 7, 2]
        visible[0, 7, 2] = False
        without = rule(samples, visible, precision, loadings).everywhere[0, 7, 2]
        torch.testing.assert_close(said, without, atol=1e-5, rtol=1e-4)

    def test_own_loadings_help_where_the_learned_are_wrong_and_hurt_little_where_they_are_right(self) -> None:
        samples, visible, precision, loadings = self.window(patches=40)
        wrong = loadings + torch.randn(loadings.shape, generator=torch.Generator().manual_seed(5), dtype=torch.float64)

        def error(kind: str, known: Tensor) -> float:
            guess = self.rule(guess=kind)(samples, visible, precision, known).everywhere
            return float((guess - samples)[~visible].square().mean().detach())

        assert error("person", wrong) < 0.8 * error("people", wrong)
        assert error("person", wrong) < 0.95 * error("window", wrong)
        assert error("person", loadings) < 1.03 * error("people", loadings)

    def test_the_blend_is_found_from_other_patches_than_it_is_fitted_on(self) -> None:
        """Pure noise cannot be predicted: an honest blend damps it, whatever was fitted."""
        _, visible, precision, loadings = self.window(patches=40)
        noise = torch.randn((*visible.shape, 20), generator=torch.Generator().manual_seed(8), dtype=torch.float64)
        guess = self.rule(guess="person")(noise, visible, precision, loadings).everywhere[~visible]
        plain = people_guess(noise, precision * visible, loadings)[~visible]
        assert guess.square().mean() < 0.2 * plain.square().mean()
