"""The published 13M model written down plainly in torch: the yardstick of ``bench_13m.py``.

Operation by operation what vandijklab/BrainLM (``brainlm_mae/modeling_brainlm.py``) and the Nyströmformer layer of
transformers 4.28 compute with the published configurations: attention as whole matrices, the depth-wise convolution as
a Conv2d, the tables repeated over the batch, all 4,241 tokens decoded, the loss over everything times the mask. Nothing
of it is made faster and nothing slower. Parameters have the published names, so weights go both ways. Only what the
published configurations never reach is left out: landmark attention, attention masks, gradient checkpointing.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, fields, replace
from typing import Any

import torch
from torch import Tensor, nn


@dataclass(frozen=True)
class Config:
    """The numbers of ``old_13M``; another config.json replaces them by name."""

    hidden_size: int = 512
    num_hidden_layers: int = 4
    num_attention_heads: int = 4
    intermediate_size: int = 1024
    hidden_dropout_prob: float = 0.0
    attention_probs_dropout_prob: float = 0.1
    layer_norm_eps: float = 1e-12
    initializer_range: float = 0.02
    decoder_hidden_size: int = 512
    decoder_num_hidden_layers: int = 2
    decoder_num_attention_heads: int = 4
    decoder_intermediate_size: int = 1024
    num_brain_voxels: int = 424
    num_timepoints_per_voxel: int = 200
    timepoint_patching_size: int = 20
    mask_ratio: float = 0.2
    loss_fn: str = "mse"
    conv_kernel_size: int = 65
    patch_size: int = 16
    num_channels: int = 3

    @classmethod
    def of(cls, config: dict[str, Any]) -> Config:
        """Return the numbers of a config.json."""
        names = {field.name for field in fields(cls)}
        return cls(**{key: value for key, value in config.items() if key in names})


class PositionalEncoding(nn.Module):
    def __init__(self, width: int) -> None:
        super().__init__()
        self.dropout = nn.Dropout(0.1)
        rate = torch.exp(torch.arange(0, width, 2) * (-math.log(10000.0) / width))
        place = torch.arange(5000).unsqueeze(1)
        table = torch.zeros(5000, width)
        table[:, 0::2] = torch.sin(place * rate)
        table[:, 1::2] = torch.cos(place * rate)
        self.register_buffer("pe", table)

    def forward(self, x: Tensor) -> Tensor:
        table = self.pe[: x.shape[2]].unsqueeze(0).unsqueeze(0).repeat(x.shape[0], x.shape[1], 1, 1)
        return self.dropout(x + table)


class Embeddings(nn.Module):
    def __init__(self, config: Config) -> None:
        super().__init__()
        self.config = config
        self.cls_token = nn.Parameter(torch.zeros(1, 1, config.hidden_size))
        self.signal_embedding_projection = nn.Linear(config.timepoint_patching_size, config.hidden_size)
        self.xyz_embedding_projection = nn.Linear(3, config.hidden_size)
        self.pos_embedding = PositionalEncoding(config.hidden_size)

    def forward(self, signal: Tensor, xyz: Tensor, noise: Tensor | None) -> tuple[Tensor, Tensor, Tensor]:
        batch, parcels, frames = signal.shape
        patches = frames // self.config.timepoint_patching_size
        x = self.signal_embedding_projection(signal.reshape(batch, parcels, -1, self.config.timepoint_patching_size))
        x = x + self.xyz_embedding_projection(xyz).unsqueeze(2).repeat(1, 1, patches, 1)
        x = torch.flatten(self.pos_embedding(x), start_dim=1, end_dim=2)
        x, mask, restore = self.random_masking(x, noise)
        return torch.cat((self.cls_token.expand(batch, -1, -1), x), dim=1), mask, restore

    def random_masking(self, tokens: Tensor, noise: Tensor | None) -> tuple[Tensor, Tensor, Tensor]:
        batch, length, width = tokens.shape
        keep = int(length * (1 - self.config.mask_ratio))
        if noise is None:
            noise = torch.rand(batch, length, device=tokens.device)
        shuffle = torch.argsort(noise, dim=1)
        restore = torch.argsort(shuffle, dim=1)
        visible = torch.gather(tokens, dim=1, index=shuffle[:, :keep].unsqueeze(-1).repeat(1, 1, width))
        mask = torch.ones([batch, length], device=tokens.device)
        mask[:, :keep] = 0
        return visible, torch.gather(mask, dim=1, index=restore), restore


class SelfAttention(nn.Module):
    """The branch that the published configurations take (as many landmarks as "segment means"): whole softmax."""

    def __init__(self, config: Config, width: int, heads: int) -> None:
        super().__init__()
        self.heads, self.head_size = heads, width // heads
        self.query = nn.Linear(width, width)
        self.key = nn.Linear(width, width)
        self.value = nn.Linear(width, width)
        self.dropout = nn.Dropout(config.attention_probs_dropout_prob)  # never called, as published
        kernel = config.conv_kernel_size
        self.conv = nn.Conv2d(heads, heads, (kernel, 1), padding=(kernel // 2, 0), bias=False, groups=heads)

    def split(self, x: Tensor) -> Tensor:
        return x.view(*x.shape[:-1], self.heads, self.head_size).permute(0, 2, 1, 3)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        query = self.query(x)
        key = self.split(self.key(x))
        value = self.split(self.value(x))
        query = self.split(query)
        query = query / math.sqrt(math.sqrt(self.head_size))
        key = key / math.sqrt(math.sqrt(self.head_size))
        weights = nn.functional.softmax(torch.matmul(query, key.transpose(-1, -2)), dim=-1)
        context = torch.matmul(weights, value)
        context += self.conv(value)
        context = context.permute(0, 2, 1, 3).contiguous()
        return context.view(*context.shape[:-2], self.heads * self.head_size), weights


class AddNorm(nn.Module):
    def __init__(self, config: Config, inner: int, width: int) -> None:
        super().__init__()
        self.dense = nn.Linear(inner, width)
        self.LayerNorm = nn.LayerNorm(width, eps=config.layer_norm_eps)
        self.dropout = nn.Dropout(config.hidden_dropout_prob)

    def forward(self, x: Tensor, residual: Tensor) -> Tensor:
        return self.LayerNorm(self.dropout(self.dense(x)) + residual)


class Attention(nn.Module):
    def __init__(self, config: Config, width: int, heads: int) -> None:
        super().__init__()
        self.self = SelfAttention(config, width, heads)
        self.output = AddNorm(config, width, width)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        context, weights = self.self(x)
        return self.output(context, x), weights


class Intermediate(nn.Module):
    def __init__(self, width: int, inner: int) -> None:
        super().__init__()
        self.dense = nn.Linear(width, inner)

    def forward(self, x: Tensor) -> Tensor:
        return nn.functional.gelu(self.dense(x))


class Layer(nn.Module):
    def __init__(self, config: Config, width: int, heads: int, inner: int) -> None:
        super().__init__()
        self.attention = Attention(config, width, heads)
        self.intermediate = Intermediate(width, inner)
        self.output = AddNorm(config, inner, width)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        x, weights = self.attention(x)
        return self.output(self.intermediate(x), x), weights


class Encoder(nn.Module):
    def __init__(self, config: Config) -> None:
        super().__init__()
        sizes = config.hidden_size, config.num_attention_heads, config.intermediate_size
        self.layer = nn.ModuleList(Layer(config, *sizes) for _ in range(config.num_hidden_layers))


class Model(nn.Module):
    """The published ``vit``."""

    def __init__(self, config: Config) -> None:
        super().__init__()
        self.embeddings = Embeddings(config)
        self.encoder = Encoder(config)
        self.layernorm = nn.LayerNorm(config.hidden_size, eps=config.layer_norm_eps)

    def forward(
        self, signal: Tensor, xyz: Tensor, noise: Tensor | None, attentions: list[Tensor] | None = None
    ) -> tuple[Tensor, Tensor, Tensor]:
        x, mask, restore = self.embeddings(signal, xyz, noise)
        for layer in self.encoder.layer:
            x, weights = layer(x)
            if attentions is not None:
                attentions.append(weights)
        return self.layernorm(x), mask, restore


class Decoder(nn.Module):
    def __init__(self, config: Config) -> None:
        super().__init__()
        self.config = config
        width = config.decoder_hidden_size
        sizes = width, config.decoder_num_attention_heads, config.decoder_intermediate_size
        self.mask_token = nn.Parameter(torch.zeros(1, 1, width))
        self.decoder_embed = nn.Linear(config.hidden_size, width)
        self.decoder_layers = nn.ModuleList(Layer(config, *sizes) for _ in range(config.decoder_num_hidden_layers))
        self.decoder_norm = nn.LayerNorm(width, eps=config.layer_norm_eps)
        self.decoder_pred = nn.Linear(width, config.patch_size**2 * config.num_channels)  # never used, as published
        self.decoder_xyz_projection = nn.Linear(3, config.hidden_size)
        self.pos_embedding = PositionalEncoding(config.hidden_size)
        self.decoder_pred1 = nn.Linear(width, width // 2)
        self.decoder_pred_nonlinearity = nn.LeakyReLU(0.1)
        self.decoder_pred2 = nn.Linear(width // 2, config.timepoint_patching_size)

    def forward(self, latent: Tensor, xyz: Tensor, restore: Tensor) -> Tensor:
        x = self.decoder_embed(latent)
        batch, visible, width = x[:, 1:, :].shape
        hidden = self.mask_token.repeat(batch, restore.shape[1] - visible, 1)
        tokens = torch.cat([x[:, 1:, :], hidden], dim=1)
        tokens = torch.gather(tokens, dim=1, index=restore.unsqueeze(-1).repeat(1, 1, width))
        patches = tokens.shape[1] // self.config.num_brain_voxels
        tokens = tokens.reshape(batch, self.config.num_brain_voxels, patches, width)
        tokens = tokens + self.decoder_xyz_projection(xyz).unsqueeze(2).repeat(1, 1, patches, 1)
        tokens = torch.flatten(self.pos_embedding(tokens), start_dim=1, end_dim=2)
        x = torch.cat([x[:, :1, :], tokens], dim=1)
        for layer in self.decoder_layers:
            x, _ = layer(x)
        x = self.decoder_pred1(self.decoder_norm(x))
        x = self.decoder_pred2(self.decoder_pred_nonlinearity(x))[:, 1:, :]
        return x.reshape(batch, self.config.num_brain_voxels, -1, self.config.timepoint_patching_size)


@dataclass(frozen=True)
class Output:
    """``prediction (B, V, N, P)``, ``latent (B, 1 + K, D)``, ``mask (B, V, N)`` 1 = hidden, ``loss`` scalar."""

    prediction: Tensor
    latent: Tensor
    mask: Tensor
    loss: Tensor


class Plain13M(nn.Module):
    """Signal (B, V, T), coordinates (B, V, 3) in mm and noise (B, V * N) to predicted patches and their error."""

    def __init__(self, config: Config | None = None) -> None:
        super().__init__()
        self.config = config or Config()
        self.vit = Model(self.config)
        self.decoder = Decoder(self.config)
        self.initialise()

    def initialise(self) -> None:
        """As published: the encoder normal, its convolutions too; the decoder Xavier, its convolutions torch's own."""
        spread = self.config.initializer_range
        for part in (self.vit, self.decoder):
            for module in part.modules():
                if part is self.vit and isinstance(module, nn.Linear | nn.Conv2d):
                    nn.init.normal_(module.weight, std=spread)
                elif isinstance(module, nn.Linear):
                    nn.init.xavier_uniform_(module.weight)
                if isinstance(module, nn.Linear):
                    nn.init.zeros_(module.bias)
        nn.init.normal_(self.vit.embeddings.cls_token, std=spread)
        nn.init.normal_(self.decoder.mask_token, std=spread)

    def set_mask_ratio(self, ratio: float) -> None:
        """Hide another share of the patches."""
        self.config = self.vit.embeddings.config = replace(self.config, mask_ratio=ratio)

    def forward(self, signal: Tensor, xyz: Tensor, noise: Tensor | None = None) -> Output:
        latent, mask, restore = self.vit(signal, xyz, noise)
        prediction = self.decoder(latent, xyz, restore)
        truth = signal.reshape(prediction.shape)
        mask = mask.reshape(prediction.shape[:-1])
        loss = self.loss(truth, prediction, mask)
        if loss.item() > 5.0:
            print(f"Loss {loss.item():.5f} is a high value, check batch")
        return Output(prediction, latent, mask, loss)

    def loss(self, truth: Tensor, prediction: Tensor, mask: Tensor) -> Tensor:
        mask = mask.unsqueeze(-1).repeat(1, 1, 1, prediction.shape[-1])
        if self.config.loss_fn == "mse":
            return (((prediction - truth) ** 2) * mask).sum() / mask.sum()
        return abs((prediction - truth) * mask).sum() / mask.sum()

    def embed(self, signal: Tensor, xyz: Tensor) -> Tensor:
        """All patches visible in their natural order through the encoder alone: (B, 1 + V * N, D)."""
        ratio = self.config.mask_ratio
        self.set_mask_ratio(0.0)
        tokens = signal.shape[1] * signal.shape[2] // self.config.timepoint_patching_size
        latent, _, _ = self.vit(signal, xyz, (torch.arange(tokens) / tokens).expand(len(signal), -1))
        self.set_mask_ratio(ratio)
        return latent
