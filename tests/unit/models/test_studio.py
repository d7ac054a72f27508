"""The model: any parcels, length and TR; the same answer whatever stands beside it; missing parcels change nothing."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from brainlm_engine.models.masks import random_mask
from brainlm_engine.models.studio import Studio, StudioConfig

SMALL = StudioConfig(width=16, heads=2, encoder_layers=2, decoder_layers=1, registers=3, factors=8, place_width=24)


@pytest.fixture(scope="module")
def model() -> Studio:
    torch.manual_seed(1)
    made = Studio(SMALL).eval()
    torch.nn.init.normal_(made.head[-1].weight, std=0.3)  # a fresh model only gives its first guess
    return made


def brain(parcels: int, frames: int, seed: int = 0, batch: int = 1) -> tuple[Tensor, Tensor]:
    draw = torch.Generator().manual_seed(seed)
    return torch.randn(batch, parcels, frames, generator=draw), 50 * torch.randn(batch, parcels, 3, generator=draw)


@pytest.mark.parametrize(
    ("parcels", "frames", "tr_s", "patch"),
    [
        (424, 200, 0.72, 20),
        (50, 490, 0.735, 20),
        (200, 116, 3.0, 5),
        (30, 78, 2.5, 6),
        (7, 60, 0.5, 29),
        (1, 41, 3.5, 4),
    ],
)
def test_any_parcels_length_and_tr(model: Studio, parcels: int, frames: int, tr_s: float, patch: int) -> None:
    signal, xyz = brain(parcels, frames, batch=2)
    with torch.inference_mode():
        out = model(signal, xyz, tr_s=tr_s, attentions=True)
    patches = -(-frames // patch)
    seen = int(parcels * 0.25 + 1e-9)
    assert out.prediction.shape == (2, parcels, patches, patch)
    assert out.mask.shape == (2, parcels, patches)
    assert out.latent.shape == (2, 1 + out.tokens.shape[1], SMALL.width)
    assert out.tokens.shape == (2, patches * seen)
    assert torch.isfinite(out.prediction).all()
    assert torch.isfinite(out.loss)
    assert [weights.shape[:3] for weights in out.attentions] == [(2, patches, SMALL.heads)] * SMALL.encoder_layers
    for weights in out.attentions:
        torch.testing.assert_close(weights.sum(-1), torch.ones(weights.shape[:-1]))


def test_same_input_same_answer(model: Studio) -> None:
    signal, xyz = brain(40, 100)
    with torch.inference_mode():
        first, second = model(signal, xyz), model(signal, xyz)
    assert torch.equal(first.prediction, second.prediction)
    assert torch.equal(first.latent, second.latent)


def test_answer_does_not_depend_on_the_batch(model: Studio) -> None:
    signal, xyz = brain(40, 100, batch=3)
    signal[1, :11] = torch.nan  # fewer visible parcels: the batch must be padded
    hidden = random_mask((3, 40, 5), 0.5, torch.Generator().manual_seed(3))
    hidden[2, :, 4] = True
    with torch.inference_mode():
        together = model(signal, xyz, mask=hidden)
        for row in range(3):
            alone = model(signal[row : row + 1], xyz[row : row + 1], mask=hidden[row : row + 1])
            torch.testing.assert_close(alone.prediction[0], together.prediction[row], atol=2e-5, rtol=1e-4)
            torch.testing.assert_close(alone.latent[0, 0], together.latent[row, 0], atol=2e-5, rtol=1e-4)
            kept = together.tokens[row] >= 0
            assert torch.equal(
                together.tokens[row][kept].sort().values, alone.tokens[0][alone.tokens[0] >= 0].sort().values
            )


def test_permuting_parcels_permutes_the_answer(model: Studio) -> None:
    signal, xyz = brain(40, 100)
    hidden = random_mask((1, 40, 5), 0.6, torch.Generator().manual_seed(3))
    order = torch.randperm(40, generator=torch.Generator().manual_seed(9))
    with torch.inference_mode():
        plain = model(signal, xyz, mask=hidden)
        shuffled = model(signal[:, order], xyz[:, order], mask=hidden[:, order])
    torch.testing.assert_close(plain.prediction[:, order], shuffled.prediction, atol=2e-5, rtol=1e-4)
    torch.testing.assert_close(plain.latent[:, 0], shuffled.latent[:, 0], atol=2e-5, rtol=1e-4)
    torch.testing.assert_close(plain.loss, shuffled.loss)


@pytest.mark.parametrize("what", ["signal", "position"])
def test_missing_parcels_do_not_touch_the_others(model: Studio, what: str) -> None:
    signal, xyz = brain(40, 100)
    hidden = random_mask((1, 40, 5), 0.5, torch.Generator().manual_seed(3))
    with torch.inference_mode():
        without = model(signal[:, 10:], xyz[:, 10:], mask=hidden[:, 10:])
        if what == "signal":
            signal[:, :10] = torch.nan
        else:
            xyz[:, :10] = torch.nan
        out = model(signal, xyz, mask=hidden)
    torch.testing.assert_close(out.prediction[:, 10:], without.prediction, atol=2e-5, rtol=1e-4)
    torch.testing.assert_close(out.loss, without.loss)
    assert not out.mask[:, :10].any()
    assert torch.isfinite(out.prediction[:, :10]).all() == (what == "signal")  # a place is enough to be filled in


def test_hidden_values_are_never_read(model: Studio) -> None:
    signal, xyz = brain(40, 100)
    hidden = random_mask((1, 40, 5), 0.5, torch.Generator().manual_seed(3))
    changed = torch.where(hidden.repeat_interleave(20, 2), 100.0, signal)
    with torch.inference_mode():
        assert torch.equal(model(signal, xyz, mask=hidden).prediction, model(changed, xyz, mask=hidden).prediction)


def test_noise_decides_the_mask(model: Studio) -> None:
    signal, xyz = brain(8, 40)
    noise = torch.arange(16.0).reshape(1, 16)
    with torch.inference_mode():
        out = model(signal, xyz, noise=noise)
    assert torch.equal(out.mask[0, :, 0], torch.tensor([0.0, 0, 1, 1, 1, 1, 1, 1]))
    assert out.tokens.tolist() == [[0, 2, 1, 3]]  # patch by patch; ids are parcel * N + patch


def test_embed_sees_everything_and_matches_an_empty_mask(model: Studio) -> None:
    signal, xyz = brain(12, 60)
    with torch.inference_mode():
        latent, tokens = model.embed(signal, xyz)
        out = model(signal, xyz, mask=torch.zeros(1, 12, 3, dtype=torch.bool))
    assert tokens.shape == (1, 36)
    torch.testing.assert_close(latent, out.latent)
    assert torch.isnan(out.loss)


def test_a_part_of_the_parcels_can_be_decoded(model: Studio) -> None:
    signal, xyz = brain(30, 60)
    asked = torch.tensor([4, 17, 29])
    with torch.inference_mode():
        torch.testing.assert_close(
            model(signal, xyz, queries=asked).prediction, model(signal, xyz).prediction[:, asked], atol=2e-5, rtol=1e-4
        )


def test_a_short_tail_is_padded_and_not_scored(model: Studio) -> None:
    signal, xyz = brain(10, 49)
    hidden = torch.zeros(1, 10, 3, dtype=torch.bool)
    hidden[:, :4] = True
    with torch.inference_mode():
        out = model(signal, xyz, mask=hidden)
    assert out.prediction.shape == (1, 10, 3, 20)
    assert not out.mask[:, :, 2].any()  # 9 of 20 frames: too few to be shown or scored
    error = (out.prediction.reshape(1, 10, 60)[:, :4, :40] - signal[:, :4, :40]).square().mean()
    torch.testing.assert_close(out.loss, error)


def test_everything_hidden_still_answers(model: Studio) -> None:
    signal, xyz = brain(10, 40)
    with torch.inference_mode():
        out = model(signal, xyz, mask=torch.ones(1, 10, 2, dtype=torch.bool))
    assert torch.isfinite(out.prediction).all()
    assert out.latent.shape[1] == 1
