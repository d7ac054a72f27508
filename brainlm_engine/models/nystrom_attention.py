"""The attention of the 13M model: softmax over all tokens or its Nyström approximation, plus a convolution.

The published code calls it Nyströmformer; with the published numbers (``num_landmarks == segment_means_seq_len``) it is
exact softmax attention. Both branches and the convolution follow HuggingFace's ``NystromformerSelfAttention``.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from brainlm_engine.models.attention_tiles import Watch
from brainlm_engine.models.hidden_tokens import HiddenTokens, rows_of
from brainlm_engine.models.token_convolution import convolved


class SelfAttention(nn.Module):
    """``softmax(q k^T) v + conv(v)`` with q and k both divided by ``d**(1/4)``, for every head.

    Nothing of size tokens x tokens is ever stored unless the weights are asked for.
    """

    def __init__(self, width: int, heads: int, landmarks: int, segment_length: int, kernel: int | None) -> None:
        super().__init__()
        self.heads, self.landmarks, self.segment_length = heads, landmarks, segment_length
        self.query, self.key, self.value = (nn.Linear(width, width) for _ in range(3))
        self.conv: nn.Conv2d | None = None
        if kernel:
            self.conv = nn.Conv2d(heads, heads, (kernel, 1), padding=(kernel // 2, 0), bias=False, groups=heads)

    @property
    def exact(self) -> bool:
        """True for softmax over all tokens. The configured numbers decide, never the real number of tokens."""
        return self.landmarks == self.segment_length

    def forward(
        self,
        x: Tensor,
        asked: Tensor | None = None,
        watch: Watch | None = None,
        hidden: HiddenTokens | None = None,
    ) -> Tensor:
        """Mix ``x (B, L, D)``.

        Parameters
        ----------
        asked : (Q,) or (B, Q) int, only these tokens look at the others: (B, Q, D) comes back. Softmax branch only
        watch : is shown the attention: (B, H, L, L) softmax, or (B, H, L, landmarks) of the Nyström branch
        hidden : tokens whose keys and values lie in few dimensions. Softmax branch only, nothing asked or watched
        """
        value = self._heads(self.value(x))
        if hidden is not None:
            mixed = hidden.attended(self._heads(self.query(x)), x, value, self.key, self.value)
        elif self.exact:
            mixed = self._softmax(self._heads(self.query(picked(x, asked))), self._heads(self.key(x)), value, watch)
        elif asked is not None:
            raise ValueError("single tokens can be asked for in the softmax branch only")
        else:
            mixed = self._nystrom(self._heads(self.query(x)), self._heads(self.key(x)), value, watch)
        if self.conv is not None:
            mixed = mixed + picked(convolved(value, self.conv.weight), asked)
        return mixed.transpose(1, 2).flatten(2)

    def _heads(self, x: Tensor) -> Tensor:
        """(B, L, D) to (B, H, L, d)."""
        return x.reshape(*x.shape[:2], self.heads, -1).transpose(1, 2)

    @staticmethod
    def _softmax(query: Tensor, key: Tensor, value: Tensor, watch: Watch | None) -> Tensor:
        if watch is not None:
            watch.see(query, key)
        return functional.scaled_dot_product_attention(query, key, value)

    def _nystrom(self, query: Tensor, key: Tensor, value: Tensor, watch: Watch | None) -> Tensor:
        if query.shape[2] != self.segment_length:
            raise ValueError(
                f"the Nyström branch is made for {self.segment_length} tokens and cannot mix {query.shape[2]}"
            )
        root = query.shape[-1] ** 0.25
        query, key = query / root, key / root
        near_query, near_key = (self._segment_means(part) for part in (query, key))
        first = (query @ near_key.transpose(-1, -2)).softmax(-1)
        second = (near_query @ near_key.transpose(-1, -2)).softmax(-1)
        third = (near_query @ key.transpose(-1, -2)).softmax(-1)
        left = first @ iterative_inverse(second)
        if watch is not None:
            watch.take(left)
        return left @ (third @ value)

    def _segment_means(self, x: Tensor) -> Tensor:
        length = self.segment_length // self.landmarks
        return x.reshape(*x.shape[:2], self.landmarks, length, x.shape[3]).mean(3)


def picked(x: Tensor, asked: Tensor | None) -> Tensor:
    """Return the tokens ``asked``, (Q,) of all windows or (B, Q) of each, of ``x (B, L, D)`` or (B, H, L, D)."""
    if asked is None:
        return x
    if asked.ndim == 1:
        return x[..., asked, :]
    if x.ndim == 3:
        return rows_of(x, asked)
    index = asked[:, None, :, None]
    return x.gather(-2, index.expand(*x.shape[:-2], -1, x.shape[-1]))


def iterative_inverse(matrix: Tensor, steps: int = 6) -> Tensor:
    """Approximate the pseudo-inverse of ``matrix (B, H, m, m)`` as the published code does.

    The start is scaled by the largest column sum of the *whole* tensor, so that the result depends on what else is in
    the batch: a property of the published code, kept.
    """
    eye = torch.eye(matrix.shape[-1], device=matrix.device, dtype=matrix.dtype)
    guess = matrix.transpose(-1, -2) / matrix.sum(-2).max()
    for _ in range(steps):
        product = matrix @ guess
        guess = 0.25 * guess @ (13 * eye - product @ (15 * eye - product @ (7 * eye - product)))
    return guess


def attention_of(config: Any, width: int, heads: int) -> SelfAttention:
    """Build the attention of a 13M layer from its configuration."""
    return SelfAttention(width, heads, config.num_landmarks, config.segment_means_seq_len, config.conv_kernel_size)
