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
from brainlm_engine.cli import launching
from brainlm_engine.cli.file_name import file_name
from brainlm_engine.cli.numbers import positive, positive_int, scored_share, seed, whole_from
from brainlm_engine.models.sizes import SIZES

#: what is told in a model's card only when it was chosen
_DEFAULTS = {
    "start": "", "architecture": "studio", "device": "cpu",
    "accumulate": 1, "precision": "32", "keep": "best", "patience": None, "devices": 1,
    "nodes": 1, "strategy": "auto", "compile": "auto", "checkpointing": "auto", "scaling": "recording",
}  # fmt: skip

#: said here and in the settings, so that asking for help does not wait for torch
_MASKS = ("random", "parcels", "networks", "future", "last", "mixed", "mixed-networks")
#: forms of our architecture that are words
_WORDS = ("coordinates", "guess", "attention", "patch_unit", "left_out")

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
    parser.add_argument(
        "--architecture",
        default="studio",
        metavar="NAME",
        help="studio (ours), brainlm-13m, brainlm-vitmae or brainlm-causal",
    )
    parser.add_argument(
        "--start", default="", metavar="MODEL", help="begin from the weights of this model (fine-tuning)"
    )
    parser.add_argument(
        "--learning-rate", type=positive, help="default: 0.002 for studio and less when wide, 0.0003 for the others"
    )
    parser.add_argument("--window", type=whole_from(20), default=200, help="frames per window")
    parser.add_argument("--queries", type=positive_int, default=128, help="parcels decoded per step")
    parser.add_argument("--masks", choices=_MASKS, default="mixed")
    parser.add_argument(
        "--mask-ratios", type=shares, default=(), metavar="SHARES", help="shares hidden, e.g. 0.2,0.5,0.75,0.9"
    )
    parser.add_argument(
        "--accumulate", type=positive_int, default=1, metavar="PARTS", help="run a step in so many parts"
    )
    parser.add_argument(
        "--scaling", choices=("recording", "population"), default="recording", help="what parcels are scaled by"
    )
    parser.add_argument("--no-variety", action="store_true", help="only the cohort's own TR, length and parcels")
    parser.add_argument("--evaluate-every", type=positive_int, default=200, metavar="STEPS")
    parser.add_argument("--device", choices=("cpu", "cuda", "mps"), default="cpu")
    parser.add_argument("--devices", type=positive_int, default=1, help="processes, each with a device of its own")
    parser.add_argument("--strategy", choices=("auto", "ddp", "fsdp"), default="auto", help="of several processes")
    parser.add_argument("--nodes", type=positive_int, default=1, help="computers")
    launching.arguments(parser)
    parser.add_argument(
        "--precision",
        choices=("32", "bf16", "16"),
        default="32",
        help="half precision, checked first: bf16, or 16 (float16) on graphics processors",
    )
    parser.add_argument(
        "--compile", choices=("auto", "on", "off"), default="auto", help="layers; auto: large models with CUDA"
    )
    parser.add_argument(
        "--checkpointing", choices=("auto", "on", "off"), default="auto",
        help="save memory by computing layers twice; auto: when a single window does not fit",
    )  # fmt: skip
    parser.add_argument("--keep", choices=("best", "last"), default="best", help="whose weights become the model")
    parser.add_argument("--patience", type=positive_int, metavar="LOOKS", help="stop after so many without a better R2")
    parser.add_argument("--estimate", action="store_true", help="only say what memory and time it would take here")
    parser.add_argument(
        "--find-learning-rate", action="store_true", help="only try learning rates, and say which looks best"
    )
    parser.add_argument("--tensorboard", action="store_true", help="write event files into OUT/tensorboard too")
    parser.add_argument("--title", default="", help="what people will call the model")
    parser.add_argument(
        "--size",
        action="append",
        default=[],
        metavar="NAME",
        help="mini, tiny, small, base or large; or a size or form of the model, e.g. width=96 or guess=person",
    )


def run(args: argparse.Namespace, say: Callable[[str], None]) -> dict[str, Any] | None:
    """Train and return the model's folder and figures."""
    from brainlm_engine.models.card import Card
    from brainlm_engine.train import pretrain, settings_from
    from brainlm_engine.train.fabric_team import seat

    if args.find_learning_rate:
        return _find_learning_rate(args, say)
    if args.steps is None and args.minutes is None:
        raise BadInput("It is not said how long to train.", "Give --steps or --minutes.")
    if args.steps is not None and args.minutes is not None:
        raise BadInput("It is said twice how long to train.", "Give --steps or --minutes, not both.")
    settings = settings_from(chosen(args))
    if args.estimate:
        from brainlm_engine.train.estimate import estimate_training

        return estimate_training(args.cohort, settings).model_dump(mode="json")
    if args.detach:
        return launching.hand_over(args.cohort, args.out, settings, args.title, Said(say))
    place = seat()
    leads = place is None or place.rank == 0  # of several that torchrun or SLURM started, the first one speaks
    progress = Said(say if leads else lambda line: None)
    progress.stop_on_signals()
    result = pretrain(args.cohort, args.out, settings, progress, title=args.title)
    if not leads:
        return None
    card = Card.load(args.out)
    card.model_copy(update={"command": _command(args)}).save(args.out)
    return {
        "model": str(result.folder), "steps": result.steps, "windows": result.windows,
        "seconds": round(result.seconds, 1), "validation_r2": round(result.validation_r2, 4),
    }  # fmt: skip


