"""Scenarios as files: everything that decides a perturbation's result, as JSON that a person can read."""

from __future__ import annotations

import json
from pathlib import Path

from pydantic import Field, ValidationError

from brainlm_engine.api.errors import BadInput
from brainlm_engine.api.messages import Message
from brainlm_engine.api.perturb import CAPTION, Scenario
from brainlm_engine.files import written_whole

SUFFIX = ".scenario.json"
_MOST_BYTES = 4_000_000


class ScenarioFile(Message):
    """A scenario, and what it was made with: of the recording its name and number of parcels, of the model its id."""

    kind: str = "brainlm-studio scenario"
    scenario: Scenario
    recording: str = ""
    parcels: int = Field(ge=1)
    tr_s: float = Field(gt=0)
    regions: dict[int, str] = Field(default={}, description="names of the regions that are set")
    model_id: str = ""
    caption: str = CAPTION


def write_scenario(file: ScenarioFile, path: Path) -> None:
    """Write whole, or not at all; BadInput when it cannot be written to."""
    text = json.dumps(file.model_dump(mode="json"), indent=2, ensure_ascii=False)
    with written_whole(path) as temporary:
        temporary.write_text(text + "\n", "utf-8")


def read_scenario(path: Path, parcels: int, tr_s: float) -> Scenario:
    """Read a scenario for a recording of so many parcels and that TR; times are kept where the TR differs.

    Raises
    ------
    BadInput
        When the file is no scenario, or was made with another atlas.
    """
    try:
        if path.stat().st_size > _MOST_BYTES:
            raise ValueError("too large")
        file = ScenarioFile.model_validate_json(path.read_text("utf-8"))
    except OSError as error:
        raise BadInput(f"{path.name} cannot be read: {error.strerror or error}.", "Choose another file.") from error
    except (ValidationError, ValueError) as error:
        raise BadInput(f"{path.name} is no scenario.", "Choose a file that was saved here.", str(error)) from error
    if file.parcels != parcels:
        raise BadInput(
            f"{path.name} was made with {file.parcels} regions; this recording has {parcels}.",
            "Parcellate with the same atlas, or make the scenario anew.",
        )
    if abs(file.tr_s - tr_s) < 1e-6:
        return file.scenario
    ratio = file.tr_s / tr_s
    moved = tuple(
        target.model_copy(update={"start": round(target.start * ratio), "stop": max(round(target.stop * ratio), 1)})
        for target in file.scenario.targets
    )
    return file.scenario.model_copy(update={"targets": moved, "ahead": round(file.scenario.ahead * ratio)})
