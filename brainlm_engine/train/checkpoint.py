"""Where a training stands, in one file that is whole or not there: weights, their average, optimizer, step."""

from __future__ import annotations

import json
from pathlib import Path

import torch
from torch import Tensor

from brainlm_engine.api.errors import BadInput
from brainlm_engine.files import written_whole
from brainlm_engine.train.settings import TrainSettings
from brainlm_engine.train.step import Learner
from brainlm_engine.training_folder import CHECKPOINT

#: Settings that may differ between a run and its continuation.
_FREE = {"steps", "minutes", "threads", "device", "evaluate_every", "checkpoint_every"}


def save_checkpoint(learner: Learner, settings: TrainSettings, folder: Path) -> None:
    """Write ``folder/checkpoint.safetensors``."""
    from safetensors.torch import save_file

    tensors: dict[str, Tensor] = {}
    for name, value in learner.model.state_dict().items():
        tensors[f"model/{name}"] = value
    for name, value in learner.average.state_dict().items():
        tensors[f"average/{name}"] = value
    for index, state in learner.optimizer.state_dict()["state"].items():
        for name, value in state.items():
            tensors[f"optimizer/{index}/{name}"] = torch.as_tensor(value)
    head = {"step": learner.step, "seconds": learner.seconds, "settings": settings.model_dump(mode="json")}
    with written_whole(folder / CHECKPOINT) as temporary:
        save_file(
            {key: value.detach().cpu().contiguous().clone() for key, value in tensors.items()},
            temporary,
            metadata={"training": json.dumps(head)},
        )


def load_checkpoint(learner: Learner, settings: TrainSettings, folder: Path) -> bool:
    """Bring ``learner`` to where the checkpoint in ``folder`` stands. Return False when there is none.

    Raises
    ------
    BadInput
        When the checkpoint is damaged or belongs to a training with other settings.
    """
    from safetensors import SafetensorError, safe_open

    path = folder / CHECKPOINT
    if not path.exists():
        return False
    try:
        with safe_open(path, framework="pt") as file:
            head = json.loads(file.metadata()["training"])
            tensors = {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118
        _check_settings(head["settings"], settings, folder)
        learner.model.load_state_dict(_part(tensors, "model/"))
        learner.average.load_state_dict(_part(tensors, "average/"))
        state: dict[int, dict[str, Tensor]] = {}
        for key, value in _part(tensors, "optimizer/").items():
            index, _, name = key.partition("/")
            state.setdefault(int(index), {})[name] = value
        groups = learner.optimizer.state_dict()["param_groups"]
        learner.optimizer.load_state_dict({"state": state, "param_groups": groups})
        learner.step, learner.seconds = int(head["step"]), float(head["seconds"])
    except (SafetensorError, OSError, KeyError, TypeError, ValueError, RuntimeError) as error:
        raise BadInput(
            f"The checkpoint in {folder.name} is damaged.", "Start again in another folder.", str(error)
        ) from error
    return True


def _part(tensors: dict[str, Tensor], prefix: str) -> dict[str, Tensor]:
    return {key.removeprefix(prefix): value for key, value in tensors.items() if key.startswith(prefix)}


def _check_settings(stored: dict[str, object], settings: TrainSettings, folder: Path) -> None:
    now = settings.model_dump(mode="json")
    differing = sorted(key for key in now if key not in _FREE and stored.get(key) != now[key])
    if differing:
        raise BadInput(
            f"The folder {folder.name} holds a training with other settings ({', '.join(differing)}).",
            "Choose another folder, or the settings of that training.",
        )
