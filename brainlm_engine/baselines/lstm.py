"""A small LSTM that forecasts any parcel from its own past and the mean of all parcels; learned from people."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

Floats = NDArray[np.float32]
WIDTH = 32
_BATCH, _STEPS, _RATE = 512, 400, 3e-3


class SmallLSTM(nn.Module):
    """One layer, one linear answer for all leads at once. Input per frame: the parcel, the mean of all parcels."""

    def __init__(self, horizon: int) -> None:
        super().__init__()
        self.lstm = nn.LSTM(2, WIDTH, batch_first=True)
        self.answer = nn.Linear(WIDTH, horizon)

    def forward(self, past: Tensor) -> Tensor:
        """``past (B, frames, 2)`` to (B, horizon)."""
        _, (last, _) = self.lstm(past)
        answer: Tensor = self.answer(last[0])
        return answer

    def forecast(self, past: Floats) -> Floats:
        """``past (parcels, frames)`` in SD, to (parcels, horizon)."""
        with torch.inference_mode():
            answer: Floats = self(_input(past)).numpy()
        return answer


def train_lstm(windows: Sequence[tuple[Floats, Floats]], seed: int = 0) -> SmallLSTM:
    """Learn from ``(past, future)`` of people, both (parcels, frames) in SD of the past; all of one length."""
    torch.manual_seed(seed)
    model = SmallLSTM(windows[0][1].shape[1])
    optimizer = torch.optim.Adam(model.parameters(), _RATE)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, _STEPS)
    rng = np.random.default_rng(seed)
    for _ in range(_STEPS):
        past, future = windows[int(rng.integers(len(windows)))]
        some = rng.choice(len(past), min(_BATCH, len(past)), replace=False)
        loss = (model(_input(past)[some]) - torch.from_numpy(future[some])).square().mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        schedule.step()
    return model.eval()


def _input(past: Floats) -> Tensor:
    everybody = np.broadcast_to(past.mean(0), past.shape)
    return torch.from_numpy(np.ascontiguousarray(np.stack([past, everybody], 2), np.float32))
