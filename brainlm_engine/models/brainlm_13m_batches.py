"""Windows of one batch of the 13M model that are not alike, and the loss over what is scored of them."""

from __future__ import annotations

import torch
from torch import Tensor

from brainlm_engine.models.output import ModelOutput


def alike(known: Tensor, hidden: Tensor | None) -> bool:
    """Can these windows be one batch: the same parcels, the same number of hidden patches?"""
    if len(known) == 1:
        return True
    if not bool((known == known[:1]).all()):
        return False
    counts = None if hidden is None else hidden[:, known[0]].flatten(1).sum(1)
    return counts is None or bool((counts == counts[0]).all())


def mean_error(frames: Tensor, truth: Tensor, scored: Tensor, kind: str) -> Tensor:
    """Mean error over the scored frames, pooled over the batch; NaN when there are none."""
    error = frames.float() - truth.float()
    error = error.abs() if kind == "mae" else error**2
    return torch.where(scored, error, 0.0).sum() / scored.sum()


def spread(values: Tensor, rows: Tensor, n_parcels: int, empty: float) -> Tensor:
    """Put ``values (B, len(rows), ...)`` back into ``n_parcels`` rows."""
    if len(rows) == n_parcels:
        return values
    out = values.new_full((len(values), n_parcels, *values.shape[2:]), empty)
    out[:, rows] = values
    return out


def padded(parts: list[Tensor], empty: float) -> Tensor:
    """Join (1, L, ...) tensors of different lengths."""
    longest = max(part.shape[1] for part in parts)
    out = parts[0].new_full((len(parts), longest, *parts[0].shape[2:]), empty)
    for index, part in enumerate(parts):
        out[index, : part.shape[1]] = part[0]
    return out


def joined(parts: list[ModelOutput]) -> ModelOutput:
    """Windows that were run one by one, as one output; the loss is pooled over all scored patches."""
    counts = torch.stack([part.mask.sum() for part in parts])
    losses = torch.stack([part.loss for part in parts])
    loss = torch.where(counts > 0, losses * counts, 0.0).sum() / counts.sum()
    return ModelOutput(
        torch.cat([part.prediction for part in parts]), padded([part.latent for part in parts], 0.0),
        torch.cat([part.mask for part in parts]), loss, (), padded([part.tokens for part in parts], -1),
    )  # fmt: skip
