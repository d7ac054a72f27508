"""Write the golden files beside this script: small published-layout models and what their equations give.

Run by hand, ``python tests/data/make_golden.py``, after a change to the equations here. The answers come from the plain
float64 numpy below, written from the published equations and sharing nothing with ``brainlm_engine``: explicit loops,
whole attention matrices, a block mask that is really built. Only names and shapes of the parameters are asked of the
models. Everything is seeded (``RandomState``, whose numbers never change), so the files come out the same again.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np
from safetensors.numpy import save_file
from scipy.special import erf

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parents[1]), str(HERE.parent / "unit" / "models")]

from golden_files import every, positions, window  # noqa: E402

from brainlm_engine.models.brainlm_causal import BrainLMCausal  # noqa: E402
from brainlm_engine.models.brainlm_vitmae import BrainLMViTMAE  # noqa: E402

Weights = dict[str, np.ndarray]
NUDGE = 1e-5


# ---- what both share ----


def linear(x: np.ndarray, weights: Weights, name: str) -> np.ndarray:
    return x @ weights[f"{name}.weight"].T + weights[f"{name}.bias"]


def layer_norm(x: np.ndarray, weights: Weights, name: str) -> np.ndarray:
    centred = x - x.mean(-1, keepdims=True)
    scaled = centred / np.sqrt((centred**2).mean(-1, keepdims=True) + 1e-12)
    return scaled * weights[f"{name}.weight"] + weights[f"{name}.bias"]


def gelu(x: np.ndarray) -> np.ndarray:
    return x * 0.5 * (1 + erf(x / np.sqrt(2)))


def attention(x: np.ndarray, weights: Weights, name: str, heads: int, barred: np.ndarray | None = None) -> np.ndarray:
    query, key, value = (linear(x, weights, f"{name}.{part}") for part in ("query", "key", "value"))
    width = x.shape[1] // heads
    mixed = np.empty_like(x)
    for head in range(heads):
        own = slice(head * width, (head + 1) * width)
        scores = query[:, own] @ key[:, own].T / np.sqrt(width)
        if barred is not None:
            scores = np.where(barred, -np.inf, scores)
        share = np.exp(scores - scores.max(-1, keepdims=True))
        mixed[:, own] = share / share.sum(-1, keepdims=True) @ value[:, own]
    return mixed


def seeded_weights(shapes: dict[str, tuple[int, ...]], seed: int) -> Weights:
    """Draw weights in which every parameter matters: no bias is 0, no LayerNorm is 1."""
    draw = np.random.RandomState(seed)
    weights = {}
    for name, shape in shapes.items():
        values = draw.standard_normal(shape)
        norm = "norm" in name
        scale = 0.2 if norm else 0.1 if name.endswith("bias") else 0.5 if name.endswith("token") else 0.6
        fan = np.prod(shape[1:]) if name.endswith("weight") and not norm else 1
        weights[name] = values * scale / np.sqrt(fan) * (3 if fan > 1 else 1) + (norm and name.endswith("weight"))
        weights[name] = weights[name].astype(np.float32)
    return weights


def slopes(answer, weights: Weights, names: tuple[str, ...]) -> dict[str, np.ndarray]:
    """Return d loss / d the first value of some parameters, by central differences."""
    found = {}
    for name in names:
        moved = {}
        for step in (NUDGE, -NUDGE):
            changed = dict(weights) | {name: weights[name].astype(np.float64)}
            changed[name].flat[0] += step
            moved[step] = answer(changed)
        found[f"slope.{name}"] = np.array((moved[NUDGE] - moved[-NUDGE]) / (2 * NUDGE))
    return found


# ---- the window as a picture (ViTMAE) ----


def sincos(width: int, grid: int) -> np.ndarray:
    table = np.zeros((1, 1 + grid * grid, width))
    for row in range(grid):
        for column in range(grid):
            for j in range(width // 4):
                rate = 10000.0 ** (-j / (width / 4))
                at = table[0, 1 + row * grid + column]
                at[j], at[width // 4 + j] = np.sin(column * rate), np.cos(column * rate)
                at[width // 2 + j], at[3 * width // 4 + j] = np.sin(row * rate), np.cos(row * rate)
    return table.astype(np.float32)


def vit_layer(x: np.ndarray, weights: Weights, name: str, heads: int) -> np.ndarray:
    mixed = attention(layer_norm(x, weights, f"{name}.layernorm_before"), weights, f"{name}.attention.attention", heads)
    x = x + linear(mixed, weights, f"{name}.attention.output.dense")
    wide = gelu(linear(layer_norm(x, weights, f"{name}.layernorm_after"), weights, f"{name}.intermediate.dense"))
    return x + linear(wide, weights, f"{name}.output.dense")


def vitmae(
    image: np.ndarray, weights: Weights, config: dict, *, hidden: np.ndarray, order: np.ndarray, blank_from: int = 0
) -> dict[str, np.ndarray]:
    """Answer for one ``image (424, 200)``, NaN where not measured.

    ``hidden (S,)`` bool; ``order (S,)`` patches as they stand in the encoder, visible ones first. The last columns from
    ``blank_from`` on are shown as 0 and counted as hidden, where they are not hidden anyway.
    """
    size, side = config["patch_size"], config["image_size"][0]
    grid, top, left = side // size, (side - 424) // 2, (side - 200) // 2
    shown = np.nan_to_num(image)
    square = np.full((side, side), -1.0)
    square[top : top + 424, left : left + 200] = shown
    kernel = weights["vit.embeddings.patch_embeddings.projection.weight"]
    tokens = np.empty((grid * grid, kernel.shape[0]))
    gone = np.zeros((side, side), bool)
    for s in range(grid * grid):
        down, right = (s // grid) * size, (s % grid) * size
        gone[down : down + size, right : right + size] = hidden[s]
    gone = gone[top : top + 424, left : left + 200]
    if blank_from:
        square[:, left + blank_from : left + 200] = 0
        gone = gone | (np.arange(200) >= blank_from)
    for s in range(grid * grid):
        down, right = (s // grid) * size, (s % grid) * size
        patch = square[down : down + size, right : right + size]
        tokens[s] = (kernel * patch).sum((1, 2, 3)) + weights["vit.embeddings.patch_embeddings.projection.bias"]
    place = weights["vit.embeddings.position_embeddings"][0]
    visible = order[: int((~hidden).sum())]
    x = np.vstack([weights["vit.embeddings.cls_token"][0] + place[:1], (tokens + place[1:])[visible]])
    for i in range(config["num_hidden_layers"]):
        x = vit_layer(x, weights, f"vit.encoder.layer.{i}", config["num_attention_heads"])
    latent = layer_norm(x, weights, "vit.layernorm")
    small = linear(latent, weights, "decoder.decoder_embed")
    full = np.repeat(weights["decoder.mask_token"][0].astype(np.float64), grid * grid, 0)
    full[visible] = small[1:]
    y = np.vstack([small[:1], full]) + weights["decoder.decoder_pos_embed"][0]
    for i in range(config["decoder_num_hidden_layers"]):
        y = vit_layer(y, weights, f"decoder.decoder_layers.{i}", config["decoder_num_attention_heads"])
    values = linear(layer_norm(y, weights, "decoder.decoder_norm"), weights, "decoder.decoder_pred")[1:]
    picture = np.empty((side, side))
    for s in range(grid * grid):
        down, right = (s // grid) * size, (s % grid) * size
        picture[down : down + size, right : right + size] = values[s].reshape(size, size, 3).mean(-1)
    logits = picture[top : top + 424, left : left + 200]
    counted = gone & np.isfinite(image)
    unit = (shown - shown.mean(1, keepdims=True)) / np.sqrt(shown.var(1, ddof=1, keepdims=True) + 1e-6)
    return {
        "logits": logits,
        "latent": latent,
        "summary_before_norm": x[0],
        "mask": gone,
        "mask_sum": gone.sum(),
        "loss": ((logits - shown) ** 2)[counted].mean(),
        "loss_norm_pix": ((logits - unit) ** 2)[counted].mean(),
    }


def vitmae_files(size: int, seed: int) -> None:
    config = {
        "model_type": "vit_mae", "architectures": ["ViTMAEForPreTraining"], "patch_size": size,
        "image_size": [432 if size == 16 else 434] * 2, "hidden_size": 8, "num_hidden_layers": 2,
        "num_attention_heads": 2, "intermediate_size": 12, "decoder_hidden_size": 4, "decoder_num_hidden_layers": 1,
        "decoder_num_attention_heads": 2, "decoder_intermediate_size": 8, "mask_ratio": 0.75, "num_channels": 3,
    }  # fmt: skip
    shapes = {name: tuple(value.shape) for name, value in BrainLMViTMAE.from_config(config).state_dict().items()}
    weights = seeded_weights(shapes, seed)
    grid = config["image_size"][0] // size
    weights["vit.embeddings.position_embeddings"] = sincos(8, grid)
    weights["decoder.decoder_pos_embed"] = sincos(4, grid)
    total, left = grid * grid, (config["image_size"][0] - 200) // 2
    top, image = (config["image_size"][0] - 424) // 2, window(424, 200)
    cases = {}
    noise = np.random.RandomState(seed + 1).permutation(total) / np.float32(total)
    order = np.argsort(noise)
    hidden = np.zeros(total, bool)
    hidden[order[int(total * 0.25) :]] = True
    cases["random"] = vitmae(image, weights, config, hidden=hidden, order=order) | {"noise": noise.astype(np.float32)}
    names = ("vit.embeddings.cls_token", "vit.encoder.layer.0.attention.attention.key.weight", "decoder.mask_token",
             "vit.embeddings.patch_embeddings.projection.weight", "decoder.decoder_pred.bias")  # fmt: skip
    cases["random"] |= slopes(
        lambda changed: vitmae(image, changed, config, hidden=hidden, order=order)["loss"], weights, names
    )
    # the last 20 frames begin inside a patch; "last" hides that patch too, "last_pixel" only their columns in it
    column, last = np.arange(total) % grid, -(-(left + 200) // size) - 1
    for name, first, blank in (("predict_last", last - 1, 0), ("predict_last_pixel", last, 180)):
        hidden = (column >= first) & (column <= last)
        order = np.concatenate([np.flatnonzero(~hidden), np.flatnonzero(hidden)])
        cases[name] = vitmae(image, weights, config, hidden=hidden, order=order, blank_from=blank)
    # the engine's own call: parcels in atlas order, a mask of parcels x 20 frames, gaps, the unit of the input
    signal, xyz = window(424, 200, gaps=True), positions(424)
    rows = sorted(range(424), key=lambda parcel: xyz[parcel, 1])
    mask = np.zeros((424, 10), bool)
    mask[rows[40:90], 2:5] = mask[rows[300:301], 9] = True
    hidden = np.zeros(total, bool)
    for place, parcel in enumerate(rows):
        for frame in np.flatnonzero(mask[parcel].repeat(20)):
            hidden[(place + top) // size * grid + (frame + left) // size] = True
    order = np.concatenate([np.flatnonzero(~hidden), np.flatnonzero(hidden)])
    answer = vitmae(signal[rows] / 5.6430855, weights, config, hidden=hidden, order=order)
    prediction = np.empty((424, 200))
    prediction[rows] = answer["logits"] * 5.6430855
    counted = mask.repeat(20, 1) & np.isfinite(signal)
    cases["engine"] = {
        "logits": prediction, "latent": answer["latent"], "asked": mask,
        "loss": ((prediction - np.nan_to_num(signal)) ** 2)[counted].mean(),
    }  # fmt: skip
    if size == 14:  # one of the two does without the tables that the model makes itself
        del weights["vit.embeddings.position_embeddings"], weights["decoder.decoder_pos_embed"]
    write(f"golden_vitmae_p{size}", config, weights, cases)


# ---- the decoder-only model ----


def causal(
    signal: np.ndarray, xyz: np.ndarray, weights: Weights, config: dict, hidden: np.ndarray
) -> dict[str, np.ndarray]:
    """Answer for one ``signal (V, T)``, NaN where not measured; ``hidden (V, N)`` bool."""
    size, width = config["timepoint_patching_size"], config["hidden_size"]
    parcels, patches = hidden.shape
    shown = np.nan_to_num(signal)
    x = np.empty((1 + parcels * patches, width))
    block = np.zeros(len(x), int)
    x[0] = weights["model.embeddings.cls_token"][0, 0]
    for n in range(patches):
        for v in range(parcels):
            at = 1 + n * parcels + v
            block[at] = n
            x[at] = linear(shown[v, n * size : (n + 1) * size], weights, "model.embeddings.signal_projection")
            x[at] += linear(xyz[v], weights, "model.embeddings.xyz_projection")
            x[at] += weights["model.embeddings.temporal_encoding.pe"][n]
            if hidden[v, n]:
                x[at] = weights["model.embeddings.mask_token"][0, 0]
    barred = block[None, :] > block[:, None]
    barred[0] = barred[:, 0] = False
    for i in range(config["num_hidden_layers"]):
        name = f"model.layers.{i}"
        normed = layer_norm(x, weights, f"{name}.layernorm_before")
        mixed = attention(normed, weights, f"{name}.attention", config["num_attention_heads"], barred)
        x = x + linear(mixed, weights, f"{name}.attn_output.dense")
        wide = gelu(linear(layer_norm(x, weights, f"{name}.layernorm_after"), weights, f"{name}.intermediate.dense"))
        x = x + linear(wide, weights, f"{name}.ffn_output.dense")
    states = layer_norm(x, weights, "model.layernorm")
    first = linear(states[1:], weights, "pred_head.0")
    values = linear(np.where(first > 0, first, 0.1 * first), weights, "pred_head.2")
    logits = values.reshape(patches, parcels, size).transpose(1, 0, 2).reshape(parcels, patches * size)
    counted = hidden.repeat(size, 1) & np.isfinite(signal)
    error = (logits - shown)[counted]
    losses = {"loss": (error**2).mean(), "loss_mae": np.abs(error).mean()} if counted.any() else {}
    return {"logits": logits, "latent": states, "mask": hidden} | losses


def causal_files(seed: int) -> None:
    config = {
        "model_type": "brainlm", "architectures": ["BrainLMForPretraining"], "forward_mask_prob": 0.5,
        "hidden_size": 16, "num_hidden_layers": 3, "num_attention_heads": 4, "intermediate_size": 24,
        "num_brain_voxels": 7,
        "num_timepoints_per_voxel": 20, "timepoint_patching_size": 5, "mask_ratio": 0.5, "loss_fn": "mse",
    }  # fmt: skip
    state = BrainLMCausal.from_config(config).state_dict()
    weights = seeded_weights({name: tuple(value.shape) for name, value in state.items() if ".pe" not in name}, seed)
    weights["model.embeddings.xyz_projection.weight"] /= 30  # positions are in mm
    rate = np.exp(np.arange(0, 16, 2).astype(np.float32) * np.float32(-np.log(10000.0) / 16))
    angle = np.arange(5000).astype(np.float32)[:, None] * rate
    table = np.stack([np.sin(angle), np.cos(angle)], -1).reshape(5000, 16).astype(np.float32)
    weights["model.embeddings.temporal_encoding.pe"] = table
    signal, xyz = window(9, 30, gaps=True), positions(9)  # neither the config's 7 parcels nor its 20 frames
    noise = np.random.RandomState(seed + 1).permutation(54).reshape(9, 6) / np.float32(54)
    random = np.zeros((9, 6), bool)
    for v in range(9):
        random[v, np.argsort(noise[v])[-3:]] = True
    forward = np.zeros((9, 6), bool)
    forward[:, -1] = True
    cases = {
        "random": causal(signal, xyz, weights, config, random) | {"noise": noise.astype(np.float32)},
        "forward": causal(signal, xyz, weights, config, forward),
        "none": causal(signal, xyz, weights, config, np.zeros((9, 6), bool)),
    }
    names = ("model.embeddings.cls_token", "model.embeddings.mask_token", "pred_head.2.weight",
             "model.layers.0.attention.key.weight", "model.layers.2.ffn_output.dense.bias",
             "model.embeddings.xyz_projection.weight")  # fmt: skip
    cases["random"] |= slopes(lambda changed: causal(signal, xyz, changed, config, random)["loss"], weights, names)
    del weights["model.embeddings.temporal_encoding.pe"]  # 320 kB that the model makes itself
    write("golden_causal", config, weights, cases)


def write(name: str, config: dict, weights: Weights, cases: dict[str, dict[str, np.ndarray]]) -> None:
    folder = HERE / name
    folder.mkdir(exist_ok=True)
    (folder / "config.json").write_text(json.dumps(config, indent=1) + "\n")
    save_file(weights, folder / "model.safetensors")
    answers = {}
    for case, values in cases.items():
        for key, value in values.items():
            kept = every(key, np.asarray(value))
            answers[f"{case}.{key}"] = np.packbits(kept) if kept.dtype == bool else np.ascontiguousarray(kept)
    save_file(answers, folder / "answers.safetensors")
    sizes = {path.name: path.stat().st_size for path in sorted(folder.iterdir())}
    print(name, sizes)


if __name__ == "__main__":
    vitmae_files(16, 16)
    vitmae_files(14, 14)
    causal_files(26)
