"""A window of 424 parcels and 200 frames as the square picture that the ViTMAE models read: order, padding, patches.

The picture has one row per parcel, back to front of the head, and one column per frame, with an even margin of padding.
It is cut into ``S`` square patches, counted row by row. They are not the engine's patches (one parcel, 20 frames): a
patch of the picture spans 16 (or 14) parcels and frames, and those at the margin hold little or no data.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

PARCELS, FRAMES = 424, 200
PADDING = -1.0
SIDE = {16: 432, 14: 434}  # patch size: rows and columns of the padded picture


@dataclass(frozen=True)
class Picture:
    """The padded square and its patches.

    Attributes
    ----------
    size : rows and columns of a patch of the picture, 16 or 14
    frames : frames in one of the engine's patches
    """

    size: int
    frames: int

    @property
    def side(self) -> int:
        """Rows and columns of the padded picture."""
        return SIDE[self.size]

    @property
    def grid(self) -> int:
        """Patches per row and per column."""
        return self.side // self.size

    @property
    def patches(self) -> int:
        """All patches of the picture, ``S``."""
        return self.grid**2

    @property
    def left(self) -> int:
        """Columns of padding before the first frame."""
        return (self.side - FRAMES) // 2

    @property
    def top(self) -> int:
        """Rows of padding before the first parcel."""
        return (self.side - PARCELS) // 2

    def padded(self, image: Tensor, value: float | bool = PADDING) -> Tensor:
        """Return ``image (B, 424, 200)`` as the square (B, side, side)."""
        return functional.pad(image, (self.left, self.left, self.top, self.top), value=value)

    def laid_out(self, patches: Tensor) -> Tensor:
        """Lay ``patches (B, S, size * size * C)`` out and cut the padding away: (B, 424, 200, C)."""
        square = patches.reshape(len(patches), self.grid, self.grid, self.size, self.size, -1).transpose(2, 3)
        square = square.flatten(3, 4).flatten(1, 2)
        return square[:, self.top : self.top + PARCELS, self.left : self.left + FRAMES]

    def hidden_values(self, hidden: Tensor) -> Tensor:
        """Return which values ``hidden (B, S)`` patches cover: (B, 424, 200) bool."""
        return self.laid_out(hidden[..., None].expand(-1, -1, self.size**2))[..., 0]

    def last_columns(self, ratio: float, *, whole_patches: bool) -> tuple[int, int, int]:
        """Return where hiding the last ``ratio`` of the frames begins.

        Returns
        -------
        column : first hidden column of the padded picture; the first of a patch when only ``whole_patches`` are hidden
        first, behind : columns of patches from ``first`` up to but without ``behind`` are hidden altogether; the one
            before may hold hidden columns too, those from ``behind`` on hold only padding and stay visible
        """
        end = self.left + FRAMES
        column = end - int(ratio * FRAMES)
        behind = -(-end // self.size)
        count = (behind * self.size - column) // self.size
        if whole_patches:
            count += column % self.size > 0
            column = (behind - count) * self.size
        return column, behind - count, behind

    def middles(self, device: torch.device) -> tuple[Tensor, Tensor, Tensor]:
        """Return row and frame at the middle of what each patch holds, and whether it holds any data: (S,) each."""
        start = torch.arange(self.grid, device=device) * self.size

        def middle(pad: int, length: int) -> tuple[Tensor, Tensor]:
            low, high = (start - pad).clamp(0, length), (start + self.size - pad).clamp(0, length)
            return ((low + high - 1) // 2).clamp(0, length - 1), high > low

        (row, in_row), (frame, in_column) = middle(self.top, PARCELS), middle(self.left, FRAMES)
        held = (in_row[:, None] & in_column).flatten()
        return row.repeat_interleave(self.grid), frame.repeat(self.grid), held

    def ids(self, order: Tensor) -> Tensor:
        """Return ``parcel * N + patch`` at the middle of every patch of the picture, -1 for padding: (B, S) int64."""
        row, frame, held = self.middles(order.device)
        return torch.where(held, order[:, row] * (FRAMES // self.frames) + frame // self.frames, -1)

    def hidden_by_mask(self, mask: Tensor, order: Tensor) -> Tensor:
        """Return which patches hold any value hidden by ``mask (B, V, N)``: (B, S) bool."""
        square = self.padded(pick_rows(mask, order).repeat_interleave(self.frames, 2), value=False)
        return square.view(-1, self.grid, self.size, self.grid, self.size).any(4).any(2).flatten(1)

    def hidden_by_noise(self, noise: Tensor, order: Tensor, ratio: float) -> Tensor:
        """Hide ``ratio`` of the patches that hold data, those with the largest noise at their middle: (B, S) bool.

        ``noise`` is (B, V, N) or (B, V * N).
        """
        row, frame, held = self.middles(order.device)
        noise = pick_rows(noise.reshape(len(order), PARCELS, FRAMES // self.frames), order)
        rank = torch.argsort(noise[:, row[held], frame[held] // self.frames], dim=1, stable=True).argsort(1)
        hidden = torch.zeros(len(order), self.patches, dtype=torch.bool, device=order.device)
        hidden[:, held] = rank >= int(int(held.sum()) * (1 - ratio))
        return hidden


def back_to_front(xyz: Tensor) -> Tensor:
    """Return the parcels (B, V) by ascending MNI Y of ``xyz (B, V, 3)``.

    Parcels with the same Y stay in parcel order (424 parcels have only 77 values of Y); unknown ones come last.
    """
    y = torch.where(torch.isfinite(xyz).all(-1), xyz[..., 1], torch.inf)
    return torch.argsort(y, dim=1, stable=True)


def pick_rows(values: Tensor, rows: Tensor) -> Tensor:
    """Return ``values (B, V, C)`` at ``rows (B, V)``."""
    return values.gather(1, rows[..., None].expand(-1, -1, values.shape[2]))


def by_rank(values: Tensor, ranks: Tensor) -> Tensor:
    """Return ``values (B, S)`` sorted by ``ranks (B, S)``."""
    return values.gather(1, ranks.argsort(1))
