"""Numbers on the command line: argparse refuses those that make no sense, names the option and ends with code 2."""

from __future__ import annotations

import argparse
import math
from collections.abc import Callable

_LARGEST_SEED = 2**63 - 1


def positive_int(text: str) -> int:
    """Return a whole number of at least 1."""
    return _whole(text, 1)


def count(text: str) -> int:
    """Return a whole number of at least 0."""
    return _whole(text, 0)


def seed(text: str) -> int:
    """Return a whole number that every random generator takes."""
    return _whole(text, 0, _LARGEST_SEED)


def whole_from(least: int) -> Callable[[str], int]:
    """Return the type of whole numbers of at least ``least``."""
    return lambda text: _whole(text, least)


def positive(text: str) -> float:
    """Return a number above 0."""
    value = _number(text)
    if value <= 0:
        raise argparse.ArgumentTypeError(f"{text} is not above 0")
    return value


def not_negative(text: str) -> float:
    """Return a number of at least 0."""
    value = _number(text)
    if value < 0:
        raise argparse.ArgumentTypeError(f"{text} is below 0")
    return value


def hidden_share(text: str) -> float:
    """Return the share that is hidden: at least 0 and below 1."""
    value = _number(text)
    if not 0 <= value < 1:
        raise argparse.ArgumentTypeError(f"The share hidden must be at least 0 and below 1, not {text}")
    return value


def scored_share(text: str) -> float:
    """Return the share that is hidden and scored: above 0 and below 1."""
    value = _number(text)
    if not 0 < value < 1:
        raise argparse.ArgumentTypeError(f"The share hidden must be above 0 and below 1, not {text}")
    return value


def _number(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise argparse.ArgumentTypeError(f"'{text}' is not a number")
    return value


def _whole(text: str, least: int, most: int = 2**31 - 1) -> int:
    try:
        value = int(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"'{text}' is not a whole number") from None
    if value < least:
        raise argparse.ArgumentTypeError(f"{text} is too small: at least {least}")
    if value > most:
        raise argparse.ArgumentTypeError(f"{text} is too large: at most {most}")
    return value
