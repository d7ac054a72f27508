"""What a training says of itself: one line of JSON per look at the validation people."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from brainlm_engine.files import written_whole
from brainlm_engine.progress import Progress
from brainlm_engine.train.step import Learner

LOG = "training.jsonl"


class TrainingLog:
    """``training.jsonl``: one line per look at the validation people."""

    def __init__(self, folder: Path, *, resumed: bool, step: int) -> None:
        self.path = folder / LOG
        lines = self.path.read_text(encoding="utf-8").splitlines() if resumed and self.path.exists() else []
        kept = [line for line in lines if json.loads(line)["step"] <= step]
        with written_whole(self.path) as temporary:
            temporary.write_text("".join(line + "\n" for line in kept), encoding="utf-8")

    def write(self, learner: Learner, losses: list[float], r2: float, progress: Progress) -> None:
        """Add a line: mean loss since the last one, R2, speed."""
        rate = learner.step / max(learner.seconds, 1e-9)
        line: dict[str, Any] = {
            "step": learner.step, "seconds": round(learner.seconds, 2), "loss": sum(losses) / max(1, len(losses)),
            "validation_r2": r2, "steps_per_s": round(rate, 3),
        }  # fmt: skip
        with self.path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(line) + "\n")
        progress.log(
            f"step {learner.step}  {learner.seconds:.0f} s  loss {line['loss']:.4f}  R2 of validation people {r2:.4f}"
        )
