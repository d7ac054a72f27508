"""What the form of the Train workspace keeps between two runs of the program."""

from __future__ import annotations

from typing import Any

from pydantic import ValidationError

from app.state.training import TrainState

FORM = (
    "cohort", "title", "size", "masks", "budget", "minutes", "steps", "seed", "learning_rate", "batch", "threads",
    "device", "variety", "devices", "precision", "scaling", "launch", "nodes", "partition", "account", "time_limit",
    "memory_gb", "address",
)  # fmt: skip


def form_of(train: TrainState) -> dict[str, Any]:
    """Return the settings of the form by field."""
    return {name: getattr(train, name) for name in FORM}


def restore_form(train: TrainState, saved: dict[str, Any]) -> None:
    """Put saved settings back, not as an edit; each one that does not fit is left at its present value."""
    for name in FORM:
        if name not in saved:
            continue
        try:
            checked = TrainState.model_validate({name: saved[name]})
        except ValidationError:
            continue
        setattr(train, name, getattr(checked, name))
