"""``brainlm-engine cohort show|convert``: look at a cohort, and pack it for large trainings."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from typing import Any

from brainlm_engine.cli.as_text import lines
from brainlm_engine.cli.file_name import file_name
from brainlm_engine.cli.numbers import positive, positive_int

SUMMARY = "show a cohort, or convert one (also published BrainLM data sets) to memory-mapped Arrow files"


def arguments(parser: argparse.ArgumentParser) -> None:
    """Add the verb's arguments."""
    what = parser.add_subparsers(dest="what", required=True, metavar="show|convert")
    show = what.add_parser("show", help="who is in it, and whether a model can be trained on it")
    convert = what.add_parser("convert", help="write its recordings to a few Arrow files that training maps")
    for sub in (show, convert):
        sub.add_argument("folder", type=file_name, metavar="FOLDER", help="a cohort, or a published BrainLM data set")
        sub.add_argument("--json", action="store_true", default=argparse.SUPPRESS, help="one JSON object on stdout")
    convert.add_argument("--out", type=file_name, required=True, metavar="DIR", help="new folder of the cohort")
    convert.add_argument(
        "--shard-mb", type=positive_int, default=1024, metavar="MB", help="about the largest size of a file"
    )
    published = convert.add_argument_group("of a published data set (Hugging Face folders of .arrow files)")
    published.add_argument("--tr", type=positive, metavar="S", help="seconds per frame, e.g. 0.735 for UK Biobank")
    published.add_argument("--column", default="", metavar="NAME", help="what to read (default Raw_Recording)")
    published.add_argument(
        "--coordinates", type=file_name, metavar="PATH", help="Brain_Region_Coordinates, or a text file Index X Y Z"
    )


def run(args: argparse.Namespace, say: Callable[[str], None]) -> dict[str, Any]:
    """Run the verb."""
    if args.what == "show":
        from brainlm_engine.cohort.describing import describe_cohort

        info = describe_cohort(args.folder)
        return {name: value for name, value in info.model_dump(mode="json").items() if value != ""}
    from brainlm_engine.cli.pretrain import Said
    from brainlm_engine.cohort.convert import convert_cohort
    from brainlm_engine.cohort.published import Reading

    progress = Said(say)
    reading = Reading(args.tr, args.column, args.coordinates)
    made = convert_cohort(args.folder, args.out, reading, progress, shard_bytes=args.shard_mb << 20)
    for note in made.notes:
        say(note)
    return {
        "cohort": str(made.folder), "people": made.people, "recordings": made.recordings,
        "megabytes": round(made.bytes / 1e6, 1), "notes": list(made.notes),
    }  # fmt: skip


def as_text(result: dict[str, Any]) -> str:
    """Return the facts, one a line."""
    return lines({name: value for name, value in result.items() if value != [] and name != "notes"})
