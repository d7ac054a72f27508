"""``brainlm-engine repair RECORDING --out NEW``: fill in bad parcels, frames and spikes, and write a new recording."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from brainlm_engine.cli.as_text import columns, number, share
from brainlm_engine.cli.file_name import file_name
from brainlm_engine.cli.numbers import not_negative, positive_int, seed
from brainlm_engine.cli.opening import add_recording, recording_and_notes

if TYPE_CHECKING:
    from brainlm_engine.api.repair import RepairSpec
    from brainlm_engine.recording import Recording

SUMMARY = "fill in missing parcels, bad frames and spikes of a recording, and write a new recording"
_WITH = ("model", "ridge", "kriging", "interpolation", "best")
_KINDS = {"parcels": "Whole parcels", "frames": "Whole frames", "values": "Single values"}


def arguments(parser: argparse.ArgumentParser) -> None:
    """Define the verb's arguments."""
    add_recording(parser)
    parser.add_argument(
        "--out", type=file_name, metavar="NEW", help="the new recording (.safetensors), with a .json beside it that "
        "says what was filled in; without it nothing is written, only told",
    )  # fmt: skip
    parser.add_argument(
        "--with", dest="method", choices=_WITH, default="model",
        help="what fills in (default: the model); best = for each kind of hole what errs least on this recording",
    )  # fmt: skip
    parser.add_argument("--parcels", default="", help="fill in these parcels too: numbers from 1 or names, with commas")
    parser.add_argument(
        "--frames", default="", metavar="FROM:TO", help="fill in these frames too, from 0, TO not included, with commas"
    )
    parser.add_argument(
        "--spikes", type=not_negative, default=6.0, metavar="SD",
        help="values so many robust standard deviations from a parcel's median are bad (default 6, 0 = none)",
    )  # fmt: skip
    parser.add_argument(
        "--motion", type=file_name, metavar="TSV", help="confounds table with the head motion of this run"
    )
    parser.add_argument(
        "--fd", type=not_negative, default=0.5, metavar="MM", help="frames that moved more are bad (default 0.5)"
    )
    parser.add_argument("--no-dvars", action="store_true", help="frames that change abruptly are not bad")
    parser.add_argument("--no-empty", action="store_true", help="leave parcels without signal as they are")
    parser.add_argument("--seed", type=seed, default=0)
    parser.add_argument("--threads", type=positive_int, default=2)


def run(args: argparse.Namespace, say: Callable[[str], None]) -> dict[str, Any]:
    """Repair, write, and return what was done."""
    import torch

    from brainlm_engine.cli.pretrain import Said
    from brainlm_engine.models import load_model
    from brainlm_engine.preprocess.motion import read_motion
    from brainlm_engine.tasks.input_scaling import chosen_scaling
    from brainlm_engine.tasks.repair import check_repaired, repair, write_repaired

    torch.set_num_threads(args.threads)
    if args.out:
        check_repaired(args.out, (args.recording, args.coordinates, args.motion))
    recording, told = recording_and_notes(args, say)
    spec = _spec(args, recording)
    fd_mm = None
    if args.motion:
        fd_mm = read_motion(args.motion, recording.n_frames, args.recording.name).fd_mm
    model = load_model(args.model)
    scaling = chosen_scaling(args.scaling, model)
    made = repair(
        model, recording, spec, fd_mm=fd_mm, scaling=scaling, recording_id=args.recording.name, progress=Said(say)
    )
    info = write_repaired(made, args.out, args.recording) if args.out else made.info
    result = info.model_dump(mode="json", exclude={"recording_id", "seconds"})
    return {**result, "notes": [*told, *info.notes]}


def as_text(result: dict[str, Any]) -> str:
    """Return what was found and how far off it probably is, as a person reads it."""
    size = result["n_parcels"] * result["n_frames"]
    told = [
        *result["found"],
        f"{result['n_values']} of {size} samples ({result['n_values'] / size:.1%}) are filled in.",
    ]
    rows = []
    for kind in result["kinds"]:
        for score in kind["scores"]:
            mark = "*" if score["method"] == kind["method"] else ""
            rows.append((
                _KINDS[kind["kind"]], score["title"] + mark, share(score["r2"]), share(score["r"]),
                number(None if score["mse"] is None else score["mse"] ** 0.5),
            ))  # fmt: skip
    if rows:
        told += ["", "On good data of this recording with the same pattern of holes (* fills in here):"]
        told.append(columns(("Holes", "Method", "R²", "r", "Error, SD"), rows))
    if result["level_error"] is not None:
        told += ["", f"The mean of a whole parcel is off by {number(result['level_error'])} SD as a rule."]
    told += ["", result["verdict"]] * bool(result["verdict"])
    told += ["", *(f"Note: {note}" for note in result["notes"])] * bool(result["notes"])
    told += ["", f"Written: {result['written']}" if result["written"] else "Nothing was written: give --out."]
    return "\n".join(told)


def _spec(args: argparse.Namespace, recording: Recording) -> RepairSpec:
    from brainlm_engine.api.errors import BadInput
    from brainlm_engine.api.repair import RepairSpec

    spans = []
    for word in filter(None, (part.strip() for part in args.frames.split(","))):
        first, _, stop = word.partition(":")
        try:
            spans.append((int(first), int(stop) if stop else int(first) + 1))
        except ValueError:
            raise BadInput(
                f"--frames {word} cannot be understood.", "For example: --frames 120:140,300 for two spans."
            ) from None
    return RepairSpec(
        empty=not args.no_empty, dvars=not args.no_dvars, spikes=args.spikes, fd_mm=args.fd,
        parcels=_parcels(args.parcels, recording), spans=tuple(spans), method=args.method, seed=args.seed,
    )  # fmt: skip


def _parcels(text: str, recording: Recording) -> tuple[int, ...]:
    from brainlm_engine.api.errors import BadInput

    found = []
    for word in filter(None, (part.strip() for part in text.split(","))):
        if word.isdigit() and 1 <= int(word) <= recording.n_parcels:
            found.append(int(word) - 1)
        elif word in recording.names:
            found.append(recording.names.index(word))
        else:
            raise BadInput(
                f"There is no parcel called {word} in this recording.",
                "Give a name as in the atlas, or its number from 1.",
            )
    return tuple(found)
