"""The layers of the ViTMAE models: attention and perceptron, each behind a LayerNorm, under their published names."""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn import functional

from brainlm_engine.models.attention_tiles import Watch
from brainlm_engine.models.brainlm_vitmae_config import ACTIVATIONS, ViTMAEConfig


class SelfAttention(nn.Module):
    """Multi-head attention, fused: the weights are never laid out unless they are asked for."""

    def __init__(self, config: ViTMAEConfig) -> None:
        super().__init__()
        width = config.hidden_size
        self.heads, self.dropout = config.num_attention_heads, config.attention_probs_dropout_prob
        self.query = nn.Linear(width, width, bias=config.qkv_bias)
        self.key = nn.Linear(width, width, bias=config.qkv_bias)
        self.value = nn.Linear(width, width, bias=config.qkv_bias)

    def forward(self, x: Tensor, allowed: Tensor | None, watch: Watch | None) -> Tensor:
        """Mix ``x (B, L, D)``; ``allowed (B, 1, 1, L)`` bars keys, ``watch`` is shown the weights."""
        query, key, value = (
            part(x).unflatten(-1, (self.heads, -1)).transpose(1, 2) for part in (self.query, self.key, self.value)
        )
        if watch is not None:
            watch.see(query, key, allowed)
        dropout = self.dropout if self.training else 0.0
        mixed = functional.scaled_dot_product_attention(query, key, value, attn_mask=allowed, dropout_p=dropout)
        return mixed.transpose(1, 2).flatten(2)


class Dense(nn.Module):
    """One linear map with dropout behind it; a module of its own only for the published name ``….dense``."""

    def __init__(self, inputs: int, outputs: int, dropout: float = 0.0) -> None:
        super().__init__()
        self.dense = nn.Linear(inputs, outputs)
        self.dropout = nn.Dropout(dropout)

    def forward(self, x: Tensor) -> Tensor:
        """Map (..., inputs) to (..., outputs)."""
        out: Tensor = self.dropout(self.dense(x))
        return out


class Attention(nn.Module):
    """Attention and its output map, under their published names."""

    def __init__(self, config: ViTMAEConfig) -> None:
        super().__init__()
        self.attention = SelfAttention(config)
        self.output = Dense(config.hidden_size, config.hidden_size, config.hidden_dropout_prob)


class Layer(nn.Module):
    """LayerNorm, attention, add; LayerNorm, perceptron, add."""

    def __init__(self, config: ViTMAEConfig) -> None:
        super().__init__()
        width, wide = config.hidden_size, config.intermediate_size
        self.attention = Attention(config)
        self.intermediate = Dense(width, wide)
        self.output = Dense(wide, width, config.hidden_dropout_prob)
        self.layernorm_before = nn.LayerNorm(width, eps=config.layer_norm_eps)
        self.layernorm_after = nn.LayerNorm(width, eps=config.layer_norm_eps)
        self.activation = ACTIVATIONS[config.hidden_act]

    def forward(self, x: Tensor, allowed: Tensor | None = None, watch: Watch | None = None) -> Tensor:
        """Return ``x (B, L, D)`` updated."""
        x = x + self.attention.output(self.attention.attention(self.layernorm_before(x), allowed, watch))
        out: Tensor = x + self.output(self.activation(self.intermediate(self.layernorm_after(x))))
        return out
