"""Attention to hidden tokens in the 13M model's first decoder layer: an eighth of the arithmetic, the same result.

Before the first layer a hidden token is a sum of very few things: one learned vector, a linear map of its parcel's
three coordinates, and the row of the sine table of its time patch. So of ``N`` time patches all hidden tokens together
lie in a space of 3 + N dimensions, and so do their keys and values. Scores against them need 3 + N products instead of
the 128 of a head, sums of their values too; only then they are mapped to the head's width. The tokens that were seen
are attended to as ever, and both parts are joined by their softmax denominators.

In training dropout makes every token a vector of its own, and this does not hold.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

#: fused attention on processors, which also returns the logarithm of the softmax denominators
_ATTEND = torch.ops.aten._scaled_dot_product_flash_attention_for_cpu
#: the number of features is filled up with zeros to a multiple of this, which fused attention is a quarter faster at
_STEP = 16


def rows_of(x: Tensor, index: Tensor) -> Tensor:
    """Return the tokens ``index (B, Q)`` of ``x (B, L, D)``: whole rows are copied, which ``gather`` does not do."""
    first = x.shape[1] * torch.arange(len(x), device=x.device)[:, None]
    return x.flatten(0, 1).index_select(0, (first + index).flatten()).view(*index.shape, x.shape[2])


def worthwhile(hidden: Tensor) -> bool:
    """Tell whether it pays for ``hidden (B, V, N)``: a quarter or more, an answer without gradient, on a processor."""
    if torch.is_grad_enabled() or hidden.device.type != "cpu" or torch.is_autocast_enabled("cpu"):
        return False
    return 4 * int(hidden[0].sum()) >= hidden[0].numel()


@dataclass(frozen=True)
class HiddenTokens:
    """The hidden tokens of a batch of windows.

    Attributes
    ----------
    seen : (B, J) int64, all other tokens
    features : (B, M, F) float, of each hidden token: coordinates, then which time patch it is (a 1 among zeros)
    parts : (F, D) float, what a feature adds to the token
    """

    seen: Tensor
    features: Tensor
    parts: Tensor

    @classmethod
    def of(cls, hidden: Tensor, xyz: Tensor, places: Tensor, times: Tensor) -> HiddenTokens:
        """Describe them.

        Parameters
        ----------
        hidden : (B, V, N) bool, as many in each window
        xyz : (B, V, 3)
        places : (3, D), what a millimetre along each axis adds
        times : (N, D), what a time patch adds, with all that is the same for every token
        """
        batch, _, n_patches = hidden.shape
        token = hidden.flatten(1).nonzero()[:, 1].view(batch, -1)
        place = xyz.gather(1, (token // n_patches)[..., None].expand(-1, -1, 3))
        time = functional.one_hot(token % n_patches, n_patches).to(xyz.dtype)
        seen = (~hidden).flatten(1).nonzero()[:, 1].view(batch, -1) + 1
        seen = functional.pad(seen, (1, 0))  # the summary token stands in front
        idle = -(3 + n_patches) % _STEP
        features = functional.pad(torch.cat([place, time], -1), (0, idle))
        return cls(seen, features, functional.pad(torch.cat([places, times]), (0, 0, 0, idle)))

    def attended(self, query: Tensor, x: Tensor, value: Tensor, key_map: nn.Linear, value_map: nn.Linear) -> Tensor:
        """Return softmax(q k^T) v, (B, H, L, d), for ``query (B, H, L, d)`` and ``value (B, H, L, d)`` of all tokens.

        Parameters
        ----------
        x : (B, L, D), the tokens before they are mapped to keys by ``key_map`` and values by ``value_map``
        """
        heads, width = query.shape[1], query.shape[3]
        keys, values = key_map(rows_of(x, self.seen)), rows_of(value.transpose(1, 2).flatten(2), self.seen)
        keys, values = (part.view(*part.shape[:2], heads, width).transpose(1, 2) for part in (keys, values))
        near, near_sum = _attend(query, keys, values, width)
        key_parts, value_parts = (self._mapped(each, heads) for each in (key_map, value_map))
        features = self.features[:, None].expand(-1, heads, -1, -1).contiguous()
        far, far_sum = _attend(query @ key_parts.transpose(1, 2), features, features, width)
        share = torch.sigmoid(near_sum - far_sum)[..., None]
        return torch.lerp(far @ value_parts, near, share)

    def _mapped(self, linear: nn.Linear, heads: int) -> Tensor:
        """(H, F, d): what each feature adds to a key or value; the bias goes with the time, of which there is one."""
        mapped = functional.linear(self.parts, linear.weight)
        mapped[3:] += linear.bias
        return mapped.view(len(mapped), heads, -1).transpose(0, 1)


def _attend(query: Tensor, key: Tensor, value: Tensor, width: int) -> tuple[Tensor, Tensor]:
    """Return the mixed values and the logarithms of the denominators (B, H, L)."""
    mixed: Any
    mixed, logarithm = _ATTEND(query, key, value, scale=width**-0.5)
    return mixed, logarithm
