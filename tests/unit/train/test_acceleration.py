"""Compiled layers and layers that are computed twice learn the same; what cannot be compiled is run as it stands."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch
import torch._dynamo
from small_trainings import Listener, curve, settings

from brainlm_engine.api.errors import OutOfMemory
from brainlm_engine.cohort import Series, load_series, open_cohort
from brainlm_engine.train import acceleration, pretrain
from brainlm_engine.train import step as steps
from brainlm_engine.train.acceleration import LayerRunner, layer_runner
from brainlm_engine.train.compiled import check_compiled, one_window
from brainlm_engine.train.log import LOG
from brainlm_engine.train.speed import Arithmetic
from brainlm_engine.train.step import Learner, alone, new_learner, train_step
from brainlm_engine.train.trainable import new_model
from brainlm_engine.train.windows import draw_batch

#: torch's tracer looks at the gradients of all it is given, and silences this warning unless warnings are errors
pytestmark = pytest.mark.filterwarnings("ignore:The .grad attribute of a Tensor that is not a leaf")


@pytest.fixture(autouse=True)
def forgotten() -> Any:
    torch._dynamo.reset()
    yield
    torch._dynamo.reset()


@pytest.fixture
def series(small_cohort: Path) -> Series:
    return load_series(open_cohort(small_cohort), "train")


def learner(plan: Any, runner: LayerRunner | None = None) -> Learner:
    torch.manual_seed(0)
    made = new_learner(new_model(plan.architecture, plan.model, 36, plan.window_frames), plan)
    if runner is not None:
        made.runner = made.model.run_layer = runner
    return made


@pytest.mark.parametrize("architecture", ["studio", "brainlm-13m"])
@pytest.mark.parametrize("checkpoints", [False, True])
def test_layers_computed_otherwise_learn_the_same(series: Series, architecture: str, checkpoints: bool) -> None:
    plan = settings(architecture=architecture, variety=False)
    runner = LayerRunner(compiles=not checkpoints, checkpoints=checkpoints, backend="aot_eager")
    plain, other = learner(plan), learner(plan, runner)
    for step in range(3):
        batch = draw_batch(series, plan, step)
        assert train_step(other, batch, plan) == pytest.approx(train_step(plain, batch, plan), abs=1e-6)
    for left, right in zip(plain.model.parameters(), other.model.parameters(), strict=True):
        torch.testing.assert_close(left, right, atol=1e-5, rtol=0)
    assert runner.compiles == (not checkpoints), runner.gave_up


def test_varied_windows_are_compiled_a_few_times_and_no_more(series: Series) -> None:
    plan = settings(masks="mixed")
    runner = LayerRunner(compiles=True, checkpoints=False, varied=True, backend="aot_eager")
    varied, shapes, graphs = learner(plan, runner), set(), []
    torch._dynamo.utils.counters.clear()
    for step in range(24):
        batch = draw_batch(series, plan, step)
        train_step(varied, batch, plan)
        shapes.add((*batch.signal.shape, int((~batch.hidden).sum())))
        graphs.append(torch._dynamo.utils.counters["stats"]["unique_graphs"])
    assert runner.compiles
    assert len(shapes) >= 12
    assert graphs[-1] <= 8, "with and without barred keys, encoder and decoder; one patch, one parcel"
    assert graphs[-1] == graphs[12]


def test_a_processor_compiles_when_asked_only_and_spread_weights_never() -> None:
    def compiles(*, spread: bool = False, n_parameters: int = 10**8, **changes: Any) -> bool:
        return layer_runner(settings(**changes), spread=spread, n_parameters=n_parameters).compiles

    assert not compiles()
    assert compiles(compile="on", n_parameters=1000)
    assert not compiles(compile="on", spread=True)
    # made, not run: there need not be such a device
    assert compiles(device="cuda")
    assert not compiles(device="cuda", n_parameters=500_000), "a minute of compiling is not worth it for a small model"
    assert not compiles(device="cuda", compile="off")


def broken(graph: Any, inputs: Any) -> Any:
    raise NotImplementedError("no compiler for this processor.\nmore")


def test_what_cannot_be_compiled_runs_as_it_stands_and_says_so(
    small_cohort: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(acceleration, "BACKEND", broken)
    told = Listener()
    plan = settings(compile="on", steps=4, variety=False)
    result = pretrain(small_cohort, tmp_path / "tried", plan, told)
    assert "Layers run as they stand: they could not be compiled" in told.lines[0]
    assert "no compiler for this processor" in told.lines[0]
    plain = pretrain(small_cohort, tmp_path / "plain", settings(steps=4, variety=False))
    assert curve(result.folder) == curve(plain.folder)


def test_a_compiled_training_says_so_and_counts_its_arithmetic(
    small_cohort: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(acceleration, "BACKEND", "aot_eager")
    told = Listener()
    pretrain(small_cohort, tmp_path / "out", settings(compile="on", steps=4, variety=False), told)
    assert told.lines[0].startswith("Layers are compiled: the first gradient is")
    for line in (tmp_path / "out" / LOG).read_text(encoding="utf-8").splitlines():
        assert json.loads(line)["gflop_per_s"] > 0


def test_sizes_that_fail_in_the_middle_of_a_training_are_run_as_they_stand(series: Series) -> None:
    plan = settings(variety=False)
    runner = LayerRunner(compiles=True, checkpoints=False, backend=broken)
    tried, plain = learner(plan, runner), learner(plan)
    batch = draw_batch(series, plan, 0)
    assert train_step(tried, batch, plan) == train_step(plain, batch, plan)
    assert "no compiler for this processor" in runner.gave_up


def test_compiled_layers_that_compute_something_else_are_not_used(series: Series) -> None:
    def wrong(graph: Any, inputs: Any) -> Any:
        return lambda *args: tuple(
            value * value if isinstance(value, torch.Tensor) and value.is_floating_point() else value
            for value in graph(*args)
        )

    plan = settings(variety=False)
    runner = LayerRunner(compiles=True, checkpoints=False, backend=wrong)
    told = check_compiled(learner(plan, runner), draw_batch(series, plan, 0), plan, alone(plan))
    assert "% off" in told
    assert not runner.compiles


def test_the_arithmetic_of_one_window_is_a_share_of_the_step(series: Series) -> None:
    plan = settings(variety=False, batch=4)
    plain, batch = learner(plan), draw_batch(series, plan, 0)
    with Arithmetic() as step:
        train_step(plain, batch, plan)
    with Arithmetic() as window:
        one_window(plain, batch, plan)
    assert 4 * window.flops == pytest.approx(step.flops, rel=0.05)


def test_when_one_window_does_not_fit_layers_are_computed_twice(
    series: Series, monkeypatch: pytest.MonkeyPatch
) -> None:
    plan, real = settings(variety=False), steps.gradient

    def scarce(who: Learner, *rest: Any, together: bool = True) -> torch.Tensor:
        if not who.runner.checkpoints:
            raise torch.OutOfMemoryError("CUDA out of memory.")
        return real(who, *rest, together=together)

    monkeypatch.setattr(steps, "gradient", scarce)
    batch = draw_batch(series, plan, 0)
    tried = learner(plan)
    loss = train_step(tried, batch, plan)
    assert (tried.parts, tried.runner.checkpoints) == (2, True)
    with pytest.raises(OutOfMemory, match="1 window at a time"):
        train_step(learner(plan), batch, plan.model_copy(update={"checkpointing": "off"}))
    monkeypatch.undo()
    assert loss == pytest.approx(train_step(learner(plan), batch, plan), abs=1e-6)


def test_wide_models_learn_more_slowly() -> None:
    rates = [settings(model={"width": width, "heads": 2}).learning_rate for width in (64, 128, 1024)]
    assert rates == [2e-3, 2e-3, pytest.approx(2.5e-4)]
    assert settings(model={"width": 1024, "heads": 2}, learning_rate=1e-3).learning_rate == 1e-3
    assert settings(architecture="brainlm-13m").learning_rate == 3e-4
