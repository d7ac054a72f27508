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
from brainlm_engine.models.brainlm_causal import CausalConfig
from brainlm_engine.models.brainlm_vitmae import ViTMAEConfig
from brainlm_engine.models.masks import MaskPlan, plan_mask
from brainlm_engine.models.patches import PATCH_S, SAMPLES, frames_per_patch
from brainlm_engine.models.picture import FRAMES, PARCELS
from brainlm_engine.models.studio_config import StudioConfig
from brainlm_engine.train.judging import FORECAST, PATCHES, PICTURE, Judging
from brainlm_engine.train.published_masks import plan_causal, plan_picture

Sizes = dict[str, Any]


@dataclass(frozen=True)
class Trainable:
    """How models of one architecture are trained.

    Attributes
    ----------
    sizes : the dataclass of its sizes
    any_recording : made for any TR, length and parcels; else it sees windows of the cohort's own kind only
    any_parcels : sizes -> whether a model of these sizes reads other parcels than those it was trained on
    frames_per_patch : (sizes, seconds per frame) -> frames
    patch_s : (sizes, seconds per frame) -> seconds that a patch lasts, about
    plan : (kind, patches, generator, ratios, sizes) -> how a step's windows are hidden
    queries : (hidden, most parcels, generator) -> what is decoded, (Q,) or (B, Q), as the model takes it
    fitted : (chosen sizes, parcels, frames of a window) -> sizes where none are chosen
    learning_rate : (sizes) -> the rate to train with when none is chosen
    unused : parameters that are stored and never take part
    settings : its own defaults of :class:`brainlm_engine.train.settings.TrainSettings`
    judging : what the R2 of validation people measures
    """

    sizes: type[Any]
    any_recording: bool
    any_parcels: Callable[[Sizes], bool]
    frames_per_patch: Callable[[Sizes, float], int]
    patch_s: Callable[[Sizes, float], float]
    plan: Callable[[str, int, torch.Generator, tuple[float, ...], Sizes], MaskPlan]
    queries: Callable[[Tensor, int, torch.Generator], Tensor]
    fitted: Callable[[Sizes, int, int], Sizes]
    learning_rate: Callable[[Sizes], float]
    unused: tuple[str, ...]
    settings: dict[str, Any]
    judging: Judging = PATCHES


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
    known = [field.name for field in fields(trainable(architecture).sizes) if field.name != "extra"]
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
        return ARCHITECTURES[architecture].model_class().from_config({**recipe.fitted(sizes, parcels, frames), **sizes})
    except (TypeError, ValueError, RuntimeError, ZeroDivisionError) as error:
        if "memory" in str(error).lower():
            raise  # the sizes are sound, there is not enough of it
        why = f": {error}" if architecture == "studio" and isinstance(error, ValueError) else ""
        raise BadInput(
            f"The sizes asked for do not make a model{why}.", "Leave them out for the default.", str(error)
        ) from error


def _some_parcels(hidden: Tensor, most: int, generator: torch.Generator) -> Tensor:
    """The same few parcels of all windows, (Q,)."""
    return torch.randperm(hidden.shape[1], generator=generator)[:most].sort().values


def _hidden_tokens(hidden: Tensor, most: int, generator: torch.Generator) -> Tensor:
    """Every window's own hidden patches, (B, Q): nothing else counts in the loss."""
    return hidden.flatten(1).nonzero()[:, 1].view(len(hidden), -1)


def _published_patch(sizes: Sizes, tr_s: float) -> int:
    return int(sizes.get("timepoint_patching_size", 20))


def _in_frames(sizes: Sizes) -> bool:
    return bool(sizes.get("patch_unit") == "frames")


def _nobody(hidden: Tensor, most: int, generator: torch.Generator) -> Tensor:
    """Nothing in particular, (0,): the model decodes everything, and the loss is over what is hidden."""
    return torch.zeros(0, dtype=torch.int64)


def _tokens_over_the_window(kind: str, patches: int, generator: torch.Generator, ratios: tuple[float, ...]) -> MaskPlan:
    if kind.startswith("mixed"):
        kind, ratios = "mixed", ratios or (0.2, 0.5, 0.75, 0.9)
    return plan_mask(kind, patches, generator, ratios, mixture=(100, 0, 0), random="tokens")


def _by_width(sizes: Sizes) -> float:
    """The wider, the slower: what a weight changes grows with how many stand beside it (Yang et al., "muP", 2021)."""
    try:
        width = int(sizes.get("width", StudioConfig.width))
    except (TypeError, ValueError):  # refused later, with a sentence
        width = StudioConfig.width
    return 2e-3 * min(1.0, 128 / max(1, width))


