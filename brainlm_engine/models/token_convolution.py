"""A depth-wise convolution over tokens as small matrix products: as exact as ``Conv2d``, and faster on processors.

A block of tokens is a band matrix, made of the kernel, times the block and its neighbours. Forward and backward read
overlapping views of the padded values and never copy them out, which for attention heads of 128 numbers costs more than
the arithmetic. (torch's own Conv2d of this shape is slow on processors, and its float32 gradient of the kernel wrong by
up to several percent.)
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

#: tokens convolved together
BLOCK = 128


def convolved(value: Tensor, kernel: Tensor) -> Tensor:
    """Convolve ``value (B, H, L, d)`` over its tokens with one kernel per head, zero outside.

    ``kernel (H, 1, k, 1)`` is applied without a flip. The gradient cannot be differentiated once more.
    """
    mixed: Tensor = _Convolution.apply(value, kernel[:, 0, :, 0].to(value.dtype))  # type: ignore[no-untyped-call]
    return mixed


class _Convolution(torch.autograd.Function):
    """The convolution; the gradient of its values is a convolution with the kernel turned round."""

    @staticmethod
    def forward(ctx: Any, value: Tensor, kernel: Tensor) -> Tensor:
        ctx.save_for_backward(value, kernel)
        return _correlated(value, kernel, kernel.shape[1] // 2)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, Tensor | None]:
        value, kernel = ctx.saved_tensors
        taps = kernel.shape[1]
        turned = kernel.flip(1)
        of_value = _correlated(gradient, turned, taps - 1 - taps // 2) if ctx.needs_input_grad[0] else None
        of_kernel = _of_kernel(value, gradient, taps) if ctx.needs_input_grad[1] else None
        return of_value, of_kernel


def _correlated(value: Tensor, kernel: Tensor, reach: int) -> Tensor:
    """(B, H, L, d): at token l the sum over j of ``kernel (H, k)[j]`` times ``value (B, H, L, d)`` at l + j - reach."""
    length = value.shape[2]
    block = min(BLOCK, length)
    windows = _windows(value, block, kernel.shape[1], reach)
    mixed = _products(_band(kernel, block).transpose(1, 2), windows)
    return mixed.flatten(2, 3)[:, :, :length]


def _of_kernel(value: Tensor, gradient: Tensor, taps: int) -> Tensor:
    """(H, k): the sum over tokens l of ``gradient (B, H, L, d)`` at l times ``value`` at l + j - k // 2."""
    length = value.shape[2]
    block = min(BLOCK, length)
    windows = _windows(value, block, taps, taps // 2)
    filled = functional.pad(gradient, (0, 0, 0, -length % block))
    pushes = filled.reshape(*filled.shape[:2], -1, block, filled.shape[3])
    pairs = _pairs(pushes, windows)
    wide = pairs.shape[2]  # token l of a block and neighbour l + j: along the diagonals
    diagonals = pairs.as_strided((len(pairs), block, taps), (block * wide, wide + 1, 1))
    return diagonals.sum(1)


def _windows(value: Tensor, block: int, taps: int, reach: int) -> Tensor:
    """(B, H, blocks, block + k - 1, d), overlapping views of the padded values."""
    padded = functional.pad(value, (0, 0, reach, -value.shape[2] % block + taps - 1 - reach))
    return padded.unfold(2, block + taps - 1, block).transpose(-1, -2)


def _products(band: Tensor, windows: Tensor) -> Tensor:
    """``band (H, m, n)`` times each of ``windows (B, H, blocks, n, d)``: (B, H, blocks, m, d)."""
    if windows.device.type != "cpu":
        return band[:, None] @ windows  # one launch is worth a copy
    batch, heads, blocks, _, width = windows.shape
    out = windows.new_empty(batch, heads, blocks, band.shape[1], width)
    for sample in range(batch):
        for head in range(heads):
            torch.bmm(band[head].expand(blocks, -1, -1), windows[sample, head], out=out[sample, head])
    return out


def _pairs(pushes: Tensor, windows: Tensor) -> Tensor:
    """Sum of ``pushes (B, H, blocks, m, d)`` times ``windows (B, H, blocks, n, d)`` turned: (H, m, n)."""
    if windows.device.type != "cpu":
        return (pushes @ windows.transpose(-1, -2)).sum((0, 2))
    heads, block, wide = pushes.shape[1], pushes.shape[3], windows.shape[3]
    out = pushes.new_zeros(heads, block, wide)
    for sample in range(len(pushes)):
        for head in range(heads):
            out[head] += (pushes[sample, head] @ windows[sample, head].transpose(-1, -2)).sum(0)
    return out


def _band(kernel: Tensor, block: int) -> Tensor:
    """(H, block + k - 1, block): column l holds the kernel (H, k) from row l on."""
    taps = kernel.shape[1]
    column = functional.pad(kernel, (0, block))  # k taps, then zeros: rows of a skewed matrix
    skewed = column.repeat(1, block)[:, : block * (block + taps - 1)]
    return skewed.view(kernel.shape[0], block, block + taps - 1).transpose(1, 2)
