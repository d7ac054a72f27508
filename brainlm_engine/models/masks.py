"""Which patches are hidden. True = hidden everywhere in the engine."""

from __future__ import annotations

import torch
from torch import Tensor

KINDS = ("random", "parcels", "future", "mixed")


def hide_noisiest(noise: Tensor, ratio: float) -> Tensor:
    """Hide the ``ratio`` of parcels with the largest noise in every time patch.

    Parameters
    ----------
    noise : (B, V, N) float
    ratio : share hidden, 0..1; every patch keeps ``int(V * (1 - ratio))`` parcels, so that all are equally hard

    Returns
    -------
    hidden : (B, V, N) bool
    """
    parcels = noise.shape[1]
    keep = int(parcels * (1 - ratio) + 1e-9)
    rank = noise.argsort(dim=1, stable=True).argsort(dim=1, stable=True)
    return rank >= keep


def random_mask(shape: tuple[int, int, int], ratio: float, generator: torch.Generator) -> Tensor:
    """Hide parcels at random, anew in every time patch. ``shape`` is (B, V, N)."""
    return hide_noisiest(torch.rand(shape, generator=generator), ratio)


def parcel_mask(shape: tuple[int, int, int], ratio: float, generator: torch.Generator) -> Tensor:
    """Hide the same parcels for the whole window."""
    batch, parcels, n_patches = shape
    return random_mask((batch, parcels, 1), ratio, generator).expand(batch, parcels, n_patches)


def future_mask(shape: tuple[int, int, int], ratio: float, blocks: int, generator: torch.Generator) -> Tensor:
    """Hide the last ``blocks`` time patches of every parcel, and a random ``ratio`` of the earlier ones."""
    hidden = random_mask(shape, ratio, generator)
    hidden[:, :, -blocks:] = True
    return hidden


def training_mask(shape: tuple[int, int, int], kind: str, generator: torch.Generator) -> Tensor:
    """Draw one mask for a training batch: random ratios around 75 %, whole parcels, future blocks.

    Parameters
    ----------
    kind : 'random' (75 % always), 'parcels', 'future' or 'mixed' (70 % random at 50, 75 or 90 %, 15 % parcels, 15 %
        future)
    """

    def draw(count: int) -> int:
        return int(torch.randint(count, (1,), generator=generator))

    if kind == "mixed":
        dice = draw(100)
        kind = "random" if dice < 70 else "parcels" if dice < 85 else "future"
        ratio = (0.5, 0.75, 0.75, 0.9)[draw(4)]
    else:
        ratio = 0.75
    if kind == "parcels":
        return parcel_mask(shape, ratio, generator)
    if kind == "future":
        return future_mask(shape, (0.0, 0.5, 0.75)[draw(3)], 1 + draw(min(3, max(1, shape[2] - 1))), generator)
    return random_mask(shape, ratio, generator)
