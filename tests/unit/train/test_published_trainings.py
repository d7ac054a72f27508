"""The published ViTMAE and decoder-only models learn by the same loop, from masks and losses as published."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from small_trainings import Listener, curve, settings

from brainlm_engine.api.errors import BadInput, Cancelled
from brainlm_engine.cohort import Series, load_series, open_cohort
from brainlm_engine.models import load_model
from brainlm_engine.models.brainlm_causal import BrainLMCausal
from brainlm_engine.models.brainlm_vitmae import BrainLMViTMAE
from brainlm_engine.models.card import Card, check
from brainlm_engine.recording import Recording
from brainlm_engine.train import pretrain
from brainlm_engine.train.evaluate import filled_in, validation_windows
from brainlm_engine.train.judging import FORECAST, PICTURE
from brainlm_engine.train.log import LOG
from brainlm_engine.train.step import new_learner, train_step
from brainlm_engine.train.trainable import new_model
from brainlm_engine.train.windows import draw_batch
from brainlm_engine.training_folder import LEVELS, PREVIEW

VITMAE: dict[str, Any] = {"architecture": "brainlm-vitmae", "window_frames": 200}
CAUSAL: dict[str, Any] = {"architecture": "brainlm-causal"}


@pytest.fixture
def full_cohort(tmp_path: Path, make_recording: Callable[..., Recording]) -> Path:
    """Three people in 424 parcels: two to learn from, one to look at."""
    folder = tmp_path / "full"
    (folder / "recordings").mkdir(parents=True)
    rows = ["participant_id\tsplit"]
    for index, split in enumerate(("train", "val", "train")):
        rows.append(f"sub-{index:02d}\t{split}")
        recording = make_recording(index, frames=220, parcels=424)
        recording.save(folder / "recordings" / f"sub-{index:02d}_task-rest_run-1.safetensors")
    (folder / "participants.tsv").write_text("\n".join(rows) + "\n", encoding="utf-8")
    (folder / "dataset_description.json").write_text(json.dumps({"simulated": True}), encoding="utf-8")
    return folder


def cohort_of(plan: dict[str, Any], small: Path, full: Path) -> Path:
    return full if plan is VITMAE else small


class StopAt(Listener):
    """A person who stops at a step."""

    def __init__(self, step: int) -> None:
        super().__init__()
        self.step = step

    def __call__(self, fraction: float, stage: str = "") -> None:
        if stage == f"Training, step {self.step}":
            raise Cancelled("Stopped.")


@pytest.mark.parametrize("plan", [VITMAE, CAUSAL], ids=["vitmae", "causal"])
def test_they_learn_and_leave_a_model_with_a_card(
    plan: dict[str, Any], small_cohort: Path, full_cohort: Path, tmp_path: Path
) -> None:
    cohort, steps = cohort_of(plan, small_cohort, full_cohort), 40 if plan is VITMAE else 60
    listener = Listener()
    made = pretrain(
        cohort,
        tmp_path / "out",
        settings(**plan, steps=steps, learning_rate=5e-3, evaluate_every=10, ema=0.9),
        listener,
    )
    losses = [loss for _, loss, _ in curve(tmp_path / "out")]
    assert losses[-1] < 0.95 * losses[0]
    judging = PICTURE if plan is VITMAE else FORECAST
    assert f"R2 of validation people is measured {judging.words}" in listener.lines
    lines = [json.loads(line) for line in (tmp_path / "out" / LOG).read_text().splitlines()]
    assert {line["r2_measured"] for line in lines} == {judging.words}
    model, card = load_model(tmp_path / "out"), Card.load(tmp_path / "out")
    assert isinstance(model, BrainLMViTMAE if plan is VITMAE else BrainLMCausal)
    assert card.info.architecture == plan["architecture"]
    assert not card.info.any_atlas
    assert card.info.figures == {judging.figure: round(made.validation_r2, 4)}
    assert check(model, card).ok
    levels = {level["method"]: level["r2"] for level in json.loads((tmp_path / "out" / LEVELS).read_text())}
    assert levels["mean"] < 0.5
    assert (tmp_path / "out" / PREVIEW).exists()


@pytest.mark.parametrize("plan", [VITMAE, CAUSAL], ids=["vitmae", "causal"])
def test_a_few_windows_are_learned_by_heart(plan: dict[str, Any], small_cohort: Path, full_cohort: Path) -> None:
    series = load_series(open_cohort(cohort_of(plan, small_cohort, full_cohort)), "train")
    chosen = settings(**plan, steps=200, learning_rate=3e-3, warm_up=1, masks="random")
    torch.manual_seed(0)
    frames = chosen.window_frames
    learner = new_learner(new_model(chosen.architecture, dict(chosen.model), len(series.xyz), frames), chosen)
    batch = draw_batch(series, chosen, 0)
    losses = [train_step(learner, batch, chosen) for _ in range(60)]
    assert losses[-1] < 0.8 * losses[0]


@pytest.mark.parametrize("plan", [VITMAE, CAUSAL], ids=["vitmae", "causal"])
def test_a_stopped_training_goes_on_exactly(
    plan: dict[str, Any], small_cohort: Path, full_cohort: Path, tmp_path: Path
) -> None:
    cohort = cohort_of(plan, small_cohort, full_cohort)
    pretrain(cohort, tmp_path / "whole", settings(**plan, steps=8))
    with pytest.raises(Cancelled):
        pretrain(cohort, tmp_path / "parts", settings(**plan, steps=8), StopAt(5))
    pretrain(cohort, tmp_path / "parts", settings(**plan, steps=8))
    kept = {step: r2 for step, _, r2 in curve(tmp_path / "parts")}
    for step, _, r2 in curve(tmp_path / "whole"):
        assert kept[step] == pytest.approx(r2, abs=1e-6)
    left, right = (load_model(tmp_path / name).state_dict() for name in ("whole", "parts"))
    for key, value in left.items():
        torch.testing.assert_close(value, right[key], atol=1e-6, rtol=0)


def test_the_loss_of_the_picture_is_the_published_one(full_cohort: Path) -> None:
    series = load_series(open_cohort(full_cohort), "train")
    plan = settings(**VITMAE)
    model = new_model("brainlm-vitmae", dict(plan.model), 424, 200).eval()
    assert isinstance(model, BrainLMViTMAE)
    batch = draw_batch(series, plan, 0)
    assert batch.hidden.shape == (2, 729)
    assert (batch.hidden.sum(1) == 729 - int(729 * 0.25)).all()
    image, _ = model._image(batch.signal, batch.xyz)
    with torch.no_grad():
        trained = model(batch.signal, batch.xyz, mask=batch.hidden, queries=batch.queries)
        published = model.fill_image(image, hidden=batch.hidden)
    torch.testing.assert_close(trained.loss, published.loss * model.config.signal_divisor**2)
    assert trained.count == published.mask.sum()
    assert trained.latent.shape[1] == 1 + int(729 * 0.25)


def test_the_loss_of_the_next_patch_is_the_published_one(small_cohort: Path) -> None:
    series = load_series(open_cohort(small_cohort), "train")
    model = new_model("brainlm-causal", dict(settings(**CAUSAL).model), 36, 100).eval()
    batch = draw_batch(series, settings(**CAUSAL, masks="future"), 0)
    with torch.no_grad():
        trained = model(batch.signal, batch.xyz, mask=batch.hidden, queries=batch.queries)
        published = model(batch.signal, batch.xyz, mode="forward")  # type: ignore[call-arg]
    torch.testing.assert_close(trained.loss, published.loss)
    assert trained.count == 2 * 36 * 20


def test_every_other_step_of_the_decoder_only_model_is_a_forecast(small_cohort: Path) -> None:
    series = load_series(open_cohort(small_cohort), "train")
    forecasts = 0
    for step in range(40):
        hidden = draw_batch(series, settings(**CAUSAL), step).hidden
        if hidden[:, :, -1].all() and not hidden[:, :, :-1].any():
            forecasts += 1
        else:
            assert (hidden.sum(2) == int(5 * 0.75)).all()
    assert 10 <= forecasts <= 30


def test_what_is_scored_is_hidden_from_the_model(small_cohort: Path, full_cohort: Path) -> None:
    for plan, folder, judging in ((CAUSAL, small_cohort, FORECAST), (VITMAE, full_cohort, PICTURE)):
        series, chosen = load_series(open_cohort(folder), "val"), settings(**plan)
        model = new_model(chosen.architecture, dict(chosen.model), len(series.xyz), chosen.window_frames).eval()
        signal, window = next(
            validation_windows(series, 20, chosen.window_frames, 1, judging=judging, sizes=chosen.model)
        )
        before, scored = filled_in(model, series, signal, window)
        assert torch.equal(scored, window.covered)
        assert 0.15 < float(scored.float().mean()) < 0.85
        spoiled = torch.where(window.covered, 100.0, signal)
        after, _ = filled_in(model, series, spoiled, window)
        torch.testing.assert_close(before, after)


def test_a_cohort_that_makes_no_picture_is_refused(small_cohort: Path, tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="exactly 424 parcels and 200 frames, not of 36 parcels and 200 frames"):
        pretrain(small_cohort, tmp_path / "out", settings(**VITMAE))


def test_a_picture_hides_no_parcels(full_cohort: Path, tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="hide patches of it at random, not parcels"):
        pretrain(full_cohort, tmp_path / "out", settings(**VITMAE, masks="parcels"))


def test_dropout_in_attention_keeps_no_weights_and_changes_no_gradient(small_cohort: Path) -> None:
    series: Series = load_series(open_cohort(small_cohort), "train")
    torch.manual_seed(0)
    model = new_model("brainlm-causal", dict(settings(**CAUSAL).model), 36, 100).double().train()
    assert isinstance(model, BrainLMCausal)
    batch = draw_batch(series, settings(**CAUSAL), 0)
    found = []
    for step in (0.0, 1e-6, -1e-6):  # the gradient beside what the loss does when a weight moves
        with torch.no_grad():
            model.model.layers[0].attention.key.weight[0, 0] += step
        torch.manual_seed(5)
        loss = model(batch.signal.double(), batch.xyz.double(), mask=batch.hidden).loss
        if not step:
            loss.backward()
        else:
            with torch.no_grad():
                model.model.layers[0].attention.key.weight[0, 0] -= step
        found.append(loss.item())
    gradient = model.model.layers[0].attention.key.weight.grad
    assert gradient is not None
    assert np.isclose((found[1] - found[2]) / 2e-6, float(gradient[0, 0]), rtol=1e-3, atol=1e-8)
