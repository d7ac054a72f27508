"""A graph convolution network (Kipf & Welling, 2017) that fills in hidden parcels from their graph neighbours."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

Floats = NDArray[np.float32]
WIDTH = 16
_HIDDEN, _STEPS, _RATE, _HIDE, _DEGREE = 64, 600, 2e-3, 0.5, 10


class GraphNetwork(nn.Module):
    """Two graph convolutions and a linear decoder; the graph joins each parcel with the ten it goes with most."""

    def __init__(self, frames: int) -> None:
        super().__init__()
        self.frames = frames
        self.first, self.second = nn.Linear(frames, _HIDDEN), nn.Linear(_HIDDEN, WIDTH)
        self.decode = nn.Linear(WIDTH, frames)
        self.hidden = nn.Parameter(torch.zeros(frames))

    def encode(self, series: Tensor, graph: Tensor) -> Tensor:
        """``series (P, frames)``, ``graph (P, P)`` normalised, to (P, 16)."""
        code: Tensor = graph @ self.second(torch.relu(graph @ self.first(series)))
        return code

    def features(self, series: Floats) -> Floats:
        """``series (P, T)`` to (P, 16) per window, all windows side by side."""
        codes = []
        with torch.inference_mode():
            for start in range(0, series.shape[1] - self.frames + 1, self.frames):
                window = _clean(series[:, start : start + self.frames])
                codes.append(self.encode(window, graph_of(window)))
        return np.asarray(torch.cat(codes, 1).numpy())


def graph_of(window: Tensor) -> Tensor:
    """Join each parcel with itself and those it correlates with most; symmetric, normalised by degree: (P, P)."""
    centred = window - window.mean(1, keepdim=True)
    unit = centred / centred.norm(dim=1, keepdim=True).clamp(min=1e-9)
    alike = unit @ unit.T
    alike.fill_diagonal_(-2)
    edges = torch.zeros_like(alike).scatter_(1, alike.topk(min(_DEGREE, len(alike) - 1), 1).indices, 1.0)
    edges = ((edges + edges.T) > 0).float() + torch.eye(len(edges))
    degree = edges.sum(1).rsqrt()
    return degree[:, None] * edges * degree


def train_graph_network(people: Sequence[Floats], frames: int, seed: int = 0) -> GraphNetwork:
    """Learn from the series (P, T) of people, z-scored; half of the parcels are hidden and filled in."""
    torch.manual_seed(seed)
    model, rng = GraphNetwork(frames), np.random.default_rng(seed)
    optimizer = torch.optim.Adam(model.parameters(), _RATE)
    for _ in range(_STEPS):
        series = people[int(rng.integers(len(people)))]
        start = int(rng.integers(series.shape[1] - frames + 1))
        window = _clean(series[:, start : start + frames])
        hide = torch.from_numpy(rng.random(len(window)) < _HIDE)
        made = model.decode(model.encode(torch.where(hide[:, None], model.hidden, window), graph_of(window)))
        loss = (made - window)[hide].square().mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return model.eval()


def _clean(series: Floats) -> Tensor:
    return torch.from_numpy(np.nan_to_num(series).astype(np.float32))
