"""What the colours of windows say: their state, their time, the condition they belong to, a network's activity."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PySide6.QtGui import QColor

from app.text import tr
from app.theme.tokens import Theme
from app.views.legend_plot import Entry
from app.widgets.colour_map import colour_map
from app.widgets.ticks import number

Array = NDArray[Any]
#: forms of dots, in the order of states
SYMBOLS = ("o", "s", "t", "d", "star", "p", "h", "+")
_ACTIVITY = "vik"
_DOT = "o"


@dataclass(frozen=True)
class Coloured:
    """``colours`` a colour per window, ``entries`` what they mean."""

    colours: tuple[QColor, ...]
    entries: tuple[Entry, ...]


#: a colouring waits for the theme it is drawn in
Colouring = Callable[[Theme], Coloured]


def symbol(state: int) -> str:
    """Return the form of a state's dots."""
    return SYMBOLS[state % len(SYMBOLS)]


def state_colour(theme: Theme, state: int) -> str:
    """Return the colour of a state."""
    colours = (*theme.networks, theme.text)  # eight that differ; the traces have two blues
    return colours[int(state) % len(colours)]


def condition_colour(theme: Theme, condition: int) -> str:
    """Return the colour of a condition; none, -1, is grey. They begin at the other end: states have the first ones."""
    return theme.no_network if condition < 0 else state_colour(theme, len(theme.networks) - 1 - condition)


def by_state(states: Array) -> Colouring:
    """Colour by state, ``states (T,)`` from 0, -1 for windows left out."""

    def paint(theme: Theme) -> Coloured:
        numbers = sorted({int(state) for state in states if state >= 0})
        entries = [Entry(tr("states.state", state=n + 1), state_colour(theme, n), symbol=symbol(n)) for n in numbers]
        return Coloured(tuple(QColor(state_colour(theme, int(state))) for state in states), tuple(entries))

    return paint


def by_time(windows: int) -> Colouring:
    """Colour from the first window to the last."""

    def paint(theme: Theme) -> Coloured:
        colours = tuple(_between(theme, at / max(1, windows - 1)) for at in range(windows))
        ends = (("states.first", theme.muted), ("states.last", theme.accent))
        return Coloured(colours, tuple(Entry(tr(word), colour, symbol=_DOT) for word, colour in ends))

    return paint


def by_condition(conditions: Array, names: Sequence[str]) -> Colouring:
    """Colour by condition, ``conditions (T,)`` number in ``names``, -1 for none."""

    def paint(theme: Theme) -> Coloured:
        colours = tuple(QColor(condition_colour(theme, int(condition))) for condition in conditions)
        return Coloured(colours, condition_entries(conditions, names, theme, _DOT))

    return paint


def condition_entries(conditions: Array, names: Sequence[str], theme: Theme, form: str) -> tuple[Entry, ...]:
    """Return what the colours of ``conditions (T,)`` mean."""
    there = sorted({int(condition) for condition in conditions}, key=lambda n: (n < 0, n))
    words = {n: names[n] if n >= 0 else tr("states.condition.none") for n in there}
    return tuple(Entry(words[n], condition_colour(theme, n), symbol=form) for n in there)


def by_activity(activity: Array) -> Colouring:
    """Colour by a network's mean z-score, ``activity (T,)``, zero in the middle."""

    def paint(theme: Theme) -> Coloured:
        reach = max(float(np.nanmax(np.abs(activity), initial=0.0)), 0.1)
        marks = (-reach, 0.0, reach)
        both = colour_map(_ACTIVITY).rgb(np.array([*activity, *marks], np.float32), -reach, reach)
        colours = [QColor(*map(int, row)) for row in both]
        words = [f"{'+' if mark > 0 else ''}{number(mark, 0.01 if mark else 1.0)} {tr('unit.sd')}" for mark in marks]
        entries = [
            Entry(word, colour.name(), symbol=_DOT)
            for word, colour in zip(words, colours[-3:], strict=True)
        ]  # fmt: skip
        return Coloured(tuple(colours[:-3]), tuple(entries))

    return paint


def _between(theme: Theme, share: float) -> QColor:
    """Return the colour of a moment, 0 the first and 1 the last."""
    first, last = QColor(theme.muted), QColor(theme.accent)
    pairs = ((first.red(), last.red()), (first.green(), last.green()), (first.blue(), last.blue()))
    return QColor(*(round((1 - share) * one + share * other) for one, other in pairs))
