"""What ``bench_gpu.py`` measures: models, synthetic windows, and the arithmetic of one window by an explicit formula.

Model FLOPs (two per multiply-add) of the forward pass, three times that for training: a backward pass is two matrix
products for each of the forward one. Nothing that is computed twice, padded or only used for packing counts. With D the
width, m the MLP's ratio, N time patches, V parcels, K visible per patch, R registers, Q parcels decoded, r factors:

- encoder layer: N(K+R) tokens x (8 + 4m) D^2, attention 4 N (K+R)^2 D; over time S = 1 + NR tokens x 8 D^2 + 4 S^2 D
- decoder layer: NQ tokens x (8 own time + 4 query and out + 8 MLP) D^2, keys and values N(K+R+1) x 4 D^2,
  attention 4 N^2 Q D + 4 N Q (K+R+1) D
- tied attention: scores of all V + R places, 2 N (V+R)^2 (D + 1) and 2 N Q (V+R+1) D, in place of half of these
- around: embedding 80 NKD + 40 NQD, to the decoder 2 (NK+NR+1) D^2, head NQ (4 D^2 + 80 D), places,
  first guess N (2 V r^2 + r^3 / 3 + 4 r^2 20 + 4 V r 20)
- 13M: per layer T tokens x (8 D^2 + 4 D I), attention 4 T^2 D, convolution 2 T k D; the last decoder block asks the
  hidden tokens only
"""

from __future__ import annotations

from typing import Any

import torch

from brainlm_engine.models.brainlm_13m import BrainLM13M
from brainlm_engine.models.masks import random_mask, token_mask
from brainlm_engine.models.sizes import SIZES
from brainlm_engine.models.studio import Studio
from brainlm_engine.train.settings import TrainSettings, settings_from
from brainlm_engine.train.step import Learner, new_learner
from brainlm_engine.train.trainable import new_model
from brainlm_engine.train.windows import Batch

FRAMES, PATCH, TR_S, RATIO = 200, 20, 0.72, 0.75
MODELS = (*(size.size_id for size in SIZES), "13m")


def settings_for(name: str, **changes: Any) -> TrainSettings:
    """Return the settings of a training of a model, by its name in :data:`MODELS`."""
    # all with the first guess of base and large: what is counted below are the layers
    own = ("guess", "left_out")
    sizes = {size.size_id: {key: value for key, value in size.sizes.items() if key not in own} for size in SIZES}
    architecture = "brainlm-13m" if name == "13m" else "studio"
    model = {"architecture": architecture, "model": sizes.get(name, {})}
    return settings_from({"steps": 10**9, "variety": False, "masks": "random", **model, **changes})


def learner_for(settings: TrainSettings, parcels: int) -> Learner:
    """Return a fresh model ready to learn."""
    torch.manual_seed(0)
    return new_learner(new_model(settings.architecture, settings.model, parcels, FRAMES), settings)


def windows(settings: TrainSettings, batch: int, parcels: int, seed: int = 0) -> Batch:
    """Return ``batch`` synthetic windows with 75 % hidden, where the settings compute."""
    draw = torch.Generator().manual_seed(seed)
    shape = (batch, parcels, FRAMES // PATCH)
    signal = torch.randn(batch, parcels, FRAMES, generator=draw)
    xyz = (40 * torch.randn(parcels, 3, generator=draw)).expand(batch, -1, -1)
    if settings.architecture == "studio":
        hidden = random_mask(shape, RATIO, draw)
        queries = torch.randperm(parcels, generator=draw)[: settings.queries].sort().values
    else:
        hidden = token_mask(shape, RATIO, draw)
        queries = hidden.flatten(1).nonzero()[:, 1].view(batch, -1)
    return Batch(signal, xyz, hidden, queries, TR_S).to(settings.device)


def training_flops(model: Any, parcels: int, queries: int) -> float:
    """Return the model FLOPs of learning from one window, by the formula above."""
    patches = FRAMES // PATCH
    if isinstance(model, Studio):
        return 3 * _studio(model, parcels, patches, min(queries, parcels))
    assert isinstance(model, BrainLM13M)
    return 3 * _published(model, parcels * patches)


def _studio(model: Studio, parcels: int, patches: int, asked: int) -> float:
    c = model.config
    d, n, q, r, place = c.width, patches, asked, c.factors, c.place_width
    k = int(parcels * (1 - RATIO) + 1e-9)
    seen, context, line = k + c.registers, k + c.registers + 1, 1 + n * c.registers
    among, across = 4 * n * seen**2 * d, 4 * n * q * context * d
    if c.attention == "tied":  # scores are of all places, what is taken is of those seen
        every = parcels + c.registers
        among = 2 * n * every**2 * (d + 1) + 2 * n * seen**2 * d
        across = 2 * n * q * (every + 1) * d + 2 * n * q * context * d
    encoder = n * seen * (8 + 4 * c.mlp_ratio) * d**2 + among + line * 8 * d**2 + 4 * line**2 * d
    decoder = n * q * 20 * d**2 + n * context * 4 * d**2 + 4 * n**2 * q * d + across
    around = 80 * n * k * d + 40 * n * q * d + 2 * (n * seen + 1) * d**2 + n * q * (4 * d**2 + 80 * d)
    places = 2 * parcels * ((4 * c.frequencies + 4) * place + place**2 + place * (2 * d + r + 1))
    guess = n * (2 * parcels * r**2 + r**3 / 3 + 80 * r**2 + 80 * parcels * r)
    return c.encoder_layers * encoder + c.decoder_layers * decoder + around + places + guess


def _published(model: BrainLM13M, tokens: int) -> float:
    c = model.config
    d = c.hidden_size

    def layer(length: int, asked: int, inner: int) -> float:
        mixing = (4 * length + 4 * asked) * d**2 + 4 * length * asked * d + 2 * length * (c.conv_kernel_size or 0) * d
        return mixing + asked * 4 * d * inner

    seen, every = 1 + int(tokens * (1 - RATIO)), 1 + tokens
    hidden = every - seen
    encoder = c.num_hidden_layers * layer(seen, seen, c.intermediate_size)
    blocks = (c.decoder_num_hidden_layers - 1) * layer(every, every, c.decoder_intermediate_size)
    last = layer(every, hidden, c.decoder_intermediate_size)
    around = tokens * 2 * PATCH * d + 2 * seen * d**2 + hidden * (d**2 + d * PATCH)
    return encoder + blocks + last + around
