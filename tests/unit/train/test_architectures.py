"""Training knows no architecture: the published 13M learns by the same loop, from its own kind of masks."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from small_trainings import settings

from brainlm_engine.api.errors import BadInput
from brainlm_engine.api.messages import MaskSpec
from brainlm_engine.cohort import Series, load_series, open_cohort
from brainlm_engine.models import load_model
from brainlm_engine.models.brainlm_13m import BrainLM13M
from brainlm_engine.models.card import Card, check
from brainlm_engine.recording import Recording
from brainlm_engine.tasks import reconstruct
from brainlm_engine.train import pretrain
from brainlm_engine.train.checkpoint import CHECKPOINT
from brainlm_engine.train.step import new_learner, train_step
from brainlm_engine.train.trainable import TRAINABLE, new_model
from brainlm_engine.train.windows import draw_batch


@pytest.fixture
def series(small_cohort: Path) -> Series:
    return load_series(open_cohort(small_cohort), "train")


def test_the_13m_architecture_learns_and_loads(small_cohort: Path, tmp_path: Path) -> None:
    plan = settings(architecture="brainlm-13m", learning_rate=4e-3, evaluate_every=200, ema=0.9, masks="random")
    short = pretrain(small_cohort, tmp_path / "short", plan.model_copy(update={"steps": 1}))
    long = pretrain(small_cohort, tmp_path / "long", plan.model_copy(update={"steps": 150}))
    assert long.validation_r2 > short.validation_r2 + 0.01
    model, card = load_model(tmp_path / "long"), Card.load(tmp_path / "long")
    assert isinstance(model, BrainLM13M)
    assert model.config.hidden_size == 16
    assert model.config.num_brain_voxels == 36
    assert card.info.architecture == "brainlm-13m"
    assert not card.info.any_atlas
    assert card.info.patch_frames == 20
    assert check(model, card).ok
    assert any("knows no TR" in limit for limit in card.limits)
    recording = Recording.load(next((small_cohort / "recordings").iterdir()))
    notes = reconstruct(model, recording, mask=MaskSpec(ratio=0.75)).info.notes
    assert not any("not public" in note for note in notes), "it sees the scaling that it was trained on"


def test_exactly_so_many_patches_stay_visible_and_only_hidden_ones_are_asked_for(series: Series) -> None:
    seen = set()
    for step in range(30):
        batch = draw_batch(series, settings(architecture="brainlm-13m", batch=3), step)
        assert batch.signal.shape == (3, 36, 100)
        assert batch.tr_s == 0.72
        visible = (~batch.hidden).flatten(1).sum(1)
        assert (visible == visible[0]).all()
        seen.add(int(visible[0]))
        assert torch.equal(
            torch.zeros(3, 180, dtype=torch.bool).scatter(1, batch.queries, True), batch.hidden.flatten(1)
        )
    assert seen == {int(180 * (1 - ratio)) for ratio in (0.2, 0.5, 0.75, 0.9)}


def test_parcels_without_a_position_are_left_out_of_13m_windows(series: Series) -> None:
    xyz = series.xyz.copy()
    xyz[4] = np.nan
    lacking = Series(series.values, series.people, xyz, series.tr_s, series.atlas_id, series.names)
    batch = draw_batch(lacking, settings(architecture="brainlm-13m"), 0)
    assert batch.signal.shape[1] == batch.xyz.shape[1] == batch.hidden.shape[1] == 35


def test_the_loss_of_the_hidden_is_the_whole_loss(series: Series) -> None:
    plan = settings(architecture="brainlm-13m", batch=3)
    model = new_model("brainlm-13m", dict(plan.model), 36, 100).eval()
    batch = draw_batch(series, plan, 0)
    batch.signal[0, 3, :30] = torch.nan
    with torch.no_grad():
        some = model(batch.signal, batch.xyz, mask=batch.hidden, queries=batch.queries)
        whole = model(batch.signal, batch.xyz, mask=batch.hidden)
    torch.testing.assert_close(some.loss, whole.loss)
    assert some.count == whole.count == (batch.hidden.repeat_interleave(20, 2) & batch.signal.isfinite()).sum()


@pytest.mark.parametrize("architecture", TRAINABLE)
def test_mask_ratios_are_what_was_asked_for(series: Series, architecture: str) -> None:
    plan = settings(architecture=architecture, masks="random", mask_ratios=(0.3, 0.9), variety=False)
    shares = {round(float(draw_batch(series, plan, step).hidden.float().mean()), 1) for step in range(20)}
    # of the decoder-only model's five patches per parcel as many as go into the share, as published
    assert shares == ({0.2, 0.8} if architecture == "brainlm-causal" else {0.3, 0.9})


@pytest.mark.parametrize("architecture", TRAINABLE)
def test_shares_of_a_batch_are_what_one_process_draws(series: Series, architecture: str) -> None:
    plan = settings(architecture=architecture, batch=5)
    for step in range(12):
        whole = draw_batch(series, plan, step)
        parts = [draw_batch(series, plan, step, rank, 3) for rank in range(3)]
        assert torch.equal(torch.cat([part.signal for part in parts]).nan_to_num(), whole.signal.nan_to_num())
        assert torch.equal(torch.cat([part.hidden for part in parts]), whole.hidden)
        assert sum((part.names for part in parts), ()) == whole.names
        assert {part.tr_s for part in parts} == {whole.tr_s}
        if whole.queries.ndim == 2:
            assert torch.equal(torch.cat([part.queries for part in parts]), whole.queries)


def test_accumulated_gradients_are_those_of_the_whole_batch(series: Series) -> None:
    gradients = []
    for parts in (1, 2, 5):
        plan = settings(batch=5, accumulate=parts, clip=1e9, variety=False)
        torch.manual_seed(0)
        learner = new_learner(new_model("studio", dict(plan.model), 36, 100), plan)
        batch = draw_batch(series, plan, 0)
        batch.signal[1, 3:9, :60] = torch.nan  # windows that count for less
        train_step(learner, batch, plan)
        gradients.append([parameter.grad.clone() for parameter in learner.model.parameters()])
    for other in gradients[1:]:
        for left, right in zip(gradients[0], other, strict=True):
            torch.testing.assert_close(left, right, atol=1e-6, rtol=0)


def test_what_cannot_be_trained_is_refused_before_anything_is_read(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="cannot train the architecture “brainlm-2030”"):
        settings(architecture="brainlm-2030")
    with pytest.raises(BadInput, match="no size called “registers”"):
        pretrain(tmp_path / "nothing", tmp_path / "out", settings(architecture="brainlm-13m", model={"registers": 2}))


def test_checkpoints_from_before_a_setting_existed_go_on(small_cohort: Path, tmp_path: Path) -> None:
    from safetensors import safe_open
    from safetensors.torch import save_file

    pretrain(small_cohort, tmp_path / "out", settings(steps=2))
    path = tmp_path / "out" / CHECKPOINT
    with safe_open(path, framework="pt") as file:
        head = json.loads(file.metadata()["training"])
        tensors = {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118
    for young in ("beta2", "mask_ratios", "accumulate"):
        del head["settings"][young]
    save_file(tensors, path, metadata={"training": json.dumps(head)})
    assert pretrain(small_cohort, tmp_path / "out", settings(steps=3)).steps == 3
