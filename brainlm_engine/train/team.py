"""The processes that train together. One alone is a team too, so the step and the loop are the same for any number."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass

import torch

from brainlm_engine.models.base import MaskedModel
from brainlm_engine.models.output import ModelOutput


@dataclass
class Team:
    """One process on its own; see :mod:`brainlm_engine.train.fabric_team` for several.

    Attributes
    ----------
    device : where this process computes
    rank, world : which of how many processes this is
    """

    device: torch.device
    rank: int = 0
    world: int = 1

    @property
    def leads(self) -> bool:
        """True for the one process that writes and reports."""
        return self.rank == 0

    def join(
        self, model: MaskedModel, optimizer: torch.optim.Optimizer
    ) -> tuple[Callable[..., ModelOutput], torch.optim.Optimizer]:
        """Return what is called in place of the model, so that gradients become the mean over the team."""
        return model, optimizer

    def apart(self, net: Callable[..., ModelOutput], apart: bool) -> AbstractContextManager[object]:
        """Inside the block gradients are summed up here and not shared yet, when ``apart``."""
        return nullcontext()

    def sums(self, *values: float) -> list[float]:
        """Add each of the values up over the team."""
        return list(values)

    def any(self, here: bool) -> bool:
        """Tell whether it is so in any process."""
        return self.sums(float(here))[0] > 0

    def leaders(self, value: float) -> float:
        """Return the leader's value in all processes."""
        return self.sums(value if self.leads else 0.0)[0]
