"""What the R2 of validation people measures, for each kind of model: what of their windows is hidden."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from brainlm_engine.models.brainlm_vitmae import ViTMAEConfig
from brainlm_engine.models.masks import random_mask
from brainlm_engine.models.picture import back_to_front, pick_rows

RATIO = 0.75


@dataclass(frozen=True)
class Window:
    """How one validation window is shown.

    Attributes
    ----------
    mask : as the model takes it, of one window
    covered : (V, T) bool, the values that are hidden, and scored
    """

    mask: Tensor
    covered: Tensor


@dataclass(frozen=True)
class Judging:
    """How models of one architecture are judged while they learn.

    Attributes
    ----------
    figure : its name in the card
    words : what is hidden, as in "R2 of validation people at 75 % hidden patches"
    hide : (sizes, xyz (V, 3), patches, frames of a patch, generator) -> how the window is shown
    """

    figure: str
    words: str
    hide: Callable[[dict[str, Any], Tensor, int, int, torch.Generator], Window]


def _parcels_in_turn(
    sizes: dict[str, Any], xyz: Tensor, patches: int, frames: int, generator: torch.Generator
) -> Window:
    mask = random_mask((1, len(xyz), patches), RATIO, generator)
    return Window(mask, mask[0].repeat_interleave(frames, 1))


def _next_patch(sizes: dict[str, Any], xyz: Tensor, patches: int, frames: int, generator: torch.Generator) -> Window:
    mask = torch.zeros(1, len(xyz), patches, dtype=torch.bool)
    mask[:, :, -1] = True
    return Window(mask, mask[0].repeat_interleave(frames, 1))


def _picture(sizes: dict[str, Any], xyz: Tensor, patches: int, frames: int, generator: torch.Generator) -> Window:
    picture = ViTMAEConfig(**sizes).picture
    noise = torch.rand(1, picture.patches, generator=generator)
    mask = noise.argsort(dim=1, stable=True).argsort(1) >= int(picture.patches * (1 - RATIO))
    covered = pick_rows(picture.hidden_values(mask), back_to_front(xyz[None]).argsort(1))
    return Window(mask, covered[0])


PATCHES = Judging("validation_r2_75", "at 75 % hidden patches", _parcels_in_turn)
PICTURE = Judging("validation_r2_75", "at 75 % hidden patches of the picture that the model sees", _picture)
FORECAST = Judging("validation_r2_forecast", "for the last patch of all parcels, from the earlier ones", _next_patch)
