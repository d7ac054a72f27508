"""How the published ViTMAE and decoder-only models hide patches in training."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from brainlm_engine.api.errors import BadInput
from brainlm_engine.models.masks import MaskPlan, plan_mask


@dataclass(frozen=True)
class PicturePlan(MaskPlan):
    """Patches of the picture at random, of data or of padding alike: exactly ``int(S * (1 - ratio))`` stay visible."""

    patches: int = 0

    def draw(
        self, shape: tuple[int, int, int], generator: torch.Generator, networks: NDArray[np.intp] | None = None
    ) -> Tensor:
        """Return (B, S) bool; the parcels and time patches of ``shape`` do not matter."""
        noise = torch.rand((shape[0], self.patches), generator=generator)
        rank = noise.argsort(dim=1, stable=True).argsort(dim=1, stable=True)
        return rank >= int(self.patches * (1 - self.ratio))


@dataclass(frozen=True)
class OwnPatchesPlan(MaskPlan):
    """As many patches of every parcel, at least one, at other times for each."""

    def draw(
        self, shape: tuple[int, int, int], generator: torch.Generator, networks: NDArray[np.intp] | None = None
    ) -> Tensor:
        """Return (B, V, N) bool."""
        rank = torch.rand(shape, generator=generator).argsort(dim=2, stable=True).argsort(dim=2, stable=True)
        return rank >= shape[2] - max(1, int(shape[2] * self.ratio))


def plan_picture(kind: str, picture: int, generator: torch.Generator, ratios: tuple[float, ...]) -> MaskPlan:
    """75 % of the patches of the picture, or one of ``ratios``.

    Raises
    ------
    BadInput
        For a kind of mask that a picture does not have.
    """
    if kind not in ("random", "mixed"):
        raise BadInput(
            f"Models that see the recording as a picture hide patches of it at random, not {kind}.",
            "Use --masks random.",
        )
    return PicturePlan("tokens", plan_mask("random", 1, generator, ratios).ratio, patches=picture)


def plan_causal(kind: str, patches: int, generator: torch.Generator, ratios: tuple[float, ...]) -> MaskPlan:
    """As published: in every other step the last patch of all parcels ('future'), else 75 % of each parcel's own.

    'random' and 'future' are one of these alone, 'parcels' hides whole parcels as for other models.
    """
    if kind == "mixed":
        kind = ("future", "random")[int(torch.randint(2, (1,), generator=generator))]
    if kind == "future":
        return MaskPlan("future", 0.0, 1)
    if kind == "random":
        return OwnPatchesPlan("tokens", plan_mask("random", patches, generator, ratios).ratio)
    return plan_mask(kind, patches, generator, ratios)
