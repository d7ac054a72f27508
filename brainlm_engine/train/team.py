"""The processes that train together. One alone is a team too, so the step and the loop are the same for any number."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from brainlm_engine.models.base import MaskedModel


class LossOf(nn.Module):
    """A model as training calls it: windows in, the loss out, and how many frames it is the mean of."""

    def __init__(self, model: MaskedModel) -> None:
        super().__init__()
        self.model = model

    def forward(
        self, signal: Tensor, xyz: Tensor, hidden: Tensor, queries: Tensor, tr_s: float
    ) -> tuple[Tensor, Tensor]:
        """Shapes as in :class:`brainlm_engine.train.windows.Batch`."""
        output = self.model(signal, xyz, mask=hidden, tr_s=tr_s, queries=queries)
        assert output.count is not None, "an architecture that is trained tells how many frames its loss is over"
        return output.loss, output.count


@dataclass
class Team:
    """One process on its own; see :mod:`brainlm_engine.train.fabric_team` for several.

    Attributes
    ----------
    device : where this process computes
    rank, world : which of how many processes this is
    spreads : the weights are spread over the processes, so that a model answers only when all ask
    beside : processes on this computer, which share its memory
    """

    device: torch.device
    rank: int = 0
    world: int = 1
    spreads: bool = False
    beside: int = 1

    @property
    def leads(self) -> bool:
        """True for the one process that writes and reports."""
        return self.rank == 0

    def join(self, model: MaskedModel) -> nn.Module:
        """Return what is called in place of the model, so that gradients become the mean over the team."""
        return LossOf(model)

    def follow(self, average: MaskedModel) -> MaskedModel:
        """Return the averaged model, kept in the same way as the one that learns."""
        return average

    def apart(self, net: nn.Module, apart: bool) -> AbstractContextManager[object]:
        """Inside the block gradients are summed up here and not shared yet, when ``apart``."""
        return nullcontext()

    def total(self, values: Tensor) -> Tensor:
        """Return ``values``, a tensor on the device, added up over the team; nobody waits for the device."""
        return values

    def share_gradients(self, model: nn.Module) -> None:
        """Replace gradients that were summed up apart by the mean over the team."""

    def sums(self, *values: float) -> list[float]:
        """Add each of the values up over the team."""
        return list(values)

    def any(self, here: bool) -> bool:
        """Tell whether it is so in any process."""
        return self.sums(float(here))[0] > 0

    def most(self, value: float) -> float:
        """Return the largest of all processes' values."""
        return value

    def leaders(self, value: float) -> float:
        """Return the leader's value in all processes."""
        return self.sums(value if self.leads else 0.0)[0]
