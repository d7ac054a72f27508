"""Published checkpoints in the layout in which their authors give them out: ``config.json`` beside the weights.

Which architecture a folder holds is told from its config.json alone; the weights must then fit it in every key and
shape. That is what keeps a ViTMAE checkpoint from ending up in a 13M model with random numbers in every layer.
"""

from __future__ import annotations

import importlib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from brainlm_engine.api.errors import BadInput
from brainlm_engine.api.messages import ModelInfo
from brainlm_engine.models.architectures import ARCHITECTURES
from brainlm_engine.models.card import Card

if TYPE_CHECKING:
    from brainlm_engine.models.base import MaskedModel

#: sub-folders of the published repository
PARTS = ("old_13M", "vitmae_111M", "vitmae_650M")
LICENCE = "CC BY-NC-ND 4.0 (weights by the van Dijk lab, Yale; not for commercial use, no derivatives)"


@dataclass(frozen=True)
class Facts:
    """What is known of a published architecture's checkpoints and not written in their files."""

    scaling: str
    limits: tuple[str, ...]
    licence: str
    source: str


_ROBUST = (
    "robust: per parcel (value - median) / interquartile range over all training recordings. The statistics were never "
    "published; whether the released weights saw them or the toolkit's near-unscaled output is unknown."
)
_YALE = (
    "Trained on the 424 parcels of A424 at a TR of 0.735 s; nothing is known of other atlases or TRs.",
    "The scaling of its training data is not published, so figures on your own data depend on the scaling you choose.",
)
FACTS = {
    "brainlm-13m": Facts(_ROBUST, _YALE, LICENCE, "vandijklab/BrainLM"),
    "brainlm-vitmae": Facts(
        _ROBUST + " Then rows in ascending MNI Y, divided by 5.6430855.", _YALE, LICENCE, "vandijklab/BrainLM"
    ),
    "brainlm-causal": Facts(
        "z-score per parcel in the authors' example", (), "see the checkpoint's source", "josueortc/BrainLM"
    ),
}


def published_architecture(config: dict[str, Any]) -> str | None:
    """Return the architecture's name that a published config.json is of, None when it is of none that is known."""
    for name, architecture in ARCHITECTURES.items():
        if architecture.published:
            module = importlib.import_module(architecture.module)
            if module.matches(config):
                return name
    return None


def published_card(model: MaskedModel, architecture: str, model_id: str) -> Card:
    """Make a card from what is known of the architecture; the figures of its authors are not repeated here."""
    facts = FACTS[architecture]
    patch = model.frames_per_patch(0.735)
    info = ModelInfo(
        model_id=model_id,
        title=f"{ARCHITECTURES[architecture].title}, {model_id}",
        architecture=architecture,
        n_parameters=sum(parameter.numel() for parameter in model.parameters()),
        patch_frames=patch,
        window_frames=200,
        tr_s=0.735,
        atlas_id="a424",
        any_atlas=False,
        capabilities=("reconstruct", "embed", "attention"),
        licence=facts.licence,
        trained_on="as published by its authors; see the source",
    )
    return Card(
        info=info, scaling=facts.scaling, limits=(*model.limits, *facts.limits), provenance={"source": facts.source}
    )


def refuse_parent(folder: Path) -> None:
    """Say which sub-folders hold models when ``folder`` is the whole published repository."""
    parts = [path.name for path in sorted(folder.iterdir()) if (path / "config.json").is_file()]
    if parts:
        raise BadInput(
            f"The folder {folder.name} holds several models: {', '.join(parts)}.",
            f"Choose one of them, for example {folder.name}/{parts[0]}.",
        )
