"""Masks of training: how much they hide, and that a seed decides."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from brainlm_engine.models.masks import (
    MaskPlan,
    future_mask,
    network_mask,
    parcel_mask,
    plan_mask,
    random_mask,
)


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
        shape = (2, 30, 1 + seed % 6)
        hidden, again = (plan_mask("mixed", shape[2], draw).draw(shape, draw) for draw in (seeded(seed), seeded(seed)))
        assert torch.equal(hidden, again)
        assert hidden.any()


def test_networks_are_hidden_whole_and_the_rest_evenly() -> None:
    members = torch.arange(40) % 5 == 0
    hidden = network_mask((3, 40, 6), 0.5, members, seeded())
    assert hidden[:, members].all()
    assert (hidden.sum(1) == 8 + 16).all(), "all windows alike, so that they fit one batch"


def test_network_plans_hide_one_to_three_networks() -> None:
    counts, ratios = set(), set()
    for seed in range(60):
        plan = plan_mask("networks", 6, seeded(seed))
        assert plan == plan_mask("networks", 6, seeded(seed))
        counts.add(len(plan.networks))
        ratios.add(plan.ratio)
        assert set(plan.networks) <= set(range(9))
        hidden = plan.draw((2, 45, 6), seeded(seed), np.arange(45) % 9)
        assert hidden[:, np.isin(np.arange(45) % 9, plan.networks)].all()
        assert not hidden.all(1).any(), "something stays visible in every patch"
    assert counts == {1, 2, 3}
    assert ratios == {0.0, 0.5, 0.75}


@pytest.mark.parametrize("networks", [np.full(40, 3), np.full(40, 5), np.full(40, -1), None])
def test_without_the_network_or_without_others_a_random_mask_is_drawn(networks: np.ndarray | None) -> None:
    hidden = MaskPlan("networks", 0.0, networks=(3,)).draw((1, 40, 6), seeded(), networks)
    assert (hidden.sum(1) == 30).all()


def test_the_mixture_with_networks_holds_every_kind() -> None:
    kinds = [plan_mask("mixed-networks", 6, seeded(seed)).kind for seed in range(400)]
    assert {kind: kinds.count(kind) > 15 for kind in set(kinds)} == dict.fromkeys(
        ("random", "parcels", "future", "networks"), True
    )
    assert 60 < kinds.count("networks") < 140
