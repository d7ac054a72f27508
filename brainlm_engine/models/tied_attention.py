"""Attention between parcels that is the same in every time patch of a window.

What a parcel looks for and what it offers are compared in every time patch in which both are there, and added up over
the window before the softmax (row attention tied over a family of sequences: Rao et al., "MSA Transformer", 2021, there
for residues over sequences, here for parcels over time). A single patch says little about who goes with whom; a window
says it as well as its functional connectivity does. What is then taken from the others is that of each time patch.
"""

from __future__ import annotations

from typing import NamedTuple, Self

import torch
from torch import Tensor

from brainlm_engine.models.attention import Block
from brainlm_engine.models.visible import Seen


class Layout(NamedTuple):
    """Where the tokens of each time patch belong: registers and the like first, then parcels.

    Attributes
    ----------
    place : (B, N, S) int64, the place of each token
    present : (B, N, S) bool, False for padding
    places : how many there are
    whole : every time patch holds every place, in order
    even : there is no padding
    alike : ``(patches (n,), places (S,))`` of time patches that hold the same places, all windows alike: they share one
        softmax. None where that saves nothing, and in training, where every window has a mask of its own
    """

    place: Tensor
    present: Tensor
    places: int
    whole: bool
    even: bool
    alike: tuple[tuple[Tensor, Tensor], ...] | None = None

    @classmethod
    def of(cls, seen: Seen, always: int) -> Self:
        """Return the layout of the visible patches behind ``always`` tokens that every time patch has."""
        batch, n_patches, slots = seen.index.shape
        front = torch.arange(always, device=seen.index.device).expand(batch, n_patches, always)
        place = torch.cat([front, seen.index + always], -1)
        present = torch.cat([seen.present.new_ones(front.shape), seen.present], -1)
        parcels = seen.visible.shape[1]
        whole = seen.even and slots == parcels
        alike = None if whole or torch.is_grad_enabled() else _alike(seen.visible, always)
        return cls(place, present, always + parcels, whole, seen.even, alike)

    def spread(self, values: Tensor) -> Tensor:
        """Put ``values (B, N, S, H, d)`` at their places, nothing elsewhere: (B, H, P, N * d)."""
        if not self.even:
            values = values * self.present[..., None, None]
        if not self.whole:
            index = self.place[..., None, None].expand_as(values)
            values = values.new_zeros(*values.shape[:2], self.places, *values.shape[3:]).scatter(2, index, values)
        return values.permute(0, 3, 2, 1, 4).flatten(3)

    def shown(self, like: Tensor) -> Tensor:
        """Return 1 where a place has a token, else 0: (B, P, N)."""
        if self.whole:
            return like.new_ones(self.place.shape[0], self.places, self.place.shape[1])
        empty = like.new_zeros(*self.place.shape[:2], self.places)
        return empty.scatter(2, self.place, self.present.to(like.dtype)).transpose(1, 2)


def _alike(visible: Tensor, always: int) -> tuple[tuple[Tensor, Tensor], ...] | None:
    """Group the time patches of ``visible (B, V, N)`` by what is seen in them; see :class:`Layout`."""
    if not bool((visible == visible[:1]).all()):
        return None
    patterns, which = torch.unique(visible[0].T, dim=0, return_inverse=True)
    sizes = patterns.sum(1) + always
    alone, alike = visible.shape[2] * int(sizes.max()) ** 2, int(sizes.square().sum())
    if 2 * alike > alone:
        return None
    front = torch.arange(always, device=visible.device)
    return tuple(
        ((which == number).nonzero()[:, 0], torch.cat([front, pattern.nonzero()[:, 0] + always]))
        for number, pattern in enumerate(patterns)
    )


