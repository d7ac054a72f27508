"""A variational autoencoder of single parcels' series (Kingma & Welling, 2014): what a model of no relations learns."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

Floats = NDArray[np.float32]
LATENT = 16
_HIDDEN, _BATCH, _STEPS, _RATE, _BETA = 128, 256, 1500, 1e-3, 0.05


class SeriesVAE(nn.Module):
    """Windows of ``frames`` z-scored frames to 16 numbers and back."""

    def __init__(self, frames: int) -> None:
        super().__init__()
        self.frames = frames
        self.encode = nn.Sequential(nn.Linear(frames, _HIDDEN), nn.GELU(), nn.Linear(_HIDDEN, 2 * LATENT))
        self.decode = nn.Sequential(nn.Linear(LATENT, _HIDDEN), nn.GELU(), nn.Linear(_HIDDEN, frames))

    def forward(self, series: Tensor) -> tuple[Tensor, Tensor]:
        """Return ``series (B, frames)`` again, and the divergence of the code from a normal distribution."""
        mean, log_var = self.encode(series).chunk(2, -1)
        code = mean + torch.randn_like(mean) * (0.5 * log_var).exp()
        divergence = 0.5 * (mean.square() + log_var.exp() - 1 - log_var).sum(-1).mean()
        return self.decode(code), divergence

    def features(self, series: Floats) -> Floats:
        """``series (P, T)`` to (P, 16) per window, all windows side by side."""
        clean = torch.from_numpy(np.nan_to_num(series).astype(np.float32))
        with torch.inference_mode():
            codes = [
                self.encode(clean[:, start : start + self.frames])[:, :LATENT]
                for start in range(0, series.shape[1] - self.frames + 1, self.frames)
            ]
        return np.asarray(torch.cat(codes, 1).numpy())


def train_vae(people: Sequence[Floats], frames: int, seed: int = 0) -> SeriesVAE:
    """Learn from the series (P, T) of people, z-scored; NaN counts as the mean."""
    torch.manual_seed(seed)
    model, rng = SeriesVAE(frames), np.random.default_rng(seed)
    optimizer = torch.optim.Adam(model.parameters(), _RATE)
    for _ in range(_STEPS):
        series = people[int(rng.integers(len(people)))]
        start = int(rng.integers(series.shape[1] - frames + 1))
        some = rng.choice(len(series), min(_BATCH, len(series)), replace=False)
        batch = torch.from_numpy(np.nan_to_num(series[some, start : start + frames]).astype(np.float32))
        made, divergence = model(batch)
        loss = (made - batch).square().mean() + _BETA / frames * divergence
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return model.eval()
