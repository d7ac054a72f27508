"""``brainlm-engine inspect FILE``: what a scan or table is, and what it does not say clearly."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path

from brainlm_engine.api.errors import BadInput
from brainlm_engine.api.messages import ScanInfo

SUMMARY = "Say what a scan or a table of region series is, and what it leaves open."


def add_answers(parser: argparse.ArgumentParser) -> None:
    """Add the option with which questions are answered beforehand."""
    parser.add_argument(
        "--answer", action="append", default=[], metavar="QUESTION=VALUE",
        help="answer a question of 'inspect', e.g. tr=2.0 or orientation=frames_rows; may be repeated",
    )  # fmt: skip


def parsed_answers(pairs: list[str]) -> dict[str, str]:
    """Turn ``["tr=2.0"]`` into ``{"tr": "2.0"}``."""
    answers = {}
    for pair in pairs:
        key, equals, value = pair.partition("=")
        if not equals or not key:
            raise BadInput(f"'{pair}' is not an answer.", "Write QUESTION=VALUE, for example tr=2.0.")
        answers[key.strip()] = value.strip()
    return answers


def arguments(parser: argparse.ArgumentParser) -> None:
    """Add the verb's arguments."""
    parser.add_argument("file", type=Path)
    add_answers(parser)


def run(args: argparse.Namespace, say: Callable[[str], None]) -> ScanInfo:
    """Open the file and describe it."""
    from brainlm_engine.io import open_scan
    from brainlm_engine.preprocess import describe

    answers = parsed_answers(args.answer)
    info = describe(open_scan(args.file, answers))
    for question in info.questions:
        if question.question_id not in answers:
            choices = ", ".join(choice.value for choice in question.choices[:12])
            default = f"; default {question.default}" if question.default else ""
            say(f"{question.text} --answer {question.question_id}=VALUE ({choices}{default})")
    return info
