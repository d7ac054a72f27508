"""Attention of the published models from parcel to parcel, averaged over time as the tiles go by.

The weights of a layer between single patches do not fit into a message and hardly into memory; between parcels they
are a small map. What is in memory at once is the maps and a few tiles of at most
:data:`brainlm_engine.models.attention_tiles.MOST` weights.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor

from brainlm_engine.models.attention_tiles import Reader, Tile


@dataclass(frozen=True)
class Groups:
    """Which tokens of a model stand for the same place.

    Attributes
    ----------
    members : (G, n) int64, the tokens of each place, at n times; the summary token and padding are in none
    of_parcel : (B, V) int64, the place of each parcel of each window; -1 for parcels that are left out
    """

    members: Tensor
    of_parcel: Tensor


class Attending(Protocol):
    """A model whose attention can be read parcel by parcel."""

    def groups(self, signal: Tensor, xyz: Tensor) -> Groups:
        """Say which tokens of :meth:`embed` stand for the same place."""

    def embed(
        self, signal: Tensor, xyz: Tensor, tr_s: float | None = None, *, attentions: Reader | None = None
    ) -> tuple[Tensor, Tensor]:
        """Encode with everything visible and show the attention to a reader."""


@dataclass(frozen=True)
class ParcelAttention:
    """Attention of some layers between parcels.

    Attributes
    ----------
    layers : their numbers
    maps : (B, layers, H, V, V), what a patch of the first parcel takes from a patch of the second: mean over all pairs
        of time patches; NaN for parcels without a position. Times the patches of all parcels, a row sums to nearly 1:
        the summary token and padding take the rest
    summary : (B, layers, H, V), what the summary token takes from a patch of each parcel, mean over time patches
    """

    layers: tuple[int, ...]
    maps: Tensor
    summary: Tensor


class _Adding:
    """Reads tiles and adds them up by place."""

    def __init__(self, groups: Groups, layers: Sequence[int]) -> None:
        self.groups, self.layers = groups, list(layers)
        self.maps: dict[int, Tensor] = {}
        self.summary: dict[int, Tensor] = {}
        count, times = groups.members.shape
        token = groups.members.flatten()
        self.place = torch.full((int(token.max()) + 1,), -1, device=token.device)
        self.place[token] = torch.arange(count, device=token.device).repeat_interleave(times)

    def __call__(self, tile: Tile) -> None:
        """Add one tile."""
        if tile.layer not in self.layers:
            return
        count, times = self.groups.members.shape
        taken = tile.weights[..., self.groups.members.flatten()]
        taken = taken.reshape(*taken.shape[:3], count, times).mean(-1)
        if tile.first == 0:
            self.summary[tile.layer] = taken[:, :, 0]
            self.maps[tile.layer] = taken.new_zeros(*taken.shape[:2], count, count)
        place = self.place[tile.first : tile.first + taken.shape[2]]
        asking = (place >= 0).nonzero()[:, 0]
        self.maps[tile.layer].index_add_(2, place[asking], taken[:, :, asking], alpha=1 / times)


def parcel_attention(
    model: Attending, signal: Tensor, xyz: Tensor, layers: Sequence[int], tr_s: float | None = None
) -> ParcelAttention:
    """Read the attention of the encoder's ``layers`` with everything visible; ``signal`` and ``xyz`` as for ``embed``.

    Raises
    ------
    ValueError
        When the model has no such layer, or the windows see different numbers of patches.
    """
    groups = model.groups(signal, xyz)
    adding = _Adding(groups, layers)
    with torch.inference_mode():
        model.embed(signal, xyz, tr_s, attentions=adding)
    if missing := [layer for layer in layers if layer not in adding.maps]:
        raise ValueError(f"the encoder has no layer {missing[0]}")
    maps = torch.stack([adding.maps[layer] for layer in layers], 1)
    summary = torch.stack([adding.summary[layer] for layer in layers], 1)
    parcels = [_of_parcels(*each) for each in zip(maps, summary, groups.of_parcel, strict=True)]
    return ParcelAttention(
        tuple(layers), torch.stack([each[0] for each in parcels]), torch.stack([each[1] for each in parcels])
    )


def _of_parcels(maps: Tensor, summary: Tensor, place: Tensor) -> tuple[Tensor, Tensor]:
    """From places to parcels: ``maps (layers, H, G, G)``, ``summary (layers, H, G)``, ``place (V,)``."""
    known, at = place >= 0, place.clamp(min=0)
    both = known[:, None] & known
    maps = torch.where(both, maps[..., at, :][..., at], torch.nan)
    return maps, torch.where(known, summary[..., at], torch.nan)
