"""What a training says of itself: one line of JSON per look at the validation people."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from brainlm_engine.files import written_whole
from brainlm_engine.progress import Progress
from brainlm_engine.train.events import Events
from brainlm_engine.train.step import Learner
from brainlm_engine.training_folder import LOG, whole_lines

_FORMS = {"windows_per_s": "{:.3g} windows/s", "memory_mb": "{:.0f} MB", "mfu": "MFU {:.0%}"}


class TrainingLog:
    """``training.jsonl``. Lines after the checkpoint that a training goes on from are written anew.

    ``measured`` says what is hidden of the validation people whose R2 is told.
    """

    def __init__(self, folder: Path, *, resumed: bool, step: int, events: bool = False, measured: str = "") -> None:
        self.path, self.measured = folder / LOG, measured
        self.events = Events(folder, step) if events else None
        kept = [line for line in whole_lines(self.path) if line["step"] <= step] if resumed else []
        with written_whole(self.path) as temporary:
            temporary.write_text("".join(json.dumps(line) + "\n" for line in kept), encoding="utf-8")

    def write(self, learner: Learner, figures: dict[str, float], progress: Progress) -> None:
        """Add a line: mean loss since the last one, R2, speed, memory. A full disk costs the line, not the training."""
        rate = learner.step / max(learner.seconds, 1e-9)
        line: dict[str, Any] = {
            "step": learner.step, "seconds": round(learner.seconds, 2),
            "loss": sum(learner.losses) / max(1, len(learner.losses)), "validation_r2": learner.r2,
            "steps_per_s": round(rate, 3), **figures,
        }  # fmt: skip
        try:
            with self.path.open("a", encoding="utf-8") as file:
                file.write(json.dumps(line | {"r2_measured": self.measured}) + "\n")
            if self.events is not None:
                self.events.write(learner.step, {key: value for key, value in line.items() if key != "step"})
        except OSError as error:
            progress.log(f"{LOG} could not be written: {error.strerror}")
        told = [f"step {learner.step}", f"{learner.seconds:.0f} s", f"loss {line['loss']:.4f}"]
        told.append(f"R2 of validation people {learner.r2:.4f}")
        told += [form.format(figures[name]) for name, form in _FORMS.items() if name in figures]
        progress.log("  ".join(told))

    def close(self) -> None:
        """End the event files."""
        if self.events is not None:
            self.events.close()
