"""The simple methods on data whose answer is known."""

from __future__ import annotations

import numpy as np
import pytest

from brainlm_engine.baselines import covariance_of_people, interpolate, krige, mean, pca, ridge

METHODS = {
    "mean": mean, "interpolate": interpolate, "krige": krige, "own": lambda shown: ridge(shown).filled,
    "pca": lambda shown: pca(shown).filled,
}  # fmt: skip


def hidden_patches(parcels: int, patches: int, ratio: float, seed: int, patch: int = 20) -> np.ndarray:
    rng = np.random.default_rng(seed)
    hidden = np.zeros((parcels, patches), bool)
    for column in range(patches):
        hidden[rng.permutation(parcels)[: int(parcels * ratio)], column] = True
    return np.repeat(hidden, patch, axis=1)


def factor_data(frames: int, seed: int, parcels: int = 60, noise: float = 0.3) -> np.ndarray:
    """Parcels that share three factors, the same in everybody."""
    loadings = np.random.default_rng(5).standard_normal((parcels, 3))
    rng = np.random.default_rng(seed)
    data = loadings @ rng.standard_normal((3, frames)) + noise * rng.standard_normal((parcels, frames))
    return ((data - data.mean(1, keepdims=True)) / data.std(1, keepdims=True)).astype(np.float32)


def r2(truth: np.ndarray, guess: np.ndarray, hidden: np.ndarray) -> float:
    return float(1 - ((guess - truth)[hidden] ** 2).sum() / (truth[hidden] ** 2).sum())


@pytest.mark.parametrize("name", METHODS)
def test_visible_frames_stay_and_every_hidden_one_is_filled(name: str) -> None:
    truth = factor_data(100, 1)
    hidden = hidden_patches(60, 5, 0.5, 2)
    hidden[7] = True  # a parcel that shows nothing
    filled = METHODS[name](np.where(hidden, np.nan, truth).astype(np.float32))
    assert filled.dtype == np.float32
    assert np.isfinite(filled).all()
    assert np.array_equal(filled[~hidden], truth[~hidden])


@pytest.mark.parametrize("name", METHODS)
def test_nothing_visible_gives_the_mean(name: str) -> None:
    assert np.array_equal(METHODS[name](np.full((5, 40), np.nan, np.float32)), np.zeros((5, 40), np.float32))


def test_interpolation_draws_straight_lines_and_returns_to_the_mean_at_the_edges() -> None:
    line = np.linspace(-1, 2, 60, dtype=np.float32)[None]
    shown = line.copy()
    shown[0, 20:40] = np.nan
    np.testing.assert_allclose(interpolate(shown), line, atol=1e-6)
    shown[0, 30:] = np.nan
    assert interpolate(shown)[0, -1] == 0


def test_kriging_beats_straight_lines_on_a_noisy_slow_signal() -> None:
    rng = np.random.default_rng(0)
    time = np.arange(300)
    slow = np.array([np.sin(2 * np.pi * (time / 90 + rng.random())) for _ in range(40)])
    truth = (slow * 1.2 + 0.5 * rng.standard_normal(slow.shape)).astype(np.float32)
    hidden = hidden_patches(40, 15, 0.3, 3)
    shown = np.where(hidden, np.nan, truth).astype(np.float32)
    assert r2(truth, krige(shown), hidden) > 0.5
    assert r2(truth, krige(shown), hidden) > r2(truth, interpolate(shown), hidden) + 0.05


def test_ridge_finds_shared_factors_in_the_window_itself() -> None:
    truth = factor_data(400, 1)
    hidden = hidden_patches(60, 20, 0.3, 2)
    fit = ridge(np.where(hidden, np.nan, truth).astype(np.float32))
    assert r2(truth, fit.filled, hidden) > 0.75
    assert fit.prior_frames < 1e6  # it did learn from the window


def test_ridge_with_people_comes_close_to_the_best_linear_guess() -> None:
    people = covariance_of_people(factor_data(500, seed) for seed in range(10, 20))
    truth = factor_data(100, 1)
    hidden = hidden_patches(60, 5, 0.75, 2)
    shown = np.where(hidden, np.nan, truth).astype(np.float32)
    best = np.zeros_like(truth)
    for column in range(5):
        frames, seen = slice(20 * column, 20 * column + 20), ~hidden[:, 20 * column]
        best[:, frames] = people[:, seen] @ np.linalg.solve(people[np.ix_(seen, seen)], truth[seen, frames])
    with_people = r2(truth, ridge(shown, people).filled, hidden)
    assert with_people > r2(truth, best, hidden) - 0.02
    assert with_people > r2(truth, ridge(shown).filled, hidden) + 0.05


def test_covariance_leaves_out_what_was_not_measured() -> None:
    first, second = factor_data(300, 1), factor_data(300, 2)
    second[:5] = np.nan
    covariance = covariance_of_people([first, second])
    assert np.isfinite(covariance).all()
    np.testing.assert_allclose(covariance[:5, :5], first[:5] @ first[:5].T / 300, atol=1e-5)
    with pytest.raises(ValueError, match="no recordings"):
        covariance_of_people([])


def test_ridge_is_the_same_every_time() -> None:
    truth = factor_data(100, 1)
    shown = np.where(hidden_patches(60, 5, 0.5, 2), np.nan, truth).astype(np.float32)
    assert np.array_equal(ridge(shown).filled, ridge(shown).filled)


def test_components_find_shared_factors_in_the_window_itself() -> None:
    truth = factor_data(400, 1)
    hidden = hidden_patches(60, 20, 0.3, 2)
    fit = pca(np.where(hidden, np.nan, truth).astype(np.float32))
    assert fit.rank >= 4  # there are three; more than that shrink to nothing
    assert r2(truth, fit.filled, hidden) > 0.85


def test_components_of_noise_are_none() -> None:
    truth = np.random.default_rng(1).standard_normal((60, 200)).astype(np.float32)
    hidden = hidden_patches(60, 10, 0.5, 2)
    fit = pca(np.where(hidden, np.nan, truth).astype(np.float32))
    assert r2(truth, fit.filled, hidden) > -0.03


def test_components_are_the_same_every_time_and_take_single_frames() -> None:
    truth = factor_data(100, 1)
    shown = np.where(np.random.default_rng(0).random(truth.shape) < 0.1, np.nan, truth).astype(np.float32)
    assert np.array_equal(pca(shown).filled, pca(shown).filled)
    assert r2(truth, pca(shown).filled, np.isnan(shown)) > 0.85