def _find_learning_rate(args: argparse.Namespace, say: Callable[[str], None]) -> dict[str, Any]:
    from brainlm_engine.train import settings_from
    from brainlm_engine.train.rate_finder import STEPS, drawn, find_learning_rate

    progress = Said(say)
    progress.stop_on_signals()
    curve = find_learning_rate(args.cohort, settings_from({**chosen(args), "steps": STEPS}), progress, start=args.out)
    say(drawn(curve))
    pairs = [[float(f"{rate:.3g}"), round(loss, 5)] for rate, loss in zip(curve.rates, curve.losses, strict=True)]
    return {"suggested_learning_rate": float(f"{curve.suggestion:.2g}"), "curve": pairs}


def as_text(result: dict[str, Any]) -> str:
    """Return the figures, one a line (the curve of learning rates was drawn before), or the words of an estimate."""
    if "sentence" in result:
        seconds = f"{result['look_s']:.2g} seconds"
        look = f"A look at the validation people takes about {seconds}." if result["look_s"] else ""
        size = f"The model has {result['n_parameters']:,} parameters."
        return "\n".join(filter(None, (result["sentence"], result["next_step"], look, size)))
    return "\n".join(f"{name}: {value}" for name, value in result.items() if name != "curve")


def chosen(args: argparse.Namespace) -> dict[str, Any]:
    """Return the settings that the arguments give; what is not said is left to the architecture."""
    said = {
        "steps": args.steps, "minutes": args.minutes, "learning_rate": args.learning_rate,
        "variety": False if args.no_variety else None,
    }  # fmt: skip
    return {
        "seed": args.seed, "threads": args.threads, "device": args.device, "batch": args.batch,
        "accumulate": args.accumulate, "window_frames": args.window, "queries": args.queries, "masks": args.masks,
        "mask_ratios": args.mask_ratios, "scaling": args.scaling, "evaluate_every": args.evaluate_every,
        "checkpoint_every": args.evaluate_every,
        "architecture": args.architecture, "model": sizes(args.size, args.architecture), "precision": args.precision,
        "keep": args.keep, "patience": args.patience, "devices": args.devices, "nodes": args.nodes,
        "strategy": args.strategy, "start": args.start,
        "tensorboard": args.tensorboard, "compile": args.compile, "checkpointing": args.checkpointing,
        "launch": args.launch, "cluster": launching.chosen(args),
        **{name: value for name, value in said.items() if value is not None},
    }  # fmt: skip


def shares(text: str) -> tuple[float, ...]:
    """Turn ``0.2,0.75`` into ``(0.2, 0.75)``."""
    return tuple(scored_share(word) for word in text.split(","))


def sizes(words: list[str], architecture: str = "studio") -> dict[str, int | str | bool]:
    """Turn ``["small", "width=96", "guess=person"]`` into the sizes of small with these; true and false are such.

    Raises
    ------
    BadInput
        When a word is none, two of our sizes are named, or one is named for another architecture.
    """
    named = {size.size_id: size.sizes for size in SIZES}
    ours = [word for word in words if word in named]
    if ours and architecture != "studio":
        raise BadInput(
            f"{ours[0]} is a size of our own architecture, studio, and {architecture} has other sizes.",
            f"Leave --size {ours[0]} out, or give sizes of {architecture} as NAME=N.",
        )
    if len(set(ours)) > 1:
        raise BadInput(f"A model cannot be {ours[0]} and {ours[1]}.", "Give one of them.")
    chosen: dict[str, int | str | bool] = {}
    for word in words:
        if word in named:
            chosen |= named[word]
            continue
        name, equals, value = (part.strip() for part in word.partition("="))
        number = name not in _WORDS
        if not equals or not name or not (value.isdecimal() if number else value.isalpha()):
            raise BadInput(
                f"--size {word} cannot be understood.",
                f"Write {', '.join(named)}, or NAME=VALUE, for example width=96 or guess=person.",
            )
        truth = {"true": True, "false": False}
        chosen[name] = int(value) if number else truth.get(value.casefold(), value)
    return chosen


def _command(args: argparse.Namespace) -> str:
    words = ["brainlm-engine", "pretrain", args.cohort.name, "--out", args.out.name]
    for name in ("minutes", "steps", "seed", "threads", "batch", "learning_rate", "window", "queries", "masks"):
        value = getattr(args, name)
        words += [f"--{name.replace('_', '-')}", str(value)] if value is not None else []
    for name, default in _DEFAULTS.items():
        value = getattr(args, name)
        words += [f"--{name.replace('_', '-')}", str(value)] if value != default else []
    words += ["--mask-ratios", ",".join(map(str, args.mask_ratios))] if args.mask_ratios else []
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
