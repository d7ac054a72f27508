"""What a training leaves in its folder, read back. No torch: the window asks every second while a model learns.

=====================  =====================================================================================
training.jsonl         one JSON object a line; the last may be half-written by a process that died
levels.json            R² of the simple methods on the same validation windows
preview.safetensors    one validation window as the model filled it in at the last look
checkpoint.safetensors where to go on
evaluation.json        the finished model beside the simple methods, on people of the split 'test'
=====================  =====================================================================================
"""

from __future__ import annotations

import json
from itertools import pairwise
from pathlib import Path
from typing import Any

from numpy.typing import NDArray
from pydantic import ValidationError

from brainlm_engine.api.training import EvaluationInfo, Level, TrainingPoint

LOG, LEVELS, PREVIEW = "training.jsonl", "levels.json", "preview.safetensors"
CHECKPOINT, EVALUATION = "checkpoint.safetensors", "evaluation.json"
#: More points than this say nothing more on a screen.
_MOST = 600


def whole_lines(path: Path) -> list[dict[str, Any]]:
    """Return the lines that are whole objects with a step; empty when there is no file."""
    try:
        text = path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return []
    found = []
    for line in text.splitlines():
        try:
            content = json.loads(line)
        except ValueError:
            continue
        if isinstance(content, dict) and isinstance(content.get("step"), int):
            found.append(content)
    return found


def read_points(folder: Path, most: int = _MOST) -> tuple[TrainingPoint, ...]:
    """Return the points of the training in ``folder``, thinned evenly to ``most``; first and last are kept."""
    points = []
    for line in whole_lines(folder / LOG):
        try:
            points.append(TrainingPoint.model_validate(line))
        except ValidationError:  # a line about something else
            continue
    if len(points) > most:
        points = [points[round(index * (len(points) - 1) / (most - 1))] for index in range(most)]
    return tuple(points)


def read_levels(folder: Path) -> tuple[Level, ...]:
    """Return the simple methods' levels; empty when they are not known (yet)."""
    try:
        content = json.loads((folder / LEVELS).read_text(encoding="utf-8"))
        return tuple(Level.model_validate(entry) for entry in content)
    except (OSError, ValueError, TypeError):
        return ()


def read_preview(folder: Path) -> tuple[dict[str, Any], dict[str, NDArray[Any]]] | None:
    """Return what is known of the preview and its arrays; None when there is none (yet)."""
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(folder / PREVIEW, framework="np") as file:
            head = json.loads((file.metadata() or {})["preview"])
            arrays = {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118
    except (OSError, SafetensorError, KeyError, ValueError):
        return None
    arrays["mask"] = arrays["mask"].astype(bool)
    return head, arrays


def checkpoint_head(folder: Path) -> tuple[int, float, tuple[tuple[int, float], ...]]:
    """Return how far the checkpoint is: its step (0 when none can be read), its learning rate (0.0: not known), and
    the learning rates asked for so far, each with the step it holds from.
    """
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(folder / CHECKPOINT, framework="np") as file:
            head = json.loads((file.metadata() or {})["training"])
        rates = tuple((int(step), float(rate)) for step, rate in head.get("rates", ()))
        rate = rates[-1][1] if rates else float(head.get("settings", {}).get("learning_rate", 0.0))
        return int(head["step"]), rate, rates
    except (OSError, SafetensorError, KeyError, ValueError, TypeError):
        return 0, 0.0, ()


def checkpoint_step(folder: Path) -> int:
    """Return the step at which the checkpoint stands, 0 when there is none that can be read."""
    return checkpoint_head(folder)[0]


def rates_in_words(rates: tuple[tuple[int, float], ...]) -> str:
    """Say when the learning rate of a training was changed, '' when it was not."""
    changes = [
        f"{'lowered' if now < before else 'raised'} from {before:g} to {now:g} at step {step}"
        for (_, before), (step, now) in pairwise(rates)
    ]
    return f"Learning rate {', then '.join(changes)}." if changes else ""


def read_evaluation(folder: Path) -> EvaluationInfo | None:
    """Return how the finished model did, None when that was not measured (yet)."""
    try:
        return EvaluationInfo.model_validate_json((folder / EVALUATION).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
