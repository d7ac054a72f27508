"""Attention read tile by tile is the attention, and no more than the stated amount of it exists at once."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils.checkpoint import checkpoint

from brainlm_engine.models import attention_tiles
from brainlm_engine.models.attention_tiles import Tile
from brainlm_engine.models.base import directly
from brainlm_engine.models.brainlm_13m import BrainLM13M
from brainlm_engine.models.brainlm_causal import BrainLMCausal
from brainlm_engine.models.brainlm_vitmae import BrainLMViTMAE
from brainlm_engine.models.parcel_attention import parcel_attention

SMALL: dict[str, Any] = {
    "hidden_size": 16, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 24,
    "decoder_hidden_size": 16, "decoder_num_hidden_layers": 1, "decoder_num_attention_heads": 2,
    "decoder_intermediate_size": 24,
}  # fmt: skip
Published = BrainLM13M | BrainLMViTMAE | BrainLMCausal


def model_13m() -> BrainLM13M:
    return BrainLM13M.from_config({**SMALL, "timepoint_patching_size": 20, "conv_kernel_size": 5, "mask_ratio": 0.5})


def model_vitmae() -> BrainLMViTMAE:
    return BrainLMViTMAE.from_config(SMALL)


def model_causal() -> BrainLMCausal:
    return BrainLMCausal.from_config({key: value for key, value in SMALL.items() if "decoder" not in key})


MODELS = [(model_13m, 60, 160), (model_vitmae, 424, 200), (model_causal, 30, 80)]
each_model = pytest.mark.parametrize(("make", "parcels", "frames"), MODELS, ids=["13m", "vitmae", "causal"])


def shaken(make: Callable[[], Published]) -> Published:
    torch.manual_seed(0)
    model = make().eval()
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(0.2 * torch.randn_like(parameter))
    return model


def window(parcels: int, frames: int, batch: int = 2) -> tuple[torch.Tensor, torch.Tensor]:
    draw = torch.Generator().manual_seed(1)
    signal = torch.randn(batch, parcels, frames, generator=draw)
    return signal, 30 * torch.randn(batch, parcels, 3, generator=draw)


def joined(tiles: list[Tile]) -> list[torch.Tensor]:
    layers = [[tile for tile in tiles if tile.layer == layer] for layer in range(1 + max(tile.layer for tile in tiles))]
    for layer in layers:
        starts = [0, *torch.tensor([tile.weights.shape[2] for tile in layer]).cumsum(0).tolist()]
        assert [tile.first for tile in layer] == starts[:-1]
    return [torch.cat([tile.weights for tile in layer], 2) for layer in layers]


@each_model
def test_tiles_are_the_rows_of_the_map(
    make: Callable[[], Published], parcels: int, frames: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(attention_tiles, "MOST", 10_000)
    model, (signal, xyz) = shaken(make), window(parcels, frames)
    tiles: list[Tile] = []
    with torch.no_grad():
        whole = model(signal, xyz, attentions=True)
        read = model(signal, xyz, attentions=tiles.append)
    assert len(tiles) >= 10
    assert all(tile.weights.numel() <= 10_000 for tile in tiles)
    assert read.attentions == ()
    for tiled, full in zip(joined(tiles), whole.attentions, strict=True):
        torch.testing.assert_close(tiled, full, atol=1e-6, rtol=0)
        torch.testing.assert_close(tiled.sum(-1), torch.ones(tiled.shape[:-1]))
    torch.testing.assert_close(read.prediction, whole.prediction)


class Largest(TorchDispatchMode):
    """Notes the largest tensor that any operation makes."""

    def __init__(self) -> None:
        super().__init__()
        self.numel = 0

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        out = func(*args, **(kwargs or {}))
        for tensor in out if isinstance(out, tuple | list) else (out,):
            if isinstance(tensor, torch.Tensor):
                self.numel = max(self.numel, tensor.numel())
        return out


@each_model
def test_no_more_than_a_tile_is_laid_out(
    make: Callable[[], Published], parcels: int, frames: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    model, (signal, xyz) = shaken(make), window(parcels, frames, batch=1)
    with Largest() as without:  # what the model needs in any case
        tokens = model.embed(signal, xyz)[0].shape[1]
    monkeypatch.setattr(attention_tiles, "MOST", 3_000)
    with Largest() as largest:
        found = parcel_attention(model, signal, xyz, layers=(0, 1))
    assert largest.numel <= max(3_000, without.numel, found.maps.numel()) < 2 * tokens**2


@each_model
def test_parcels_are_the_mean_over_time(make: Callable[[], Published], parcels: int, frames: int) -> None:
    model, (signal, xyz) = shaken(make), window(parcels, frames)
    xyz[:, 4] = torch.nan
    tiles: list[Tile] = []
    with torch.no_grad():
        _, tokens = model.embed(signal, xyz, attentions=tiles.append)
    found = parcel_attention(model, signal, xyz, layers=(1,))
    assert found.maps.shape == (2, 1, 2, parcels, parcels)
    full, n_patches = joined(tiles)[1], frames // 20
    assert found.maps[:, :, :, 4].isnan().all()
    assert found.maps[:, :, :, :, 4].isnan().all()
    assert found.summary[..., 4].isnan().all()
    if make is model_vitmae:  # a parcel is where its row of the picture is
        model_order = xyz[:, :, 1].nan_to_num(torch.inf).argsort(dim=1, stable=True).argsort(1)
        of_token = [(torch.arange(729) // 27, (torch.arange(729) % 27 >= 7) & (torch.arange(729) % 27 < 20))] * 2
    for sample in range(2):
        for asking, asked in ((0, 1), (7, 7), (11, 29)):
            if make is model_vitmae:
                row, held = of_token[sample]
                one, two = (
                    1 + ((row == (model_order[sample, parcel] + 4) // 16) & held).nonzero()[:, 0]
                    for parcel in (asking, asked)
                )
            else:
                one, two = (1 + (tokens[sample] // n_patches == parcel).nonzero()[:, 0] for parcel in (asking, asked))
            wanted = full[sample][:, one][:, :, two].mean((1, 2))
            torch.testing.assert_close(found.maps[sample, 0, :, asking, asked], wanted, atol=1e-7, rtol=1e-4)
            summary = full[sample][:, 0, two].mean(1)
            torch.testing.assert_close(found.summary[sample, 0, :, asked], summary, atol=1e-7, rtol=1e-4)


def test_a_layer_that_is_not_there_is_refused() -> None:
    with pytest.raises(ValueError, match="the encoder has no layer 7"):
        parcel_attention(shaken(model_13m), *window(30, 80), layers=(0, 7))


def test_windows_that_see_different_patches_have_no_map_in_common() -> None:
    model, (signal, xyz) = shaken(model_13m), window(30, 80)
    xyz[1, 3] = torch.nan
    with pytest.raises(ValueError, match="no attention in common"):
        model(signal, xyz, attentions=True)
    with pytest.raises(ValueError, match="no attention in common"):
        parcel_attention(model, signal, xyz, layers=(0,))


@each_model
def test_layers_that_keep_nothing_have_the_same_gradient(
    make: Callable[[], Published], parcels: int, frames: int
) -> None:
    found = []
    for run in (directly, lambda layer, *args: checkpoint(layer, *args, use_reentrant=False)):
        model, (signal, xyz) = shaken(make).train(), window(parcels, frames)
        model.run_layer = run
        torch.manual_seed(2)
        model(signal, xyz).loss.backward()
        found.append({name: weight.grad for name, weight in model.named_parameters() if weight.grad is not None})
    assert found[0].keys() == found[1].keys()
    for name, gradient in found[0].items():
        assert torch.equal(found[1][name], gradient), name
