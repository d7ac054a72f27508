"""Simple forecasts on series whose law is known."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from brainlm_engine.baselines.forecasts import autoregression, persistence, vector_ridge
from brainlm_engine.baselines.lstm import train_lstm
from brainlm_engine.baselines.people_var import PeopleVAR
from brainlm_engine.baselines.shared_lags import SharedLags

Floats = NDArray[np.float32]
HORIZON = 5


def standard(series: NDArray[np.float64]) -> Floats:
    """Scale (parcels, frames) to mean 0, SD 1."""
    return ((series - series.mean(1, keepdims=True)) / series.std(1, keepdims=True)).astype(np.float32)


def second_order(seed: int, parcels: int = 30, frames: int = 400) -> Floats:
    """x(t) = 1.2 x(t-1) - 0.5 x(t-2) + noise, every parcel alone."""
    rng = np.random.default_rng(seed)
    series = np.zeros((parcels, frames + 100))
    for t in range(2, frames + 100):
        series[:, t] = 1.2 * series[:, t - 1] - 0.5 * series[:, t - 2] + rng.standard_normal(parcels)
    return standard(series[:, 100:])


def exact(past: Floats) -> Floats:
    """What the law of :func:`second_order` says follows."""
    before, last, made = past[:, -2], past[:, -1], []
    for _ in range(HORIZON):
        before, last = last, 1.2 * last - 0.5 * before
        made.append(last)
    return np.stack(made, 1)


def test_everything_stays() -> None:
    past = second_order(0)
    assert np.array_equal(persistence(past, 3), np.repeat(past[:, -1:], 3, 1))


def test_autoregression_finds_the_law_of_every_parcel() -> None:
    past = second_order(1, frames=3000)
    assert np.abs(autoregression(past, HORIZON) - exact(past)).max() < 0.15
    white = standard(np.random.default_rng(0).standard_normal((20, 500)))
    assert np.abs(autoregression(white, HORIZON)).mean() < 0.05, "noise has no law"


def test_autoregression_of_a_short_past() -> None:
    assert np.isfinite(autoregression(second_order(1, frames=12), 8)).all()


def test_vector_ridge_sees_who_follows_whom() -> None:
    rng = np.random.default_rng(2)
    leader = rng.standard_normal(301)
    past = standard(np.stack([leader[1:], leader[:-1] + 0.1 * rng.standard_normal(300), rng.standard_normal(300)]))
    made = vector_ridge(past, 2)
    assert made[1, 0] == pytest.approx(past[0, -1], abs=0.35), "the follower will be where the leader is"
    assert abs(made[1, 1]) < 0.35, "nobody knows where the leader goes"


def test_shared_weights_hold_for_parcels_they_never_saw() -> None:
    windows = [(x[:, :100], x[:, 100 : 100 + HORIZON]) for x in (second_order(seed, frames=120) for seed in range(40))]
    past = second_order(99, parcels=12)
    learned = SharedLags.of_people(windows).forecast(past)
    alone = SharedLags.of_past(past, HORIZON)
    assert alone is not None
    assert np.abs(learned - exact(past)).mean() < 0.15
    assert np.abs(alone.forecast(past) - exact(past)).mean() < 0.3
    assert SharedLags.of_past(past[:, :30], HORIZON) is None
    assert np.isfinite(SharedLags.of_people(windows).forecast(past[:, :5])).all()


def test_people_teach_a_vector_autoregression() -> None:
    people = [second_order(seed, parcels=10) for seed in range(20)]
    people[0][3] = np.nan
    past = second_order(77, parcels=10)
    assert np.abs(PeopleVAR.of_people(people).forecast(past, HORIZON) - exact(past)).mean() < 0.15


def test_the_lstm_learns_the_law_and_a_seed_decides() -> None:
    windows = [(x[:, :40], x[:, 40 : 40 + HORIZON]) for x in (second_order(seed, frames=60) for seed in range(30))]
    first, again = train_lstm(windows, 3), train_lstm(windows, 3)
    past = second_order(99)[:, -40:]
    assert np.array_equal(first.forecast(past), again.forecast(past))
    assert ((first.forecast(past) - exact(past))[:, 0] ** 2).mean() < 0.2 * (exact(past)[:, 0] ** 2).mean()
