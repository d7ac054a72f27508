"""Attention weights of a model that never lays them out: whole maps when they are small, else tile by tile.

A layer of the 13M model over a window of 424 parcels and 200 frames has 4 x 4,241 x 4,241 weights, 288 MB. A reader is
shown a few rows at a time, and what it is shown is thrown away again: however long the window, no more than
:data:`MOST` weights exist at once, beside as many scores that they are made of.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

#: weights in one tile (16 MB), over all windows and heads; a single row of a layer is never split
MOST = 2**22


@dataclass(frozen=True)
class Tile:
    """Some rows of the attention of one layer.

    Attributes
    ----------
    layer : number of the encoder's layer
    first : the token of the first row
    weights : (B, H, R, L), what the tokens from ``first`` on take from every token; rows sum to 1
    """

    layer: int
    first: int
    weights: Tensor


Reader = Callable[[Tile], None]


class Watch:
    """Is shown the queries and keys of every layer, in order, and makes the weights of them.

    Attributes
    ----------
    maps : the whole maps, one per layer, where there is no reader
    """

    def __init__(self, reader: Reader | None = None) -> None:
        self.maps: list[Tensor] = []
        self._reader, self._layer = reader, 0

    def see(self, query: Tensor, key: Tensor, allowed: Tensor | None = None, reach: Tensor | None = None) -> None:
        """Make the softmax weights of one layer.

        Parameters
        ----------
        query, key : (B, H, L, d)
        allowed : (B, 1, 1, L) bool, False bars a key for everybody
        reach : (L,) int64, how many of the first keys each token sees; all when not given
        """
        if self._reader is None:
            self.take(_softmax(query, key, allowed, reach))
            return
        with torch.no_grad():
            rows = rows_per_tile(query.shape)
            for first in range(0, query.shape[2], rows):
                part = slice(first, first + rows)
                seen = None if reach is None else reach[part]
                self._reader(Tile(self._layer, first, _softmax(query[:, :, part], key, allowed, seen)))
        self._layer += 1

    def take(self, weights: Tensor) -> None:
        """Take the weights (B, H, L, M) of one layer as they are."""
        if self._reader is None:
            self.maps.append(weights)
        else:
            self._reader(Tile(self._layer, 0, weights.detach()))
        self._layer += 1


def watching(attentions: bool | Reader) -> Watch | None:
    """Return what a model shows its layers to: nothing for False, whole maps for True, tiles for a reader."""
    if isinstance(attentions, bool):
        return Watch() if attentions else None
    return Watch(attentions)


def rows_per_tile(shape: torch.Size) -> int:
    """Return how many rows of a layer with queries of ``shape`` (B, H, L, d) make one tile."""
    batch, heads, length = shape[:3]
    return max(1, MOST // (batch * heads * length))


def _softmax(query: Tensor, key: Tensor, allowed: Tensor | None, reach: Tensor | None) -> Tensor:
    scores = query @ key.transpose(-1, -2) / math.sqrt(query.shape[-1])
    if allowed is not None:
        scores = scores.masked_fill(~allowed, -torch.inf)
    if reach is not None:
        later = torch.arange(key.shape[2], device=key.device) >= reach[:, None]
        scores = scores.masked_fill(later, -torch.inf)
    return scores.softmax(-1)
