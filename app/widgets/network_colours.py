"""Colours and readable names of networks: the seven reference networks keep their usual hue whatever their order."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache

from app.theme.tokens import Theme

#: a word in the lower-case name, position in ``Theme.networks``; the first match counts
_USUAL = (
    ("somato", 1),
    ("motor", 1),
    ("dorsal", 2),
    ("salience", 3),
    ("ventral", 3),
    ("limbic", 4),
    ("fronto", 5),
    ("control", 5),
    ("default", 6),
    ("vis", 0),
)


def network_colours(names: Sequence[str], theme: Theme) -> list[str]:
    """A colour per entry; '' and structures are no network, unknown networks take colours in order of appearance."""
    seen: dict[str, str] = dict.fromkeys(("", "cortex", "subcortex", "cerebellum"), theme.no_network)
    for name in names:
        if name not in seen:
            lower = name.lower()
            usual = next((place for word, place in _USUAL if word in lower), None)
            seen[name] = theme.network(len(seen) - 4 if usual is None else usual)
    return [seen[name] for name in names]


def network_order(names: Sequence[str]) -> list[int]:
    """Parcels sorted by network: the seven in their usual order, others by name, parcels without a network last."""

    def place(parcel: int) -> tuple[int, str, int]:
        name = names[parcel]
        usual = next((place for word, place in _USUAL if word in name.lower()), len(_USUAL))
        return (usual if name else len(_USUAL) + 1, name, parcel)

    return sorted(range(len(names)), key=place)


@lru_cache(maxsize=256)
def readable(name: str) -> str:
    """``DorsalAttention`` as ``Dorsal attention``."""
    if not name:
        return ""
    spaced = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", name)
    head, *rest = spaced.split(" ")
    return " ".join([head[:1].upper() + head[1:], *(word.lower() if word[1:].islower() else word for word in rest)])
