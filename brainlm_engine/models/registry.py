"""Models by name or folder. A model is a folder with ``config.json``, ``model.safetensors`` and ``card.json``.

Folders as the authors of published models give them out are read too (:mod:`brainlm_engine.models.published`).
Shipped models lie in the program's resources, a person's own in ``data_dir()/models``.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from brainlm_engine.api.errors import BadInput
from brainlm_engine.api.messages import ModelInfo, ModelList
from brainlm_engine.files import written_whole
from brainlm_engine.models.card import Card, scalings
from brainlm_engine.paths import data_dir, resources_dir

if TYPE_CHECKING:
    from brainlm_engine.models.base import MaskedModel
    from brainlm_engine.preprocess.population_scaling import PopulationScaling

DEFAULT_MODEL = "studio-tiny"
FORMAT = "brainlm-studio model"


def model_folders() -> dict[str, Path]:
    """Return every installed model folder by id; a person's own model hides a shipped one of the same id."""
    found: dict[str, Path] = {}
    for root in (resources_dir() / "models", data_dir() / "models"):
        if root.is_dir():
            found |= {path.name: path for path in sorted(root.iterdir()) if (path / "config.json").is_file()}
    return found


def list_models() -> ModelList:
    """Return the card of every installed model without loading any weights; the default model first."""
    infos, folders = [], model_folders()
    for model_id, folder in folders.items():
        try:
            card = Card.load(folder)
            infos.append(card.info.model_copy(update={"model_id": model_id, "scalings": scalings(card)}))
        except BadInput as error:
            infos.append(_unusable(model_id, error.message))
    infos.sort(key=lambda info: (info.model_id != DEFAULT_MODEL, info.title.lower()))
    shipped = resources_dir() / "models"
    own = tuple(model_id for model_id, folder in folders.items() if folder.parent != shipped)
    return ModelList(models=tuple(infos), own=own)


def find_model(path_or_name: str | Path) -> Path:
    """Return the folder of a model given by id or by path.

    Raises
    ------
    BadInput
        When there is no such model, with the ids there are.
    """
    folders = model_folders()
    if str(path_or_name) in folders:
        return folders[str(path_or_name)]
    path = Path(path_or_name)
    if path.is_dir():
        return path.resolve() if not path.name else path
    known = ", ".join(folders) or "none"
    raise BadInput(f"There is no model called “{path_or_name}”.", f"Installed models: {known}.")


def load_model(path_or_name: str | Path = DEFAULT_MODEL, device: str | None = None) -> MaskedModel:
    """Load a model, ready to answer (evaluation mode, float32), on ``device``: None = a graphics processor or the CPU.

    Raises
    ------
    BadInput
        When the folder is of another kind, or its weights do not fit its configuration in every key and shape.
    """
    from brainlm_engine.models.device import answering_device
    from brainlm_engine.models.weights import fill, read_weights

    folder = find_model(path_or_name)
    config = read_config(folder)
    model = build_model(config, folder.name)
    fill(model, read_weights(folder), folder.name)
    card = load_card(folder, config, model)
    model.card = card.info.model_copy(update={"model_id": folder.name})
    model.scaling = _scaling(card, folder.name)
    model.folder = folder
    return model.eval().to(answering_device() if device is None else device)


def _scaling(card: Card, name: str) -> PopulationScaling | None:
    if card.statistics is None:
        return None
    from brainlm_engine.preprocess.population_scaling import PopulationScaling

    try:
        return PopulationScaling.of_content(card.statistics)
    except (ValueError, KeyError, TypeError, StopIteration) as error:
        raise BadInput(
            f"The scaling statistics in the card of the model {name} are damaged.",
            "Copy or download the model again.",
            repr(error),
        ) from error


def load_card(folder: Path, config: dict[str, Any], model: MaskedModel) -> Card:
    """Return the card of a loaded model; a published folder without one gets what is known of its architecture."""
    from brainlm_engine.models.published import published_card

    if config.get("format") == FORMAT or (folder / "card.json").exists():
        return Card.load(folder)
    return published_card(model, config["architecture"], folder.name)


def save_model(model: MaskedModel, architecture: str, card: Card, folder: Path) -> None:
    """Write a model folder; each file is written whole, ``config.json`` (which makes it a model) last."""
    from brainlm_engine.models.weights import write_weights

    write_weights(model, folder)
    card.save(folder)
    config = {"format": FORMAT, "format_version": 1, "architecture": architecture, "model": model.config_dict()}
    with written_whole(folder / "config.json") as temporary:
        temporary.write_text(json.dumps(config, indent=2) + "\n", encoding="utf-8")


def read_config(folder: Path) -> dict[str, Any]:
    """Read and check ``config.json``."""
    try:
        config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    except OSError as error:
        from brainlm_engine.models.published import refuse_parent

        refuse_parent(folder)
        raise BadInput(
            f"The folder {folder.name} holds no config.json, so it is not a model.",
            "Choose the folder that holds config.json and model.safetensors.",
            str(error),
        ) from error
    except ValueError as error:
        raise BadInput(
            f"The config.json of the model {folder.name} is damaged.", "Copy or download the model again.", str(error)
        ) from error
    if isinstance(config, dict) and config.get("format") == FORMAT:
        return config
    from brainlm_engine.models.published import published_architecture

    architecture = published_architecture(config) if isinstance(config, dict) else None
    if architecture is None:
        kind = config.get("model_type", "unknown") if isinstance(config, dict) else "unknown"
        raise BadInput(
            f"The model {folder.name} is of another kind (model type “{kind}”) than this program reads.",
            "Choose a model made by this program, or a published BrainLM checkpoint.",
        )
    return {"format": "published", "architecture": architecture, "model": config}


def build_model(config: dict[str, Any], name: str) -> MaskedModel:
    """Build a model with fresh weights from the contents of a config.json."""
    from brainlm_engine.models.architectures import ARCHITECTURES

    architecture = config.get("architecture")
    if architecture not in ARCHITECTURES:
        known = ", ".join(ARCHITECTURES)
        raise BadInput(
            f"The model {name} has the architecture “{architecture}”, which this version does not know.",
            f"It knows: {known}. A newer version may know more.",
        )
    try:
        return ARCHITECTURES[architecture].model_class().from_config(dict(config["model"]))
    except (KeyError, TypeError, ValueError, RuntimeError, ZeroDivisionError) as error:
        raise BadInput(
            f"The config.json of the model {name} does not describe a possible model.",
            "Copy or download the model again.",
            str(error),
        ) from error


def _unusable(model_id: str, problem: str) -> ModelInfo:
    return ModelInfo(
        model_id=model_id, title=model_id, architecture="", n_parameters=0, patch_frames=0, window_frames=0, tr_s=0.0,
        problem=problem,
    )  # fmt: skip
