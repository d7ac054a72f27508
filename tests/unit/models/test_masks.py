"""Masks of training: how much they hide, and that a seed decides."""

from __future__ import annotations

import pytest
import torch

from brainlm_engine.models.masks import future_mask, parcel_mask, random_mask, training_mask


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


@pytest.mark.parametrize(("ratio", "kept"), [(0.2, 339), (0.5, 212), (0.75, 106), (0.9, 42), (0.0, 424)])
def test_random_hides_the_same_number_in_every_patch(ratio: float, kept: int) -> None:
    hidden = random_mask((2, 424, 5), ratio, seeded())
    assert ((~hidden).sum(1) == kept).all()


def test_parcels_are_hidden_all_the_time() -> None:
    hidden = parcel_mask((1, 40, 6), 0.5, seeded())
    assert (hidden.all(2) | ~hidden.any(2)).all()
    assert int(hidden.all(2).sum()) == 20


def test_future_is_hidden_for_all() -> None:
    hidden = future_mask((1, 40, 6), 0.5, 2, seeded())
    assert hidden[:, :, 4:].all()
    assert int(hidden[:, :, :4].sum()) == 80


def test_a_seed_decides_and_some_patches_stay_visible() -> None:
    for seed in range(40):
        hidden = training_mask((2, 30, 1 + seed % 6), "mixed", seeded(seed))
        assert torch.equal(hidden, training_mask((2, 30, 1 + seed % 6), "mixed", seeded(seed)))
        assert hidden.any()
