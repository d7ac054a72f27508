"""The model that a training leaves behind, with a card that says what it learned from."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from brainlm_engine.api.messages import ModelInfo
from brainlm_engine.baselines import covariance_of_people
from brainlm_engine.baselines.people import save_people
from brainlm_engine.cohort import Cohort, Series
from brainlm_engine.models.base import MaskedModel
from brainlm_engine.models.card import Card, known_answer
from brainlm_engine.models.registry import save_model
from brainlm_engine.preprocess.population_scaling import PopulationScaling
from brainlm_engine.train.settings import TrainSettings
from brainlm_engine.train.trainable import trainable
from brainlm_engine.training_folder import rates_in_words

_POPULATION = (
    "each parcel centred on its mean over the recording, then (value - median) / interquartile range of all training "
    "people's centred recordings"
)


@dataclass(frozen=True)
class Outcome:
    """What became of a training.

    Attributes
    ----------
    model : with the averaged weights that are kept, on the CPU
    steps, seconds : of training
    r2 : of ``model``, on the validation people
    rates : learning rates that were asked for, each with the step it holds from
    """

    model: MaskedModel
    steps: int
    seconds: float
    r2: float
    rates: tuple[tuple[int, float], ...] = ()


def write_model(
    made: Outcome,
    settings: TrainSettings,
    cohort: Cohort,
    train: Series,
    *,
    title: str,
    out: Path,
    scaling: PopulationScaling | None = None,
) -> None:
    """Write the model, its card, and what the baselines need to know of the people, to ``out``.

    Parameters
    ----------
    train : z-scored, whatever the model saw
    scaling : of what the model saw, where that is not z-scores
    """
    info = _info(made.model, settings, cohort, train, model_id=out.name, title=title)
    card = _card(info, made, settings, cohort)
    if scaling is not None:
        card = card.model_copy(update={"scaling": _POPULATION, "statistics": scaling.content()})
    save_people(covariance_of_people(values.astype(np.float32) for values in train.values), train.xyz, out)
    save_model(made.model, settings.architecture, card, out)


def _info(
    model: MaskedModel, settings: TrainSettings, cohort: Cohort, train: Series, *, model_id: str, title: str
) -> ModelInfo:
    simulated = "simulated " if cohort.simulated else ""
    return ModelInfo(
        model_id=model_id,
        title=title or model_id,
        architecture=settings.architecture,
        n_parameters=sum(parameter.numel() for parameter in model.parameters()),
        patch_frames=model.frames_per_patch(train.tr_s),
        patch_s=model.patch_s,
        window_frames=200,
        tr_s=train.tr_s,
        atlas_id=train.atlas_id,
        any_atlas=_reads_any_atlas(settings),
        capabilities=("reconstruct", "embed", "attention"),
        licence="BSD-3-Clause",
        trained_on=f"{len(train)} {simulated}recordings of {len(set(train.people))} people ({cohort.folder.name})"
        + f", beginning from {Path(settings.start).name}" * bool(settings.start),
    )


def _reads_any_atlas(settings: TrainSettings) -> bool:
    recipe = trainable(settings.architecture)
    return recipe.any_recording and recipe.any_parcels(settings.model) and settings.scaling == "recording"


def _card(info: ModelInfo, made: Outcome, settings: TrainSettings, cohort: Cohort) -> Card:
    figures = {trainable(settings.architecture).judging.figure: round(made.r2, 4)}
    demonstration = (
        "Trained on simulated recordings only: what it says of a real scan is a demonstration, not a finding."
    )
    changed = rates_in_words(made.rates)
    limits = (*made.model.limits, *(demonstration,) * cohort.simulated, *(changed,) * bool(changed))
    return Card(
        info=info.model_copy(update={"figures": figures}),
        seed=settings.seed,
        training={
            "settings": settings.learning(), "steps": made.steps, "seconds": round(made.seconds, 1),
            "windows": made.steps * settings.batch, "torch": torch.__version__,
            **({"learning_rates": made.rates} if len(made.rates) > 1 else {}),
        },
        cohort=cohort.description,
        limits=limits,
        known_answer=known_answer(made.model),
    )  # fmt: skip
