"""Training that begins from the weights of another model: fine-tuning it on another cohort, or for another task."""

from __future__ import annotations

from typing import Any

from brainlm_engine.api.errors import BadInput
from brainlm_engine.models.base import MaskedModel
from brainlm_engine.models.registry import load_model
from brainlm_engine.train.settings import TrainSettings
from brainlm_engine.train.trainable import trainable

#: of the learning rate of fresh weights: what was learned is to be kept
GENTLER = 0.25


def begun_from(values: dict[str, Any]) -> dict[str, Any]:
    """Return the settings with architecture, sizes and learning rate of the model that the training starts from.

    Raises
    ------
    BadInput
        When the model cannot be loaded, or sizes are asked for that are not its own.
    """
    if not values.get("start"):
        return values
    model = load_model(str(values["start"]), "cpu")
    assert model.card is not None
    architecture, sizes = model.card.architecture, model.config_dict()
    asked: dict[str, Any] = values.get("model") or {}
    for name, value in asked.items():
        if sizes.get(name, value) != value:
            raise BadInput(
                f"The model {values['start']} has {name} {sizes[name]}, and {value} is asked for.",
                "Leave the sizes out, they are those of the model that the training starts from.",
            )
    if values.get("architecture") not in {None, "studio", architecture}:
        raise BadInput(
            f"The model {values['start']} is of the architecture {architecture}, not {values['architecture']}.",
            "Leave --architecture out, it is that of the model that the training starts from.",
        )
    recipe = trainable(architecture)
    rate = GENTLER * recipe.learning_rate(sizes)
    return {"learning_rate": rate, **values, "architecture": architecture, "model": sizes}


def begin(model: MaskedModel, settings: TrainSettings) -> str:
    """Give ``model`` the weights that the training starts from, and say so; '' when it starts from fresh ones.

    Raises
    ------
    BadInput
        When these weights learned from series of another scaling, or do not fit.
    """
    if not settings.start:
        return ""
    start = load_model(settings.start, "cpu")
    learned_from = "recording" if start.scaling is None else "population"
    if learned_from != settings.scaling:
        raise BadInput(
            f"The model {settings.start} learned from series scaled by {learned_from}, not by {settings.scaling}.",
            f"Give --scaling {learned_from}.",
        )
    try:
        model.load_state_dict(start.state_dict())
    except RuntimeError as error:
        raise BadInput(
            f"The weights of {settings.start} do not fit a model for this cohort.",
            "Choose a cohort in the model's own atlas and window length, or start from fresh weights.",
            str(error),
        ) from error
    return f"The weights begin as those of {settings.start}."
