"""Small models and short trainings."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from brainlm_engine.train import TrainSettings, settings_from
from brainlm_engine.train.log import LOG

SMALL = {
    "width": 16,
    "heads": 2,
    "encoder_layers": 1,
    "decoder_layers": 1,
    "registers": 2,
    "factors": 8,
    "place_width": 24,
}


SMALL_13M = {
    "hidden_size": 16, "decoder_hidden_size": 16, "num_hidden_layers": 1, "decoder_num_hidden_layers": 1,
    "num_attention_heads": 2, "decoder_num_attention_heads": 2, "intermediate_size": 32,
    "decoder_intermediate_size": 32, "conv_kernel_size": 5, "patch_size": 4,
}  # fmt: skip


SMALL_CAUSAL = {
    "hidden_size": 16, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 32,
}  # fmt: skip

SMALL_VITMAE = {
    "hidden_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 32,
    "decoder_hidden_size": 16, "decoder_num_hidden_layers": 1, "decoder_num_attention_heads": 2,
    "decoder_intermediate_size": 32,
}  # fmt: skip

_SIZES = {"brainlm-13m": SMALL_13M, "brainlm-causal": SMALL_CAUSAL, "brainlm-vitmae": SMALL_VITMAE}


def settings(**changes: Any) -> TrainSettings:
    """Settings of a training of a dozen steps."""
    base: dict[str, Any] = {
        "steps": 12, "seed": 3, "threads": 1, "batch": 2, "window_frames": 100, "warm_up": 4, "evaluate_every": 4,
        "checkpoint_every": 5, "queries": 20,
        "model": _SIZES.get(changes.get("architecture", "studio"), SMALL),
    }  # fmt: skip
    return settings_from({**base, **changes})


def curve(folder: Path) -> list[tuple[int, float, float]]:
    """Return step, loss and R2 of every line of a training's log."""
    lines = [json.loads(line) for line in (folder / LOG).read_text(encoding="utf-8").splitlines()]
    return [(line["step"], line["loss"], line["validation_r2"]) for line in lines]


class Listener:
    """Keeps what a training says."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def __call__(self, fraction: float, stage: str = "") -> None:
        pass

    def log(self, line: str) -> None:
        self.lines.append(line)