def _fitted_picture(sizes: Sizes, parcels: int, frames: int) -> Sizes:
    if (parcels, frames) != (PARCELS, FRAMES):
        raise BadInput(
            f"The architecture brainlm-vitmae reads windows of exactly {PARCELS} parcels and {FRAMES} frames, not of "
            f"{parcels} parcels and {frames} frames.",
            f"Choose a cohort in an atlas of {PARCELS} parcels and --window {FRAMES}, or another architecture.",
        )
    return {}


_SIZES_13M: Sizes = {
    "hidden_size": 512, "num_hidden_layers": 4, "num_attention_heads": 4, "intermediate_size": 1024,
    "decoder_hidden_size": 512, "decoder_num_hidden_layers": 2, "decoder_num_attention_heads": 4,
    "decoder_intermediate_size": 1024, "timepoint_patching_size": 20, "mask_ratio": 0.75,
}  # fmt: skip

TRAINABLE: dict[str, Trainable] = {
    "studio": Trainable(
        sizes=StudioConfig,
        any_recording=True,
        any_parcels=lambda sizes: sizes.get("coordinates") != "learned",
        frames_per_patch=lambda sizes, tr_s: SAMPLES if _in_frames(sizes) else frames_per_patch(tr_s),
        patch_s=lambda sizes, tr_s: SAMPLES * tr_s if _in_frames(sizes) else PATCH_S,
        plan=lambda kind, patches, generator, ratios, sizes: plan_mask(kind, patches, generator, ratios),
        queries=_some_parcels,
        fitted=lambda sizes, parcels, frames: {"parcels": parcels} if sizes.get("coordinates") == "learned" else {},
        learning_rate=_by_width,
        unused=(),
        settings={},
    ),
    # As published: random patches of the whole window hidden, at ratios from light to heavy; the same sizes as the
    # checkpoint old_13M. Tokens stand in their natural order as they do when this program asks the model.
    "brainlm-13m": Trainable(
        sizes=Config13M,
        any_recording=False,
        any_parcels=lambda sizes: False,
        frames_per_patch=lambda sizes, tr_s: int({**_SIZES_13M, **sizes}["timepoint_patching_size"]),
        patch_s=lambda sizes, tr_s: tr_s * int({**_SIZES_13M, **sizes}["timepoint_patching_size"]),
        plan=lambda kind, patches, generator, ratios, sizes: _tokens_over_the_window(
            kind, patches, generator, ratios
        ),
        queries=_hidden_tokens,
        fitted=lambda sizes, parcels, frames: {
            **_SIZES_13M, "num_brain_voxels": parcels, "num_timepoints_per_voxel": frames,
        },
        learning_rate=lambda sizes: 3e-4,
        unused=("decoder.decoder_pred.weight", "decoder.decoder_pred.bias"),
        settings={"beta2": 0.999, "variety": False},
    ),
    # As published: 75 % of all patches of the picture hidden, padding among them; the loss over what they hold of the
    # recording. The sizes of the 111M model; those of the 650M one by --size.
    "brainlm-vitmae": Trainable(
        sizes=ViTMAEConfig,
        any_recording=False,
        any_parcels=lambda sizes: False,
        frames_per_patch=_published_patch,
        patch_s=lambda sizes, tr_s: tr_s * _published_patch(sizes, tr_s),
        plan=lambda kind, patches, generator, ratios, sizes: plan_picture(
            kind, ViTMAEConfig(**sizes).picture.patches, generator, ratios
        ),
        queries=_nobody,
        fitted=_fitted_picture,
        unused=("vit.embeddings.position_embeddings", "decoder.decoder_pos_embed"),
        learning_rate=lambda sizes: 3e-4,
        settings={"beta2": 0.999, "variety": False},
        judging=PICTURE,
    ),
    # As published: in every other step all parcels' last patch is to be told from the earlier ones, else 75 % of each
    # parcel's own patches; judged by the first of these, which it is made for.
    "brainlm-causal": Trainable(
        sizes=CausalConfig,
        any_recording=False,
        any_parcels=lambda sizes: False,
        frames_per_patch=_published_patch,
        patch_s=lambda sizes, tr_s: tr_s * _published_patch(sizes, tr_s),
        plan=lambda kind, patches, generator, ratios, sizes: plan_causal(kind, patches, generator, ratios),
        queries=_nobody,
        fitted=lambda sizes, parcels, frames: {"num_brain_voxels": parcels, "num_timepoints_per_voxel": frames},
        unused=(),
        learning_rate=lambda sizes: 3e-4,
        settings={"beta2": 0.999, "weight_decay": 1e-5, "variety": False},
        judging=FORECAST,
    ),
}  # fmt: skip
