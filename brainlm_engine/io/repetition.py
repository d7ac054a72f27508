"""Seconds per frame (TR): what the file says, whether that can be true, and the question when it cannot."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass

from brainlm_engine.api.errors import BadInput
from brainlm_engine.api.messages import Choice, Question

TR_MIN_S, TR_MAX_S = 0.2, 10.0
_COMMON = ("0.72", "1.0", "1.5", "2.0", "2.5", "3.0")


@dataclass(frozen=True)
class Repetition:
    """The TR decided on: seconds or None, where from ('header', 'answer', 'assumed', ''), questions and notes."""

    tr_s: float | None
    source: str
    questions: tuple[Question, ...] = ()
    notes: tuple[str, ...] = ()


def plausible(seconds: float) -> bool:
    """Return True for a TR that a functional scan can have (0.2 to 10 s)."""
    return math.isfinite(seconds) and TR_MIN_S <= seconds <= TR_MAX_S


def parse_tr(text: str) -> float:
    """Read a typed TR: '2', '2,0', '2 s', '1350 ms'."""
    match = re.fullmatch(r"\s*([0-9]+(?:[.,][0-9]*)?(?:[eE]-?[0-9]+)?)\s*(s|sec|seconds?|ms|msec)?\s*", text)
    value = float(match.group(1).replace(",", ".")) if match else math.nan
    if match and match.group(2) in ("ms", "msec"):
        value /= 1000
    if not plausible(value):
        raise BadInput(
            f"The TR '{text}' is not a time between {TR_MIN_S} and {TR_MAX_S:.0f} seconds.",
            "Give the seconds per volume, for example 2.0.",
        )
    return value


def _said(value: float) -> str:
    return f"{value:.6g}"


def _asked(text: str, default: str, required: bool = False) -> Question:
    values = [default] if default else list(_COMMON)
    choices = tuple(Choice(value=value, label=f"{value} s") for value in values)
    return Question(question_id="tr", text=text, choices=choices, default=default, free=True, required=required)


def from_header(value: float, unit: str, answers: Mapping[str, str]) -> Repetition:
    """Decide from a header's number and its unit ('sec', 'msec', 'usec' or '').

    A number that cannot be a TR in its unit but can in milliseconds (or seconds) is offered as such.
    """
    scale = {"msec": 1e-3, "usec": 1e-6}.get(unit, 1.0)
    seconds = float(value) * scale
    question, notes = _judged(float(value), seconds, unit)
    if "tr" in answers:
        return Repetition(parse_tr(answers["tr"]), "answer", (question,) if question else (), ())
    if question is None:
        return Repetition(round(seconds, 6), "header", (), notes)
    if not question.default:
        return Repetition(None, "", (question,), notes)
    source = "header" if plausible(seconds) else "assumed"
    return Repetition(float(question.default), source, (question,), notes)


def _judged(value: float, seconds: float, unit: str) -> tuple[Question | None, tuple[str, ...]]:
    if not math.isfinite(value) or value <= 0:
        text = f"The header gives no time per volume (it says {_said(value)}). How many seconds is one volume?"
        return _asked(text, "", required=True), ("The header gives no time per volume (TR).",)
    if plausible(seconds):
        if value != 1.0:
            return None, ()
        why = "" if unit else " without a unit"
        text = f"The header says 1 s per volume{why}, which many programs write when they do not know. Use 1.0 s?"
        return _asked(text, "1.0"), (f"The header's TR of 1 s{why} may be a placeholder.",)
    written = f"{_said(seconds)} s"
    for guess in (value / 1000, value, value / 1e6):
        if plausible(guess):
            text = f"The header says {written} per volume. Use {_number(guess)} s?"
            note = f"The header says {written} per volume; {_number(guess)} s is assumed."
            return _asked(text, _number(guess)), (note,)
    text = f"The header says {written} per volume, which cannot be. How many seconds is one volume?"
    return _asked(text, "", required=True), (f"The header says {written} per volume, which cannot be.",)


def _number(seconds: float) -> str:
    text = _said(seconds)
    return text if "." in text else f"{text}.0"


def unknown(answers: Mapping[str, str]) -> Repetition:
    """Ask for the TR of a file that has no place for it (a table)."""
    if "tr" in answers:
        return Repetition(parse_tr(answers["tr"]), "answer")
    text = "A table does not say how many seconds lie between two frames. What is the TR?"
    return Repetition(None, "", (_asked(text, "", required=True),), ("The TR is not in the file.",))
