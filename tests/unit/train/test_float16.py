"""Training in float16: the loss is scaled, an overflow costs no step, and resuming is exact.

Users are kept to graphics processors; torch also computes it on the CPU, where these tests run the same code.
"""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors import safe_open
from small_trainings import Listener, settings

from brainlm_engine.api.errors import BadInput, NotANumber
from brainlm_engine.cohort import load_series, open_cohort
from brainlm_engine.train import TrainSettings
from brainlm_engine.train.checkpoint import Keeper
from brainlm_engine.train.loss_scale import PATIENCE, LossScale
from brainlm_engine.train.precision import check_precision
from brainlm_engine.train.step import Learner, alone, gradient, new_learner, train_step
from brainlm_engine.train.trainable import new_model
from brainlm_engine.train.windows import Batch, draw_batch
from brainlm_engine.training_folder import CHECKPOINT

ARCHITECTURES = ("studio", "brainlm-13m")


def plan(architecture: str = "studio", precision: str = "16") -> TrainSettings:
    return settings(architecture=architecture, variety=False).model_copy(update={"precision": precision})


def begun(cohort: Path, chosen: TrainSettings) -> tuple[Learner, list[Batch]]:
    series = load_series(open_cohort(cohort), "train")
    torch.manual_seed(0)
    model = new_model(chosen.architecture, chosen.model, len(series.xyz), chosen.window_frames)
    return new_learner(model, chosen), [draw_batch(series, chosen, step) for step in range(6)]


def gradients(learner: Learner) -> torch.Tensor:
    return torch.cat([weight.grad.flatten() for weight in learner.model.parameters() if weight.grad is not None])


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_the_gradient_is_nearer_to_float32_than_that_of_bfloat16(small_cohort: Path, architecture: str) -> None:
    found = {}
    for precision in ("32", "bf16", "16"):
        chosen = plan(architecture, precision)
        learner, batches = begun(small_cohort, chosen)
        gradient(learner, batches[0], chosen, alone(chosen))
        found[precision] = gradients(learner)
    off = {name: float((found[name] - found["32"]).norm()) for name in ("bf16", "16")}
    assert 0 < off["16"] < off["bf16"] / 4  # three bits more


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_losses_follow_those_of_float32(small_cohort: Path, architecture: str) -> None:
    losses: dict[str, list[float]] = {}
    for precision in ("32", "16"):
        chosen = plan(architecture, precision)
        learner, batches = begun(small_cohort, chosen)
        assert ("float16" in check_precision(learner.model, batches[0], chosen)) == (precision == "16")
        losses[precision] = [train_step(learner, batch, chosen) for batch in batches]
    np.testing.assert_allclose(losses["16"], losses["32"], rtol=0.02)
    assert losses["16"] != losses["32"]


def test_an_overflow_is_computed_again_and_changes_nothing(small_cohort: Path) -> None:
    ends = []
    for factor in (1.0, 2.0**40):
        learner, batches = begun(small_cohort, plan())
        learner.scale.factor = factor
        losses = [train_step(learner, batch, plan()) for batch in batches]
        assert learner.step == len(batches)
        assert learner.scale.passed == len(batches)
        ends.append((losses, learner.scale.factor))
    assert ends[0][1] == 1
    assert 1 < ends[1][1] < 2**40  # down to where it fits, at the first step
    np.testing.assert_allclose(ends[1][0], ends[0][0], rtol=2e-3)


def test_a_gradient_that_is_none_at_any_scale_stops_the_training(small_cohort: Path) -> None:
    learner, batches = begun(small_cohort, plan())
    before = {name: value.clone() for name, value in learner.model.state_dict().items()}
    weight = next(learner.model.parameters())
    weight.register_hook(lambda gradient: gradient * torch.inf)  # type: ignore[no-untyped-call]
    with pytest.raises(NotANumber, match="gradient is no longer a number at step 0"):
        train_step(learner, batches[0], plan())
    for name, value in learner.model.state_dict().items():
        assert torch.equal(value, before[name])


def test_the_scale_doubles_after_many_good_steps() -> None:
    scale = LossScale()
    for _ in range(PATIENCE):
        scale.passes()
    assert (scale.factor, scale.passed) == (2.0, 0)
    assert scale.halve()
    assert (scale.factor, scale.passed) == (1.0, 0)


def test_resuming_is_exact(small_cohort: Path, tmp_path: Path) -> None:
    whole, batches = begun(small_cohort, plan())
    whole.scale.factor = 2.0**40
    wanted = [train_step(whole, batch, plan()) for batch in batches]

    first, _ = begun(small_cohort, plan())
    first.scale.factor = 2.0**40
    for batch in batches[:3]:
        train_step(first, batch, plan())
    assert Keeper(tmp_path, plan(), Listener()).keep(first)
    with safe_open(tmp_path / CHECKPOINT, framework="pt") as file:
        assert json.loads(file.metadata()["training"])["loss_scale"] == [first.scale.factor, 3]

    second, _ = begun(small_cohort, plan())
    assert Keeper(tmp_path, plan(), Listener()).resume(second)
    assert [train_step(second, batch, plan()) for batch in batches[3:]] == wanted[3:]
    assert second.scale == whole.scale
    for one, other in zip(second.model.parameters(), whole.model.parameters(), strict=True):
        assert torch.equal(one, other)

    exact, _ = begun(small_cohort, plan(precision="32"))
    assert Keeper(tmp_path, plan(precision="32"), Listener()).resume(exact)  # the precision may change on the way
    assert exact.scale == LossScale()


def test_processors_are_told_to_use_bfloat16() -> None:
    with pytest.raises(BadInput, match="Float16 is for training on graphics processors") as refused:
        settings(precision="16")
    assert "--precision bf16" in refused.value.next_step
    assert settings(precision="16", device="cuda").precision == "16"
