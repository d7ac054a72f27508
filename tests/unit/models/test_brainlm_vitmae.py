"""The published ViTMAE models: their own answers, independent answers, and what the engine asks of every model."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from golden_files import every, golden, positions, window
from safetensors.torch import load_file
from torch import Tensor

from brainlm_engine.api.errors import BadInput
from brainlm_engine.models.brainlm_vitmae import BrainLMViTMAE, ViTMAEConfig, matches
from brainlm_engine.models.picture import back_to_front

Y_ORDER_SHA1 = "2244909a06237e275af681fcbfdb96205886418d"
PUBLISHED = [f"{patch}_{case}" for patch in ("p16", "p14") for case in ("auto75", "auto20", "last", "lastpix")]
MODES = {"auto75": "auto_encode", "auto20": "auto_encode", "last": "predict_last", "lastpix": "predict_last_pixel"}
TINY = ViTMAEConfig(
    hidden_size=16, num_hidden_layers=2, num_attention_heads=2, intermediate_size=24, decoder_hidden_size=8,
    decoder_num_hidden_layers=1, decoder_num_attention_heads=2, decoder_intermediate_size=12,
)  # fmt: skip


@pytest.fixture(scope="module")
def model() -> BrainLMViTMAE:
    torch.manual_seed(3)
    made = BrainLMViTMAE(TINY).eval()
    for parameter in made.parameters():  # a fresh model answers nearly 0 everywhere
        if parameter.requires_grad:
            torch.nn.init.normal_(parameter, std=0.2)
    return made


def brain(batch: int = 1, seed: int = 0) -> tuple[Tensor, Tensor]:
    draw = torch.Generator().manual_seed(seed)
    signal = torch.randn(batch, 424, 200, generator=draw)
    return signal, torch.from_numpy(positions(424)).float().expand(batch, -1, -1)


def block(rows: slice, patches: slice) -> Tensor:
    """Hide neighbours from back to front, so that only part of the picture is hidden."""
    mask = torch.zeros(1, 424, 10, dtype=torch.bool)
    parcels = back_to_front(brain()[1])[0][rows]
    mask[0, parcels, patches] = True
    return mask


# ---- answers of the published code ----


@pytest.mark.shared_data
@pytest.mark.parametrize("case", PUBLISHED)
def test_published_answers(shared_reference: Path, case: str) -> None:
    folder = shared_reference / "golden_vitmae_tiny"
    patch, _, kind = case.partition("_")
    facts = json.loads((folder / "manifest.json").read_text())["cases"][case]
    inputs, answer = load_file(folder / "inputs.safetensors"), load_file(folder / f"io_{case}.safetensors")
    model = BrainLMViTMAE.from_config(json.loads((folder / f"config_{patch}.json").read_text())).eval()
    fresh = {name: model.state_dict()[name].clone() for name in model.rebuilt}
    weights = load_file(folder / f"model_{patch}.safetensors")
    for name, table in fresh.items():
        assert torch.equal(table, weights[name])
    model.load_state_dict(weights)
    image = inputs["signal"][:, inputs["y_order"].long()]
    with torch.inference_mode():
        out = model.fill_image(
            image, noise=answer.get("noise"), train_mode=MODES[kind], mask_ratio=facts["mask_ratio"],
            attentions="attn_cls" in answer, hidden_states=True,
        )  # fmt: skip
    close = {"atol": 1e-6, "rtol": 0}
    torch.testing.assert_close(out.logits[:1, :: 424 // answer["logits"].shape[1]], answer["logits"], **close)
    torch.testing.assert_close(out.hidden_states[-1][:, 0], answer["prelayernorm_cls"], **close)
    torch.testing.assert_close(out.loss, answer["loss"][0], **close)
    assert torch.equal(out.mask, answer["mask_image"].bool())
    assert int(out.mask.sum()) == facts["mask_image_sum"]
    assert out.latent.shape[1] == facts["L_enc"]
    # ties are broken in order here, anyhow there: the same patches, told apart by their places
    kept, published = out.latent.shape[1] - 1, answer["ids_restore"].long()
    assert torch.equal(out.ids_restore < kept, published < kept)
    if kind.startswith("auto"):
        assert torch.equal(out.ids_restore, published)
    there = out.ids_restore.gather(1, published.argsort(1)[:, :kept])
    latent = torch.cat([out.latent[:, :1], out.latent[:, 1:].gather(1, there[..., None].expand(-1, -1, 24))], 1)
    torch.testing.assert_close(latent[:, :: 8 if kind == "auto20" else 1], answer["latent"], **close)
    if "attn_cls" in answer:
        torch.testing.assert_close(
            torch.stack([each[:, :, 0] for each in out.attentions], 1), answer["attn_cls"], **close
        )


@pytest.mark.shared_data
def test_parcels_stand_in_the_published_order(shared_data: Path, shared_reference: Path) -> None:
    given = np.loadtxt(shared_data / "atlases" / "A424_Coordinates.dat")
    order = back_to_front(torch.from_numpy(given[None, :, 1:]).float())[0]
    assert hashlib.sha1(order.numpy().astype("<i4").tobytes()).hexdigest() == Y_ORDER_SHA1
    stored = load_file(shared_reference / "golden_vitmae_tiny" / "inputs.safetensors")
    assert torch.equal(order, stored["y_order"].long())


# ---- independent answers ----


def loaded(patch: int, **changes: Any) -> tuple[BrainLMViTMAE, dict[str, dict[str, np.ndarray]]]:
    config, folder, cases = golden(f"golden_vitmae_p{patch}")
    model = BrainLMViTMAE.from_config(config | changes).eval()
    missing, unknown = model.load_state_dict(load_file(folder / "model.safetensors"), strict=False)
    assert not unknown
    assert set(missing) == (set() if patch == 16 else set(model.rebuilt))
    return model, cases


@pytest.mark.parametrize(("dtype", "atol"), [(torch.float64, 1e-10), (torch.float32, 1e-4)])
@pytest.mark.parametrize("case", ["random", "predict_last", "predict_last_pixel"])
@pytest.mark.parametrize("patch", [16, 14])
def test_the_equations(patch: int, case: str, dtype: torch.dtype, atol: float) -> None:
    model, cases = loaded(patch)
    answer, model = cases[case], model.to(dtype)
    noise = torch.from_numpy(answer["noise"])[None] if case == "random" else None
    image = torch.from_numpy(window(424, 200))[None].to(dtype)
    options = {"train_mode": "auto_encode"} if case == "random" else {"train_mode": case, "mask_ratio": 0.1}
    out = model.fill_image(image, noise=noise, hidden_states=True, **options)
    found = {
        "logits": out.logits[0], "latent": out.latent[0], "loss": out.loss,
        "summary_before_norm": out.hidden_states[-1][0, 0],
    }  # fmt: skip
    for name, value in found.items():
        mine = every(name, value.detach().double().numpy())
        np.testing.assert_allclose(mine, answer[name], rtol=0, atol=atol, err_msg=name)
    mask = out.mask[0].numpy()
    assert np.array_equal(np.packbits(every("mask", mask)), answer["mask"])
    assert mask.sum() == answer["mask_sum"]
    rows, _ = loaded(patch, norm_pix_loss=True)
    other = rows.to(dtype).fill_image(image, noise=noise, **options).loss.detach()
    assert abs(float(other) - answer["loss_norm_pix"]) < atol
    if case == "random" and dtype == torch.float64:
        out.loss.backward()
        slopes = {name.removeprefix("slope."): value for name, value in answer.items() if name.startswith("slope.")}
        assert len(slopes) == 5
        for name, slope in slopes.items():
            gradient = float(model.get_parameter(name).grad.flatten()[0])
            assert abs(gradient - slope) < 1e-7 + 1e-5 * abs(slope), name


@pytest.mark.parametrize("patch", [16, 14])
def test_the_equations_through_the_engine(patch: int) -> None:
    model, cases = loaded(patch)
    answer = cases["engine"]
    mask = np.unpackbits(answer["asked"])[: 424 * 10].reshape(1, 424, 10).astype(bool)
    signal, xyz = torch.from_numpy(window(424, 200, gaps=True))[None], torch.from_numpy(positions(424))[None]
    with torch.inference_mode():
        out = model.double()(signal, xyz, mask=torch.from_numpy(mask))
    prediction = every("logits", out.prediction[0].reshape(424, 200).numpy())
    np.testing.assert_allclose(prediction, answer["logits"], rtol=0, atol=1e-10)
    np.testing.assert_allclose(every("latent", out.latent[0].numpy()), answer["latent"], rtol=0, atol=1e-10)
    np.testing.assert_allclose(float(out.loss), answer["loss"], rtol=1e-10)


# ---- sizes and settings ----


@pytest.mark.parametrize(
    ("config", "all_parameters", "trained", "entries"),
    [
        (ViTMAEConfig(), 112_590_080, 111_655_680, 334),
        (ViTMAEConfig(1280, 32, 16, 5120, patch_size=14), 658_337_868, None, 654),
    ],
)
def test_published_sizes(config: ViTMAEConfig, all_parameters: int, trained: int | None, entries: int) -> None:
    with torch.device("meta"):
        model = BrainLMViTMAE(config)
    assert sum(each.numel() for each in model.parameters()) == all_parameters
    assert len(model.state_dict()) == entries
    if trained:
        assert sum(each.numel() for each in model.parameters() if each.requires_grad) == trained


def test_config_goes_in_and_comes_out_whole() -> None:
    config = golden("golden_vitmae_p14")[0] | {
        "id2label": {"0": "LABEL_0"},
        "torch_dtype": None,
        "train_mode": "predict_last",
    }
    model = BrainLMViTMAE.from_config(config)
    written = json.loads(json.dumps(model.config_dict()))
    assert written.items() >= config.items()
    assert matches(written)
    assert BrainLMViTMAE.from_config(written).config == model.config


def test_which_configs_are_of_this_kind() -> None:
    config = golden("golden_vitmae_p16")[0]
    assert matches(config)
    assert matches(config | {"image_size": 432})
    for other in ({"model_type": "brainlm"}, {"num_landmarks": 64}, {"image_size": 224}, {"patch_size": 32}):
        assert not matches(config | other)
    assert not matches({})


@pytest.mark.parametrize(
    "wrong",
    [
        {"patch_size": 32}, {"image_size": [424, 200]}, {"image_size": 434}, {"num_attention_heads": 3},
        {"decoder_num_attention_heads": 0}, {"mask_ratio": 1.5}, {"train_mode": "guess"}, {"hidden_act": "snake"},
        {"timepoint_patching_size": 30},
    ],
)  # fmt: skip
def test_impossible_configs_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError):  # noqa: PT011
        BrainLMViTMAE.from_config(golden("golden_vitmae_p16")[0] | wrong)


def test_fresh_weights_are_as_published() -> None:
    torch.manual_seed(0)
    fresh = BrainLMViTMAE(TINY)
    for name, value in fresh.state_dict().items():
        if name.endswith("bias"):
            assert not value.any(), name
        elif "norm" in name:
            assert (value == 1).all(), name
        elif name not in fresh.rebuilt and value.numel() > 200:
            assert 0.017 < float(value.std()) < 0.023, name
    assert fresh.vit.embeddings.cls_token.any()
    assert fresh.decoder.mask_token.any()


# ---- what the engine asks of every model ----


def test_same_input_same_answer_and_shapes(model: BrainLMViTMAE) -> None:
    signal, xyz = brain(2)
    with torch.inference_mode():
        first, second = model(signal, xyz, tr_s=0.735), model(signal, xyz)
    assert torch.equal(first.prediction, second.prediction)
    assert first.prediction.shape == (2, 424, 10, 20)
    assert first.mask.shape == (2, 424, 10)
    assert first.latent.shape == (2, 1 + 182, 16)
    assert first.tokens.shape == (2, 182)
    assert torch.isfinite(first.loss)
    assert model.frames_per_patch(0.735) == model.frames_per_patch(3.0) == 20


def test_answer_does_not_depend_on_the_batch(model: BrainLMViTMAE) -> None:
    signal, xyz = brain(3)
    mask = torch.cat(
        [block(slice(0, 50), slice(2, 4)), block(slice(90, 300), slice(0, 9)), block(slice(0, 0), slice(0))]
    )
    with torch.inference_mode():
        together = model(signal, xyz, mask=mask)
        for row in range(3):
            alone = model(signal[row : row + 1], xyz[row : row + 1], mask=mask[row : row + 1])
            torch.testing.assert_close(alone.prediction[0], together.prediction[row], atol=2e-5, rtol=1e-5)
            torch.testing.assert_close(
                alone.latent[0], together.latent[row, : alone.latent.shape[1]], atol=1e-5, rtol=1e-5
            )
            assert not together.latent[row, alone.latent.shape[1] :].any()
            assert torch.equal(together.tokens[row, : alone.tokens.shape[1]], alone.tokens[0])
            assert (together.tokens[row, alone.tokens.shape[1] :] == -1).all()
            assert torch.isnan(alone.loss) == (not mask[row].any())


def test_what_is_hidden_changes_nothing_and_what_is_shown_does(model: BrainLMViTMAE) -> None:
    signal, xyz = brain()
    mask = block(slice(100, 140), slice(3, 6))
    other = torch.where(mask.repeat_interleave(20, 2), signal + 5, signal)
    with torch.inference_mode():
        first, second = model(signal, xyz, mask=mask), model(other, xyz, mask=mask)
        third = model(signal + 1, xyz, mask=mask)
    assert torch.equal(first.prediction, second.prediction)
    assert not torch.equal(first.loss, second.loss)
    assert (first.prediction - third.prediction).abs().max() > 1e-3
    assert torch.equal(first.mask.bool(), mask)


def test_order_of_parcels_does_not_matter(model: BrainLMViTMAE) -> None:
    signal, _ = brain()
    xyz = torch.stack([torch.zeros(424), torch.linspace(-90, 60, 424), torch.zeros(424)], -1)[None]
    shuffled = torch.randperm(424, generator=torch.Generator().manual_seed(1))
    mask = torch.zeros(1, 424, 10, dtype=torch.bool)
    mask[0, 60:90, 4:] = True
    with torch.inference_mode():
        first = model(signal, xyz, mask=mask)
        second = model(signal[:, shuffled], xyz[:, shuffled], mask=mask[:, shuffled])
    assert torch.equal(first.prediction[:, shuffled], second.prediction)
    assert torch.equal(first.latent, second.latent)
    # tokens name the parcel wherever it stands in the input
    ids = torch.where(second.tokens >= 0, shuffled[second.tokens // 10] * 10 + second.tokens % 10, -1)
    assert torch.equal(ids, first.tokens)


def test_noise_hides_its_share_of_the_data(model: BrainLMViTMAE) -> None:
    signal, xyz = brain(2)
    noise = torch.rand(2, 424, 10, generator=torch.Generator().manual_seed(2))
    with torch.inference_mode():
        out, flat = model(signal, xyz, noise=noise), model(signal, xyz, noise=noise.flatten(1))
        picture = model(signal, xyz, noise=torch.rand(2, 729, generator=torch.Generator().manual_seed(2)))
    assert torch.equal(out.prediction, flat.prediction)
    assert out.tokens.shape == (2, 729 - 351 + int(351 * 0.25))
    assert int((out.tokens >= 0).sum()) == 2 * int(351 * 0.25)
    assert picture.tokens.shape == (2, 182)
    assert 0.5 < float(out.mask.mean()) < 0.75  # a time patch spans two patches of the picture, both must be hidden


def test_missing_parcels_are_shown_as_zero_and_never_scored(model: BrainLMViTMAE) -> None:
    signal, xyz = brain()
    mask = block(slice(100, 140), slice(3, 6))
    gone = int(mask[0].any(1).nonzero()[4])
    holed, zeroed = signal.clone(), signal.clone()
    holed[0, [7, gone]], zeroed[0, [7, gone]] = torch.inf, 0
    with torch.inference_mode():
        first, second = model(holed, xyz, mask=mask), model(zeroed, xyz, mask=mask)
        lost = model(signal, xyz.index_fill(1, torch.tensor([9]), torch.nan), mask=mask)
    assert torch.equal(first.prediction, second.prediction)
    assert not first.mask[0, gone].any()
    assert torch.isfinite(first.loss)
    assert first.loss != second.loss
    assert torch.isnan(lost.prediction[0, 9]).all()
    assert torch.isfinite(lost.prediction[0, 10:]).all()


@pytest.mark.parametrize(("parcels", "frames"), [(424, 199), (424, 220), (400, 200), (1, 1)])
def test_other_windows_are_refused_in_one_sentence(model: BrainLMViTMAE, parcels: int, frames: int) -> None:
    signal, xyz = torch.zeros(1, parcels, frames), torch.zeros(1, parcels, 3)
    for ask in (model, model.embed):
        with pytest.raises(BadInput, match="exactly 424 parcels and 200 frames") as caught:
            ask(signal, xyz)
        assert caught.value.message.endswith(f"{parcels} parcels and {frames} frames.")


def test_embedding_hides_nothing_and_never_decodes(model: BrainLMViTMAE) -> None:
    signal, xyz = brain(2)

    def refuse(*_: object) -> None:
        raise AssertionError("the decoder ran")

    order = back_to_front(xyz)
    image = signal.gather(1, order[..., None].expand(-1, -1, 200)) / 5.6430855
    rising = torch.arange(729) / 729
    with torch.inference_mode():
        whole = model.fill_image(image, noise=rising.expand(2, -1), mask_ratio=0.0, hidden_states=True)
        hook = model.decoder.register_forward_pre_hook(refuse)
        try:
            latent, tokens = model.embed(signal, xyz)
            raw, _ = model.embed(signal, xyz, before_norm=True)
            with pytest.raises(AssertionError, match="decoder"):
                model(signal, xyz)
        finally:
            hook.remove()
    assert torch.equal(latent, whole.latent)
    assert torch.equal(raw, whole.hidden_states[-1])
    assert latent.shape == (2, 730, 16)
    assert int((tokens[0] >= 0).sum()) == 351
    assert int(tokens.max()) < 4240


def test_attention_maps_change_nothing(model: BrainLMViTMAE) -> None:
    signal, xyz = brain(2)
    mask = torch.cat([block(slice(0, 50), slice(2, 4)), block(slice(90, 300), slice(0, 9))])
    with torch.inference_mode():
        plain, shown = model(signal, xyz, mask=mask), model(signal, xyz, mask=mask, attentions=True)
    torch.testing.assert_close(plain.prediction, shown.prediction, atol=1e-5, rtol=1e-5)
    assert plain.attentions == ()
    assert len(shown.attentions) == 2
    for weights in shown.attentions:
        torch.testing.assert_close(weights.sum(-1), torch.ones(weights.shape[:-1]))
        assert not weights[1, :, :, 1:][:, :, shown.tokens.shape[1] - 100 :][
            ..., -1
        ].any()  # filled-up places are barred


def test_dropout_only_in_training() -> None:
    config = ViTMAEConfig(**{**TINY.__dict__, "hidden_dropout_prob": 0.5, "attention_probs_dropout_prob": 0.5})
    made, (signal, xyz) = BrainLMViTMAE(config), brain()
    with torch.no_grad():
        assert not torch.equal(made.train()(signal, xyz).latent, made(signal, xyz).latent)
        assert torch.equal(made.eval()(signal, xyz).latent, made(signal, xyz).latent)


def test_bfloat16_answers_nearly_the_same(model: BrainLMViTMAE) -> None:
    signal, xyz = brain()
    with torch.inference_mode():
        exact = model(signal, xyz)
        with torch.autocast("cpu", torch.bfloat16):
            mixed = model(signal, xyz)
        half = BrainLMViTMAE(TINY).eval()
        half.load_state_dict(model.state_dict())
        low = half.bfloat16()(signal, xyz)
    for other in (mixed, low):
        assert (other.prediction - exact.prediction).abs().max() < 0.05 * exact.prediction.abs().max()
        assert other.loss.dtype == torch.float32
        torch.testing.assert_close(other.loss, exact.loss, rtol=0.02, atol=0)


def test_a_model_made_for_the_future_hides_the_last_frames_unless_told_otherwise(model: BrainLMViTMAE) -> None:
    config = ViTMAEConfig(**{**TINY.__dict__, "train_mode": "predict_last_pixel", "mask_ratio": 0.1})
    future = BrainLMViTMAE(config).eval()
    future.load_state_dict(model.state_dict())
    signal, xyz = brain()
    noise = torch.rand(1, 729, generator=torch.Generator().manual_seed(2))
    later = signal.clone()
    later[:, :, 180:] += 5
    with torch.inference_mode():
        out, other = future(signal, xyz), future(later, xyz)
        random = future(signal, xyz, noise=noise)
    assert out.mask[:, :, 9].all()
    assert not out.mask[:, :, :9].any()
    assert torch.equal(out.prediction, other.prediction)
    assert random.tokens.shape == (1, int(729 * 0.9))
