"""The decoder-only BrainLM: its own answers, independent answers, its known flaws, and what the engine asks."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from golden_files import golden, positions, window
from safetensors.torch import load_file
from torch import Tensor

from brainlm_engine.api.errors import BadInput
from brainlm_engine.models.brainlm_causal import BrainLMCausal, CausalConfig, matches
from brainlm_engine.models.brainlm_causal_finetuning import BrainLMCausalFinetuning

CLOSE = {"atol": 2e-5, "rtol": 0}
TINY = CausalConfig(
    hidden_size=16, num_hidden_layers=3, num_attention_heads=2, intermediate_size=24, timepoint_patching_size=5
)


@pytest.fixture(scope="module")
def model() -> BrainLMCausal:
    torch.manual_seed(3)
    return BrainLMCausal(TINY).eval()


def brain(parcels: int = 12, frames: int = 30, batch: int = 1, seed: int = 0) -> tuple[Tensor, Tensor]:
    draw = torch.Generator().manual_seed(seed)
    return torch.randn(batch, parcels, frames, generator=draw), torch.randn(batch, parcels, 3, generator=draw)


# ---- answers of the published code ----


def published(folder: Path, kind: type = BrainLMCausal, head: dict[str, Tensor] | None = None) -> Any:
    model = kind.from_config(json.loads((folder / "config.json").read_text())).eval()
    weights = load_file(folder / "model.safetensors")
    if head is not None:
        weights = {name: value for name, value in weights.items() if name.startswith("model.")} | head
    missing, unknown = model.load_state_dict(weights, strict=False)
    assert not unknown
    assert missing == list(BrainLMCausal.rebuilt)
    return model


@pytest.mark.shared_data
@pytest.mark.parametrize("case", ["random", "forward", "nomask"])
def test_published_answers(shared_reference: Path, case: str) -> None:
    folder = shared_reference / "golden_causal_tiny"
    model = published(folder)
    inputs, answer = load_file(folder / "inputs.safetensors"), load_file(folder / f"io_{case}.safetensors")
    noise, mode = answer.get("noise"), "none" if case == "nomask" else case
    shape = torch.Size((2, 24, 4))
    embedded = model.model.embeddings(
        inputs["signal_vectors"].view(2, 24, 4, 10), inputs["xyz_vectors"],
        model.model.hidden_patches(shape, noise, mode, torch.device("cpu")),
    )  # fmt: skip
    torch.testing.assert_close(embedded, answer["embedding_output"], **CLOSE)
    out = model(inputs["signal_vectors"], inputs["xyz_vectors"], noise=noise, mode=mode)
    torch.testing.assert_close(out.prediction, answer["logits"], **CLOSE)
    torch.testing.assert_close(out.latent, answer["hidden"], **CLOSE)
    torch.testing.assert_close(out.loss, answer["loss"][0], equal_nan=True, **CLOSE)
    assert torch.equal(out.mask, answer["mask"])
    if case == "random":
        out.loss.backward()
        slopes = load_file(folder / "grads_random.safetensors")
        assert slopes.keys() == dict(model.named_parameters()).keys()
        for name, slope in slopes.items():
            torch.testing.assert_close(model.get_parameter(name).grad, slope, atol=2e-5, rtol=1e-5)


@pytest.mark.shared_data
def test_published_fine_tuning(shared_reference: Path) -> None:
    folder = shared_reference / "golden_causal_tiny"
    answer = load_file(folder / "io_finetune_on_random_mask.safetensors")
    head = {name: value for name, value in answer.items() if name.startswith("mlp_pred_head.")}
    model = published(folder, BrainLMCausalFinetuning, head)
    inputs, noise = load_file(folder / "inputs.safetensors"), load_file(folder / "io_random.safetensors")["noise"]
    signal, xyz, labels = inputs["signal_vectors"], inputs["xyz_vectors"], answer["labels"]
    prediction, loss = model(signal, xyz, labels, noise=noise)
    torch.testing.assert_close(prediction, answer["logits"], **CLOSE)
    torch.testing.assert_close(loss, answer["loss"][0], **CLOSE)


@pytest.mark.shared_data
def test_published_names_in_their_order(shared_reference: Path) -> None:
    folder = shared_reference / "golden_causal_tiny"
    stored = json.loads((folder / "manifest.json").read_text())["state_dict_keys"]
    made = BrainLMCausal.from_config(json.loads((folder / "config.json").read_text())).state_dict()
    assert {name: list(value.shape) for name, value in made.items()} == stored
    assert list(made) == list(stored)


# ---- independent answers ----


def loaded(**changes: Any) -> tuple[BrainLMCausal, dict[str, dict[str, np.ndarray]]]:
    config, folder, cases = golden("golden_causal")
    model = BrainLMCausal.from_config(config | changes).eval()
    missing, unknown = model.load_state_dict(load_file(folder / "model.safetensors"), strict=False)
    assert not unknown
    assert missing == list(model.rebuilt)
    return model, cases


@pytest.mark.parametrize(("dtype", "atol"), [(torch.float64, 1e-6), (torch.float32, 2e-5)])
@pytest.mark.parametrize("mode", ["random", "forward", "none"])
def test_the_equations(mode: str, dtype: torch.dtype, atol: float) -> None:
    model, cases = loaded()
    answer, model = cases[mode], model.to(dtype)
    signal = torch.from_numpy(window(9, 30, gaps=True))[None].to(dtype)
    xyz = torch.from_numpy(positions(9))[None].to(dtype)
    noise = torch.from_numpy(answer["noise"])[None] if mode == "random" else None
    out = model(signal, xyz, noise=noise, mode=mode)
    mask = np.unpackbits(answer["mask"])[:54].reshape(9, 6).astype(bool)
    again = model(signal, xyz, mask=torch.from_numpy(mask)[None])
    assert torch.equal(again.prediction, out.prediction)
    prediction = out.prediction[0].flatten(1).detach().double().numpy()
    np.testing.assert_allclose(prediction, answer["logits"], rtol=0, atol=atol)
    np.testing.assert_allclose(out.latent[0].detach().double().numpy(), answer["latent"], rtol=0, atol=atol)
    measured = np.isfinite(signal[0].numpy()).reshape(9, 6, 5).any(-1)
    assert np.array_equal(out.mask[0].numpy().astype(bool), mask & measured)
    assert not measured.all()
    if mode == "none":
        assert torch.isnan(out.loss)
        return
    assert abs(float(out.loss.detach()) - answer["loss"]) < atol
    absolute = loaded(loss_fn="mae")[0].to(dtype)(signal, xyz, noise=noise, mode=mode).loss
    assert abs(float(absolute.detach()) - answer["loss_mae"]) < atol
    if mode == "random" and dtype == torch.float64:
        out.loss.backward()
        slopes = {name.removeprefix("slope."): value for name, value in answer.items() if name.startswith("slope.")}
        assert len(slopes) == 6
        for name, slope in slopes.items():
            gradient = float(model.get_parameter(name).grad.flatten()[0])
            assert abs(gradient - slope) < 1e-6 + 1e-4 * abs(slope), name


# ---- sizes and settings ----


def test_published_size() -> None:
    with torch.device("meta"):
        model = BrainLMCausal()
    assert sum(each.numel() for each in model.parameters()) == 6_360_980


def test_config_goes_in_and_comes_out_whole() -> None:
    config = golden("golden_causal")[0] | {"pad_token_id": None, "auto_map": {"AutoModel": "x"}}
    model = BrainLMCausal.from_config(config)
    written = json.loads(json.dumps(model.config_dict()))
    assert written.items() >= config.items()
    assert matches(written)
    assert BrainLMCausal.from_config(written).config == model.config


def test_which_configs_are_of_this_kind() -> None:
    assert matches({"model_type": "brainlm", "forward_mask_prob": 0.5})
    assert not matches({"model_type": "brainlm"})
    assert not matches({"model_type": "brainlm_mae", "forward_mask_prob": 0.5})


@pytest.mark.parametrize(
    "wrong",
    [
        {"num_attention_heads": 3}, {"hidden_size": 0}, {"hidden_size": 15, "num_attention_heads": 3},
        {"mask_ratio": -0.1}, {"loss_fn": "huber"}, {"hidden_act": "snake"}, {"timepoint_patching_size": 0},
    ],
)  # fmt: skip
def test_impossible_configs_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError):  # noqa: PT011
        BrainLMCausal.from_config(golden("golden_causal")[0] | wrong)


@pytest.mark.parametrize("kind", [BrainLMCausal, BrainLMCausalFinetuning])
def test_fresh_weights_are_as_published(kind: type[torch.nn.Module]) -> None:
    torch.manual_seed(0)
    made = kind(TINY)
    for name in dict(made.named_parameters()):
        value = made.state_dict()[name]
        if name.endswith("bias"):
            assert not value.any(), name
        elif "norm" in name:
            assert (value == 1).all(), name
        elif name.endswith("token"):
            assert 0.005 < float(value.std()) < 0.04, name
        else:  # Xavier-uniform
            most = (6 / sum(value.shape)) ** 0.5
            assert 0.8 * most < float(value.abs().max()) <= most, name


# ---- its known flaws, which its card names ----


def test_hidden_parcels_of_a_time_patch_get_one_answer(model: BrainLMCausal) -> None:
    signal, xyz = brain()
    with torch.inference_mode():
        out = model(signal, xyz, mode="forward")
    last = out.prediction[0, :, -1]
    assert (last - last[:1]).abs().max() < 1e-5
    assert out.prediction[0, :, 0].std(0).max() > 1e-3
    assert "same prediction" in model.limits[0]


def test_the_future_leaks_only_through_the_summary_token(model: BrainLMCausal) -> None:
    signal, xyz = brain()
    later = signal.clone()
    later[:, :, 25:] += 3
    with torch.inference_mode():
        first, second = model(signal, xyz, mode="none"), model(later, xyz, mode="none")
        leak = (first.prediction - second.prediction)[:, :, :5].abs().max()
        # one layer cannot leak: the summary token hands on in the second what it took in the first
        shallow = BrainLMCausal(CausalConfig(**{**TINY.__dict__, "num_hidden_layers": 1})).eval()
        first, second = shallow(signal, xyz, mode="none"), shallow(later, xyz, mode="none")
    assert leak > 1e-4
    assert torch.equal(first.prediction[:, :, :5], second.prediction[:, :, :5])
    assert not torch.equal(first.prediction[:, :, 5:], second.prediction[:, :, 5:])


# ---- what the engine asks of every model ----


@pytest.mark.parametrize(("parcels", "frames"), [(1, 5), (12, 30), (3, 100), (50, 5)])
def test_any_number_of_parcels_and_patches(model: BrainLMCausal, parcels: int, frames: int) -> None:
    signal, xyz = brain(parcels, frames, batch=2)
    patches = frames // 5
    with torch.inference_mode():
        out, again = model(signal, xyz, tr_s=2.0), model(signal, xyz)
    assert torch.equal(out.prediction, again.prediction)
    assert out.prediction.shape == (2, parcels, patches, 5)
    assert out.latent.shape == (2, 1 + parcels * patches, 16)
    assert (out.mask.sum(-1) == max(1, int(patches * 0.75))).all()
    assert int((out.tokens == -1).sum()) == int(out.mask.sum())
    assert model.frames_per_patch(0.735) == model.frames_per_patch(3.0) == 5


def test_answer_does_not_depend_on_the_batch(model: BrainLMCausal) -> None:
    signal, xyz = brain(batch=3)
    signal[1, :4] = torch.nan
    mask = (
        torch.rand(3, 12, 6, generator=torch.Generator().manual_seed(5)) < torch.tensor([0.2, 0.9, 0.0])[:, None, None]
    )
    with torch.inference_mode():
        together = model(signal, xyz, mask=mask)
        for row in range(3):
            alone = model(signal[row : row + 1], xyz[row : row + 1], mask=mask[row : row + 1])
            torch.testing.assert_close(alone.prediction[0], together.prediction[row], atol=1e-5, rtol=1e-5)
            torch.testing.assert_close(alone.latent[0], together.latent[row], atol=1e-5, rtol=1e-5)
            assert torch.equal(alone.tokens[0], together.tokens[row])


def test_what_is_hidden_changes_nothing(model: BrainLMCausal) -> None:
    signal, xyz = brain()
    mask = torch.zeros(1, 12, 6, dtype=torch.bool)
    mask[:, 3:6, 2:4] = True
    other = torch.where(mask.repeat_interleave(5, 2), signal + 5, signal)
    with torch.inference_mode():
        first, second = model(signal, xyz, mask=mask), model(other, xyz, mask=mask)
    assert torch.equal(first.prediction, second.prediction)
    assert first.loss != second.loss


def test_missing_parcels_are_shown_as_zero_and_never_scored(model: BrainLMCausal) -> None:
    signal, xyz = brain()
    holed, zeroed = signal.clone(), signal.clone()
    holed[0, 4], zeroed[0, 4] = -torch.inf, 0
    with torch.inference_mode():
        first, second = model(holed, xyz), model(zeroed, xyz)
        lost = model(signal, xyz.index_fill(1, torch.tensor([9]), torch.nan))
    assert torch.equal(first.prediction, second.prediction)
    assert not first.mask[0, 4].any()
    assert second.mask[0, 4].any()
    assert torch.isfinite(first.loss)
    assert torch.isnan(lost.prediction[0, 9]).all()
    assert torch.isfinite(lost.prediction[0, :9]).all()
    assert not lost.mask[0, 9].any()


@pytest.mark.parametrize("frames", [4, 31, 0, 25005])
def test_windows_of_broken_patches_are_refused(model: BrainLMCausal, frames: int) -> None:
    signal, xyz = torch.zeros(1, 2, frames), torch.zeros(1, 2, 3)
    for ask in (model, model.embed):
        with pytest.raises(BadInput, match="patches of 5 frames"):
            ask(signal, xyz)


def test_embedding_hides_nothing_and_never_decodes(model: BrainLMCausal) -> None:
    signal, xyz = brain(batch=2)

    def refuse(*_: object) -> None:
        raise AssertionError("the head ran")

    with torch.inference_mode():
        whole = model(signal, xyz, mode="none")
        hook = model.pred_head.register_forward_pre_hook(refuse)
        try:
            latent, tokens = model.embed(signal, xyz)
            with pytest.raises(AssertionError, match="head"):
                model(signal, xyz)
        finally:
            hook.remove()
    assert torch.equal(latent, whole.latent)
    assert torch.equal(tokens, whole.tokens)
    assert tokens[0, :13].tolist() == [*range(0, 72, 6), 1]  # time patch by time patch
    assert not whole.mask.any()


def test_attention_maps_change_nothing_and_show_the_mask(model: BrainLMCausal) -> None:
    signal, xyz = brain(parcels=4, frames=15)
    with torch.inference_mode():
        plain, shown = model(signal, xyz), model(signal, xyz, attentions=True)
    torch.testing.assert_close(plain.prediction, shown.prediction, atol=1e-5, rtol=1e-5)
    block = torch.tensor([0] + [1] * 4 + [2] * 4 + [3] * 4)
    allowed = (block[None] <= block[:, None]) | (block[:, None] == 0)
    assert len(shown.attentions) == 3
    for weights in shown.attentions:
        torch.testing.assert_close(weights.sum(-1), torch.ones(weights.shape[:-1]))
        assert torch.equal(weights[0, 0] > 0, allowed)


def test_dropout_only_in_training(model: BrainLMCausal) -> None:
    signal, xyz = brain()
    made = BrainLMCausal(TINY)
    with torch.no_grad():
        assert not torch.equal(made.train()(signal, xyz).latent, made(signal, xyz).latent)
        assert torch.equal(made.eval()(signal, xyz).latent, made(signal, xyz).latent)


def test_bfloat16_answers_nearly_the_same(model: BrainLMCausal) -> None:
    signal, xyz = brain(batch=2)
    with torch.inference_mode():
        exact = model(signal, xyz)
        with torch.autocast("cpu", torch.bfloat16):
            mixed = model(signal, xyz)
        half = BrainLMCausal(TINY).eval()
        half.load_state_dict(model.state_dict())
        low = half.bfloat16()(signal, xyz)
    for other in (mixed, low):
        assert (other.prediction - exact.prediction).abs().max() < 0.1 * exact.prediction.abs().max()
        assert other.loss.dtype == torch.float32
        torch.testing.assert_close(other.loss, exact.loss, rtol=0.05, atol=0)


def test_fine_tuning_leaves_unknown_labels_out_and_hides_nothing_unasked() -> None:
    torch.manual_seed(1)
    head, (signal, xyz) = BrainLMCausalFinetuning(TINY).eval(), brain(batch=3)
    labels = torch.tensor([1.0, torch.nan, 3.0])
    prediction, loss = head(signal, xyz, labels)
    known = (prediction - labels)[[0, 2]]
    torch.testing.assert_close(loss, known.square().mean())
    loss.backward()
    assert all(torch.isfinite(each.grad).all() for each in head.parameters() if each.grad is not None)
    assert torch.equal(head(signal, xyz, mask=torch.zeros(3, 12, 6, dtype=torch.bool))[0], prediction)
    assert torch.isnan(head(signal, xyz)[1])
