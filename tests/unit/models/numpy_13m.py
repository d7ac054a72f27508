"""The 13M equations once more, in plain numpy and double precision: slow, short, written from the formulas alone."""

from __future__ import annotations

from math import erf
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Weights = dict[str, Array]


def linear(w: Weights, name: str, x: Array) -> Array:
    return x @ w[f"{name}.weight"].T + w[f"{name}.bias"]


def layer_norm(w: Weights, name: str, x: Array, eps: float) -> Array:
    centred = x - x.mean(-1, keepdims=True)
    return centred / np.sqrt((centred**2).mean(-1, keepdims=True) + eps) * w[f"{name}.weight"] + w[f"{name}.bias"]


def gelu(x: Array) -> Array:
    return 0.5 * x * (1 + np.vectorize(erf)(x / np.sqrt(2)))


def sine_table(rows: int, width: int) -> Array:
    table = np.zeros((rows, width))
    for row in range(rows):
        for pair in range(width // 2):
            angle = row * np.exp(-2 * pair * np.log(10000) / width)
            table[row, 2 * pair], table[row, 2 * pair + 1] = np.sin(angle), np.cos(angle)
    return table


def attention(w: Weights, name: str, x: Array, heads: int) -> Array:
    """One window, (L, D)."""
    length, width = x.shape
    size = width // heads
    q, k, v = (linear(w, f"{name}.{part}", x) for part in ("query", "key", "value"))
    out = np.zeros_like(x)
    for head in range(heads):
        own = slice(head * size, (head + 1) * size)
        scores = (q[:, own] / size**0.25) @ (k[:, own] / size**0.25).T
        scores = np.exp(scores - scores.max(1, keepdims=True))
        out[:, own] = scores / scores.sum(1, keepdims=True) @ v[:, own]
        kernel = w[f"{name}.conv.weight"][head, 0, :, 0]
        for tap, weight in enumerate(kernel):
            for token in range(length):
                source = token + tap - len(kernel) // 2
                if 0 <= source < length:
                    out[token, own] += weight * v[source, own]
    return out


def block(w: Weights, name: str, x: Array, heads: int, eps: float) -> Array:
    mixed = linear(w, f"{name}.attention.output.dense", attention(w, f"{name}.attention.self", x, heads))
    x = layer_norm(w, f"{name}.attention.output.LayerNorm", mixed + x, eps)
    inner = gelu(linear(w, f"{name}.intermediate.dense", x))
    return layer_norm(w, f"{name}.output.LayerNorm", linear(w, f"{name}.output.dense", inner) + x, eps)


def forward(w: Weights, config: dict[str, Any], signal: Array, xyz: Array, noise: Array) -> dict[str, Array]:
    """One window: ``signal (V, T)``, ``xyz (V, 3)``, ``noise (S,)`` to prediction, latent, mask and loss."""
    parcels = len(signal)
    patch, eps, width = config["timepoint_patching_size"], config["layer_norm_eps"], config["hidden_size"]
    patches = signal.reshape(parcels, -1, patch)
    count = patches.shape[1]
    times = sine_table(count, width)
    where = "vit.embeddings"
    tokens = linear(w, f"{where}.signal_embedding_projection", patches)
    tokens = tokens + linear(w, f"{where}.xyz_embedding_projection", xyz)[:, None] + times
    order = np.argsort(noise, kind="stable")
    keep = int(parcels * count * (1 - config["mask_ratio"]))
    visible = tokens.reshape(-1, width)[order[:keep]]
    x = np.concatenate([w[f"{where}.cls_token"][0], visible])
    for index in range(config["num_hidden_layers"]):
        x = block(w, f"vit.encoder.layer.{index}", x, config["num_attention_heads"], eps)
    latent = layer_norm(w, "vit.layernorm", x, eps)

    y = linear(w, "decoder.decoder_embed", latent)
    full = np.repeat(w["decoder.mask_token"][0], parcels * count, axis=0)
    full[order[:keep]] = y[1:]
    places = linear(w, "decoder.decoder_xyz_projection", xyz)[:, None]
    full = (full.reshape(parcels, count, width) + places + times).reshape(-1, width)
    x = np.concatenate([y[:1], full])
    for index in range(config["decoder_num_hidden_layers"]):
        x = block(w, f"decoder.decoder_layers.{index}", x, config["decoder_num_attention_heads"], eps)
    x = linear(w, "decoder.decoder_pred1", layer_norm(w, "decoder.decoder_norm", x, eps)[1:])
    x = linear(w, "decoder.decoder_pred2", np.where(x > 0, x, 0.1 * x))
    prediction = x.reshape(parcels, count, patch)
    mask = np.ones(parcels * count)
    mask[order[:keep]] = 0
    mask = mask.reshape(parcels, count)
    loss = (mask[..., None] * (prediction - patches) ** 2).sum() / (mask.sum() * patch)
    return {"prediction": prediction, "latent": latent, "mask": mask, "loss": np.array(loss)}
