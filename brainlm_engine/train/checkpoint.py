"""Where a training stands, in one file that is whole or not there: weights, their average, optimizer, step."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from brainlm_engine.api.errors import BadInput, EngineError, NotANumber, OutOfSpace
from brainlm_engine.files import written_whole
from brainlm_engine.progress import Progress
from brainlm_engine.train.faults import advice
from brainlm_engine.train.loss_scale import LossScale
from brainlm_engine.train.settings import TrainSettings
from brainlm_engine.train.sharding import fill, spread_like, whole, whole_weights
from brainlm_engine.train.step import Best, Learner
from brainlm_engine.training_folder import CHECKPOINT, rates_in_words

#: Settings that may differ between a run and its continuation.
_FREE = {
    "steps", "minutes", "threads", "device", "evaluate_every", "checkpoint_every", "accumulate", "learning_rate",
    "clip", "precision", "keep", "patience", "devices", "nodes",
    "strategy", "tensorboard", "compile", "checkpointing",
}  # fmt: skip
#: what a process that was killed while writing leaves behind is removed after this time
_ABANDONED_S = 600.0


class Keeper:
    """Writes checkpoints. A disk that refuses one costs no training: the last one stays, the next is tried later.

    Attributes
    ----------
    last : step of the checkpoint that lies there, None when there is none
    rates : learning rates that were asked for, each with the step it holds from
    """

    def __init__(self, folder: Path, settings: TrainSettings, progress: Progress, *, writes: bool = True) -> None:
        self.folder, self.settings, self.progress, self.writes = folder, settings, progress, writes
        self.last: int | None = None
        self.rates: tuple[tuple[int, float], ...] = ((0, settings.learning_rate),)
        if writes:
            for path in folder.glob(f".{CHECKPOINT}.*"):
                if time.time() - path.stat().st_mtime > _ABANDONED_S:
                    path.unlink(missing_ok=True)

    def keep(self, learner: Learner) -> bool:
        """Write a checkpoint; return False, and say so, when that could not be done."""
        try:
            tensors = _tensors(learner)
            if not self.writes:  # it only helped to gather weights that are spread over the processes
                return True
            save_checkpoint(learner, tensors, self.settings, self.folder, self.rates)
        except (EngineError, OSError, RuntimeError) as error:
            full = isinstance(error, OutOfSpace)
            reason = "the disk is full" if full else str(getattr(error, "message", error))
            old = (self.folder / CHECKPOINT).exists()
            self.progress.log(
                f"No checkpoint could be written at step {learner.step}: {reason}. Training goes on"
                + (", the last checkpoint is kept" * old)
                + f"; tried again in {self.settings.checkpoint_every} steps."
            )
            return False
        self.last = learner.step
        return True

    def resume(self, learner: Learner) -> bool:
        """Bring ``learner`` to where the checkpoint stands; return False when there is none."""
        head = load_checkpoint(learner, self.settings, self.folder)
        if head is None:
            return False
        self.last = learner.step
        before = head.get("rates") or [[0, head["settings"].get("learning_rate", self.settings.learning_rate)]]
        self.rates = tuple((int(step), float(rate)) for step, rate in before if step < max(learner.step, 1))
        if self.settings.learning_rate != self.rates[-1][1]:
            self.rates = (*self.rates, (learner.step, self.settings.learning_rate))
        return True

    def rates_in_words(self) -> str:
        """Say when the learning rate was changed, '' when it was not."""
        return rates_in_words(self.rates)

    def last_good(self, learner: Learner, error: NotANumber, *, spoiled: bool = False) -> NotANumber:
        """Make sure that good weights lie on the disk, and return the error with the step that they are of."""
        if self.last is None and not spoiled and not learner.spread and learner.finite():
            self.keep(learner)  # a step that fails changes nothing
        kept = "" if self.last is None else f" The weights of step {self.last} are kept."
        todo = advice(self.settings.learning_rate, kept=self.last is not None)
        return NotANumber(error.message + kept, todo, error.details)


def _tensors(learner: Learner) -> dict[str, Tensor]:
    tensors = {f"model/{name}": value for name, value in whole_weights(learner.model).items()}
    tensors |= {f"average/{name}": value for name, value in whole_weights(learner.average).items()}
    tensors |= {f"best/{name}": value for name, value in (learner.best.weights if learner.best else {}).items()}
    for index, state in learner.optimizer.state_dict()["state"].items():
        for name, value in state.items():
            tensors[f"optimizer/{index}/{name}"] = whole(torch.as_tensor(value)).detach().cpu().contiguous().clone()
    return tensors


def save_checkpoint(
    learner: Learner,
    tensors: dict[str, Tensor],
    settings: TrainSettings,
    folder: Path,
    rates: tuple[tuple[int, float], ...] = (),
) -> None:
    """Write ``folder/checkpoint.safetensors``; what is there stays until the new one is whole.

    Raises
    ------
    EngineError
        When the weights are no longer numbers, or the disk refuses.
    """
    from safetensors import SafetensorError
    from safetensors.torch import save_file

    if not all(bool(value.isfinite().all()) for key, value in tensors.items() if key.startswith("model/")):
        raise EngineError("the weights are no longer numbers")
    head = {
        "step": learner.step, "seconds": learner.seconds, "parts": learner.parts, "losses": learner.losses,
        "r2": learner.r2, "best": [learner.best.r2, learner.best.step] if learner.best else None,
        "settings": settings.learning(), "rates": rates, "loss_scale": [learner.scale.factor, learner.scale.passed],
    }  # fmt: skip
    with written_whole(folder / CHECKPOINT) as temporary:
        try:
            save_file(tensors, temporary, metadata={"training": json.dumps(head)})
        except SafetensorError as error:  # its own kind, which says what the system said
            raise OSError(str(error)) from error


def load_checkpoint(learner: Learner, settings: TrainSettings, folder: Path) -> dict[str, Any] | None:
    """Bring ``learner`` to where the checkpoint in ``folder`` stands. Return its head, None when there is none.

    Raises
    ------
    BadInput
        When the checkpoint is damaged or belongs to a training with other settings.
    """
    from safetensors import SafetensorError, safe_open

    path = folder / CHECKPOINT
    if not path.exists():
        return None
    try:
        with safe_open(path, framework="pt") as file:
            head: dict[str, Any] = json.loads(file.metadata()["training"])
            tensors = {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118
        _check_settings(head["settings"], settings, folder)
        fill(learner.model, _part(tensors, "model/"))
        fill(learner.average, _part(tensors, "average/"))
        state: dict[int, dict[str, Tensor]] = {}
        parameters = [parameter for group in learner.optimizer.param_groups for parameter in group["params"]]
        for key, value in _part(tensors, "optimizer/").items():
            index, _, name = key.partition("/")
            state.setdefault(int(index), {})[name] = spread_like(value, parameters[int(index)])
        groups = learner.optimizer.state_dict()["param_groups"]
        learner.optimizer.load_state_dict({"state": state, "param_groups": groups})
        learner.step, learner.seconds = int(head["step"]), float(head["seconds"])
        _set_course(learner, head, settings, _part(tensors, "best/"))
    except (SafetensorError, OSError, KeyError, TypeError, ValueError, RuntimeError) as error:
        raise BadInput(
            f"The checkpoint in {folder.name} is damaged.", "Start again in another folder.", str(error)
        ) from error
    return head


def _set_course(learner: Learner, head: dict[str, Any], settings: TrainSettings, best: dict[str, Tensor]) -> None:
    """What checkpoints of earlier versions did not hold yet."""
    learner.losses, learner.r2 = list(head.get("losses", [])), head.get("r2")
    if head.get("best"):
        learner.best = Best(float(head["best"][0]), int(head["best"][1]), best)
    factor, passed = head.get("loss_scale", [1.0, 0])
    if settings.precision == "16":
        learner.scale = LossScale(float(factor), int(passed))
    if head["settings"].get("accumulate", 1) == settings.accumulate:  # as many parts as turned out to fit
        learner.parts = int(head.get("parts", settings.accumulate))


def _part(tensors: dict[str, Tensor], prefix: str) -> dict[str, Tensor]:
    return {key.removeprefix(prefix): value for key, value in tensors.items() if key.startswith(prefix)}


def _plain(value: object) -> object:
    return list(value) if isinstance(value, tuple) else value


def _check_settings(stored: dict[str, object], settings: TrainSettings, folder: Path) -> None:
    now = settings.learning()
    before = {name: field.get_default(call_default_factory=True) for name, field in TrainSettings.model_fields.items()}
    before |= stored  # a setting that did not exist yet was at its default
    differing = sorted(key for key in now if key not in _FREE and _plain(before.get(key)) != _plain(now[key]))
    if differing:
        raise BadInput(
            f"The folder {folder.name} holds a training with other settings ({', '.join(differing)}).",
            "Choose another folder, or the settings of that training.",
        )
