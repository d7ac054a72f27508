"""Attention along each parcel's few time patches, with many parcels in one sequence.

A window has some ten patches, and the fused attention of graphics processors works on blocks of 64 or 128 tokens: with
one parcel per sequence it would run at less than a tenth of its speed. So as many parcels as fill a block stand in one
sequence, each barred from the others, which gives the same numbers. A processor gains nothing from that.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

#: tokens that the fused kernels work on at once
BLOCK = 128


@dataclass(frozen=True)
class Packing:
    """How many parcels stand in one sequence.

    Attributes
    ----------
    rows : parcels per sequence
    allowed : (1, 1, rows * N, rows * N) bool, who may look at whom; None for one parcel
    """

    rows: int = 1
    allowed: Tensor | None = None

    @classmethod
    def of(cls, state: Tensor) -> Packing:
        """Return the best packing of ``state (B, N, Q, D)`` where it is."""
        if state.device.type != "cuda":
            return cls()
        return cls.into(most_rows(state.shape[0] * state.shape[2], state.shape[1]), state.shape[1], state.device)

    @classmethod
    def into(cls, rows: int, n_patches: int, device: torch.device | str = "cpu") -> Packing:
        """Return the packing of so many parcels with ``n_patches`` each."""
        if rows == 1:
            return cls()
        owner = torch.arange(rows, device=device).repeat_interleave(n_patches, output_size=rows * n_patches)
        return cls(rows, (owner[:, None] == owner)[None, None])


def most_rows(sequences: int, n_patches: int) -> int:
    """Return how many of ``sequences`` go into one, so that none is left over and a block is not exceeded."""
    return max(rows for rows in range(1, max(1, BLOCK // n_patches) + 1) if sequences % rows == 0)
