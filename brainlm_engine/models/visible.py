"""Which patches a model sees, and the packing of just these."""

from __future__ import annotations

import torch
from torch import Tensor


class Seen:
    """Which patches are visible, and the packing of the visible ones into (B, N, K) slots.

    ``K`` is the largest number of visible parcels in any time patch of the batch; shorter ones are padded and barred.
    """

    def __init__(self, visible: Tensor) -> None:
        self.visible = visible  # (B, V, N)
        by_patch = visible.transpose(1, 2)  # (B, N, V)
        count = by_patch.sum(-1)
        slots, fewest = torch.stack([count.max(), count.min()]).tolist()  # the one moment that a device is waited for
        self.index = (
            (~by_patch).to(torch.uint8).argsort(dim=-1, stable=True)[..., :slots]
        )  # (B, N, K), parcels in order
        present = torch.arange(slots, device=visible.device) < count[..., None]
        self.even = fewest == slots
        self.present = present  # (B, N, K)
        self.real = present[..., None]

    def gather(self, values: Tensor) -> Tensor:
        """Pick the visible of ``values (B, V, N, C)`` as (B, N, K, C)."""
        index = self.index[..., None].expand(-1, -1, -1, values.shape[-1])
        return values.transpose(1, 2).gather(2, index)

    def gather_place(self, place: Tensor) -> Tensor:
        """Pick ``place (B, V, C)`` of the visible as (B, N, K, C)."""
        batch, n_patches, slots = self.index.shape
        flat = self.index.reshape(batch, n_patches * slots, 1).expand(-1, -1, place.shape[-1])
        return place.gather(1, flat).view(batch, n_patches, slots, place.shape[-1])

    def scatter(self, tokens: Tensor, empty: Tensor, asked: Tensor) -> Tensor:
        """Lay ``tokens (B, N, K, D)`` back at their parcels, ``empty (D,)`` elsewhere: (B, N, Q, D).

        Only the parcels ``asked (Q,)`` are made. The result has the type of ``empty``.
        """
        shown = self.visible[:, asked].transpose(1, 2)  # (B, N, Q)
        slot = (self.visible.cumsum(1) - 1)[:, asked].transpose(1, 2)
        # a hidden parcel reads a slot too, any: not all the same one, whose gradient they would queue for
        spare = torch.arange(len(asked), device=asked.device) % max(1, tokens.shape[2])
        index = torch.where(shown, slot, spare)[..., None].expand(-1, -1, -1, tokens.shape[-1])
        if not tokens.shape[2]:
            return empty.expand(index.shape)
        return torch.where(shown[..., None], tokens.gather(2, index).to(empty.dtype), empty)

    def allowed(self, always: int) -> Tensor | None:
        """Return the key mask (B * N, 1, 1, always + K), or None when there is no padding.

        Where there would be no key at all, padding is let in: attention to nothing is no number.
        """
        if self.even:
            return None
        front = self.present.new_ones((*self.present.shape[:2], always))
        keys = self.present if always else self.present | ~self.present.any(-1, keepdim=True)
        return torch.cat([front, keys], -1).flatten(0, 1)[:, None, None, :]

    def allowed_together(self, always: int) -> Tensor | None:
        """Return the key mask (B, 1, 1, always + N * K) of the window as one sequence, or None without padding."""
        if self.even:
            return None
        front = self.present.new_ones((len(self.present), always))
        return torch.cat([front, self.present.flatten(1)], -1)[:, None, None, :]

    def ids(self) -> Tensor:
        """Return the patch id of every slot, (B, N * K), -1 for padding."""
        n_patches = self.visible.shape[2]
        patch = torch.arange(n_patches, device=self.index.device)[None, :, None]
        return torch.where(self.present, self.index * n_patches + patch, -1).flatten(1)
