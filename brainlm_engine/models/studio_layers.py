"""The layers of our own architecture as functions of tensors: training may compile them or run them twice.

See :mod:`brainlm_engine.train.acceleration`.
"""

from __future__ import annotations

import torch
from torch import Tensor

from brainlm_engine.models.attention import Block
from brainlm_engine.models.tied_attention import Layout, tied_cross, tied_self


def encoder_layer(  # noqa: PLR0917 (whoever runs layers passes them on by place)
    within: Block,
    across: Block,
    tokens: Tensor,
    summary: Tensor,
    n_registers: int,
    allowed: Tensor | None,
    phases: tuple[Tensor, Tensor],
    weights: list[Tensor] | None = None,
) -> tuple[Tensor, Tensor]:
    """Attend within each time patch, then across time: the registers and the summary (B, 1, D) only.

    ``tokens (B, N, R + K, D)`` are the registers of each time patch and its visible parcels.
    """
    tokens = within(tokens.flatten(0, 1), allowed=allowed, weights=weights).reshape(tokens.shape)
    return _registers_across(across, tokens, summary, n_registers, phases)


def _registers_across(
    across: Block, tokens: Tensor, summary: Tensor, n_registers: int, phases: tuple[Tensor, Tensor]
) -> tuple[Tensor, Tensor]:
    batch, n_patches, _, width = tokens.shape
    line = across(torch.cat([summary, tokens[:, :, :n_registers].flatten(1, 2)], 1), phases=phases)
    registers = line[:, 1:].reshape(batch, n_patches, n_registers, width)
    return torch.cat([registers, tokens[:, :, n_registers:]], 2), line[:, :1].contiguous()


def tied_encoder_layer(  # noqa: PLR0917
    within: Block,
    across: Block,
    tokens: Tensor,
    summary: Tensor,
    n_registers: int,
    layout: Layout,
    phases: tuple[Tensor, Tensor],
    weights: list[Tensor] | None = None,
) -> tuple[Tensor, Tensor]:
    """Do the same as :func:`encoder_layer`, with one map between parcels for the whole window."""
    tokens = tied_self(within, tokens, layout, weights)
    return _registers_across(across, tokens, summary, n_registers, phases)


def encoder_layer_of_means(  # noqa: PLR0917
    within: Block,
    across: Block,
    tokens: Tensor,
    summary: Tensor,
    real: Tensor,
    allowed: Tensor | None,
    phases: tuple[Tensor, Tensor],
    weights: list[Tensor] | None = None,
) -> tuple[Tensor, Tensor]:
    """Do the same without registers: what the mean of a time patch's tokens learns from other times, all are told.

    ``tokens (B, N, K, D)``; ``real (B, N, K, 1)`` is 1 for tokens and 0 for padding.
    """
    tokens = within(tokens.flatten(0, 1), allowed=allowed, weights=weights).reshape(tokens.shape)
    mean = (tokens * real).sum(2) / real.sum(2).clamp(min=1)
    line = across(torch.cat([summary, mean], 1), phases=phases)
    return tokens + (line[:, 1:] - mean)[:, :, None], line[:, :1].contiguous()


def joint_layer(
    block: Block,
    line: Tensor,
    allowed: Tensor | None,
    phases: tuple[Tensor, Tensor],
    weights: list[Tensor] | None = None,
) -> Tensor:
    """Attend among all tokens of the window, ``line (B, L, D)``."""
    out: Tensor = block(line, allowed=allowed, phases=phases, weights=weights)
    return out


def decoder_layer(  # noqa: PLR0917
    along: Block,
    across: Block,
    state: Tensor,
    context: Tensor,
    allowed: Tensor | None,
    own: Tensor | None,
    phases: tuple[Tensor, Tensor],
) -> Tensor:
    """Attend along each parcel's own patches, then to ``context (B * N, M, D)``; ``state (B, N, Q, D)``.

    ``own`` and ``phases`` are of as many parcels as :class:`brainlm_engine.models.time_packing.Packing` puts into one
    sequence.
    """
    batch, n_patches, _, width = state.shape
    state = _along_time(along, state, own, phases)
    updated: Tensor = across(state.flatten(0, 1), context, allowed).reshape(batch, n_patches, -1, width)
    return updated


def tied_decoder_layer(  # noqa: PLR0917
    along: Block,
    across: Block,
    state: Tensor,
    context: Tensor,
    layout: Layout,
    own: Tensor | None,
    phases: tuple[Tensor, Tensor],
) -> Tensor:
    """Do the same as :func:`decoder_layer` with one map to ``context (B, N, M, D)`` for the whole window."""
    return tied_cross(across, _along_time(along, state, own, phases), context, layout)


def _along_time(along: Block, state: Tensor, own: Tensor | None, phases: tuple[Tensor, Tensor]) -> Tensor:
    batch, n_patches, _, width = state.shape
    rows = along(state.transpose(1, 2).reshape(-1, phases[0].shape[0], width), allowed=own, phases=phases)
    out: Tensor = rows.reshape(batch, -1, n_patches, width).transpose(1, 2)
    return out
