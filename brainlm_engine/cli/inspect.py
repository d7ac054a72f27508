"""``brainlm-engine inspect FILE``: what a scan or table is, and what it does not say clearly."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from typing import Any

from brainlm_engine.api.errors import BadInput
from brainlm_engine.api.messages import Question, ScanInfo
from brainlm_engine.cli.file_name import file_name

#: what 'inspect' may ask, and where the answer goes
QUESTIONS = ("tr", "orientation", "recording", "affine", "positions", "space")
_CHOICES_SHOWN = 12

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
        if key.strip() not in QUESTIONS:
            raise BadInput(f"No file is asked '{key.strip()}'.", f"What can be answered: {', '.join(QUESTIONS)}.")
        answers[key.strip()] = value.strip()
    if answers.get("space", "affine") not in ("affine", "atlas"):
        raise BadInput(f"'{answers['space']}' answers no question of space.", "Write space=affine or space=atlas.")
    return answers


def arguments(parser: argparse.ArgumentParser) -> None:
    """Add the verb's arguments."""
    parser.add_argument("file", type=file_name)
    add_answers(parser)


def run(args: argparse.Namespace, say: Callable[[str], None]) -> ScanInfo:
    """Open the file and describe it."""
    from brainlm_engine.io import open_scan
    from brainlm_engine.preprocess import describe

    answers = parsed_answers(args.answer)
    info = describe(open_scan(args.file, answers))
    for question in info.questions:
        if question.question_id not in answers:
            say(_asked(question))
    return info


def how_to_place(question: Question) -> str:
    """Return the options of 'parcellate' and 'reconstruct' that say where the regions of a table lie."""
    fitting = ", ".join(choice.value for choice in question.choices[:_CHOICES_SHOWN])
    atlas = f"--atlas ID ({fitting}) or " if fitting else ""
    return f"{atlas}--coordinates FILE with one line per region: x, y, z in MNI mm"


def _asked(question: Question) -> str:
    """Return a question with the option that answers it."""
    if question.question_id == "positions":
        return f"{question.text} For 'parcellate' and 'reconstruct': {how_to_place(question)}."
    listed = ", ".join(choice.value for choice in question.choices[:_CHOICES_SHOWN])
    if (more := len(question.choices) - _CHOICES_SHOWN) > 0:
        listed += f" and {more} more"
    default = f"default {question.default}" if question.default else ""
    known = "; ".join(part for part in (listed, default) if part)
    return f"{question.text} --answer {question.question_id}=VALUE" + f" ({known})" * bool(known)


def as_text(result: dict[str, Any]) -> str:
    """Return the description as a person reads it."""
    from brainlm_engine.io.faults import one_line

    info = ScanInfo.model_validate(result)
    tr = "unknown" if info.tr_s is None else f"{info.tr_s:g} s" + f" ({info.tr_source})" * bool(info.tr_source)
    rows = [
        ("File", one_line(info.path)),
        ("Format", info.format),
        ("Frames", f"{info.n_frames}"),
        ("Time per frame", tr),
    ]
    if info.kind == "volume":
        rows.append(("Voxels", " x ".join(str(n) for n in info.shape[:3])))
    else:
        rows.append(("Regions", str(info.shape[0])))
    if info.zooms_mm:
        rows.append(("Voxel size", " x ".join(f"{size:g}" for size in info.zooms_mm) + " mm"))
    about = "about " if info.kind == "volume" else ""  # most of the first frame
    rows.append(("Values", f"{about}{info.value_range[0]:g} to {info.value_range[1]:g} ({info.unit})"))
    if info.space:
        rows.append(("Space", info.space.text))
    if info.atlas_id:
        rows.append(("Atlas", info.atlas_id))
    if info.simulated:
        rows.append(("Simulated", "yes, no person was scanned"))
    rows += [("Note", note) for note in info.notes]
    return "\n".join(f"{name:<16}{value}" for name, value in rows)
