"""The sentence of the result card: a win is a win only when the interval says so."""

from __future__ import annotations

import pytest

from brainlm_engine.jobs.evaluations import told_of, verdict
from brainlm_engine.tasks.evaluate import Evaluation, Row


def table(difference: float, low: float | None, high: float | None, people: int = 18) -> Evaluation:
    """A model beside a ridge that is ``difference`` behind it, with the interval of the difference."""
    model = Row(
        method="model", title="Model", r2=0.4, low=0.3, high=0.5, model_minus_this=0.0, difference_low=0.0,
        difference_high=0.0,
    )  # fmt: skip
    ridge = Row(
        method="ridge", title="Ridge", r2=0.4 - difference, low=0.3, high=0.5, model_minus_this=difference,
        difference_low=low, difference_high=high,
    )  # fmt: skip
    mean = ridge.model_copy(update={"method": "mean", "title": "Mean", "r2": -0.02, "model_minus_this": 0.42})
    return Evaluation(
        model_id="m", data="people", mask_ratio=0.75, people=people, hidden_frames=9, rows=(model, ridge, mean)
    )


@pytest.mark.parametrize(
    ("difference", "low", "high", "words"),
    [
        (0.1, 0.05, 0.15, "better than the best simple method (ridge): R² 0.400 against 0.300."),
        (-0.1, -0.15, -0.05, "does not beat the best simple method (ridge): R² 0.400 against 0.500."),
        (0.01, -0.02, 0.04, "as good as the best simple method (ridge): R² 0.400 against 0.390, a difference within"),
        (0.1, None, None, "one person proves nothing."),
    ],
)
def test_the_verdict(difference: float, low: float | None, high: float | None, words: str) -> None:
    told = table(difference, low, high)
    assert words in verdict(told)
    assert [row.method for row in told_of(told).rows] == ["model", "ridge", "mean"]
