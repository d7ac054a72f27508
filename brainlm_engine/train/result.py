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
from brainlm_engine.train.settings import TrainSettings
from brainlm_engine.train.trainable import trainable


@dataclass(frozen=True)
class Outcome:
    """What became of a training.

    Attributes
    ----------
    model : with the averaged weights that are kept, on the CPU
    steps, seconds : of training
    r2 : of ``model``, on the validation people
    """

    model: MaskedModel
    steps: int
    seconds: float
    r2: float


def write_model(
    made: Outcome, settings: TrainSettings, cohort: Cohort, train: Series, *, title: str, out: Path
) -> None:
    """Write the model, its card, and what the baselines need to know of the people, to ``out``."""
    info = _info(made.model, settings, cohort, train, model_id=out.name, title=title)
    card = _card(info, made, settings, cohort)
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
        any_atlas=trainable(settings.architecture).any_recording,
        capabilities=("reconstruct", "embed", "attention"),
        licence="BSD-3-Clause",
        trained_on=f"{len(train)} {simulated}recordings of {len(set(train.people))} people ({cohort.folder.name})",
    )


def _card(info: ModelInfo, made: Outcome, settings: TrainSettings, cohort: Cohort) -> Card:
    figures = {"validation_r2_75": round(made.r2, 4)}
    demonstration = (
        "Trained on simulated recordings only: what it says of a real scan is a demonstration, not a finding."
    )
    limits = (*made.model.limits, *(demonstration,) * cohort.simulated)
    return Card(
        info=info.model_copy(update={"figures": figures}),
        seed=settings.seed,
        training={
            "settings": settings.learning(), "steps": made.steps, "seconds": round(made.seconds, 1),
            "windows": made.steps * settings.batch, "torch": torch.__version__,
        },
        cohort=cohort.description,
        limits=limits,
        known_answer=known_answer(made.model),
    )  # fmt: skip
