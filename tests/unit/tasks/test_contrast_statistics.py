"""Permutation tests: t as scipy has it, p by all arrangements, chance held, planted differences found."""

from __future__ import annotations

from itertools import combinations, product

import numpy as np
import pytest
from scipy import stats

from brainlm_engine.tasks.contrast_statistics import between_groups, false_discovery, within_people


def test_two_groups_as_scipy_has_them() -> None:
    values = np.random.default_rng(0).normal(size=(10, 12))
    second = np.arange(10) < 4
    tested = between_groups(values, second, permutations=4000)
    expected = stats.ttest_ind(values[second], values[~second])
    assert np.allclose(tested.t, expected.statistic)
    assert tested.df == 8
    all_t = np.abs([
        stats.ttest_ind(values[list(chosen)], np.delete(values, chosen, 0)).statistic
        for chosen in combinations(range(10), 4)
    ])  # fmt: skip
    near = np.abs(tested.t) * (1 - 1e-9)
    assert np.allclose(tested.p, (all_t >= near).mean(0), atol=0.03), "each one alone, by all 210 arrangements"
    assert np.allclose(tested.p_family, (all_t.max(1)[:, None] >= near).mean(0), atol=0.03), "the largest of all"
    pooled = np.sqrt((3 * values[second].var(0, ddof=1) + 5 * values[~second].var(0, ddof=1)) / 8)
    assert np.allclose(tested.effect, (values[second].mean(0) - values[~second].mean(0)) / pooled)
    assert (tested.low < tested.effect).all()
    assert (tested.high > tested.effect).all()


def test_pairs_as_scipy_has_them() -> None:
    apart = np.random.default_rng(1).normal(0.4, 1, size=(9, 7))
    tested = within_people(apart, permutations=4000)
    assert np.allclose(tested.t, stats.ttest_1samp(apart, 0).statistic)
    assert np.allclose(tested.effect, apart.mean(0) / apart.std(0, ddof=1))
    all_t = np.abs(
        [stats.ttest_1samp(apart * np.array(sign)[:, None], 0).statistic for sign in product((-1, 1), repeat=9)]
    )
    near = np.abs(tested.t) * (1 - 1e-9)
    assert np.allclose(tested.p, (all_t >= near).mean(0), atol=0.03)
    assert np.allclose(tested.p_family, (all_t.max(1)[:, None] >= near).mean(0), atol=0.03)


def test_covariates_are_those_of_a_regression() -> None:
    rng = np.random.default_rng(2)
    beside = rng.normal(size=(30, 2))
    second = rng.permutation(30) < 14
    values = rng.normal(size=(30, 5)) + beside @ rng.normal(size=(2, 5))
    tested = between_groups(values, second, beside, permutations=200)
    design = np.column_stack([second, np.ones(30), beside])
    inverse = np.linalg.inv(design.T @ design)
    fitted = inverse @ design.T @ values
    noise = ((values - design @ fitted) ** 2).sum(0) / (30 - 4)
    assert np.allclose(tested.t, fitted[0] / np.sqrt(noise * inverse[0, 0]))
    assert tested.df == 26
    copied = np.column_stack([beside, beside[:, 0], np.ones(30)])
    assert np.allclose(between_groups(values, second, copied, permutations=200).t, tested.t), "the same column twice"


def test_false_discovery_as_scipy_has_it() -> None:
    p = np.random.default_rng(3).uniform(size=40) ** 2
    assert np.allclose(false_discovery(p), stats.false_discovery_control(p))
    with_gap = np.insert(p, 5, np.nan)
    assert np.isnan(false_discovery(with_gap)[5])
    assert np.allclose(np.delete(false_discovery(with_gap), 5), false_discovery(p))


def test_what_is_missing_or_constant_is_not_tested() -> None:
    values = np.random.default_rng(4).normal(size=(12, 4))
    values[3, 1] = np.nan
    values[:, 2] = 7.3
    tested = between_groups(values, np.arange(12) < 6, permutations=200)
    assert np.isnan(tested.t[[1, 2]]).all()
    assert np.isnan(tested.p_family[[1, 2]]).all()
    assert np.isfinite(tested.t[[0, 3]]).all()
    assert np.isnan(within_people(np.zeros((8, 2)), permutations=200).t).all(), "no difference in anybody"


def test_the_same_seed_the_same_answer() -> None:
    values = np.random.default_rng(5).normal(size=(12, 4))
    one, again, other = (between_groups(values, np.arange(12) < 6, permutations=300, seed=s) for s in (1, 1, 2))
    assert np.array_equal(one.p, again.p)
    assert not np.array_equal(one.p, other.p)


@pytest.mark.parametrize("covariates", [False, True])
def test_chance_is_held_when_nothing_differs(covariates: bool) -> None:
    """Neighbouring measures go together, as parcels do; 200 studies of 20 people."""
    rng = np.random.default_rng(6)
    groups, pairs = 0, 0
    for study in range(200):
        shared = rng.normal(size=(20, 5))
        values = np.repeat(shared, 6, 1) + rng.normal(size=(20, 30))
        age = rng.normal(size=(20, 1)) if covariates else None
        values = values + age * 1.5 if age is not None else values
        second = rng.permutation(20) < 9
        groups += bool((between_groups(values, second, age, permutations=199, seed=study).p_family < 0.05).any())
        pairs += bool((within_people(values - values.mean(), age, permutations=199, seed=study).p_family < 0.05).any())
    for found in (groups, pairs):  # 10 of 200 expected; 99.9 % of studies lie between 2 and 21
        assert 2 <= found <= 21, (groups, pairs)


def test_planted_differences_are_found() -> None:
    rng = np.random.default_rng(7)
    hits, false = 0, 0
    for study in range(40):
        values = rng.normal(size=(60, 50))
        second = np.arange(60) < 30
        values[second, :3] += 1.5
        found = between_groups(values, second, permutations=300, seed=study).p_family < 0.05
        hits += int(found[:3].sum())
        false += int(found[3:].any())
    assert hits > 0.9 * 120
    assert false <= 8
