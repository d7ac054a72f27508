"""What every model of the engine returns."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor


@dataclass(frozen=True)
class ModelOutput:
    """One forward pass over ``B`` windows of ``V`` parcels, ``N`` time patches of ``P`` frames.

    Attributes
    ----------
    prediction : (B, V, N, P) float, the signal as the model fills it in, in the unit of the input; NaN for parcels
        without a position
    latent : (B, 1 + K, D) float, the summary token first, then the visible patches in the order of ``tokens``
    mask : (B, V, N) float, 1 where a measured patch was hidden from the model (and so counts in the loss)
    loss : scalar, mean squared error over the hidden measured frames; NaN when nothing was hidden
    attentions : one tensor per encoder layer when asked for, else empty: (B, N, H, L, L) where a layer attends within a
        time patch, (B, H, L, L) where it attends over the whole window
    tokens : (B, K) int64, patch id ``parcel * N + patch`` of each latent after the first; -1 for padding
    """

    prediction: Tensor
    latent: Tensor
    mask: Tensor
    loss: Tensor
    attentions: tuple[Tensor, ...]
    tokens: Tensor
