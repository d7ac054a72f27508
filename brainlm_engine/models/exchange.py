"""Models in and out: a published folder becomes one of this person's models, and goes back to its published layout."""

from __future__ import annotations

import hashlib
import json
import re
import shutil
from pathlib import Path
from typing import Any

from brainlm_engine.api.errors import BadInput
from brainlm_engine.api.messages import ModelInfo
from brainlm_engine.files import folder_whole, refuse_same, written_whole
from brainlm_engine.models.architectures import ARCHITECTURES
from brainlm_engine.models.base import MaskedModel
from brainlm_engine.models.card import Card, known_answer
from brainlm_engine.models.registry import build_model, load_card, model_folders, read_config
from brainlm_engine.models.weights import PYTORCH, WEIGHTS, fill, read_weights, write_weights
from brainlm_engine.paths import data_dir

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")


def import_model(source: Path, name: str = "", provenance: dict[str, Any] | None = None) -> ModelInfo:
    """Check a model folder in every key and shape, and keep a copy among this person's models.

    The copy holds safetensors whatever the source held, and a known answer to be tested by.

    Parameters
    ----------
    source : a folder with ``config.json`` and weights, published layout or our own
    name : what it is called here; by default the folder's name

    Raises
    ------
    BadInput
        When the folder cannot be used as a model, or the name is taken or no name for a folder.
    """
    if not source.is_dir():
        raise BadInput(f"There is no model folder called {source.name or source}.", "Choose a folder with config.json.")
    name = name or source.resolve().name
    if not _NAME.fullmatch(name):
        raise BadInput(f"“{name}” cannot be a model's name.", "Use letters, digits, dots, dashes and underscores.")
    if name in model_folders():
        raise BadInput(f"There is a model called “{name}” already.", "Give another name with --name.")
    config = read_config(source)
    model = build_model(config, source.name)
    fill(model, read_weights(source), source.name)
    model.eval()
    card = load_card(source, config, model)
    card.info = card.info.model_copy(update={"model_id": name})
    card.known_answer = known_answer(model)
    card.provenance = {**card.provenance, **(provenance or {}), "imported_sha256": _sum_of_weights(source)}
    with folder_whole(data_dir() / "models" / name, beside=data_dir()) as made:  # not where models are looked for
        write_model(model, config, card, made)
    return card.info


def export_model(model: MaskedModel, folder: Path, out: Path) -> Path:
    """Write a loaded model to ``out`` in the layout it was published in, card included.

    A published architecture gets its fixed tables back, so that its authors' code reads the file.
    """
    refuse_same(out, (folder,))
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise BadInput(f"{out.name} is there already.", "Choose a new folder for the model.")
    config = read_config(folder)
    with folder_whole(out) as made:
        if ARCHITECTURES[config["architecture"]].published:
            write_model(model, config, load_card(folder, config, model), made)
            return out
        for file in sorted(folder.iterdir()):
            if file.is_file():
                with written_whole(made / file.name) as temporary:
                    shutil.copyfile(file, temporary)
    return out


def write_model(model: MaskedModel, config: dict[str, Any], card: Card, folder: Path) -> None:
    """Write weights, card and, last, ``config.json`` as its kind of model has it."""
    write_weights(model, folder)
    card.save(folder)
    content = config["model"] | model.config_dict() if config["format"] == "published" else config
    with written_whole(folder / "config.json") as temporary:
        temporary.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")


def _sum_of_weights(folder: Path) -> str:
    path = folder / WEIGHTS if (folder / WEIGHTS).is_file() else folder / PYTORCH
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