def tied_self(block: Block, tokens: Tensor, layout: Layout, weights: list[Tensor] | None = None) -> Tensor:
    """Let ``tokens (B, N, S, D)`` attend to each other within their time patches, by one map of the window.

    ``weights`` gets (B, N, H, S, S).
    """
    attention, normed = block.attention, block.norm(tokens)
    query = attention.query(normed).unflatten(-1, (attention.heads, -1))
    key, value = attention.key_value(normed).unflatten(-1, (2, attention.heads, -1)).unbind(-3)
    shown = layout.shown(query)
    together = (shown @ shown.transpose(1, 2)).clamp(min=1)  # time patches in which both are there
    scores = layout.spread(query) @ layout.spread(key).transpose(-1, -2)
    scores = scores / (together * query.shape[-1]).sqrt()[:, None]
    if layout.whole:
        shares = scores.softmax(-1)
        mixed = (shares @ layout.spread(value)).unflatten(-1, (tokens.shape[1], -1))  # (B, H, P, N, d)
        mixed = mixed.permute(0, 3, 2, 1, 4)
        shares = shares[:, None].expand(-1, tokens.shape[1], -1, -1, -1)
    elif layout.alike is not None and weights is None:
        shares = scores
        mixed = value.new_zeros(value.shape)
        for patches, places in layout.alike:
            mine = _all_of(_all_of(scores, places, 2), places, 3).softmax(-1)
            mixed[:, patches, : len(places)] = _taken(mine, value[:, patches, : len(places)])
    else:
        pair = (layout.place[..., :, None] * layout.places + layout.place[..., None, :]).flatten(1)
        picked = scores.flatten(2).gather(2, pair[:, None].expand(-1, attention.heads, -1))
        size = tokens.shape[2]
        picked = picked.unflatten(2, (tokens.shape[1], size, size)).transpose(1, 2)  # (B, N, H, S, S)
        shares = _shares(picked, layout)
        mixed = (shares @ value.transpose(2, 3)).transpose(2, 3)
    if weights is not None:
        weights.append(shares)
    tokens = tokens + attention.out(mixed.flatten(3))
    return tokens if block.mlp is None else tokens + block.mlp(tokens)


def tied_cross(block: Block, state: Tensor, context: Tensor, layout: Layout) -> Tensor:
    """Let ``state (B, N, Q, D)`` attend to ``context (B, N, S, D)`` of its time patch, by one map of the window."""
    assert block.context_norm is not None
    attention = block.attention
    query = attention.query(block.norm(state)).unflatten(-1, (attention.heads, -1))
    key, value = attention.key_value(block.context_norm(context)).unflatten(-1, (2, attention.heads, -1)).unbind(-3)
    times = layout.shown(query).sum(-1).clamp(min=1)  # (B, P)
    scores = query.permute(0, 3, 2, 1, 4).flatten(3) @ layout.spread(key).transpose(-1, -2)
    scores = scores / (times * query.shape[-1]).sqrt()[:, None, None]
    if layout.whole:
        mixed = (scores.softmax(-1) @ layout.spread(value)).unflatten(-1, (state.shape[1], -1)).permute(0, 3, 2, 1, 4)
    elif layout.alike is not None:
        mixed = value.new_empty(*state.shape[:3], *value.shape[3:])
        for patches, places in layout.alike:
            mine = _all_of(scores, places, 3).softmax(-1)
            mixed[:, patches] = _taken(mine, value[:, patches, : len(places)])
    else:
        asked = layout.place.flatten(1)[:, None, None].expand(-1, *scores.shape[1:3], -1)
        picked = scores.gather(3, asked).unflatten(3, layout.place.shape[1:]).permute(0, 3, 1, 2, 4)
        mixed = (_shares(picked, layout) @ value.transpose(2, 3)).transpose(2, 3)
    state = state + attention.out(mixed.flatten(3))
    return state if block.mlp is None else state + block.mlp(state)


def _all_of(scores: Tensor, places: Tensor, axis: int) -> Tensor:
    return scores if len(places) == scores.shape[axis] else scores.index_select(axis, places)


def _taken(shares: Tensor, value: Tensor) -> Tensor:
    """Mix ``value (B, n, S, H, d)`` by the same ``shares (B, H, L, S)`` in every time patch: (B, n, L, H, d)."""
    together = value.permute(0, 3, 2, 1, 4).flatten(3)
    mixed: Tensor = (shares @ together).reshape(*shares.shape[:3], value.shape[1], -1)
    return mixed.permute(0, 3, 2, 1, 4)


def _shares(scores: Tensor, layout: Layout) -> Tensor:
    """Softmax over the tokens that are there; ``scores (B, N, H, L, S)``."""
    if not layout.even:
        scores = scores.masked_fill(~layout.present[:, :, None, None], torch.finfo(scores.dtype).min)
    return scores.softmax(-1)
