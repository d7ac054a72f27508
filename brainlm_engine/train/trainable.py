"""What training must know of an architecture beyond its forward pass: a few lines for each, and the loop knows none.

To train another architecture, add its lines to :data:`TRAINABLE`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields
from typing import Any

import torch
from torch import Tensor

from brainlm_engine.api.errors import BadInput
from brainlm_engine.models.architectures import ARCHITECTURES
from brainlm_engine.models.base import MaskedModel
from brainlm_engine.models.brainlm_13m import Config13M
from brainlm_engine.models.masks import MaskPlan, plan_mask
from brainlm_engine.models.patches import frames_per_patch
from brainlm_engine.models.studio import StudioConfig

Sizes = dict[str, Any]


@dataclass(frozen=True)
class Trainable:
    """How models of one architecture are trained.

    Attributes
    ----------
    sizes : the dataclass of its sizes
    any_recording : made for any TR, length and parcels; else it sees windows of the cohort's own kind only
    frames_per_patch : (sizes, seconds per frame) -> frames
    plan : (kind, patches, generator, ratios) -> how a step's windows are hidden
    queries : (hidden (B, V, N), most parcels, generator) -> what is decoded, (Q,) or (B, Q), as the model takes it
    fitted : (parcels, frames of a window) -> sizes where none are chosen
    unused : parameters that are stored and never take part
    settings : its own defaults of :class:`brainlm_engine.train.settings.TrainSettings`
    """

    sizes: type[Any]
    any_recording: bool
    frames_per_patch: Callable[[Sizes, float], int]
    plan: Callable[[str, int, torch.Generator, tuple[float, ...]], MaskPlan]
    queries: Callable[[Tensor, int, torch.Generator], Tensor]
    fitted: Callable[[int, int], Sizes]
    unused: tuple[str, ...]
    settings: dict[str, Any]


def trainable(architecture: str) -> Trainable:
    """Return the description of an architecture by its name.

    Raises
    ------
    BadInput
        When it cannot be trained, with those that can.
    """
    if architecture not in TRAINABLE:
        raise BadInput(
            f"This version cannot train the architecture “{architecture}”.", f"Choose {' or '.join(TRAINABLE)}."
        )
    return TRAINABLE[architecture]


def check_sizes(architecture: str, sizes: Sizes) -> None:
    """Refuse sizes that the architecture does not have.

    Raises
    ------
    BadInput
        When a size is unknown, with those that there are.
    """
    known = [field.name for field in fields(trainable(architecture).sizes)]
    if strange := [name for name in sizes if name not in known]:
        raise BadInput(f"The model has no size called “{strange[0]}”.", f"Its sizes are: {', '.join(known)}.")


def new_model(architecture: str, sizes: Sizes, parcels: int, frames: int) -> MaskedModel:
    """Build a model with fresh weights for windows of so many parcels and frames.

    Raises
    ------
    BadInput
        When the sizes make no model.
    """
    recipe = trainable(architecture)
    try:
        return ARCHITECTURES[architecture].model_class().from_config({**recipe.fitted(parcels, frames), **sizes})
    except (TypeError, ValueError, RuntimeError, ZeroDivisionError) as error:
        if "memory" in str(error).lower():
            raise  # the sizes are sound, there is not enough of it
        raise BadInput(
            "The sizes asked for do not make a model.", "Leave them out for the default.", str(error)
        ) from error


def _some_parcels(hidden: Tensor, most: int, generator: torch.Generator) -> Tensor:
    """The same few parcels of all windows, (Q,)."""
    return torch.randperm(hidden.shape[1], generator=generator)[:most].sort().values


def _hidden_tokens(hidden: Tensor, most: int, generator: torch.Generator) -> Tensor:
    """Every window's own hidden patches, (B, Q): nothing else counts in the loss."""
    return hidden.flatten(1).nonzero()[:, 1].view(len(hidden), -1)


def _tokens_over_the_window(kind: str, patches: int, generator: torch.Generator, ratios: tuple[float, ...]) -> MaskPlan:
    if kind == "mixed" and not ratios:
        ratios = (0.2, 0.5, 0.75, 0.9)
    return plan_mask(kind, patches, generator, ratios, mixture=(100, 0, 0), random="tokens")


_SIZES_13M: Sizes = {
    "hidden_size": 512, "num_hidden_layers": 4, "num_attention_heads": 4, "intermediate_size": 1024,
    "decoder_hidden_size": 512, "decoder_num_hidden_layers": 2, "decoder_num_attention_heads": 4,
    "decoder_intermediate_size": 1024, "timepoint_patching_size": 20, "mask_ratio": 0.75,
}  # fmt: skip

TRAINABLE: dict[str, Trainable] = {
    "studio": Trainable(
        sizes=StudioConfig,
        any_recording=True,
        frames_per_patch=lambda sizes, tr_s: frames_per_patch(tr_s),
        plan=plan_mask,
        queries=_some_parcels,
        fitted=lambda parcels, frames: {},
        unused=(),
        settings={},
    ),
    # As published: random patches of the whole window hidden, at ratios from light to heavy; the same sizes as the
    # checkpoint old_13M. Tokens stand in their natural order as they do when this program asks the model.
    "brainlm-13m": Trainable(
        sizes=Config13M,
        any_recording=False,
        frames_per_patch=lambda sizes, tr_s: int({**_SIZES_13M, **sizes}["timepoint_patching_size"]),
        plan=_tokens_over_the_window,
        queries=_hidden_tokens,
        fitted=lambda parcels, frames: {
            **_SIZES_13M, "num_brain_voxels": parcels, "num_timepoints_per_voxel": frames,
        },
        unused=("decoder.decoder_pred.weight", "decoder.decoder_pred.bias"),
        settings={"learning_rate": 3e-4, "beta2": 0.999, "variety": False},
    ),
}  # fmt: skip
