"""Attention blocks of our own architecture: plain ones, with rotary phases of time where they look along time."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.nn import functional


class Attention(nn.Module):
    """Multi-head attention; keys may be barred, positions may be rotated, weights may be asked for."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.query = nn.Linear(width, width)
        self.key_value = nn.Linear(width, 2 * width)
        self.out = nn.Linear(width, width)

    def forward(
        self,
        x: Tensor,
        context: Tensor,
        allowed: Tensor | None = None,
        phases: tuple[Tensor, Tensor] | None = None,
        weights: list[Tensor] | None = None,
    ) -> Tensor:
        """``x (B, L, D)`` looks at ``context (B, M, D)``; ``allowed (B, 1, 1, M)`` bool bars keys."""
        batch, length, width = x.shape
        query = self.query(x).view(batch, length, self.heads, width // self.heads).transpose(1, 2)
        key, value = self.key_value(context).unflatten(-1, (2, self.heads, -1)).permute(2, 0, 3, 1, 4)
        if phases is not None:
            query, key = _rotate(query, phases), _rotate(key, phases)
        if weights is not None:
            scores = query @ key.transpose(-1, -2) / math.sqrt(query.shape[-1])
            weights.append((scores if allowed is None else scores.masked_fill(~allowed, -torch.inf)).softmax(-1))
        mixed = functional.scaled_dot_product_attention(query, key, value, attn_mask=allowed)
        out: Tensor = self.out(mixed.transpose(1, 2).reshape(batch, length, width))
        return out


def _rotate(x: Tensor, phases: tuple[Tensor, Tensor]) -> Tensor:
    first, second = x.chunk(2, -1)
    cos, sin = phases
    return torch.cat([first * cos - second * sin, first * sin + second * cos], -1)


def phases_of(times: Tensor, head_width: int) -> tuple[Tensor, Tensor]:
    """Rotary phases of ``times (L,)``, in patches: periods from 6 to some 400 patches."""
    half = head_width // 2
    rates = 100.0 ** (-torch.arange(half, device=times.device) / half)
    angle = times[:, None] * rates
    return angle.cos(), angle.sin()


def in_halves(stream: Tensor) -> Tensor:
    """Return what the blocks add to, in the half precision of the products where that is asked for (autocast).

    On graphics processors the time of a block goes into moving this; the norms still compute in float32.
    """
    device = stream.device.type
    return stream.to(torch.get_autocast_dtype(device)) if torch.is_autocast_enabled(device) else stream


class Block(nn.Module):
    """Attention, then (optionally) a two-layer perceptron, each after a LayerNorm and added to its input."""

    def __init__(self, width: int, heads: int, mlp_ratio: int, *, crossed: bool = False) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(width)
        self.context_norm = nn.LayerNorm(width) if crossed else None
        self.attention = Attention(width, heads)
        self.mlp = (
            nn.Sequential(
                nn.LayerNorm(width), nn.Linear(width, mlp_ratio * width), nn.GELU(), nn.Linear(mlp_ratio * width, width)
            )
            if mlp_ratio
            else None
        )

    def forward(
        self,
        x: Tensor,
        context: Tensor | None = None,
        allowed: Tensor | None = None,
        phases: tuple[Tensor, Tensor] | None = None,
        weights: list[Tensor] | None = None,
    ) -> Tensor:
        """Return ``x (B, L, D)`` updated."""
        normed = self.norm(x)
        keys = normed if context is None or self.context_norm is None else self.context_norm(context)
        x = x + self.attention(normed, keys, allowed, phases, weights)
        return x if self.mlp is None else x + self.mlp(x)
