"""One 424 x 200 window: our model beside a plain masked autoencoder of the same width with joint attention.

The reference is the published layout at our width: an encoder over all visible patches of the window at once, a decoder
over all 4,240. Run: ``python tests/bench/bench_model.py``. Medians; both in turns, so that other work on the computer
hits both.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable

import numpy as np

from brainlm_engine import baselines  # isort: skip  (before torch: it sets how threads wait)
import torch
from threadpoolctl import threadpool_limits
from torch import Tensor, nn

from brainlm_engine.models import load_model
from brainlm_engine.models.masks import random_mask
from brainlm_engine.models.studio import Studio, StudioConfig

PARCELS, FRAMES, PATCH = 424, 200, 20
PATCHES = FRAMES // PATCH
THREADS = 2


class JointAttention(nn.Module):
    """Masked autoencoder whose tokens all attend to each other."""

    def __init__(self, config: StudioConfig) -> None:
        super().__init__()
        width = config.width

        def layers(count: int) -> nn.TransformerEncoder:
            layer = nn.TransformerEncoderLayer(
                width, config.heads, 4 * width, 0.0, "gelu", batch_first=True, norm_first=True
            )
            return nn.TransformerEncoder(layer, count, enable_nested_tensor=False)

        self.patch, self.place, self.place_again = nn.Linear(PATCH, width), nn.Linear(3, width), nn.Linear(3, width)
        self.time = nn.Parameter(torch.randn(PATCHES, width))
        self.hidden = nn.Parameter(torch.randn(width))
        self.encoder, self.decoder = layers(config.encoder_layers), layers(config.decoder_layers)
        self.head = nn.Linear(width, PATCH)

    def forward(self, signal: Tensor, xyz: Tensor, mask: Tensor) -> Tensor:
        """Return the loss of one batch; every window hides the same number of patches."""
        batch = len(signal)
        patches = signal.reshape(batch, PARCELS * PATCHES, PATCH)
        place = (self.place(xyz)[:, :, None] + self.time).flatten(1, 2)
        place_again = (self.place_again(xyz)[:, :, None] + self.time).flatten(1, 2)
        hidden = mask.flatten(1)
        visible = hidden.to(torch.uint8).argsort(dim=1, stable=True)[:, : int((~hidden[0]).sum())]
        index = visible[..., None].expand(-1, -1, place.shape[-1])
        seen = self.encoder((self.patch(patches) + place).gather(1, index))
        full = self.hidden.expand_as(place).scatter(1, index, seen) + place_again
        error = (self.head(self.decoder(full)) - patches).square().mean(-1)
        return (error * hidden).sum() / hidden.sum()


def median_ms(calls: dict[str, Callable[[], object]], rounds: int) -> dict[str, float]:
    """Return the median time of each call, in milliseconds; the calls take turns."""
    times: dict[str, list[float]] = {name: [] for name in calls}
    for turn in range(rounds + 1):
        for name, call in calls.items():
            began = time.perf_counter()
            call()
            if turn:  # the first turn warms up
                times[name].append(1e3 * (time.perf_counter() - began))
    return {name: statistics.median(values) for name, values in times.items()}


def windows(batch: int) -> tuple[Tensor, Tensor, Tensor]:
    """Return signal, positions and a 75 % mask."""
    draw = torch.Generator().manual_seed(0)
    signal = torch.randn(batch, PARCELS, FRAMES, generator=draw)
    xyz = (50 * torch.randn(PARCELS, 3, generator=draw)).expand(batch, -1, -1)
    return signal, xyz, random_mask((batch, PARCELS, PATCHES), 0.75, draw)


def forward() -> None:
    """Inference, one window."""
    ours, joint = load_model(), JointAttention(StudioConfig()).eval()
    signal, xyz, mask = windows(1)
    with torch.inference_mode():
        ms = median_ms(
            {"ours": lambda: ours(signal, xyz, mask=mask), "joint": lambda: joint(signal, xyz, mask)}, rounds=15
        )
    print(f"forward, 424 x 200, {THREADS} threads: ours {ms['ours']:.0f} ms (bar 150), joint {ms['joint']:.0f} ms")
    print(f"RATIO model_forward joint/ours {ms['joint'] / ms['ours']:.1f}")


def training() -> None:
    """Forward, backward; batch 4."""
    ours, joint = Studio().train(), JointAttention(StudioConfig()).train()
    signal, xyz, mask = windows(4)
    queries = torch.arange(0, PARCELS, 4)

    def step_ours() -> None:
        ours(signal, xyz, mask=mask, queries=queries).loss.backward()

    def step_joint() -> None:
        joint(signal, xyz, mask).backward()

    ms = median_ms({"ours": step_ours, "joint": step_joint}, rounds=3)
    print(
        f"training step without the optimizer, batch 4: ours {ms['ours']:.0f} ms, joint attention {ms['joint']:.0f} ms"
    )
    print(f"RATIO model_training joint/ours {ms['joint'] / ms['ours']:.1f}")


def simple_methods() -> None:
    """The baselines on one window with 75 % hidden."""
    signal, _, mask = windows(1)
    truth = signal[0].numpy()
    shown = np.where(np.repeat(mask[0].numpy(), PATCH, axis=1), np.nan, truth).astype(np.float32)
    people = baselines.covariance_of_people([truth])
    with threadpool_limits(1):  # as in the product
        ms = median_ms(
            {
                "ridge, own": lambda: baselines.ridge(shown),
                "ridge, people": lambda: baselines.ridge(shown, people),
                "components": lambda: baselines.pca(shown),
                "interpolation": lambda: baselines.interpolate(shown),
                "kriging": lambda: baselines.krige(shown),
            },
            rounds=5,
        )
    print("simple methods (bar 500 ms each): " + ", ".join(f"{name} {value:.0f} ms" for name, value in ms.items()))


if __name__ == "__main__":
    torch.set_num_threads(THREADS)
    forward()
    training()
    simple_methods()
