"""The model card: a JSON file beside the weights that says what they are, and a known answer to test them by."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from brainlm_engine.api.errors import BadInput
from brainlm_engine.api.messages import ModelInfo
from brainlm_engine.files import written_whole

if TYPE_CHECKING:
    from brainlm_engine.models.base import MaskedModel

TOLERANCE = 2e-3


class KnownAnswer(BaseModel):
    """Predictions for a fixed input, at evenly spaced places of the output."""

    model_config = ConfigDict(extra="forbid")

    parcels: int = 40
    frames: int = 200
    tr_s: float = 0.72
    values: tuple[float, ...]


class Card(BaseModel):
    """Everything a person should know before trusting a model. Unknown fields are kept."""

    model_config = ConfigDict(extra="allow")

    info: ModelInfo
    command: str = Field(default="", description="what made the weights")
    seed: int | None = None
    scaling: str = Field(default="z-score per parcel over the recording", description="what the input must be")
    statistics: dict[str, Any] | None = Field(
        default=None,
        description="of the training recordings, as PopulationScaling.content(), with their 'unit'; None = none are "
        "needed, or they are not known",
    )
    training: dict[str, Any] = Field(default_factory=dict)
    cohort: dict[str, Any] = Field(default_factory=dict)
    limits: tuple[str, ...] = Field(default=(), description="plain sentences: what it was not made for")
    known_answer: KnownAnswer | None = None
    provenance: dict[str, Any] = Field(default_factory=dict, description="where the weights come from")

    def save(self, folder: Path) -> None:
        """Write ``card.json``."""
        with written_whole(folder / "card.json") as temporary:
            temporary.write_text(self.model_dump_json(indent=2) + "\n", encoding="utf-8")

    @classmethod
    def load(cls, folder: Path) -> Card:
        """Read ``card.json``."""
        path = folder / "card.json"
        try:
            return cls.model_validate(json.loads(path.read_text(encoding="utf-8")))
        except OSError as error:
            raise BadInput(
                f"The model folder {folder.name} has no card.json that can be read.",
                "Choose a folder that was made by this program.",
                str(error),
            ) from error
        except (ValueError, ValidationError) as error:
            raise BadInput(
                f"The card of the model {folder.name} is damaged.", "Export or download the model again.", str(error)
            ) from error


def wants_population(card: Card) -> bool:
    """Tell whether a model was trained on series scaled with statistics over many recordings."""
    return not card.training and (card.statistics is not None or card.scaling.startswith("robust"))


def scalings(card: Card) -> tuple[str, ...]:
    """Return how its input can be scaled, as ``ModelInfo`` has it, what suits it best first."""
    if not wants_population(card):
        return ("zscore",)
    return (*(("model",) if card.statistics is not None else ()), "zscore", "cohort")


def known_answer(
    model: MaskedModel, parcels: int | None = None, frames: int | None = None, tr_s: float = 0.72
) -> KnownAnswer:
    """Run ``model`` on the fixed input (of its ``answer_size``) and note 32 values of its prediction."""
    import torch

    parcels, frames = parcels or model.answer_size[0], frames or model.answer_size[1]
    place = torch.arange(parcels, dtype=torch.float64)
    time = torch.arange(frames, dtype=torch.float64) * tr_s
    xyz = torch.stack([65 * torch.sin(1.7 * place), 80 * torch.sin(2.3 * place + 1), 60 * torch.sin(3.1 * place)], -1)
    signal = torch.sin(0.31 * time + 0.05 * xyz[:, :1]) + 0.7 * torch.sin(0.11 * time + 0.04 * xyz[:, 1:2])
    was_training = model.training
    model.eval()
    with torch.inference_mode():
        device = next(model.parameters()).device
        answer = model(signal.float()[None].to(device), xyz.float()[None].to(device), tr_s=tr_s)
        prediction = answer.prediction.double().flatten().cpu()
    model.train(was_training)
    picked = prediction[torch.linspace(0, prediction.numel() - 1, 32).long()]
    return KnownAnswer(
        parcels=parcels, frames=frames, tr_s=tr_s, values=tuple(round(value, 6) for value in picked.tolist())
    )


class CheckReport(BaseModel):
    """Outcome of a self-test."""

    model_config = ConfigDict(extra="forbid", protected_namespaces=())

    model_id: str
    ok: bool
    largest_error: float | None
    text: str


def check(model: MaskedModel, card: Card) -> CheckReport:
    """Compare what the model answers now with what it answered when it was stored."""
    stored = card.known_answer
    name = card.info.model_id
    if stored is None:
        return CheckReport(model_id=name, ok=False, largest_error=None, text=f"{name} carries no known answer.")
    now = known_answer(model, stored.parcels, stored.frames, stored.tr_s)
    error = max(abs(a - b) for a, b in zip(stored.values, now.values, strict=True))
    ok = error <= TOLERANCE
    text = f"{name} gives its known answer (largest difference {error:.1e})."
    if not ok:
        text = f"{name} does not give its known answer: it is off by up to {error:.3g}."
    return CheckReport(model_id=name, ok=ok, largest_error=error, text=text)
