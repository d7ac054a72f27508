"""What is read from features: planted numbers and groups are found, noise is not, and nobody asked is learned from."""

from __future__ import annotations

import numpy as np
import pytest

from brainlm_engine.baselines.readout import read_group, read_number


@pytest.mark.parametrize("features", [12, 400])
def test_what_is_planted_is_found_and_noise_is_not(features: int) -> None:
    rng = np.random.default_rng(0)
    taught, asked = rng.normal(size=(120, features)), rng.normal(size=(80, features))
    weight = np.zeros(features)
    weight[:4] = 6.0 if features > 100 else 2.0
    age, later = taught @ weight + rng.normal(size=120), asked @ weight + rng.normal(size=80)
    told = read_number(taught, age, asked)
    assert np.corrcoef(told, later)[0, 1] > (0.9 if features < 100 else 0.25)
    nothing = read_number(taught, rng.permutation(age), asked)
    assert abs(np.corrcoef(nothing, later)[0, 1]) < 0.4
    assert nothing.std() < 0.5 * later.std()
    group = read_group(taught, age > 0, asked)
    assert ((group > 0.5) == (later > 0)).mean() > (0.85 if features < 100 else 0.55)
    assert ((group >= 0) & (group <= 1)).all()


def test_the_span_changes_nothing() -> None:
    """Ridge on many features equals ridge in closed form with the penalty that was chosen."""
    rng = np.random.default_rng(1)
    taught, asked = rng.normal(size=(30, 90)), rng.normal(size=(7, 90))
    wanted = taught[:, 0] * 3 + rng.normal(size=30)
    told = read_number(taught, wanted, asked)
    first = (taught - taught.mean(0)) / taught.std(0)
    second = (asked - taught.mean(0)) / taught.std(0)
    size = np.sqrt((first**2).sum(1).mean())
    best = min(
        (
            np.abs(
                wanted.mean()
                + second / size @ np.linalg.solve(
                    first.T @ first / size**2 + penalty * 30 * np.eye(90), first.T / size @ (wanted - wanted.mean())
                ) - told
            ).max()
            for penalty in np.logspace(-3, 5, 17)
        ),
    )  # fmt: skip
    assert best < 1e-6


def test_missing_and_constant_features_do_no_harm() -> None:
    rng = np.random.default_rng(2)
    taught, asked = rng.normal(size=(40, 6)), rng.normal(size=(10, 6))
    wanted = 2 * taught[:, 0]
    taught[3, 1], asked[2, 2] = np.nan, np.nan
    taught[:, 4], taught[:, 5] = 3.0, np.nan
    assert np.isfinite(read_number(taught, wanted, asked)).all()
