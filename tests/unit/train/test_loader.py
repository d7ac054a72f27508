"""Windows drawn ahead: the same ones, in order, whoever draws them, and nothing is left running."""

from __future__ import annotations

import threading
import time
from pathlib import Path

import numpy as np
import pytest
import torch
from small_trainings import settings

from brainlm_engine.cohort import Series, load_series, open_cohort
from brainlm_engine.train.loader import Loader
from brainlm_engine.train.windows import Batch, Merge, draw_batch

CPU = torch.device("cpu")


@pytest.fixture
def series(small_cohort: Path) -> Series:
    return load_series(open_cohort(small_cohort), "train")


def empty(step: int) -> Batch:
    return Batch(
        torch.full((1, 2, 3), float(step)), torch.zeros(1, 2, 3), torch.zeros(1, 2, 1) > 0, torch.arange(2), 0.7
    )


def test_batches_are_those_of_their_steps(series: Series) -> None:
    plan = settings()
    with Loader(lambda step: draw_batch(series, plan, step), CPU, first=3, last=9) as loader:
        for step in range(3, 9):
            ahead, asked = loader.batch(step), draw_batch(series, plan, step)
            assert torch.equal(ahead.signal.nan_to_num(), asked.signal.nan_to_num())
            assert torch.equal(ahead.hidden, asked.hidden)
            assert torch.equal(ahead.queries, asked.queries)
            assert ahead.names == asked.names


def test_the_next_batches_are_drawn_while_one_is_learned_from() -> None:
    drawn: list[int] = []

    def draw(step: int) -> Batch:
        drawn.append(step)
        return empty(step)

    with Loader(draw, CPU, last=6) as loader:
        assert loader.batch(0).signal.max() == 0
        until = time.monotonic() + 10
        while len(drawn) < 3 and time.monotonic() < until:
            time.sleep(0.01)
        assert drawn == [0, 1, 2], "two ahead, not more"
        with pytest.raises(ValueError, match="step 4 is not the next one"):
            loader.batch(4)
        for step in range(1, 6):
            assert loader.batch(step).signal.max() == step
    assert drawn == list(range(6)), "none after the last"


def test_what_drawing_raises_is_raised_at_its_step_and_threads_end() -> None:
    def draw(step: int) -> Batch:
        if step == 1:
            raise KeyError("no such recording")
        return empty(step)

    def threads() -> list[str]:
        return [thread.name for thread in threading.enumerate() if thread.name.startswith("windows")]

    with pytest.raises(KeyError), Loader(draw, CPU) as loader:
        assert threads()
        loader.batch(0)
        loader.batch(1)
    assert not threads()


def test_merged_parcels_are_means_of_their_groups() -> None:
    values = np.random.default_rng(0).standard_normal((5, 40)).astype(np.float16)
    values[4] = np.nan
    merge = Merge(np.array([0, 2, 1, 3, 4]), np.array([0, 2, 3]), np.zeros((3, 3), np.float32))
    merged = merge.of(values)
    exact = values.astype(np.float32)
    first = exact[[0, 2]].mean(0)
    np.testing.assert_allclose(merged[0], first / first.std(), rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(merged[1], exact[1] / exact[1].std(), rtol=1e-4, atol=1e-5)
    assert np.isnan(merged[2]).all(), "a part is missing"
