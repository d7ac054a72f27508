"""``brainlm-engine pretrain COHORT --out DIR``: train a model of our own on a cohort."""

from __future__ import annotations

import argparse
import shlex
import signal
import time
from collections.abc import Callable
from types import FrameType
from typing import Any

from brainlm_engine.api.errors import BadInput, Cancelled
from brainlm_engine.cli.file_name import file_name
from brainlm_engine.cli.numbers import positive, positive_int, seed, whole_from

SUMMARY = "train a masked autoencoder on a cohort; goes on where it was stopped"


def arguments(parser: argparse.ArgumentParser) -> None:
    """Define the verb's arguments."""
    parser.add_argument("cohort", type=file_name, help="folder with participants.tsv and recordings")
    parser.add_argument("--out", type=file_name, required=True, help="folder of the model")
    parser.add_argument("--minutes", type=positive, help="train so many minutes")
    parser.add_argument("--steps", type=positive_int, help="train so many steps (reproducible)")
    parser.add_argument("--seed", type=seed, default=0)
    parser.add_argument("--threads", type=positive_int, default=2)
    parser.add_argument("--batch", type=positive_int, default=8, help="windows per step")
    parser.add_argument("--learning-rate", type=positive, default=2e-3)
    parser.add_argument("--window", type=whole_from(20), default=200, help="frames per window")
    parser.add_argument("--queries", type=positive_int, default=128, help="parcels decoded per step")
    parser.add_argument("--masks", choices=("random", "parcels", "future", "mixed"), default="mixed")
    parser.add_argument("--no-variety", action="store_true", help="only the cohort's own TR, length and parcels")
    parser.add_argument("--evaluate-every", type=positive_int, default=200, metavar="STEPS")
    parser.add_argument("--device", choices=("cpu", "cuda", "mps"), default="cpu")
    parser.add_argument("--title", default="", help="what people will call the model")
    parser.add_argument(
        "--size", action="append", default=[], metavar="NAME=N", help="a size of the model, e.g. width=96"
    )


def run(args: argparse.Namespace, say: Callable[[str], None]) -> dict[str, Any]:
    """Train and return the model's folder and figures."""
    from brainlm_engine.models.card import Card
    from brainlm_engine.train import pretrain, settings_from

    if args.steps is None and args.minutes is None:
        raise BadInput("It is not said how long to train.", "Give --steps or --minutes.")
    settings = settings_from({
        "steps": args.steps, "minutes": args.minutes, "seed": args.seed, "threads": args.threads,
        "device": args.device, "batch": args.batch, "window_frames": args.window, "learning_rate": args.learning_rate,
        "queries": args.queries, "masks": args.masks, "variety": not args.no_variety,
        "evaluate_every": args.evaluate_every, "checkpoint_every": args.evaluate_every, "model": sizes(args.size),
    })  # fmt: skip
    progress = Said(say)
    progress.stop_on_signals()
    result = pretrain(args.cohort, args.out, settings, progress, title=args.title)
    card = Card.load(args.out)
    card.model_copy(update={"command": _command(args)}).save(args.out)
    return {
        "model": str(result.folder), "steps": result.steps, "windows": result.windows,
        "seconds": round(result.seconds, 1), "validation_r2": round(result.validation_r2, 4),
    }  # fmt: skip


def sizes(words: list[str]) -> dict[str, int]:
    """Turn ``["width=96"]`` into ``{"width": 96}``."""
    chosen = {}
    for word in words:
        name, equals, value = word.partition("=")
        if not equals or not value.strip().isdecimal() or int(value) < 1:
            raise BadInput(f"--size {word} cannot be understood.", "Write NAME=N, for example width=96.")
        chosen[name.strip()] = int(value)
    return chosen


def _command(args: argparse.Namespace) -> str:
    words = ["brainlm-engine", "pretrain", args.cohort.name, "--out", args.out.name]
    for name in ("minutes", "steps", "seed", "threads", "batch", "learning_rate", "window", "queries", "masks"):
        value = getattr(args, name)
        words += [f"--{name.replace('_', '-')}", str(value)] if value is not None else []
    words += ["--no-variety"] * args.no_variety + [word for size in args.size for word in ("--size", size)]
    return shlex.join(words)


class Said:
    """Progress on the terminal: log lines at once, the fraction every few seconds."""

    def __init__(self, say: Callable[[str], None], every_s: float = 5.0) -> None:
        self.say, self.every_s, self.last = say, every_s, 0.0
        self.stopped = False

    def stop_on_signals(self) -> None:
        """Let Ctrl-C and SIGTERM end the work at the next step, where a checkpoint can be written."""
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, self._stop)

    def _stop(self, number: int, frame: FrameType | None) -> None:
        self.stopped = True
        self.say("Stopping after this step ...")

    def __call__(self, fraction: float, stage: str = "") -> None:
        """Say where the work is, now and then; stop here when asked to."""
        if self.stopped:
            raise Cancelled("Stopped.", "Give the same command again to go on.")
        if time.monotonic() - self.last >= self.every_s:
            self.last = time.monotonic()
            self.say(f"{100 * fraction:5.1f} %  {stage}")

    def log(self, line: str) -> None:
        """Say a line."""
        self.say(line)
