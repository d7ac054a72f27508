"""Opening a file on the command line: the options that say what it does not say itself, and how they are asked for."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from brainlm_engine.api.errors import BadInput
from brainlm_engine.cli.file_name import file_name
from brainlm_engine.cli.inspect import add_answers, how_to_place, parsed_answers

if TYPE_CHECKING:
    from brainlm_engine.api.messages import Question
    from brainlm_engine.io import Scan
    from brainlm_engine.preprocess import Given
    from brainlm_engine.recording import Recording


def add_opening(parser: argparse.ArgumentParser) -> None:
    """Add --atlas, --coordinates, --tr and --answer."""
    parser.add_argument("--atlas", default="", help="atlas id, see 'atlas list' (default: mni424 for a scan)")
    parser.add_argument("--coordinates", type=file_name, metavar="FILE", help="for a table: region positions in MNI mm")
    parser.add_argument("--tr", metavar="S", help="seconds per frame, when the file does not say so or is wrong")
    add_answers(parser)


def add_recording(parser: argparse.ArgumentParser, *, needed: bool = True) -> None:
    """Add what a verb needs that shows one recording to a model: the file, how it is opened, --model, --scaling."""
    parser.add_argument(
        "recording",
        type=file_name,
        nargs=None if needed else "?",
        help="recording, table of region series or 4D scan (averaged over --atlas first)",
    )
    add_opening(parser)
    parser.add_argument("--model", default="studio-tiny", help="name or folder of a model")
    parser.add_argument(
        "--scaling", default="", metavar="WHAT",
        help="of the model's input: zscore (per recording), model (its own statistics), a cohort's folder, or a file "
        "of statistics; default: the model's own where its card has them, else zscore",
    )  # fmt: skip


def given_answers(args: argparse.Namespace) -> dict[str, str]:
    """Return the answers of --answer and --tr."""
    answers = parsed_answers(args.answer)
    if args.tr:
        answers["tr"] = args.tr
    return answers


def opened(args: argparse.Namespace, path: Path, answers: dict[str, str], say: Callable[[str], None]) -> Recording:
    """Open a scan, a table or a recording with the options of :func:`add_opening`; a scan is averaged over its atlas.

    Raises
    ------
    BadInput
        When the file cannot be read, or while something it does not say is not given either: nothing is computed then.
    """
    from brainlm_engine.io import open_scan
    from brainlm_engine.preprocess import Given, recording_of

    scan = open_scan(path, answers)
    given = Given(answers, args.atlas, args.coordinates)
    _refuse_open(scan, given)
    return recording_of(scan, given, _Said(say))


def recording_and_notes(args: argparse.Namespace, say: Callable[[str], None]) -> tuple[Recording, tuple[str, ...]]:
    """Return the recording and, when it was made just now from a scan or a table, what was assumed for it."""
    from brainlm_engine.io.sniff import sniff
    from brainlm_engine.recording import Recording

    answers = given_answers(args)
    path, asked = args.recording, bool(args.atlas or args.coordinates or answers)
    if not path.is_file() or (sniff(path).kind == "recording" and not asked):
        return Recording.load(path), ()
    recording = opened(args, path, answers, say)
    return recording, tuple(recording.provenance.get("notes", ()))


def _refuse_open(scan: Scan, given: Given) -> None:
    from brainlm_engine.preprocess import open_questions

    for question in open_questions(scan, given):
        raise BadInput(f"{scan.info.name}: {question.text}", _how_to_give(question))


def _how_to_give(question: Question) -> str:
    """Return the options that answer a question, as they are typed."""
    if question.question_id == "tr":
        return "Give it with --tr, for example --tr 2.0."
    if question.question_id == "positions":
        return f"Give {how_to_place(question)}."
    if question.question_id == "space":
        lay = question.choices[0].label
        return (
            f"Give --answer space=affine ({lay[0].lower()}{lay[1:]}), or --answer space=atlas with --atlas ID (an "
            "atlas made for it)."
        )
    return f"Give --answer {question.question_id}=VALUE."


class _Said:
    """Progress as lines on stderr, one per tenth."""

    def __init__(self, say: Callable[[str], None]) -> None:
        self._say = say
        self._tenth = -1

    def __call__(self, fraction: float, stage: str = "") -> None:
        if int(fraction * 10) != self._tenth:
            self._tenth = int(fraction * 10)
            self._say(f"{stage}: {self._tenth * 10} %")

    def log(self, line: str) -> None:
        self._say(line)
