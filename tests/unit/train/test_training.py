"""Training on a small cohort: it learns, the seed decides, and a stopped run goes on exactly where it was."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from small_trainings import SMALL, curve, settings

from brainlm_engine.api.errors import BadInput, Cancelled, EngineError
from brainlm_engine.baselines.people import people_covariance
from brainlm_engine.cohort import Series, load_series, open_cohort
from brainlm_engine.models import load_model
from brainlm_engine.models.card import Card, check
from brainlm_engine.models.studio import Studio
from brainlm_engine.recording import Recording
from brainlm_engine.train import pretrain
from brainlm_engine.train.checkpoint import CHECKPOINT
from brainlm_engine.train.log import LOG
from brainlm_engine.train.step import learning_rate, new_learner, train_step
from brainlm_engine.train.windows import draw_batch


class StopAt:
    """A person who stops at a step."""

    def __init__(self, step: int) -> None:
        self.step = step

    def __call__(self, fraction: float, stage: str = "") -> None:
        if stage == f"Training, step {self.step}":
            raise Cancelled("Stopped.")

    def log(self, line: str) -> None:
        pass


@pytest.fixture
def series(small_cohort: Path) -> Series:
    return load_series(open_cohort(small_cohort), "train")


def test_training_lowers_the_loss_of_validation_people(small_cohort: Path, tmp_path: Path) -> None:
    short = pretrain(small_cohort, tmp_path / "short", settings(steps=1, variety=False))
    long = pretrain(small_cohort, tmp_path / "long", settings(steps=80, variety=False, learning_rate=5e-3, ema=0.9))
    assert long.validation_r2 > short.validation_r2 + 0.02
    assert long.windows == 160
    # the people looked at while learning are not those who are held out for 'evaluate'
    assert Card.load(long.folder).info.figures == {"validation_r2_75": round(long.validation_r2, 4)}


def test_the_result_is_a_model_with_a_card(small_cohort: Path, tmp_path: Path) -> None:
    pretrain(small_cohort, tmp_path / "mine", settings(steps=2), title="Mine")
    model, card = load_model(tmp_path / "mine"), Card.load(tmp_path / "mine")
    assert model.card is not None
    assert model.card.title == "Mine"
    assert "6 simulated recordings of 6 people" in model.card.trained_on
    assert card.training["steps"] == 2
    assert card.seed == 3
    assert any("simulated" in limit for limit in card.limits)
    assert check(model, card).ok
    assert people_covariance(model.folder, Recording.load(next((small_cohort / "recordings").iterdir()))) is not None


def test_a_stopped_training_goes_on_exactly(small_cohort: Path, tmp_path: Path) -> None:
    whole = pretrain(small_cohort, tmp_path / "whole", settings())
    for stop in (2, 7):
        with pytest.raises(Cancelled):
            pretrain(small_cohort, tmp_path / "parts", settings(), StopAt(stop))
    parts = pretrain(small_cohort, tmp_path / "parts", settings())
    assert parts.steps == whole.steps == 12
    kept = {step: (loss, r2) for step, loss, r2 in curve(tmp_path / "parts")}
    for step, _, r2 in curve(tmp_path / "whole"):
        assert kept[step][1] == pytest.approx(r2, abs=1e-6)
    left, right = (load_model(tmp_path / name).state_dict() for name in ("whole", "parts"))
    for key, value in left.items():
        torch.testing.assert_close(value, right[key], atol=1e-6, rtol=0)


def test_a_kill_between_checkpoints_repeats_the_same_steps(small_cohort: Path, tmp_path: Path) -> None:
    whole = pretrain(small_cohort, tmp_path / "whole", settings(steps=10))
    copy = tmp_path / "killed"
    with pytest.raises(Cancelled):
        pretrain(small_cohort, copy, settings(steps=10), StopAt(5))
    with (copy / LOG).open("a", encoding="utf-8") as file:  # what was logged after the last checkpoint
        file.write(json.dumps({"step": 8, "loss": 9.0, "validation_r2": -9.0}) + "\n")
    again = pretrain(small_cohort, copy, settings(steps=10))
    assert again.validation_r2 == pytest.approx(whole.validation_r2, abs=1e-6)
    assert [step for step, _, _ in curve(copy)] == [1, 4, 8, 10]
    assert min(r2 for _, _, r2 in curve(copy)) > -9


def test_other_settings_and_damaged_checkpoints_are_refused(small_cohort: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    pretrain(small_cohort, out, settings(steps=1))
    with pytest.raises(BadInput, match="other settings \\(seed\\)"):
        pretrain(small_cohort, out, settings(steps=2, seed=4))
    (out / CHECKPOINT).write_bytes((out / CHECKPOINT).read_bytes()[:200])
    with pytest.raises(BadInput, match="checkpoint in out is damaged"):
        pretrain(small_cohort, out, settings(steps=2))


def test_windows_longer_than_the_recordings(small_cohort: Path, tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="240 frames, fewer than the window of 300"):
        pretrain(small_cohort, tmp_path / "out", settings(window_frames=300))
    (tmp_path / "file").touch()
    with pytest.raises(BadInput, match="is a file"):
        pretrain(small_cohort, tmp_path / "file", settings())


def test_a_step_decides_its_windows(series: Series) -> None:
    first, again, other = (draw_batch(series, settings(), step) for step in (5, 5, 6))
    assert torch.equal(first.signal.nan_to_num(), again.signal.nan_to_num())
    assert torch.equal(first.hidden, again.hidden)
    assert first.signal.shape != other.signal.shape or not torch.equal(first.signal, other.signal)


def test_variety_shows_other_trs_lengths_and_parcels(series: Series) -> None:
    batches = [draw_batch(series, settings(), step) for step in range(60)]
    assert {batch.tr_s for batch in batches} > {0.72}
    assert len({batch.signal.shape[1] for batch in batches}) > 10
    for batch in batches:
        assert batch.signal.shape[1] == batch.xyz.shape[1] == batch.hidden.shape[1]
        assert batch.signal.isfinite().float().mean() > 0.5
        assert int(batch.queries.max()) < batch.signal.shape[1]
    plain = [draw_batch(series, settings(variety=False), step) for step in range(5)]
    assert {(batch.tr_s, *batch.signal.shape) for batch in plain} == {(0.72, 2, 36, 100)}


def test_learning_rate_rises_then_falls() -> None:
    plan = settings(steps=100, warm_up=10)
    rates = [learning_rate(plan, step, plan.share_done(step, 0)) for step in range(101)]
    assert np.argmax(rates) in range(8, 11)
    assert rates[100] == pytest.approx(0.02 * plan.learning_rate)


def test_a_loss_that_is_no_number_stops_and_leaves_the_weights(series: Series) -> None:
    torch.manual_seed(0)
    learner = new_learner(Studio.from_config(SMALL), settings())
    batch = draw_batch(series, settings(variety=False), 0)
    before = {key: value.clone() for key, value in learner.model.state_dict().items()}
    batch.signal[:] = 1e38
    with pytest.raises(EngineError, match="no longer a number at step 0"):
        train_step(learner, batch, settings())
    assert all(torch.equal(value, before[key]) for key, value in learner.model.state_dict().items())
